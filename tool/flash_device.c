// SPDX-License-Identifier: MIT
#include "tool/flash_device.h"

#include "lifeboat/bytes.h"
#include "lifeboat/image.h"

#define BOOTLOADER_ADDRESS 0x1000U /* of the ESP32, the S2 and sifive_u; of the others 0 */
#define CHIP_OFFSET        12U     /* docs/SPEC.md, "Application image" */

/* The chip that an image at `address` says it is for; NULL: there is none. */
static const struct lb_chip *chip_at(const struct lb_flash *flash, uint32_t address)
{
  uint8_t header[LB_IMAGE_HEADER_SIZE];
  if (lb_flash_read(flash, address, header, sizeof header) != LB_OK || header[0] != LB_IMAGE_MAGIC) {
    return NULL;
  }
  return lb_chip_by_id(lb_load_le16(header + CHIP_OFFSET));
}

static const struct lb_chip *chip_of_bootloader(const struct lb_flash *flash)
{
  const struct lb_chip *chip = chip_at(flash, BOOTLOADER_ADDRESS);
  chip = chip ? chip : chip_at(flash, 0);
  return chip ? chip : lb_chip_by_name("esp32");
}

void flash_device_start(struct flash_device *device, const struct lb_flash *flash, const struct lb_chip *chip)
{
  mbedtls_hash_sha256(&device->sha256, &device->sha256_context);
  mbedtls_hash_md5(&device->md5, &device->md5_context);
  lb_table_start(&device->table);
  device->device = (struct lb_device){.flash = flash,
                                      .sha256 = &device->sha256,
                                      .md5 = &device->md5,
                                      .table = &device->table,
                                      .chip = chip ? chip : chip_of_bootloader(flash),
                                      .revision = LB_REVISION_ANY};
}

int flash_device_read_table(struct flash_device *device)
{
  return lb_table_read(&device->table, device->device.flash, &device->md5);
}
