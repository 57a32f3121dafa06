// SPDX-License-Identifier: MIT
/* Little-endian load and store: the only way in which the library turns flash bytes into numbers and back. */
#ifndef LIFEBOAT_BYTES_H
#define LIFEBOAT_BYTES_H

#include <stdint.h>

static inline uint16_t lb_load_le16(const uint8_t *bytes)
{
  return (uint16_t)(bytes[0] | (unsigned)bytes[1] << 8);
}

static inline uint32_t lb_load_le32(const uint8_t *bytes)
{
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static inline void lb_store_le16(uint8_t *bytes, uint16_t value)
{
  bytes[0] = (uint8_t)value;
  bytes[1] = (uint8_t)(value >> 8);
}

static inline void lb_store_le32(uint8_t *bytes, uint32_t value)
{
  bytes[0] = (uint8_t)value;
  bytes[1] = (uint8_t)(value >> 8);
  bytes[2] = (uint8_t)(value >> 16);
  bytes[3] = (uint8_t)(value >> 24);
}

#endif
