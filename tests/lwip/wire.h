// SPDX-License-Identifier: MIT
/* Numbers in network byte order, and where things lie in frames: RFC 791, 768, 793, 826. */
#ifndef TESTS_LWIP_WIRE_H
#define TESTS_LWIP_WIRE_H

#include <stdint.h>

#define WIRE_ETHERNET     14U /* bytes of the headers */
#define WIRE_IP           20U
#define WIRE_UDP          8U
#define WIRE_TCP          20U
#define WIRE_IP_AT        WIRE_ETHERNET
#define WIRE_PAYLOAD_AT   (WIRE_ETHERNET + WIRE_IP)
#define WIRE_TYPE_IP      0x0800U
#define WIRE_TYPE_ARP     0x0806U
#define WIRE_PROTOCOL_TCP 6U
#define WIRE_PROTOCOL_UDP 17U

static inline uint16_t wire_load16(const uint8_t *bytes)
{
  return (uint16_t)((unsigned)bytes[0] << 8 | bytes[1]);
}

static inline uint32_t wire_load32(const uint8_t *bytes)
{
  return (uint32_t)wire_load16(bytes) << 16 | wire_load16(bytes + 2);
}

static inline void wire_store16(uint8_t *bytes, uint32_t value)
{
  bytes[0] = (uint8_t)(value >> 8);
  bytes[1] = (uint8_t)value;
}

static inline void wire_store32(uint8_t *bytes, uint32_t value)
{
  wire_store16(bytes, value >> 16);
  wire_store16(bytes + 2, value & 0xFFFFU);
}

/* The checksum of IP over these bytes and what was summed up before; 0 if a right one is among them. */
uint16_t wire_checksum(const uint8_t *bytes, uint32_t length, uint32_t sum);

/* Of TCP's or UDP's `length` bytes in an IP packet, with the pseudo-header. */
uint16_t wire_transport_checksum(const uint8_t *packet, uint32_t length);

/* Makes length and checksums of an IP packet right, whatever it carries, as far as they lie within `length` bytes. */
void wire_seal(uint8_t *packet, uint32_t length);

#endif
