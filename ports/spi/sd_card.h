// SPDX-License-Identifier: MIT
/*
 * An SD card in SPI mode as a `struct block_device`: SD version 1 (up to 2 GB), SDHC and SDXC. Commands and data carry
 * their CRC and are checked. Every wait has a time-out, so no function blocks for long: at most about a second for a
 * card that fails, to start or to give or take a sector.
 *
 *   static struct sd_card card;
 *   if (sd_card_open(&card, &spi2) == LB_OK) { ... mount(&card.device) ... }
 *
 * A card that is taken out or swapped for another one is noticed by the next read, write or check: that and all
 * following ones give PORT_ERR_FILE_NO_MOUNT, and device.sectors is 0, until sd_card_start has found a card again.
 */
#ifndef PORTS_SPI_SD_CARD_H
#define PORTS_SPI_SD_CARD_H

#include <stdbool.h>
#include <stdint.h>

#include "module/port.h"
#include "ports/block_device.h"
#include "ports/spi/spi.h"

/* The clock in Hz while a card is identified, and afterwards. */
#define SD_CARD_CLOCK_IDENTIFY 400000U
#define SD_CARD_CLOCK          20000000U

struct sd_card {
  struct block_device device; /* give this one to the file system; sectors is 0 while there is no card */
  bool high_capacity;         /* SDHC, SDXC: addressed by sector. Else by byte */
  bool read_only;             /* the card says that it is write-protected */

  /* the driver's own */
  const struct spi *spi;
};

/* Fills all of `card` and starts what is in the socket; `spi` stays in use. Returns what sd_card_start does. */
int sd_card_open(struct sd_card *card, const struct spi *spi);

/*
 * Starts the card, again or another one: to be called before a mount while device.sectors is 0.
 * LB_OK; PORT_ERR_FILE_NO_MOUNT if there is none, known within 50 milliseconds; PORT_ERR_FILE_IO for one that does
 * not work, or is no SD card.
 */
int sd_card_start(struct sd_card *card);

/* Is it still the card that was started? LB_OK, PORT_ERR_FILE_NO_MOUNT, PORT_ERR_FILE_IO if it reports a fault. */
int sd_card_check(struct sd_card *card);

#endif
