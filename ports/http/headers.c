// SPDX-License-Identifier: MIT
#include "ports/http/headers.h"

#include <string.h>

#include "module/source.h"
#include "ports/http/text.h"

#define UNIT      "bytes"
#define UNIT_SIZE (sizeof UNIT - 1)

/* Takes a number from the beginning of `text`; NULL if there is none, or it is larger than INT64_MAX. */
static const char *take_number(const char *text, uint64_t *number)
{
  const char *const begin = text;
  uint64_t sum = 0;
  for (; *text >= '0' && *text <= '9'; text++) {
    const uint64_t digit = (uint64_t)(*text - '0');
    if (sum > (INT64_MAX - digit) / 10) {
      return NULL;
    }
    sum = sum * 10 + digit;
  }
  *number = sum;
  return text > begin ? text : NULL;
}

/* The same, with that character behind it, which is taken, too. '\0' is the end of the text. */
static const char *take_number_before(const char *text, char behind, uint64_t *number)
{
  text = text ? take_number(text, number) : NULL;
  return text && *text == behind ? text + 1 : NULL;
}

bool http_header_length(const char *text, uint64_t *length)
{
  uint64_t number = 0;
  if (!take_number_before(text, '\0', &number)) {
    return false;
  }
  *length = number;
  return true;
}

bool http_header_range(const char *text, struct http_range *range)
{
  struct http_range found = {0};
  if (!http_text_begins(text, UNIT) || text[UNIT_SIZE] != ' ') {
    return false;
  }
  text = take_number_before(text + UNIT_SIZE + 1, '-', &found.first);
  text = take_number_before(text, '/', &found.last);
  text = take_number_before(text, '\0', &found.total);
  if (!text || found.first > found.last || found.last >= found.total) {
    return false;
  }
  *range = found;
  return true;
}

void http_header_etag(const char *text, char validator[PORT_VALIDATOR_SIZE], bool *weak)
{
  validator[0] = '\0';
  *weak = text[0] == 'W' && text[1] == '/';
  if (!*weak && source_is_strong_tag(text)) {
    memcpy(validator, text, http_text_length(text) + 1U);
  }
}
