// SPDX-License-Identifier: MIT
/* The module, as the library wants to know it: what all of boot, selection and update need. Owned by the caller. */
#ifndef LIFEBOAT_DEVICE_H
#define LIFEBOAT_DEVICE_H

#include <stdint.h>

#include "lifeboat/chip.h"
#include "lifeboat/flash.h"
#include "lifeboat/hash.h"
#include "lifeboat/partition.h"

struct lb_device {
  const struct lb_flash *flash;
  const struct lb_hash *sha256;
  const struct lb_hash *md5;
  const struct lb_table *table; /* filled by lb_table_read */
  const struct lb_chip *chip;   /* what images have to be made for; NULL accepts any chip */
  uint16_t revision;            /* of the chip: 100 * major + minor, 300 for ESP32 v3.0; LB_REVISION_ANY */
};

#define LB_REVISION_ANY 0xFFFFU /* images for any revision are accepted */

#endif
