// SPDX-License-Identifier: MIT
/* The board's SPI controllers: QSPI0 has the flash, QSPI2 the SD card. */
#ifndef PORTS_SIFIVE_U_SPI_BUS_H
#define PORTS_SIFIVE_U_SPI_BUS_H

#include "ports/spi/spi.h"

/* Sets the controller at that base address up and makes `spi` drive it. */
void spi_bus_open(struct spi *spi, uint32_t base);

#endif
