// SPDX-License-Identifier: MIT
/* From a verified image in flash to a program in memory, for chips that do not execute out of their flash. */
#ifndef BOOT_LOAD_H
#define BOOT_LOAD_H

#include "lifeboat/flash.h"
#include "lifeboat/hash.h"
#include "lifeboat/image.h"

/*
 * Copies the segments of the image at `address` to where they belong. `info` is what was found when it was verified,
 * with segments that lie in memory which nobody uses: the image's chip has a window that sees to that. What lies in
 * memory then is hashed with the rest of the image and compared with its digest again, lest what is started is not what
 * was verified. LB_ERR_FLASH_READ, LB_ERR_HASH, LB_ERR_IMAGE_DIGEST.
 */
int load_segments(const struct lb_flash *flash, const struct lb_hash *sha256, uint32_t address,
                  const struct lb_image_info *info);

#endif
