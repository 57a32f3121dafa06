// SPDX-License-Identifier: MIT
/*
 * Version files and versions. The whole input is a version file; split at its first two ';' it is three versions, which
 * have to be in one order: whatever is compared with itself, the other way round, or through a third.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "module/depot.h"
#include "module/version.h"
#include "tests/fuzz/fuzz.h"

static void check_file(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  char *text = fuzz_take_string(&input);
  size_t before = strlen(text);
  bool is_version = depot_take_version(text);

  FUZZ_REQUIRE(strlen(text) <= before);
  FUZZ_REQUIRE(is_version == version_is_valid(text));
  FUZZ_REQUIRE(!strchr(text, '\n') || !is_version);
  FUZZ_REQUIRE(!is_version || (strlen(text) <= VERSION_LENGTH_MAX && text[0] >= '0' && text[0] <= '9'));
  free(text);
}

static void check_pair(const char *a, const char *b)
{
  enum version_order order = version_compare(a, b);
  bool both = version_is_valid(a) && version_is_valid(b);

  FUZZ_REQUIRE(both == (order != VERSION_UNRELATED));
  if (both) {
    FUZZ_REQUIRE((int)version_compare(b, a) == -(int)order);
    FUZZ_REQUIRE(version_compare(a, a) == VERSION_SAME);
    FUZZ_REQUIRE(strcmp(a, b) != 0 || order == VERSION_SAME);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  char *a = fuzz_take_string_to(&input, ';');
  char *b = fuzz_take_string_to(&input, ';');
  char *c = fuzz_take_string(&input);

  check_file(data, size);
  check_pair(a, b);
  check_pair(b, c);
  check_pair(a, c);
  if (version_is_valid(a) && version_is_valid(b) && version_is_valid(c)) {
    int first = version_compare(a, b);
    int second = version_compare(b, c);
    if (first * second >= 0) { /* not opposed: then a and c are in the order of the one that is no tie */
      FUZZ_REQUIRE((int)version_compare(a, c) == (first != 0 ? first : second));
    }
  }
  free(a);
  free(b);
  free(c);
  return 0;
}
