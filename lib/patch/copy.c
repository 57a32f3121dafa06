// SPDX-License-Identifier: MIT
/*
 * A copy from the base, unit by unit. Most units come out as predicted, which costs next to nothing to say; the others
 * are corrected byte by byte.
 */
#include "lib/patch/patch_parts.h"

#include <string.h>

#include "lib/patch/contexts.h"
#include "lifeboat/bytes.h"

/* ---- how long ago the last miss was ---- */

#define LEVELS 12U

static uint32_t level_of(const struct lb_patch *patch)
{
  return (uint32_t)patch->level >> patch->profile->level_shift;
}

/* Counts the units since the last miss; a level begins at each of these counts. */
static void count_hit(struct lb_patch *patch, bool hit)
{
  static const uint16_t levels[LEVELS - 1U] = {1, 2, 3, 5, 9, 17, 33, 65, 129, 513, 4097};
  if (!hit) {
    patch->hits = 0;
    patch->level = 0;
    return;
  }
  patch->hits++;
  if (patch->level < LEVELS - 1U && patch->hits >= levels[patch->level]) {
    patch->level++;
  }
}

static const uint8_t *wanted_bytes(const struct lb_patch *patch)
{
  return patch->guide ? patch->guide->result + patch->position : NULL;
}

static uint32_t wants(const uint8_t *wanted, const uint8_t *bytes, uint32_t length)
{
  return wanted && memcmp(wanted, bytes, length) == 0;
}

/* ---- corrections ---- */

static void correct(struct lb_patch *patch, const struct lb_patch_unit *unit, uint8_t before, const uint8_t *bytes,
                    const uint8_t *wanted, uint8_t *made)
{
  uint32_t kind = unit->kind;
  uint32_t operation = patch->walker ? bytes[0] & patch->walker->class_byte : 0;
  uint32_t changed = 0; /* a bit for each byte before */
  for (uint32_t i = 0; i < unit->length; i++) {
    uint32_t equal = 0;
    /* a plain unit has a change, so if there was none yet it is in the last byte */
    if (kind != LB_PATCH_PLAIN || i + 1U < unit->length || changed) {
      patch->category = LB_PATCH_CODES_BYTE_EQUAL;
      lb_patch_coarse *flag = byte_equal_flag(patch, kind, i < 2U ? i : 2U, changed & 7U);
      equal = lb_patch_coarse_bit(patch, flag, wants(wanted ? wanted + i : NULL, &bytes[i], 1));
    }
    changed = changed << 1 | (equal ? 0 : 1U);
    if (equal) {
      made[i] = bytes[i];
      continue;
    }
    uint32_t old = bytes[i];
    uint32_t first = i ? made[0] : 0;
    uint32_t last = i ? made[i - 1U] : (uint32_t)(patch->recent & 0xFFU);
    uint32_t old_last = i ? bytes[i - 1U] : before;
    uint32_t contexts[5] = {
        old | i << 8 | kind << 12 | 1U << 20,
        i | kind << 4 | 2U << 20 | (kind == LB_PATCH_PLAIN ? operation << 8 : 0),
        last | 3U << 20 | i << 8 | (uint32_t)(kind == LB_PATCH_PLAIN) << 12,
        old | operation << 8 | old_last << 12 | 4U << 20 | i << 24,
        first | old << 8 | 5U << 20 | i << 24 | operation << 26,
    };
    patch->category = LB_PATCH_CODES_BYTE;
    made[i] =
        lb_patch_byte(patch, contexts, 5, (i < 3U ? i : 3U) + 4U * (kind != LB_PATCH_PLAIN), wanted ? wanted[i] : 0);
  }
}

/* ---- plain units ---- */

#define STRUCTURE_REACH 2000

static struct lb_patch_structure *structure_of(struct lb_patch *patch, const struct lb_patch_field *field)
{
  return &patch->structures[(uint32_t)field->value / 16U % patch->profile->structures];
}

static void learn_structure(struct lb_patch *patch, const struct lb_patch_field *field, const uint8_t *made,
                            uint8_t length)
{
  struct lb_patch_structure *structure = structure_of(patch, field);
  struct lb_patch_field now;
  patch->walker->field(made, length, &now);
  int32_t shift = now.value - field->value;
  if (!now.present || now.scale != field->scale) {
    return;
  }
  if (shift == 0) {
    structure->trust = (uint8_t)(structure->trust ? structure->trust - 1U : 0);
  } else if (shift == structure->shift) {
    structure->trust = (uint8_t)(structure->trust < 3U ? structure->trust + 1U : 3U);
  } else if (shift > -STRUCTURE_REACH && shift < STRUCTURE_REACH) {
    structure->shift = (int16_t)shift;
    structure->trust = 1;
  }
}

