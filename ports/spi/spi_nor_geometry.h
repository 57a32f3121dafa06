// SPDX-License-Identifier: MIT
/* What a SPI NOR chip is made of. It comes from the chip's own tables (SFDP), else from a list by JEDEC id. */
#ifndef PORTS_SPI_SPI_NOR_GEOMETRY_H
#define PORTS_SPI_SPI_NOR_GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/flash.h"

/* What of a chip 3-byte addresses reach. */
#define SPI_NOR_REACH (16U * 1024U * 1024U)

struct spi_nor_erase {
  uint32_t size;  /* of the block in bytes, a power of two; 0: unused */
  uint8_t opcode; /* the instruction that erases it */
};

struct spi_nor_geometry {
  uint64_t size;                                     /* of the whole chip, in bytes */
  uint32_t page_size;                                /* in bytes, a power of two */
  struct spi_nor_erase erases[LB_FLASH_ERASE_SIZES]; /* ascending, unused ones last */
};

/* spi_nor_ids.c: of a chip by its JEDEC id (manufacturer << 16 | type << 8 | capacity). False: not in the list. */
bool spi_nor_geometry_of_id(uint32_t id, struct spi_nor_geometry *geometry);

#endif
