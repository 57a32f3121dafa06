// SPDX-License-Identifier: MIT
/* Reading an image out of a partition and checking all of it, in bounded steps. */
#ifndef LIFEBOAT_VERIFY_H
#define LIFEBOAT_VERIFY_H

#include "lifeboat/device.h"
#include "lifeboat/image.h"

#define LB_VERIFY_STEP 4096U /* bytes read in one step at the most */

struct lb_verify {
  const struct lb_flash *flash;
  uint32_t position;
  struct lb_partition partition;
  struct lb_image image; /* image.info is what was found */
};

/* Begins to verify the image in `partition`. device must stay until the end. LB_ERR_HASH, LB_ERR_FLASH_BOUNDS. */
int lb_verify_start(struct lb_verify *verify, const struct lb_device *device, const struct lb_partition *partition);

/* Reads the next LB_VERIFY_STEP bytes. LB_MORE, LB_OK: verified, or what is wrong: LB_ERR_IMAGE_..., _FLASH_READ. */
int lb_verify_step(struct lb_verify *verify);

/* All steps at once. */
int lb_verify_partition(struct lb_verify *verify, const struct lb_device *device, const struct lb_partition *partition);

#endif
