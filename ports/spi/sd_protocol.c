// SPDX-License-Identifier: MIT
#include "ports/spi/sd_protocol.h"

#include <stdbool.h>
#include <stddef.h>

#include "ports/spi/sd_crc.h"

/* Bytes that may pass before a response (the specification: 8). */
#define RESPONSE_BYTES    10U

/* Times in microseconds: the specification says 100 ms before data, and 250 ms, for SDXC 500 ms, for a write. */
#define DATA_TIME         200000U
#define BUSY_TIME         600000U

#define IDLE_LINE         0xFFU
#define START_BLOCK       0xFEU
#define DATA_RESPONSE     0x1FU /* these bits of the byte that answers a block: */
#define DATA_ACCEPTED     0x05U
#define DATA_CRC_ERROR    0x0BU
#define COMMAND_START_BIT 0x40U

static uint8_t receive_byte(const struct spi *spi)
{
  uint8_t byte = IDLE_LINE;
  spi->transfer(spi->context, NULL, &byte, 1);
  return byte;
}

void sd_receive(const struct spi *spi, uint8_t *bytes, uint32_t length)
{
  spi->transfer(spi->context, NULL, bytes, length);
}

/*
 * Waits for a byte that is the idle line, or for one that is not, and gives the last one seen. The time is taken
 * before the byte: whoever was held up in between is not told of a time-out that there was not.
 */
static uint8_t wait_for(const struct spi *spi, bool idle, uint64_t time)
{
  uint64_t start = spi->now_us(spi->context);
  bool late = false;
  uint8_t byte = IDLE_LINE;

  do {
    late = spi->now_us(spi->context) - start > time;
    byte = receive_byte(spi);
  } while ((byte == IDLE_LINE) != idle && !late);
  return byte;
}

static enum sd_result wait_while_busy(const struct spi *spi)
{
  return wait_for(spi, true, BUSY_TIME) == IDLE_LINE ? SD_OK : SD_BUSY;
}

static void send_command(const struct spi *spi, enum sd_command command, uint32_t argument)
{
  uint8_t frame[6] = {(uint8_t)(COMMAND_START_BIT | (unsigned)command), (uint8_t)(argument >> 24),
                      (uint8_t)(argument >> 16), (uint8_t)(argument >> 8), (uint8_t)argument};
  frame[5] = (uint8_t)((unsigned)sd_crc7(frame, 5) << 1 | 1U);
  spi->transfer(spi->context, frame, NULL, sizeof frame);
}

static uint8_t receive_r1(const struct spi *spi)
{
  for (unsigned i = 0; i < RESPONSE_BYTES; i++) {
    uint8_t byte = receive_byte(spi);
    if ((byte & 0x80U) == 0) {
      return byte;
    }
  }
  return SD_R1_NONE;
}

uint8_t sd_begin(const struct spi *spi, enum sd_command command, uint32_t argument)
{
  spi->select(spi->context);
  /* Before the reset there is no telling what the line says. */
  if (command != SD_GO_IDLE_STATE && wait_while_busy(spi)) {
    return SD_R1_NONE;
  }
  send_command(spi, command, argument);
  return receive_r1(spi);
}

/* A card leaves the line to others with the next clock only. */
void sd_end(const struct spi *spi)
{
  spi->release(spi->context);
  (void)receive_byte(spi);
}

uint8_t sd_command(const struct spi *spi, enum sd_command command, uint32_t argument)
{
  uint8_t r1 = sd_begin(spi, command, argument);
  sd_end(spi);
  return r1;
}

enum sd_result sd_receive_block(const struct spi *spi, uint8_t *bytes, uint32_t length)
{
  uint8_t crc[2];

  uint8_t token = wait_for(spi, false, DATA_TIME);
  if (token == IDLE_LINE) {
    return SD_TIMEOUT;
  }
  if (token != START_BLOCK) {
    return SD_FAILED; /* a data error token */
  }
  sd_receive(spi, bytes, length);
  sd_receive(spi, crc, sizeof crc);
  return sd_crc16(bytes, length) == ((unsigned)crc[0] << 8 | crc[1]) ? SD_OK : SD_CRC;
}

enum sd_result sd_send_block(const struct spi *spi, const uint8_t *bytes, uint32_t length)
{
  const uint8_t start[2] = {IDLE_LINE, START_BLOCK};
  unsigned value = sd_crc16(bytes, length);
  const uint8_t crc[2] = {(uint8_t)(value >> 8), (uint8_t)value};

  spi->transfer(spi->context, start, NULL, sizeof start);
  spi->transfer(spi->context, bytes, NULL, length);
  spi->transfer(spi->context, crc, NULL, sizeof crc);
  uint8_t response = wait_for(spi, false, DATA_TIME);
  if (response == IDLE_LINE) {
    return SD_TIMEOUT;
  }
  /* Also a card that refuses the data may be busy afterwards. */
  enum sd_result busy = wait_while_busy(spi);
  if ((response & DATA_RESPONSE) == DATA_CRC_ERROR) {
    return SD_CRC;
  }
  return (response & DATA_RESPONSE) == DATA_ACCEPTED ? busy : SD_FAILED;
}

enum sd_result sd_stop_transmission(const struct spi *spi)
{
  send_command(spi, SD_STOP_TRANSMISSION, 0);
  (void)receive_byte(spi); /* may be of the block that was cut off, and look like a response */
  /* What else it says does not matter: behind the last sector of a card, some report that there is no next one. */
  if (receive_r1(spi) == SD_R1_NONE) {
    return SD_TIMEOUT;
  }
  return wait_while_busy(spi);
}
