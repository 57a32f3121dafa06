// SPDX-License-Identifier: MIT
#include "tool/flash_device.h"

void flash_device_start(struct flash_device *device, const struct lb_flash *flash, const struct lb_chip *chip)
{
  mbedtls_hash_sha256(&device->sha256, &device->sha256_context);
  mbedtls_hash_md5(&device->md5, &device->md5_context);
  lb_table_start(&device->table);
  device->device = (struct lb_device){.flash = flash,
                                      .sha256 = &device->sha256,
                                      .md5 = &device->md5,
                                      .table = &device->table,
                                      .chip = chip,
                                      .revision = LB_REVISION_ANY};
}

int flash_device_read_table(struct flash_device *device)
{
  return lb_table_read(&device->table, device->device.flash, &device->md5);
}
