// SPDX-License-Identifier: MIT
/* What comes next in the result: how many literals, then what is copied from where. */
#include "lib/patch/patch_parts.h"

#include <stddef.h>

#include "lib/patch/contexts.h"

static lb_patch_coarse *prefix(struct lb_patch *patch, enum number_use use, uint32_t which)
{
  static const uint8_t sets[NUMBER_USES] = {0, 3, 7, 9, 11};
  uint32_t set = patch->profile->numbers == NUMBER_SETS ? sets[use] + which : use;
  return &patch->numbers[set * LB_PATCH_NUMBER_BITS];
}

static lb_patch_coarse *mantissa(struct lb_patch *patch, enum number_use use)
{
  const struct lb_patch_profile *profile = patch->profile;
  return &patch->numbers[profile->numbers * LB_PATCH_NUMBER_BITS +
                         (profile->numbers == NUMBER_SETS ? use : 0) * LB_PATCH_MANTISSA];
}

static uint32_t number(struct lb_patch *patch, enum number_use use, uint32_t which, uint32_t wanted)
{
  return lb_patch_number(patch, prefix(patch, use, which), mantissa(patch, use), wanted);
}

void lb_patch_control_init(struct lb_patch *patch)
{
  lb_patch_coarse_fill(patch->coarse, coarse_count(patch->profile), 2048);
  lb_patch_coarse_fill(patch->numbers, number_count(patch->profile), 2048);
}

/* ---- the map ---- */

int lb_patch_read_range_count(struct lb_patch *patch)
{
  patch->category = LB_PATCH_CODES_MAP;
  patch->range_count = number(patch, GAP, 0, patch->guide ? patch->guide->range_count : 0);
  return patch->range_count <= patch->profile->ranges ? LB_OK : LB_ERR_PATCH_CORRUPT;
}

/*
 * Reads a range: how far behind the last one it begins, and how its shift differs. Their starts increase, but the first
 * may be anywhere.
 */
int lb_patch_read_range(struct lb_patch *patch)
{
  const struct lb_patch_guide *guide = patch->guide;
  patch->category = LB_PATCH_CODES_MAP;
  uint32_t known = patch->ranges_known;
  struct lb_patch_range *range = &patch->ranges[known];
  const struct lb_patch_range *wanted = guide ? &guide->ranges[known] : NULL;
  uint32_t last = known ? range[-1].start : 0x3C000000U;
  uint32_t shift = known ? range[-1].shift : 0;
  range->start = last + number(patch, OFFSET, 0, wanted ? wanted->start - last : 0);
  uint32_t change = wanted ? wanted->shift - shift : 0;
  uint32_t negative = lb_patch_coarse_bit(patch, &patch->coarse[SIGN_AT], change >> 31);
  change = number(patch, GAP, 0, change >> 31 ? 0U - change : change);
  range->shift = shift + (negative ? 0U - change : change);
  patch->ranges_known++;
  return !known || range->start > last ? LB_OK : LB_ERR_PATCH_CORRUPT;
}

/* ---- copies ---- */

int lb_patch_read_gap(struct lb_patch *patch)
{
  patch->category = LB_PATCH_CODES_CONTROL;
  uint32_t which = patch->last_length < 8U ? 0 : patch->last_length < 64U ? 1U : 2U;
  uint32_t gap = number(patch, GAP, which, patch->guide ? patch->guide->copy.gap : 0);
  patch->gap = gap;
  return gap <= patch->body_length - patch->position ? LB_OK : LB_ERR_PATCH_CORRUPT;
}

static void move_up(uint32_t *repeats, uint32_t distance)
{
  uint32_t index = 0;
  while (index + 1U < LB_PATCH_REPEATS && repeats[index] != distance) {
    index++;
  }
  for (; index > 0; index--) {
    repeats[index] = repeats[index - 1U];
  }
  repeats[0] = distance;
}

