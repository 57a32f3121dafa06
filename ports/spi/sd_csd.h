// SPDX-License-Identifier: MIT
/* The card-specific data register (CSD), versions 1 and 2: how large a card is, and whether it can be written. */
#ifndef PORTS_SPI_SD_CSD_H
#define PORTS_SPI_SD_CSD_H

#include <stdbool.h>
#include <stdint.h>

#define SD_CSD_SIZE 16U

/* Sectors of 512 bytes; 0 if this is no CSD of these versions. */
uint64_t sd_csd_sectors(const uint8_t csd[SD_CSD_SIZE]);

/* Is the card write-protected, for ever or for the time being? */
bool sd_csd_is_read_only(const uint8_t csd[SD_CSD_SIZE]);

#endif
