// SPDX-License-Identifier: MIT
#include "ports/spi/sd_crc.h"

uint8_t sd_crc7(const uint8_t *bytes, uint32_t length)
{
  unsigned crc = 0; /* kept in the upper 7 of 8 bits */
  for (uint32_t i = 0; i < length; i++) {
    crc ^= bytes[i];
    for (unsigned bit = 0; bit < 8; bit++) {
      crc = (crc & 0x80U) != 0 ? (crc << 1 ^ 0x12U) & 0xFFU : crc << 1;
    }
  }
  return (uint8_t)(crc >> 1);
}

/* The remainders of the 16 values of four bits: half a byte at a time, in 32 bytes of table. */
static const uint16_t remainders[16] = {0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50A5, 0x60C6, 0x70E7,
                                        0x8108, 0x9129, 0xA14A, 0xB16B, 0xC18C, 0xD1AD, 0xE1CE, 0xF1EF};

uint16_t sd_crc16(const uint8_t *bytes, uint32_t length)
{
  unsigned crc = 0;
  for (uint32_t i = 0; i < length; i++) {
    crc = (crc << 4 ^ remainders[(crc >> 12 ^ bytes[i] >> 4) & 0xFU]) & 0xFFFFU;
    crc = (crc << 4 ^ remainders[(crc >> 12 ^ bytes[i]) & 0xFU]) & 0xFFFFU;
  }
  return (uint16_t)crc;
}
