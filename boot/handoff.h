// SPDX-License-Identifier: MIT
/*
 * What the bootloader leaves in memory for the firmware that it starts (docs/SPEC.md, "Handoff"): which partition it
 * runs from and how that was decided. The bootloader in the field stays for years and the firmware does not, so these
 * are specified bytes with a version and a CRC, never a struct in memory.
 */
#ifndef BOOT_HANDOFF_H
#define BOOT_HANDOFF_H

#include <stdint.h>

#include "lifeboat/boot.h"

#define HANDOFF_SIZE 128U

/* What it tells beside the decision. */
struct handoff_image {
  uint32_t length;                /* of the verified image that was started, in bytes */
  uint8_t digest[LB_SHA256_SIZE]; /* its appended SHA-256 */
};

/* Writes the decision and the image that was verified for it. Partitions are named by their flash offset. */
void handoff_write(uint8_t bytes[HANDOFF_SIZE], const struct lb_boot_decision *decision,
                   const struct lb_image_info *image);

/*
 * Reads it again in the firmware; the partitions are looked up in the table that the firmware has read itself.
 * LB_ERR_STATE: these are no handoff, or one of a later version that an older firmware cannot read.
 * LB_ERR_NOT_FOUND: it names a partition that the table does not have.
 */
int handoff_read(const uint8_t bytes[HANDOFF_SIZE], const struct lb_table *table, struct lb_boot_decision *decision,
                 struct handoff_image *image);

#endif
