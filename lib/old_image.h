// SPDX-License-Identifier: MIT
/* What a slot holds now, by the headers of the image alone. */
#ifndef LIB_OLD_IMAGE_H
#define LIB_OLD_IMAGE_H

#include <stdint.h>

#include "lifeboat/flash.h"
#include "lifeboat/partition.h"

/*
 * Where the last segment of the slot's image ends, in bytes from the slot's start; 0 if there is no image. It is there
 * whole: its first block was erased first and its first bytes programmed last. LB_ERR_FLASH_READ.
 */
int lb_old_image_segments_end(const struct lb_flash *flash, const struct lb_partition *slot, uint32_t *end);

/* Where the image itself ends, with padding, checksum and digest: that may be behind the slot's end. 0: no image. */
int lb_old_image_end(const struct lb_flash *flash, const struct lb_partition *slot, uint32_t *end);

#endif
