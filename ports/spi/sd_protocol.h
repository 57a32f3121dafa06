// SPDX-License-Identifier: MIT
/*
 * The SPI mode of the SD protocol (SD Physical Layer Simplified Specification, chapter 7): commands, responses and data
 * blocks, each with a time-out. What they are used for is sd_card.c.
 */
#ifndef PORTS_SPI_SD_PROTOCOL_H
#define PORTS_SPI_SD_PROTOCOL_H

#include <stdint.h>

#include "ports/spi/spi.h"

/* Commands; those with ACMD follow an APP_CMD. */
enum sd_command {
  SD_GO_IDLE_STATE = 0,
  SD_SEND_IF_COND = 8,
  SD_SEND_CSD = 9,
  SD_STOP_TRANSMISSION = 12,
  SD_SEND_STATUS = 13,
  SD_SET_BLOCKLEN = 16,
  SD_READ_SINGLE_BLOCK = 17,
  SD_READ_MULTIPLE_BLOCK = 18,
  SD_WRITE_BLOCK = 24,
  SD_APP_SEND_OP_COND = 41, /* ACMD41 */
  SD_APP_CMD = 55,
  SD_READ_OCR = 58,
  SD_CRC_ON_OFF = 59
};

/* Bits of R1, the first byte of every response; 0: the command was taken. */
#define SD_R1_IDLE            0x01U
#define SD_R1_ILLEGAL_COMMAND 0x04U
#define SD_R1_COM_CRC_ERROR   0x08U
#define SD_R1_NONE            0xFFU /* nothing answered */

enum sd_result {
  SD_OK = 0,
  SD_TIMEOUT, /* the card did not answer, or gave no data */
  SD_BUSY,    /* it stayed busy */
  SD_CRC,     /* the data were damaged on their way */
  SD_FAILED   /* the card says that it cannot */
};

/*
 * Selects the card, waits until it is not busy, sends a command and returns its R1. The card stays selected for what
 * follows, until sd_end; a command that needs no more has sd_command for both.
 */
uint8_t sd_begin(const struct spi *spi, enum sd_command command, uint32_t argument);
void sd_end(const struct spi *spi);
uint8_t sd_command(const struct spi *spi, enum sd_command command, uint32_t argument);

/* The bytes of a longer response. */
void sd_receive(const struct spi *spi, uint8_t *bytes, uint32_t length);

/* A data block from the card, and one to it, of which is waited until it is written. */
enum sd_result sd_receive_block(const struct spi *spi, uint8_t *bytes, uint32_t length);
enum sd_result sd_send_block(const struct spi *spi, const uint8_t *bytes, uint32_t length);

/* Ends SD_READ_MULTIPLE_BLOCK. */
enum sd_result sd_stop_transmission(const struct spi *spi);

#endif
