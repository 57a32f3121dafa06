// SPDX-License-Identifier: MIT
#include "lifeboat/verify.h"

#include <stddef.h>

#include "lifeboat/error.h"

#define CHUNK 512U /* read and hashed at once: on the stack, so that nobody has to lend a buffer */

int lb_verify_start(struct lb_verify *verify, const struct lb_device *device, const struct lb_partition *partition)
{
  const struct lb_image_rules rules = {
      .chip = device->chip,
      .revision = device->revision,
      .capacity = partition->size,
      .address = partition->offset,
  };
  verify->flash = device->flash;
  verify->partition = *partition;
  verify->position = 0;
  if (partition->offset > device->flash->size || partition->size > device->flash->size - partition->offset) {
    return LB_ERR_FLASH_BOUNDS;
  }
  return lb_image_start(&verify->image, &rules, device->sha256);
}

int lb_verify_step(struct lb_verify *verify)
{
  uint8_t chunk[CHUNK];
  for (uint32_t done = 0; done < LB_VERIFY_STEP; done += CHUNK) {
    uint32_t left = verify->partition.size - verify->position;
    uint32_t piece = left < CHUNK ? left : CHUNK;
    if (piece == 0) {
      return lb_image_finish(&verify->image);
    }
    int err = lb_flash_read(verify->flash, verify->partition.offset + verify->position, chunk, piece);
    if (err) {
      return err;
    }
    verify->position += piece;
    int result = lb_image_write(&verify->image, chunk, piece, NULL);
    if (result != LB_MORE) {
      return result;
    }
  }
  return LB_MORE;
}

int lb_verify_partition(struct lb_verify *verify, const struct lb_device *device, const struct lb_partition *partition)
{
  int result = lb_verify_start(verify, device, partition);
  if (result) {
    return result;
  }
  do {
    result = lb_verify_step(verify);
  } while (result == LB_MORE);
  return result;
}
