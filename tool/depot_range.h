// SPDX-License-Identifier: MIT
/* The Range header of HTTP (RFC 9110, section 14), as far as an update needs it: one range of bytes. */
#ifndef TOOL_DEPOT_RANGE_H
#define TOOL_DEPOT_RANGE_H

#include <stdint.h>

enum depot_range_kind {
  DEPOT_RANGE_WHOLE,         /* nothing usable is asked for: send the whole with 200 */
  DEPOT_RANGE_PART,          /* send the part with 206 */
  DEPOT_RANGE_UNSATISFIABLE, /* nothing of it lies in the file: 416 */
};

/* A part of a file: never empty, never beyond the file's end. */
struct depot_range {
  uint64_t first;
  uint64_t length;
};

/*
 * Reads `value`, what stands behind "Range:" (NULL: the header is absent), for a file of `size` bytes. `range` is the
 * part, or the whole file unless the result is DEPOT_RANGE_PART. Several ranges, another unit and whatever does not
 * follow the grammar ask for the whole. Numbers of any length are understood: too large is beyond the end.
 */
enum depot_range_kind depot_range_parse(const char *value, uint64_t size, struct depot_range *range);

#endif
