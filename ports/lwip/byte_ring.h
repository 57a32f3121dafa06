// SPDX-License-Identifier: MIT
/* What has come over a connection and was not read yet: exactly one TCP window. */
#ifndef PORTS_LWIP_BYTE_RING_H
#define PORTS_LWIP_BYTE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include <lwip/opt.h>

#define BYTE_RING_SIZE ((uint32_t)TCP_WND)

struct byte_ring {
  uint32_t begin;
  uint32_t length;
  uint8_t bytes[BYTE_RING_SIZE];
};

void byte_ring_clear(struct byte_ring *ring);

/* Puts all of it at the end, or nothing: false if there is no room. */
bool byte_ring_put(struct byte_ring *ring, const void *data, uint32_t length);

/* The first bytes, as many as lie in one piece. */
const uint8_t *byte_ring_part(const struct byte_ring *ring, uint32_t *length);

/* Takes that many of them away, at most all. */
void byte_ring_drop(struct byte_ring *ring, uint32_t length);

#endif
