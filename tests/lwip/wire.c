// SPDX-License-Identifier: MIT
#include "tests/lwip/wire.h"

#include <stddef.h>

uint16_t wire_checksum(const uint8_t *bytes, uint32_t length, uint32_t sum)
{
  for (uint32_t i = 0; i < length; i++) {
    sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
  }
  while (sum > 0xFFFFU) {
    sum = (sum & 0xFFFFU) + (sum >> 16);
  }
  return (uint16_t)~sum;
}

uint16_t wire_transport_checksum(const uint8_t *packet, uint32_t length)
{
  uint32_t sum = packet[9] + length;

  for (uint32_t i = 12; i < WIRE_IP; i += 2) {
    sum += wire_load16(packet + i);
  }
  return wire_checksum(packet + WIRE_IP, length, sum);
}

void wire_seal(uint8_t *packet, uint32_t length)
{
  if (length < WIRE_IP) {
    return;
  }
  wire_store16(packet + 2, length);
  wire_store16(packet + 10, 0);
  wire_store16(packet + 10, wire_checksum(packet, WIRE_IP, 0));
  const uint32_t carried = length - WIRE_IP;
  const uint32_t place = packet[9] == WIRE_PROTOCOL_TCP ? 16 : 6;
  if ((packet[9] != WIRE_PROTOCOL_TCP && packet[9] != WIRE_PROTOCOL_UDP) || carried < place + 2) {
    return;
  }
  wire_store16(packet + WIRE_IP + place, 0);
  wire_store16(packet + WIRE_IP + place, wire_transport_checksum(packet, carried));
}