/* How far behind its place in the result a copy lies in the base, modulo 2^32; kinds 0 to 3 for the length. */
static uint32_t read_base_distance(struct lb_patch *patch, uint32_t place, uint32_t wanted)
{
  lb_patch_coarse *flags = patch->coarse;
  uint32_t near = patch->gap == 0 ? 0 : patch->gap < 8U ? 1U : 2U;
  uint32_t skip = patch->base_end - place;
  patch->distance_kind = 0;
  if (near && lb_patch_coarse_bit(patch, &flags[SAME_AT + near], wanted == patch->repeats[0])) {
    return patch->repeats[0];
  }
  patch->distance_kind = 1;
  if (near && lb_patch_coarse_bit(patch, &flags[SKIP_AT + near], wanted == skip)) {
    return skip;
  }
  for (uint32_t i = 1; i < LB_PATCH_REPEATS; i++) {
    if (lb_patch_coarse_bit(patch, &flags[REPEAT_AT + i], wanted == patch->repeats[i])) {
      return patch->repeats[i];
    }
  }
  uint32_t change = wanted - patch->repeats[0];
  uint32_t negative = lb_patch_coarse_bit(patch, &flags[SIGN_AT + (near > 0)], change >> 31);
  change = number(patch, OFFSET, near > 0, change >> 31 ? 0U - change : change);
  patch->distance_kind = change < 512U ? 2 : 3;
  return patch->repeats[0] + (negative ? 0U - change : change);
}

/* A copy within the result: its length first, since near ones are short. */
static int read_copy_length(struct lb_patch *patch)
{
  uint32_t length = 2U + number(patch, COPY_LENGTH, patch->gap == 0, patch->guide ? patch->guide->copy.length - 2U : 0);
  patch->remaining = length;
  patch->last_length = length;
  return length >= 2U && length <= patch->body_length - patch->position - patch->gap ? LB_OK : LB_ERR_PATCH_CORRUPT;
}

static int read_copy_distance(struct lb_patch *patch)
{
  uint32_t place = patch->position + patch->gap;
  uint32_t wanted = patch->guide ? place - patch->guide->copy.source : 0;
  uint32_t distance = 0;
  bool repeats = false;
  for (uint32_t i = 0; i < LB_PATCH_REPEATS && !repeats; i++) {
    repeats = lb_patch_coarse_bit(patch, &patch->coarse[DISTANCE_AT + i], wanted == patch->distances[i]) != 0;
    distance = patch->distances[i];
  }
  if (!repeats) {
    uint32_t length = patch->remaining < 5U ? patch->remaining - 2U : 3U;
    distance = 1U + number(patch, COPY_DISTANCE, length, wanted - 1U);
  }
  move_up(patch->distances, distance);
  patch->source = place - distance;
  return distance && distance <= place ? LB_OK : LB_ERR_PATCH_CORRUPT;
}

int lb_patch_read_source(struct lb_patch *patch)
{
  patch->category = LB_PATCH_CODES_CONTROL;
  uint32_t from_base = 0;
  if (patch->base_length) {
    lb_patch_coarse *flag = &patch->coarse[FROM_AT + 3U * patch->from_base +
                                           (patch->gap == 0   ? 0
                                            : patch->gap < 8U ? 1U
                                                              : 2U)];
    from_base = lb_patch_coarse_bit(patch, flag, patch->guide && patch->guide->copy.from_base);
  }
  patch->from_base = (uint8_t)from_base;
  if (!from_base) {
    return read_copy_length(patch);
  }
  uint32_t place = patch->position + patch->gap;
  uint32_t distance = read_base_distance(patch, place, patch->guide ? patch->guide->copy.source - place : 0);
  move_up(patch->repeats, distance);
  patch->source = place + distance;
  return patch->source < patch->base_length ? LB_OK : LB_ERR_PATCH_CORRUPT;
}

int lb_patch_read_length(struct lb_patch *patch)
{
  patch->category = LB_PATCH_CODES_CONTROL;
  if (!patch->from_base) {
    return read_copy_distance(patch);
  }
  uint32_t length = 1U + number(patch, LENGTH, patch->distance_kind, patch->guide ? patch->guide->copy.length - 1U : 0);
  if (length == 0 || length > patch->base_length - patch->source ||
      length > patch->body_length - patch->position - patch->gap) {
    return LB_ERR_PATCH_CORRUPT;
  }
  patch->remaining = length;
  patch->last_length = length;
  patch->base_end = patch->source + length;
  return LB_OK;
}
