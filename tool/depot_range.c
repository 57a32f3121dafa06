// SPDX-License-Identifier: MIT
#include "tool/depot_range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const char *skip_blanks(const char *text)
{
  return text + strspn(text, " \t");
}

/* Reads digits, at least one; what does not fit is UINT64_MAX, which lies behind the end of every file. */
static bool take_number(const char **text, uint64_t *number)
{
  const char *digit = *text;
  uint64_t value = 0;
  for (; *digit >= '0' && *digit <= '9'; digit++) {
    uint64_t next = (uint64_t)(*digit - '0');
    value = value > (UINT64_MAX - next) / 10U ? UINT64_MAX : value * 10U + next;
  }
  if (digit == *text) {
    return false;
  }
  *text = digit;
  *number = value;
  return true;
}

/* "-n": the last n bytes. */
static enum depot_range_kind last_bytes(uint64_t count, uint64_t size, struct depot_range *range)
{
  if (count == 0 || size == 0) {
    return DEPOT_RANGE_UNSATISFIABLE;
  }
  range->length = count < size ? count : size;
  range->first = size - range->length;
  return DEPOT_RANGE_PART;
}

/* "a-b", both included; b may lie behind the end. */
static enum depot_range_kind from_to(uint64_t first, uint64_t last, uint64_t size, struct depot_range *range)
{
  if (last < first) {
    return DEPOT_RANGE_WHOLE;
  }
  if (first >= size) {
    return DEPOT_RANGE_UNSATISFIABLE;
  }
  range->first = first;
  range->length = (last < size ? last + 1 : size) - first;
  return DEPOT_RANGE_PART;
}

enum depot_range_kind depot_range_parse(const char *value, uint64_t size, struct depot_range *range)
{
  static const char unit[] = "bytes=";
  uint64_t first = 0;
  uint64_t last = UINT64_MAX;
  range->first = 0;
  range->length = size;
  if (!value || strncasecmp(value, unit, strlen(unit)) != 0) {
    return DEPOT_RANGE_WHOLE;
  }
  const char *text = skip_blanks(value + strlen(unit));
  bool has_first = take_number(&text, &first);
  if (*text != '-') {
    return DEPOT_RANGE_WHOLE;
  }
  text++;
  bool has_last = take_number(&text, &last);
  if (*skip_blanks(text) != '\0' || (!has_first && !has_last)) {
    return DEPOT_RANGE_WHOLE;
  }
  return has_first ? from_to(first, last, size, range) : last_bytes(last, size, range);
}
