// SPDX-License-Identifier: MIT
/* Images in which everything that holds an address looks the same in both versions, so that the rest can be matched. */
#include <stdlib.h>
#include <string.h>

#include "lifeboat/bytes.h"
#include "tool/patch/plan.h"

/* What stands for a target: nothing as long as there is no map, else where it lies in the result. */
static uint32_t label_of(const struct lb_patch_walker *walker, const struct patch_picture *picture,
                         const struct patch_plan *map, bool is_base, const struct lb_patch_unit *unit, uint32_t target)
{
  uint32_t label = target;
  bool literal = unit->kind == LB_PATCH_LITERAL && walker->loads_literals;
  uint32_t shift;
  uint32_t offset;
  if (!map) {
    return 0;
  }
  if (literal && lb_patch_offset(&picture->image, target, 4, &offset)) {
    label = lb_load_le32(picture->bytes + offset); /* what is loaded, wherever it lies */
    if (is_base && walker->is_pointer(&picture->image, label) && patch_map_look_up(map, label, &shift)) {
      label += shift;
    }
  } else if (!literal && is_base && patch_map_look_up(map, target, &shift)) {
    label += shift;
  }
  return lb_patch_hash(label + (unit->kind == LB_PATCH_CALL));
}

/* Puts the label where the field is that holds the address. */
static void put_label(const struct lb_patch_walker *walker, uint8_t *bytes, uint8_t kind, uint32_t label)
{
  if (kind == LB_PATCH_POINTER || kind == LB_PATCH_CODE_POINTER) {
    bytes[0] = (uint8_t)label;
    lb_store_le16(bytes + 1, (uint16_t)(label >> 8));
  } else if (walker == &lb_patch_walker_xtensa) {
    bytes[0] &= kind == LB_PATCH_CALL ? 0x3F : 0xFF;
    lb_store_le16(bytes + 1, (uint16_t)label);
  } else {
    lb_store_le32(bytes, (lb_load_le32(bytes) & 0xFFFU) | label << 12);
    if (kind == LB_PATCH_LITERAL) {
      lb_store_le32(bytes + 4, lb_load_le32(bytes + 4) & 0x000FFFFFU);
    }
  }
}

uint8_t *patch_mask(struct patch_picture *picture, const struct lb_patch_walker *walker, const struct patch_plan *map,
                    bool is_base)
{
  uint8_t *masked = malloc((size_t)picture->length + LB_PATCH_AHEAD);
  if (!masked) {
    return NULL;
  }
  memcpy(masked, picture->bytes, (size_t)picture->length + LB_PATCH_AHEAD);
  for (uint32_t i = 0; walker && i < picture->image.known; i++) {
    const struct lb_patch_segment *segment = &picture->segments[i];
    for (uint32_t offset = segment->offset; offset < segment->offset + segment->length;) {
      struct lb_patch_unit unit;
      const uint8_t *bytes = picture->bytes + offset;
      walker->unit(&picture->image, segment, offset, bytes, &unit);
      if (unit.kind != LB_PATCH_PLAIN) {
        uint32_t target = walker->target(bytes, unit.kind, segment->load + (offset - segment->offset));
        put_label(walker, masked + offset, unit.kind, label_of(walker, picture, map, is_base, &unit, target));
      }
      offset += unit.length;
    }
  }
  return masked;
}
