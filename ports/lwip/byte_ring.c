// SPDX-License-Identifier: MIT
#include "ports/lwip/byte_ring.h"

#include <string.h>

void byte_ring_clear(struct byte_ring *ring)
{
  ring->begin = 0;
  ring->length = 0;
}

bool byte_ring_put(struct byte_ring *ring, const void *data, uint32_t length)
{
  if (length > BYTE_RING_SIZE - ring->length) {
    return false;
  }
  const uint32_t place = (ring->begin + ring->length) % BYTE_RING_SIZE;
  const uint32_t to_wrap = BYTE_RING_SIZE - place;
  const uint32_t first = length < to_wrap ? length : to_wrap;
  memcpy(ring->bytes + place, data, first);
  memcpy(ring->bytes, (const uint8_t *)data + first, length - first);
  ring->length += length;
  return true;
}

const uint8_t *byte_ring_part(const struct byte_ring *ring, uint32_t *length)
{
  const uint32_t to_wrap = BYTE_RING_SIZE - ring->begin;
  *length = ring->length < to_wrap ? ring->length : to_wrap;
  return ring->bytes + ring->begin;
}

void byte_ring_drop(struct byte_ring *ring, uint32_t length)
{
  const uint32_t dropped = length < ring->length ? length : ring->length;
  ring->begin = (ring->begin + dropped) % BYTE_RING_SIZE;
  ring->length -= dropped;
}
