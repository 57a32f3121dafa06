// SPDX-License-Identifier: MIT
/*
 * A SPI NOR flash chip behind a `struct spi`, byte by byte as a manual describes one: it ignores everything but the
 * status while it is busy, everything that changes it without write enable, and wraps within a page. Its clock runs
 * with the bus.
 */
#ifndef TESTS_UNIT_SUPPORT_FAKE_NOR_H
#define TESTS_UNIT_SUPPORT_FAKE_NOR_H

#include <stdbool.h>
#include <stdint.h>

#include "ports/spi/spi.h"

#define FAKE_NOR_SFDP_SIZE 512U
#define FAKE_NOR_NEVER     UINT64_MAX

struct fake_nor {
  struct spi spi; /* give this one to the driver */
  uint8_t *bytes;
  uint32_t size;
  uint32_t page_size;
  uint32_t id;                      /* JEDEC id */
  uint8_t sfdp[FAKE_NOR_SFDP_SIZE]; /* read without end, from the beginning again */
  bool has_sfdp;                    /* otherwise instruction 5A is unknown */
  bool is_absent;                   /* nothing drives the line: it is `idle_line` */
  uint8_t idle_line;
  uint64_t powered_at;       /* before this time it is as if absent */
  bool has_4_byte_addresses; /* the mode that E9 ends */
  uint8_t extended_address;  /* the fourth byte of 3-byte addresses, which C5 sets */
  bool is_asleep;            /* until AB and 30 us more */
  bool ignores_write_enable; /* write-protected */
  uint64_t program_us;       /* what a page takes; FAKE_NOR_NEVER: it is never finished */
  uint64_t erase_us;         /* what a block takes */
  uint64_t now_us;           /* the time; tests may move it */
  uint64_t busy_until;
  uint32_t instructions[256]; /* how many of each came */
  uint32_t bytes_on_bus;
  uint32_t hertz;

  /* the chip's own */
  bool is_selected;
  bool is_enabled;
  uint8_t instruction;
  uint32_t address;
  uint32_t count; /* bytes since the select */
  uint8_t last_byte;
  uint8_t page[4096];
  uint32_t page_bytes;
};

/* A chip of that id, and of `size` bytes of its own, all erased; fake_nor_free gives them back. */
void fake_nor_make(struct fake_nor *chip, uint32_t id, uint32_t size);
void fake_nor_free(struct fake_nor *chip);

/* Makes SFDP tables (JESD216A: 16 DWORDs) of a chip of that size: 4 KB by 20, 32 KB by 52, 64 KB by D8, pages of 256 */
void fake_nor_describe(struct fake_nor *chip, uint32_t size);

#define FAKE_NOR_TABLE 0x80U /* where fake_nor_describe puts the basic table */

#endif
