// SPDX-License-Identifier: MIT
/* From a verified image in flash to a running program in memory. */
#ifndef PORTS_SIFIVE_U_LOAD_H
#define PORTS_SIFIVE_U_LOAD_H

#include "lifeboat/device.h"
#include "lifeboat/image.h"

/*
 * Copies the segments of the image at `address` to where they belong. `info` is what was found when it was verified,
 * with segments that lie in memory which nobody uses: the image's chip has a window that sees to that. What was loaded
 * is compared with the image's checksum, lest a bit has changed since. LB_ERR_FLASH_READ, LB_ERR_IMAGE_CHECKSUM.
 */
int load_segments(const struct lb_flash *flash, uint32_t address, const struct lb_image_info *info);

/* Goes to a program that was loaded; there is no way back. */
_Noreturn void load_jump(uint32_t entry);

#endif
