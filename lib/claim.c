// SPDX-License-Identifier: MIT
#include "lifeboat/claim.h"

#include "lib/old_image.h"
#include "lifeboat/error.h"

int lb_claim_read(struct lb_claim *claim, const struct lb_flash *flash, const struct lb_partition *slot)
{
  uint32_t end = 0;
  int err = lb_old_image_end(flash, slot, &end);
  if (err) {
    return err;
  }
  if (end == 0 || end > slot->size) {
    return LB_ERR_NOT_FOUND;
  }
  claim->length = end;
  return lb_flash_read(flash, slot->offset + end - LB_SHA256_SIZE, claim->digest, LB_SHA256_SIZE);
}
