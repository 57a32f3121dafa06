// SPDX-License-Identifier: MIT
/*
 * Bits that read differently each time, because the operation on them was cut. The mask says which; the hints only keep
 * reads elsewhere from having to look at it.
 */
#include <stdlib.h>
#include <string.h>

#include "ports/sim/flash.h"
#include "ports/sim/flash_parts.h"

static uint32_t lower(uint32_t a, uint32_t b)
{
  return a < b ? a : b;
}

static uint32_t higher(uint32_t a, uint32_t b)
{
  return a > b ? a : b;
}

/* The part of a hint that lies in a range; the length is 0 if there is none. */
static struct sim_flash_range overlap(const struct sim_flash_range *hint, uint32_t address, uint32_t length)
{
  const uint32_t start = higher(hint->address, address);
  const uint32_t end = lower(hint->address + hint->length, address + length);
  return (struct sim_flash_range){.address = start, .length = end > start ? end - start : 0};
}

static bool contains(const struct sim_flash_range *outer, const struct sim_flash_range *inner)
{
  return inner->address >= outer->address && inner->address - outer->address <= outer->length &&
         inner->length <= outer->length - (inner->address - outer->address);
}

static void add_hint(struct sim_flash_unstable *unstable, uint32_t address, uint32_t length)
{
  const struct sim_flash_range range = {.address = address, .length = length};
  for (uint32_t i = 0; i < unstable->hint_count; i++) {
    if (contains(&unstable->hints[i], &range)) {
      return;
    }
  }
  if (unstable->hint_count < SIM_FLASH_HINTS) {
    unstable->hints[unstable->hint_count++] = range;
    return;
  }
  struct sim_flash_range *last = &unstable->hints[SIM_FLASH_HINTS - 1];
  const uint32_t start = lower(last->address, address);
  const uint32_t end = higher(last->address + last->length, address + length);
  *last = (struct sim_flash_range){.address = start, .length = end - start};
}

bool sim_flash_unstable_begin(struct sim_flash *flash, uint32_t address, uint32_t length)
{
  struct sim_flash_unstable *unstable = &flash->unstable;
  if (!unstable->mask) {
    unstable->mask = calloc(flash->driver.size, 1);
  }
  if (!unstable->mask) {
    return false;
  }
  add_hint(unstable, address, length);
  return true;
}

void sim_flash_unstable_read(struct sim_flash *flash, uint32_t address, uint8_t *buffer, uint32_t length)
{
  const struct sim_flash_unstable *unstable = &flash->unstable;
  for (uint32_t i = 0; i < unstable->hint_count; i++) {
    const struct sim_flash_range part = overlap(&unstable->hints[i], address, length);
    for (uint32_t at = part.address; at < part.address + part.length; at++) {
      const uint8_t mask = unstable->mask[at];
      if (mask != 0) {
        uint8_t *byte = &buffer[at - address];
        *byte = (uint8_t)((*byte & ~mask) | ((uint8_t)(sim_flash_random(flash) >> 32) & mask));
      }
    }
  }
}

void sim_flash_unstable_program(struct sim_flash *flash, uint32_t address, const uint8_t *data, uint32_t length)
{
  const struct sim_flash_unstable *unstable = &flash->unstable;
  for (uint32_t i = 0; i < unstable->hint_count; i++) {
    const struct sim_flash_range part = overlap(&unstable->hints[i], address, length);
    for (uint32_t at = part.address; at < part.address + part.length; at++) {
      unstable->mask[at] &= data[at - address];
    }
  }
}

void sim_flash_unstable_erase(struct sim_flash *flash, uint32_t address, uint32_t length)
{
  struct sim_flash_unstable *unstable = &flash->unstable;
  const struct sim_flash_range erased = {.address = address, .length = length};
  for (uint32_t i = unstable->hint_count; i-- > 0;) {
    struct sim_flash_range *hint = &unstable->hints[i];
    const struct sim_flash_range part = overlap(hint, address, length);
    if (part.length != 0) {
      memset(unstable->mask + part.address, 0, part.length);
    }
    if (contains(&erased, hint)) {
      *hint = unstable->hints[--unstable->hint_count];
    }
  }
}

static uint32_t bits_set(uint8_t byte)
{
  uint32_t count = 0;
  for (; byte != 0; byte &= (uint8_t)(byte - 1U)) {
    count++;
  }
  return count;
}

uint32_t sim_flash_unstable_bits(const struct sim_flash *flash, uint32_t address, uint32_t length)
{
  const struct sim_flash_unstable *unstable = &flash->unstable;
  uint32_t count = 0;
  uint32_t near = 0;
  for (uint32_t i = 0; i < unstable->hint_count; i++) {
    near += overlap(&unstable->hints[i], address, length).length;
  }
  for (uint32_t at = address; near != 0 && at < address + length; at++) {
    count += bits_set(unstable->mask[at]);
  }
  return count;
}
