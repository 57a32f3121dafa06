// SPDX-License-Identifier: MIT
/*
 * Headers of answers, one a line: Content-Length, Content-Range, ETag. What is taken is exactly what was written: put
 * into words again it is the same text, but for leading zeros and the case of the unit.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "module/source.h"
#include "ports/http/headers.h"
#include "tests/fuzz/fuzz.h"

/* Compares texts, leaving out the zeros that lead a number. */
static void require_same_numbers(const char *text, const char *again)
{
  const char *before = "";

  for (; *text; text++) {
    bool starts = before[0] == '\0' || before[0] < '0' || before[0] > '9';
    before = text;
    if (starts && *text == '0' && text[1] >= '0' && text[1] <= '9') {
      before = "";
      continue;
    }
    FUZZ_REQUIRE(strncasecmp(text, again, 1) == 0);
    again++;
  }
  FUZZ_REQUIRE(*again == '\0');
}

static void check_length(const char *text)
{
  uint64_t length = 77;
  char again[32];

  if (http_header_length(text, &length)) {
    FUZZ_REQUIRE(length <= INT64_MAX);
    snprintf(again, sizeof(again), "%" PRIu64, length);
    require_same_numbers(text, again);
  } else {
    FUZZ_REQUIRE(length == 77);
  }
}

static void check_range(const char *text)
{
  struct http_range range;
  char again[96];

  if (http_header_range(text, &range)) {
    FUZZ_REQUIRE(range.first <= range.last && range.last < range.total && range.total <= INT64_MAX);
    snprintf(again, sizeof(again), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range.first, range.last, range.total);
    require_same_numbers(text, again);
  }
}

static void check_tag(const char *text)
{
  char *validator = fuzz_allocate(PORT_VALIDATOR_SIZE);
  bool weak = false;

  memset(validator, 'x', PORT_VALIDATOR_SIZE);
  http_header_etag(text, validator, &weak);
  FUZZ_REQUIRE(memchr(validator, '\0', PORT_VALIDATOR_SIZE) != NULL);
  FUZZ_REQUIRE(!weak || (validator[0] == '\0' && strncmp(text, "W/", 2) == 0));
  if (validator[0] != '\0') {
    size_t length = strlen(validator);
    FUZZ_REQUIRE(strcmp(validator, text) == 0 && source_is_strong_tag(validator));
    FUZZ_REQUIRE(length >= 3 && validator[0] == '"' && validator[length - 1] == '"');
    for (size_t i = 1; i < length - 1; i++) { /* nothing that could end the header it is sent back in */
      FUZZ_REQUIRE(validator[i] > ' ' && validator[i] < 0x7F && validator[i] != '"');
    }
  }
  FUZZ_REQUIRE(source_is_strong_tag(text) == (validator[0] != '\0'));
  free(validator);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};

  do {
    char *text = fuzz_take_string_to(&input, '\n');
    check_length(text);
    check_range(text);
    check_tag(text);
    free(text);
  } while (input.length > 0);
  return 0;
}
