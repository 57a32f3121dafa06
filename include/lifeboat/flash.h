// SPDX-License-Identifier: MIT
/*
 * The flash chip, as the library wants it: three functions and a geometry, filled in by the port.
 *
 * NOR flash: programming clears bits (the chip keeps old AND new), erasing sets all bits of a block.
 * Each of the three functions is bounded in time: at most one page is programmed and one block erased in a call.
 * The lb_flash_... functions below check every access against the chip before the driver sees it.
 */
#ifndef LIFEBOAT_FLASH_H
#define LIFEBOAT_FLASH_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/error.h"

#define LB_FLASH_ERASE_SIZES 4U

struct lb_flash {
  void *context; /* passed to each function; owned by the port */

  /* Reads `length` bytes at `address`. Returns 0, or anything else if it could not. */
  int (*read)(void *context, uint32_t address, void *buffer, uint32_t length);
  /* Clears bits: `length` bytes that lie within one page. Returns 0, or anything else if it could not. */
  int (*program)(void *context, uint32_t address, const void *data, uint32_t length);
  /* Erases the block of `length` bytes at `address`: one of erase_sizes, aligned to itself. Returns 0, or else. */
  int (*erase)(void *context, uint32_t address, uint32_t length);

  uint32_t size;                              /* of the chip, in bytes */
  uint32_t page_size;                         /* bytes one program call may cover, a power of two, at least 32 */
  uint32_t erase_sizes[LB_FLASH_ERASE_SIZES]; /* powers of two, ascending, unused ones 0; the first is a sector */
};

/* The sector: the smallest block that can be erased. The largest: what the chip erases fastest for each byte. */
uint32_t lb_flash_sector(const struct lb_flash *flash);
uint32_t lb_flash_largest_erase(const struct lb_flash *flash);

/* Reads any number of bytes. LB_ERR_FLASH_BOUNDS outside the chip, LB_ERR_FLASH_READ if the driver fails. */
int lb_flash_read(const struct lb_flash *flash, uint32_t address, void *buffer, uint32_t length);

/*
 * Programs any number of bytes, page by page, leaving out pages that are all 0xFF, since those change nothing.
 * LB_ERR_FLASH_BOUNDS outside the chip, LB_ERR_FLASH_PROGRAM if the driver fails.
 */
int lb_flash_program(const struct lb_flash *flash, uint32_t address, const void *data, uint32_t length);

/*
 * Erases one block, the largest that begins at `address` and ends at or before `end`, and tells its size in
 * `*erased`. `address` is aligned to a sector. LB_ERR_FLASH_BOUNDS if not even a sector fits or the chip ends
 * before, LB_ERR_FLASH_ERASE if the driver fails.
 */
int lb_flash_erase_one(const struct lb_flash *flash, uint32_t address, uint32_t end, uint32_t *erased);

/* Tells in `*blank` whether all bytes are 0xFF. LB_ERR_FLASH_BOUNDS, LB_ERR_FLASH_READ. */
int lb_flash_is_blank(const struct lb_flash *flash, uint32_t address, uint32_t length, bool *blank);

/* Tells in `*equal` whether the flash holds `data`. LB_ERR_FLASH_BOUNDS, LB_ERR_FLASH_READ. */
int lb_flash_equals(const struct lb_flash *flash, uint32_t address, const void *data, uint32_t length, bool *equal);

#endif
