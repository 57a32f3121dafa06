// SPDX-License-Identifier: MIT
#include "lib/old_image.h"

#include "lifeboat/bytes.h"
#include "lifeboat/error.h"
#include "lifeboat/image.h"

#define PADDED 16U /* the checksum is the last byte of so many */

int lb_old_image_segments_end(const struct lb_flash *flash, const struct lb_partition *slot, uint32_t *end)
{
  uint8_t bytes[LB_IMAGE_HEADER_SIZE];
  uint32_t position = LB_IMAGE_HEADER_SIZE;
  *end = 0;
  if (slot->size < LB_IMAGE_HEADER_SIZE) {
    return LB_OK;
  }
  int err = lb_flash_read(flash, slot->offset, bytes, LB_IMAGE_HEADER_SIZE);
  if (err || bytes[0] != LB_IMAGE_MAGIC || bytes[1] > LB_IMAGE_SEGMENTS_MAX) {
    return err;
  }
  for (uint32_t left = bytes[1]; left > 0; left--) {
    if (slot->size - position < LB_IMAGE_SEGMENT_HEADER_SIZE) {
      return LB_OK;
    }
    err = lb_flash_read(flash, slot->offset + position, bytes, LB_IMAGE_SEGMENT_HEADER_SIZE);
    position += LB_IMAGE_SEGMENT_HEADER_SIZE;
    uint32_t length = lb_load_le32(bytes + 4);
    if (err || length > slot->size - position) {
      return err;
    }
    position += length;
  }
  *end = position;
  return LB_OK;
}

int lb_old_image_end(const struct lb_flash *flash, const struct lb_partition *slot, uint32_t *end)
{
  int err = lb_old_image_segments_end(flash, slot, end);
  if (err == LB_OK && *end > 0) {
    *end = (*end & ~(PADDED - 1U)) + PADDED + LB_SHA256_SIZE;
  }
  return err;
}
