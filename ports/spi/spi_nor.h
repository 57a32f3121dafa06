// SPDX-License-Identifier: MIT
/*
 * SPI NOR flash: fills a `struct lb_flash` for a chip with the usual instructions (read 03, page program 02, block
 * erase, status 05, write enable 06) on a single data line. The geometry comes from the chip's SFDP tables, else from
 * a list by JEDEC id. Addresses have three bytes, so of a larger chip the lower 16 MB are offered.
 *
 *   static struct spi_nor nor;
 *   int err = spi_nor_open(&nor, &spi0, false);
 *   if (!err) {
 *     err = spi_nor_protect(&nor, 0, 0x9000);
 *   }
 *   nor.feed = watchdog_feed;
 *   port.flash = &nor.driver;
 *   port.idle = &nor.idle;
 *
 * Each function is bounded in time, by SPI_NOR_LONGEST_MS: a chip that stays busy is an error. What it did not finish
 * in time the next read, program or erase waits for, so that a slow chip is not taken for a damaged one. The functions
 * of `driver` return 0, or one of the errors below, which the library takes for LB_ERR_FLASH_...; `last_error` keeps
 * it.
 */
#ifndef PORTS_SPI_SPI_NOR_H
#define PORTS_SPI_SPI_NOR_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/error.h"
#include "lifeboat/flash.h"
#include "module/port.h"
#include "ports/spi/spi.h"
#include "ports/spi/spi_nor_geometry.h"

enum spi_nor_error {
  SPI_NOR_ERR_NO_CHIP = -320,      /* nothing answers */
  SPI_NOR_ERR_UNKNOWN_CHIP = -321, /* it has no usable SFDP tables, and its JEDEC id is not in the list */
  SPI_NOR_ERR_BUSY = -322,         /* the chip was busy for longer than any operation may take */
  SPI_NOR_ERR_WRITE_ENABLE = -323, /* the chip ignores write enable: it is write-protected, or not wired */
  SPI_NOR_ERR_PROTECTED = -324,    /* the range is protected; nothing was sent to the chip */
  SPI_NOR_ERR_ACCESS = -325,       /* outside the chip, across a page, or no block; nothing was sent */
  SPI_NOR_ERR_RANGES = -326        /* all SPI_NOR_PROTECTED ranges are in use */
};

#define SPI_NOR_PROTECTED   2U
/*
 * What opening, a read, a program or an erase takes at the most before it returns an error, besides the bytes on the
 * bus and what the hooks take. Opening feeds no watchdog; the others do if there is `feed`. A board asserts that this
 * is less than its watchdog's time: _Static_assert(SPI_NOR_LONGEST_MS < WATCHDOG_MS, "...").
 */
#define SPI_NOR_LONGEST_MS  4000U
#define SPI_NOR_ERASE_MS    3500U /* of these the erase of 64 KB or more; of less, less */
#define SPI_NOR_POWER_ON_MS 100U  /* how long a chip that does not answer is asked again */

/* The clock in Hz. Instruction 03 is good up to 33 MHz on all of these chips. */
#define SPI_NOR_CLOCK       25000000U

struct spi_nor_range {
  uint32_t start;
  uint32_t end; /* behind its last byte */
};

struct spi_nor {
  struct lb_flash driver; /* give this one to the library */

  /*
   * Hooks, NULL after opening, which the board may set then. Both are called before each look at the status of a busy
   * chip, that is at least once in each program and erase; `feed`, for a watchdog, also at the start of each read, and
   * alone while the chip finishes what was late.
   */
  struct port_idle idle;
  void (*feed)(void *context);
  void *feed_context;

  int last_error;    /* of the last read, program or erase: LB_OK or SPI_NOR_ERR_... */
  uint32_t jedec_id; /* manufacturer << 16 | type << 8 | capacity, as 0x9D7019 */
  bool has_sfdp;     /* the geometry is the chip's own */
  struct spi_nor_geometry geometry;

  /* the driver's own */
  const struct spi *spi;
  bool production;
  bool is_late; /* an operation was not finished in time; the chip may still be at it */
  struct spi_nor_range protected_ranges[SPI_NOR_PROTECTED];
  uint32_t protected_count;
};

/*
 * Finds out what chip there is and fills all of `nor`; `spi` stays in use. An operation that a reset of the processor
 * has left running on the chip is waited for, and a chip that does not answer yet is asked for SPI_NOR_POWER_ON_MS. A
 * chip above 16 MB is taken back to 3-byte addresses and its lowest 16 MB, wherever what ran before left it. In
 * production protected ranges are not enforced: that is for a programmer of blank modules, never for a firmware. LB_OK,
 * SPI_NOR_ERR_NO_CHIP, _UNKNOWN_CHIP, _BUSY.
 */
int spi_nor_open(struct spi_nor *nor, const struct spi *spi, bool production);

/*
 * From now on refuses to program or erase anything from `start` up to but not including `end`.
 * LB_OK, LB_ERR_ARGUMENT for an empty range, SPI_NOR_ERR_RANGES.
 */
int spi_nor_protect(struct spi_nor *nor, uint32_t start, uint32_t end);

/* A SPI_NOR_ERR_... in words; any other error as the library describes it. Never NULL. */
const struct lb_error_info *spi_nor_error_info(int error);

#endif
