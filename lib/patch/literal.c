// SPDX-License-Identifier: MIT
/* Bytes that are nowhere else: coded in contexts that know where in an instruction or a word they are. */
#include "lib/patch/patch_parts.h"

#include <stddef.h>

#include "lib/patch/contexts.h"
#include "lifeboat/bytes.h"

#define NOTHING_EXPECTED 256U

static uint8_t byte_back(const struct lb_patch *patch, uint32_t distance)
{
  return (uint8_t)(patch->recent >> (8U * (distance - 1U)));
}

/* Follows the instructions that the literals make: which byte of one comes next, 0 to 2. */
static uint32_t follow(struct lb_patch *patch)
{
  uint32_t position = patch->position;
  if (position < patch->literal_unit || position - patch->literal_unit >= 4U) {
    patch->literal_unit = position;
    patch->literal_before = 0;
    return 0;
  }
  uint32_t phase = position - patch->literal_unit;
  if (phase > 0) {
    uint8_t first = byte_back(patch, phase);
    uint8_t length = patch->walker->literal_length(first);
    if (phase >= length) {
      if (patch->walker->loads_literals && (first & patch->walker->class_byte) == 1U) {
        uint8_t unit[LB_PATCH_UNIT] = {first, byte_back(patch, phase - 1U), byte_back(patch, phase - 2U)};
        uint32_t address = lb_patch_address(&patch->result_image, patch->literal_unit);
        patch->literal_slot = patch->walker->target(unit, LB_PATCH_LITERAL, address);
      }
      patch->literal_before = first;
      patch->literal_unit = position;
      phase = 0;
    }
  }
  return phase;
}

/* The byte that a load of the next literal would have here. */
static uint32_t expected_byte(struct lb_patch *patch, uint32_t phase)
{
  uint8_t bytes[LB_PATCH_UNIT] = {1, 0, 0, 0};
  uint8_t next[LB_PATCH_UNIT];
  uint8_t first = byte_back(patch, phase);
  uint32_t address = lb_patch_address(&patch->result_image, patch->literal_unit);
  if (!patch->walker->loads_literals || (first & 15U) != 1U ||
      !patch->walker->retarget(next, bytes, LB_PATCH_LITERAL, address, patch->literal_slot + 4U)) {
    return NOTHING_EXPECTED;
  }
  return phase == 1U || byte_back(patch, 1) == next[1] ? next[phase] : NOTHING_EXPECTED;
}

void lb_patch_literal(struct lb_patch *patch)
{
  const struct lb_patch_walker *walker = patch->walker;
  const struct lb_patch_segment *segment = walker ? lb_patch_segment_at(&patch->result_image, patch->position) : NULL;
  uint32_t phase = 4U + (patch->position & 3U);
  uint32_t expected = NOTHING_EXPECTED;
  uint32_t last = byte_back(patch, 1);
  uint32_t first = 0;
  uint32_t mask = walker ? walker->class_byte : 0;
  if (segment && walker->is_code(segment)) {
    phase = follow(patch);
    if (phase) {
      expected = expected_byte(patch, phase);
      first = byte_back(patch, phase);
    }
  }
  uint32_t contexts[4] = {
      phase | 16U << 20 | (first & mask) << 4,
      last | phase << 8 | 17U << 20,
      phase == 0 ? patch->literal_before | 20U << 20
                 : first | phase << 8 | 20U << 20 | (phase == 2U ? last >> 4 : 0) << 12,
      expected | phase << 9 | 22U << 20 | (phase == 2U ? 0 : first & mask) << 12,
  };
  patch->category = LB_PATCH_CODES_LITERAL;
  uint8_t wanted = patch->guide ? patch->guide->result[patch->position] : 0;
  uint8_t byte = lb_patch_byte(patch, contexts, 4, WEIGHTS_LITERAL + phase, wanted);
  lb_patch_emit(patch, &byte, 1);
}