/* Tells whether it came out as in the base. */
static bool plain_unit(struct lb_patch *patch, const struct lb_patch_unit *unit, uint8_t before, const uint8_t *bytes,
                       bool code, uint8_t *made)
{
  const uint8_t *wanted = wanted_bytes(patch);
  uint32_t level = level_of(patch);
  struct lb_patch_field field = {.present = false};
  uint8_t moved[LB_PATCH_UNIT];
  lb_patch_fine *flag = equal_flag(patch, unit->class, level);
  const struct lb_patch_structure *structure = NULL;
  if (code) {
    patch->walker->field(bytes, unit->length, &field);
  }
  if (field.present) {
    structure = structure_of(patch, &field);
    if (!structure->shift || !patch->walker->put_field(moved, bytes, unit->length, field.value + structure->shift)) {
      structure = NULL;
    } else {
      flag = structure_equal_flag(patch, structure->trust, level);
    }
  }
  patch->category = LB_PATCH_CODES_EQUAL;
  bool equal = lb_patch_fine_bit(patch, flag, 100, !wants(wanted, bytes, unit->length)) == 0;
  if (equal) {
    memcpy(made, bytes, unit->length);
  } else if (structure && lb_patch_coarse_bit(patch, structure_hit_flag(patch, structure->trust),
                                              wants(wanted, moved, unit->length))) {
    memcpy(made, moved, unit->length);
  } else {
    correct(patch, unit, before, bytes, wanted, made);
  }
  if (field.present) {
    learn_structure(patch, &field, made, unit->length);
  }
  return equal;
}

/* ---- units that hold an address ---- */

/* Tells whether the first candidate was right. */
static bool address_unit(struct lb_patch *patch, const struct lb_patch_unit *unit, uint32_t offset, uint8_t before,
                         const uint8_t *bytes, uint8_t *made)
{
  const uint8_t *wanted = wanted_bytes(patch);
  struct lb_patch_candidates candidates;
  struct lb_patch_place place = {
      .base_address = lb_patch_address(&patch->base_image, offset),
      .address = lb_patch_address(&patch->result_image, patch->position),
  };
  lb_patch_predict(patch, unit, &place, bytes, &candidates);
  patch->category = LB_PATCH_CODES_HIT;
  uint32_t index = 0;
  for (; index < candidates.count; index++) {
    uint32_t miss = !wants(wanted, candidates.bytes[index], unit->length);
    if (index == 0) {
      miss = lb_patch_fine_bit(
          patch, hit_flag(patch, unit->kind - 1U, candidates.context, patch->kind_history[unit->kind]), 60, miss);
    } else {
      miss = lb_patch_coarse_bit(patch, other_flag(patch, unit->kind, candidates.source[index]), miss);
    }
    if (!miss) {
      memcpy(made, candidates.bytes[index], unit->length);
      break;
    }
  }
  if (index == candidates.count) {
    correct(patch, unit, before, bytes, wanted, made);
  }
  bool hit = candidates.count && index == 0;
  lb_patch_learn(patch, unit, &place, bytes, made);
  patch->kind_history[unit->kind] = (uint8_t)(patch->kind_history[unit->kind] << 1 | (hit ? 0 : 1));
  return hit;
}

/* ---- the walk ---- */

/* Finds where the first unit of a copy begins: units are looked for from a little before, to be in step. */
void lb_patch_copy_begin(struct lb_patch *patch)
{
  patch->unit = patch->source;
  if (!patch->walker) {
    return;
  }
  const struct lb_patch_segment *segment = lb_patch_segment_at(&patch->base_image, patch->source);
  if (!segment) {
    return;
  }
  if (!patch->walker->is_code(segment)) {
    patch->unit = (patch->source + 3U) & ~3U;
    return;
  }
  uint32_t behind = patch->source - segment->offset;
  if (behind > patch->walker->lookbehind) {
    behind = patch->walker->lookbehind;
  }
  uint32_t offset = (patch->source - behind) & ~3U;
  offset = offset < segment->offset ? segment->offset : offset;
  while (offset < patch->source) {
    struct lb_patch_unit unit;
    const uint8_t *bytes = lb_patch_base_bytes(patch, &patch->base_window, offset, LB_PATCH_AHEAD);
    patch->walker->unit(&patch->base_image, segment, offset, bytes, &unit);
    offset += unit.length;
  }
  patch->unit = offset;
}

void lb_patch_copy_unit(struct lb_patch *patch)
{
  const struct lb_patch_walker *walker = patch->walker;
  uint32_t offset = patch->source;
  struct lb_patch_unit unit = {.kind = LB_PATCH_PLAIN, .class = LB_PATCH_CLASSES - 1U, .length = 1};
  const struct lb_patch_segment *segment = walker ? lb_patch_segment_at(&patch->base_image, offset) : NULL;
  /* one byte more in front, for the contexts of corrections */
  uint32_t front = offset ? 1U : 0;
  const uint8_t *bytes =
      front + lb_patch_base_bytes(patch, &patch->base_window, offset - front, LB_PATCH_AHEAD + front);
  uint8_t before = front ? bytes[-1] : 0;
  if (patch->unit > offset) {
    uint32_t length = patch->unit - offset;
    unit.length = (uint8_t)(length < LB_PATCH_UNIT ? length : LB_PATCH_UNIT);
  } else if (segment) {
    walker->unit(&patch->base_image, segment, offset, bytes, &unit);
    patch->unit = offset + unit.length;
  } else if (!walker) {
    unit.length = (uint8_t)(4U - (offset & 3U));
  }
  if (unit.length > patch->remaining) {
    unit.length = (uint8_t)patch->remaining;
    unit.kind = LB_PATCH_PLAIN;
  }
  uint8_t made[LB_PATCH_UNIT] = {0};
  bool code = segment && walker->is_code(segment);
  bool hit = unit.kind == LB_PATCH_PLAIN ? plain_unit(patch, &unit, before, bytes, code, made)
                                         : address_unit(patch, &unit, offset, before, bytes, made);
  count_hit(patch, hit);
  lb_patch_emit(patch, made, unit.length);
  patch->source += unit.length;
  patch->remaining -= unit.length;
}
