// SPDX-License-Identifier: MIT
/* The layouts of a module's flash that production uses. Programs that work on a flash take the table that is on it. */
#ifndef TOOL_LAYOUT_H
#define TOOL_LAYOUT_H

#include "lifeboat/chip.h"
#include "lifeboat/hash.h"
#include "lifeboat/partition.h"

#define LAYOUT_FLASH_SIZE 0x1000000U /* 16 MB, which both need */

struct layout;

/* "ovms": factory, ota_0 and ota_1 of 4 MB each; "7m": ota_0 and ota_1 of 7 MB each, no factory. NULL: no such one. */
const struct layout *layout_find(const char *name);

/* Its partition table for a flash of that size. LB_ERR_TABLE_BOUNDS: that is too small; LB_ERR_HASH. */
int layout_table(const struct layout *layout, uint32_t flash_size, const struct lb_hash *md5, struct lb_table *table);

/* Where a chip's mask ROM looks for the bootloader. */
uint32_t layout_bootloader_address(const struct lb_chip *chip);

#endif
