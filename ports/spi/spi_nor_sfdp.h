// SPDX-License-Identifier: MIT
/*
 * SFDP (JESD216): the tables in which a flash chip describes itself. Read are its header and the JEDEC Basic Flash
 * Parameter Table; what they say is taken for nothing but hints: every number is bounded before it is used, and an
 * erase instruction that is none of the usual ones is left out, lest a damaged table has the whole chip erased.
 */
#ifndef PORTS_SPI_SPI_NOR_SFDP_H
#define PORTS_SPI_SPI_NOR_SFDP_H

#include "ports/spi/spi.h"
#include "ports/spi/spi_nor_geometry.h"

/* Asks the chip. False if it has no such tables, or none that describe a chip which the driver can use. */
bool spi_nor_sfdp_read(const struct spi *spi, struct spi_nor_geometry *geometry);

#endif
