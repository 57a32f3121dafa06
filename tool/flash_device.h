// SPDX-License-Identifier: MIT
/* A flash as the library wants to know it, with hashes and the table that is on it. It must not move. */
#ifndef TOOL_FLASH_DEVICE_H
#define TOOL_FLASH_DEVICE_H

#include "lifeboat/device.h"
#include "ports/mbedtls/hash.h"

struct flash_device {
  struct mbedtls_hash sha256_context;
  struct mbedtls_hash md5_context;
  struct lb_hash sha256;
  struct lb_hash md5;
  struct lb_table table;
  struct lb_device device; /* what the library takes */
};

/*
 * Begins; `flash` and `chip` stay the caller's. Images for any revision of the chip are accepted. `chip` NULL: the one
 * that the bootloader on the flash is for, at 0x1000 or at 0; without one the ESP32.
 */
void flash_device_start(struct flash_device *device, const struct lb_flash *flash, const struct lb_chip *chip);

/* Reads the table, as lb_table_read does. */
int flash_device_read_table(struct flash_device *device);

#endif
