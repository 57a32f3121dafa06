// SPDX-License-Identifier: MIT
#include "lifeboat/flash.h"

#include <string.h>

#include "lib/common.h"

#define CHUNK 128U /* bytes looked at in one read: enough for speed, little enough for any stack */

static bool inside(const struct lb_flash *flash, uint32_t address, uint32_t length)
{
  return address <= flash->size && length <= flash->size - address;
}

uint32_t lb_flash_sector(const struct lb_flash *flash)
{
  return flash->erase_sizes[0];
}

uint32_t lb_flash_largest_erase(const struct lb_flash *flash)
{
  uint32_t largest = flash->erase_sizes[0];
  for (unsigned i = 1; i < LB_FLASH_ERASE_SIZES && flash->erase_sizes[i] != 0; i++) {
    largest = flash->erase_sizes[i];
  }
  return largest;
}

int lb_flash_read(const struct lb_flash *flash, uint32_t address, void *buffer, uint32_t length)
{
  if (!inside(flash, address, length)) {
    return LB_ERR_FLASH_BOUNDS;
  }
  return flash->read(flash->context, address, buffer, length) == 0 ? LB_OK : LB_ERR_FLASH_READ;
}

int lb_flash_program(const struct lb_flash *flash, uint32_t address, const void *data, uint32_t length)
{
  if (!inside(flash, address, length)) {
    return LB_ERR_FLASH_BOUNDS;
  }
  const uint8_t *bytes = data;
  while (length > 0) {
    uint32_t piece = lb_smaller(length, flash->page_size - (address & (flash->page_size - 1U)));
    if (!lb_is_blank(bytes, piece) && flash->program(flash->context, address, bytes, piece) != 0) {
      return LB_ERR_FLASH_PROGRAM;
    }
    address += piece;
    bytes += piece;
    length -= piece;
  }
  return LB_OK;
}

int lb_flash_erase_one(const struct lb_flash *flash, uint32_t address, uint32_t end, uint32_t *erased)
{
  uint32_t best = 0;
  for (unsigned i = 0; i < LB_FLASH_ERASE_SIZES && flash->erase_sizes[i] != 0; i++) {
    uint32_t size = flash->erase_sizes[i];
    if ((address & (size - 1U)) == 0 && address < end && size <= end - address) {
      best = size;
    }
  }
  if (best == 0 || !inside(flash, address, best)) {
    return LB_ERR_FLASH_BOUNDS;
  }
  if (flash->erase(flash->context, address, best) != 0) {
    return LB_ERR_FLASH_ERASE;
  }
  *erased = best;
  return LB_OK;
}

/* Does the flash hold `data`, or with NULL nothing? */
static int compare(const struct lb_flash *flash, uint32_t address, const uint8_t *data, uint32_t length, bool *same)
{
  uint8_t chunk[CHUNK];
  *same = true;
  for (uint32_t at = 0; at < length && *same; at += CHUNK) {
    uint32_t piece = lb_smaller(length - at, CHUNK);
    int err = lb_flash_read(flash, address + at, chunk, piece);
    if (err) {
      return err;
    }
    *same = data ? memcmp(chunk, data + at, piece) == 0 : lb_is_blank(chunk, piece);
  }
  return LB_OK;
}

int lb_flash_is_blank(const struct lb_flash *flash, uint32_t address, uint32_t length, bool *blank)
{
  return compare(flash, address, NULL, length, blank);
}

int lb_flash_equals(const struct lb_flash *flash, uint32_t address, const void *data, uint32_t length, bool *equal)
{
  return compare(flash, address, data, length, equal);
}
