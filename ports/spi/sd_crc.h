// SPDX-License-Identifier: MIT
/* The two checks of the SD protocol. */
#ifndef PORTS_SPI_SD_CRC_H
#define PORTS_SPI_SD_CRC_H

#include <stdint.h>

/* Of a command or register: x^7 + x^3 + 1, in the lower 7 bits. */
uint8_t sd_crc7(const uint8_t *bytes, uint32_t length);

/* Of a data block: x^16 + x^12 + x^5 + 1, beginning with 0; sent high byte first. */
uint16_t sd_crc16(const uint8_t *bytes, uint32_t length);

#endif
