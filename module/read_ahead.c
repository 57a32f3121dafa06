// SPDX-License-Identifier: MIT
#include "module/read_ahead.h"

#include <stddef.h>

static uint32_t filled(const struct read_ahead *ahead)
{
  return ahead->end - ahead->begin;
}

static uint32_t place(uint32_t count)
{
  return count & (READ_AHEAD_SIZE - 1U);
}

void read_ahead_start(struct read_ahead *ahead)
{
  ahead->begin = 0;
  ahead->end = 0;
  ahead->ended = false;
}

uint8_t *read_ahead_room(struct read_ahead *ahead, uint32_t *size)
{
  uint32_t to_wrap = READ_AHEAD_SIZE - place(ahead->end);
  uint32_t room = READ_AHEAD_SIZE - filled(ahead);
  *size = room < to_wrap ? room : to_wrap;
  return ahead->ring + place(ahead->end);
}

void read_ahead_put(struct read_ahead *ahead, uint32_t size)
{
  ahead->end += size;
}

void read_ahead_end(struct read_ahead *ahead)
{
  ahead->ended = true;
}

const uint8_t *read_ahead_part(const struct read_ahead *ahead, uint32_t *size)
{
  uint32_t there = filled(ahead);
  *size = there < READ_AHEAD_PIECE ? there : READ_AHEAD_PIECE;
  /* pieces never wrap: whole ones divide the ring, the last one is shorter */
  return there > 0 ? ahead->ring + place(ahead->begin) : NULL;
}

const uint8_t *read_ahead_piece(const struct read_ahead *ahead, uint32_t *size)
{
  const uint8_t *part = read_ahead_part(ahead, size);
  return *size == READ_AHEAD_PIECE || ahead->ended ? part : NULL;
}

void read_ahead_drop(struct read_ahead *ahead, uint32_t size)
{
  ahead->begin += size;
}

bool read_ahead_is_finished(const struct read_ahead *ahead)
{
  return ahead->ended && filled(ahead) == 0;
}
