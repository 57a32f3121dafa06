// SPDX-License-Identifier: MIT
#include "ports/spi/sd_csd.h"

#include "ports/block_device.h"

/* The field from bit `high` to bit `low`, counted as in the specification: bit 127 is the first of the first byte. */
static uint32_t field(const uint8_t csd[SD_CSD_SIZE], unsigned high, unsigned low)
{
  uint32_t value = 0;
  for (unsigned bit = high + 1U; bit > low; bit--) {
    unsigned at = bit - 1U;
    value = value << 1 | ((uint32_t)csd[SD_CSD_SIZE - 1U - at / 8U] >> at % 8U & 1U);
  }
  return value;
}

uint64_t sd_csd_sectors(const uint8_t csd[SD_CSD_SIZE])
{
  uint32_t structure = field(csd, 127, 126);
  uint32_t block_bits = field(csd, 83, 80);

  if (structure == 1) {
    return ((uint64_t)field(csd, 69, 48) + 1U) * 1024U; /* in units of 512 KB */
  }
  if (structure != 0 || block_bits < 9 || block_bits > 11) {
    return 0;
  }
  uint64_t blocks = ((uint64_t)field(csd, 73, 62) + 1U) << (field(csd, 49, 47) + 2U);
  return (blocks << block_bits) / BLOCK_SIZE;
}

bool sd_csd_is_read_only(const uint8_t csd[SD_CSD_SIZE])
{
  return field(csd, 13, 12) != 0;
}
