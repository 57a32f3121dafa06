// SPDX-License-Identifier: MIT
#include "ports/spi/sd_card.h"

#include <stddef.h>
#include <string.h>

#include "ports/spi/sd_csd.h"
#include "ports/spi/sd_protocol.h"

#define POWER_UP_CLOCKS 80U
#define RESET_ATTEMPTS  10U
#define READ_ATTEMPTS   3U       /* damaged on its way: is asked for again */
#define START_TIME      1000000U /* microseconds, as in the specification */

#define IF_COND         0x1AAU      /* 2.7 to 3.6 V, and a pattern that comes back */
#define HIGH_SUPPORT    0x40000000U /* HCS: this host knows SDHC */
#define OCR_CCS         0x40U       /* in the first byte: the card is SDHC or SDXC */
#define CRC_ON          1U

static int no_card(struct sd_card *card)
{
  card->device.sectors = 0;
  return PORT_ERR_FILE_NO_MOUNT;
}

/* Of a started card: no answer, or that of one that was never started, is that there is no such card any more. */
static int result_of_r1(struct sd_card *card, uint8_t r1)
{
  if (r1 == SD_R1_NONE || (r1 & (SD_R1_IDLE | SD_R1_ILLEGAL_COMMAND)) != 0) {
    return no_card(card);
  }
  return r1 == 0 ? LB_OK : PORT_ERR_FILE_IO;
}

int sd_card_check(struct sd_card *card)
{
  uint8_t status = 0;

  if (card->device.sectors == 0) {
    return PORT_ERR_FILE_NO_MOUNT;
  }
  uint8_t r1 = sd_begin(card->spi, SD_SEND_STATUS, 0);
  sd_receive(card->spi, &status, 1); /* R2 is R1 and this byte */
  sd_end(card->spi);
  int err = result_of_r1(card, r1);
  return !err && status != 0 ? PORT_ERR_FILE_IO : err;
}

/* ---- reading and writing ---- */

static bool is_inside(const struct sd_card *card, uint64_t sector, uint32_t count)
{
  return sector <= card->device.sectors && count <= card->device.sectors - sector;
}

/* Inside the card this fits: SDHC and SDXC have at most 2^32 sectors, older cards 2^32 bytes. */
static uint32_t address_of(const struct sd_card *card, uint64_t sector)
{
  return (uint32_t)(card->high_capacity ? sector : sector * BLOCK_SIZE);
}

/* One attempt; LB_MORE: another one may do better. */
static int read_once(struct sd_card *card, uint64_t sector, uint8_t *buffer, uint32_t count)
{
  const struct spi *spi = card->spi;
  enum sd_command command = count > 1 ? SD_READ_MULTIPLE_BLOCK : SD_READ_SINGLE_BLOCK;
  enum sd_result result = SD_OK;

  uint8_t r1 = sd_begin(spi, command, address_of(card, sector));
  if (r1 != 0) {
    sd_end(spi);
    return r1 == SD_R1_COM_CRC_ERROR ? LB_MORE : result_of_r1(card, r1);
  }
  for (uint32_t i = 0; i < count && result == SD_OK; i++) {
    result = sd_receive_block(spi, buffer + (size_t)BLOCK_SIZE * i, BLOCK_SIZE);
  }
  if (command == SD_READ_MULTIPLE_BLOCK) {
    enum sd_result stopped = sd_stop_transmission(spi);
    result = result == SD_OK ? stopped : result;
  }
  sd_end(spi);
  if (result == SD_CRC) {
    return LB_MORE;
  }
  return result == SD_OK ? LB_OK : PORT_ERR_FILE_IO;
}

static int sd_read(void *context, uint64_t sector, void *buffer, uint32_t count)
{
  struct sd_card *card = context;

  if (card->device.sectors == 0) {
    return PORT_ERR_FILE_NO_MOUNT;
  }
  if (!is_inside(card, sector, count)) {
    return PORT_ERR_FILE_IO;
  }
  int err = count > 0 ? LB_MORE : LB_OK;
  for (unsigned i = 0; i < READ_ATTEMPTS && err == LB_MORE; i++) {
    err = read_once(card, sector, buffer, count);
  }
  /* The card may have gone in the middle of it. */
  if (err && sd_card_check(card) == PORT_ERR_FILE_NO_MOUNT) {
    return PORT_ERR_FILE_NO_MOUNT;
  }
  return err ? PORT_ERR_FILE_IO : LB_OK;
}

static int sd_write(void *context, uint64_t sector, const void *data)
{
  struct sd_card *card = context;
  const struct spi *spi = card->spi;

  if (card->device.sectors == 0) {
    return PORT_ERR_FILE_NO_MOUNT;
  }
  if (!is_inside(card, sector, 1)) {
    return PORT_ERR_FILE_IO;
  }
  if (card->read_only) {
    return PORT_ERR_FILE_READ_ONLY;
  }
  uint8_t r1 = sd_begin(spi, SD_WRITE_BLOCK, address_of(card, sector));
  enum sd_result result = r1 == 0 ? sd_send_block(spi, data, BLOCK_SIZE) : SD_FAILED;
  sd_end(spi);
  if (r1 != 0) {
    return result_of_r1(card, r1);
  }
  if (result == SD_BUSY) {
    return PORT_ERR_FILE_IO;
  }
  /* That it was accepted is not yet that it was written: the status says so. */
  int err = sd_card_check(card);
  return !err && result != SD_OK ? PORT_ERR_FILE_IO : err;
}

/* ---- starting ---- */

/* A card that the processor's reset has caught in the middle of a block takes the first attempts for data. */
static bool reset_card(const struct spi *spi)
{
  for (unsigned i = 0; i < RESET_ATTEMPTS; i++) {
    if (sd_command(spi, SD_GO_IDLE_STATE, 0) == SD_R1_IDLE) {
      return true;
    }
    spi->select(spi->context);
    spi->transfer(spi->context, NULL, NULL, BLOCK_SIZE / 4U);
    sd_end(spi);
  }
  return false;
}

/* Version 2 cards know this command, and say whether the voltage suits them. */
static int send_if_cond(const struct spi *spi, bool *version_2)
{
  uint8_t r7[4] = {0};

  uint8_t r1 = sd_begin(spi, SD_SEND_IF_COND, IF_COND);
  *version_2 = (r1 & SD_R1_ILLEGAL_COMMAND) == 0;
  if (r1 == SD_R1_IDLE) {
    sd_receive(spi, r7, sizeof r7);
  }
  sd_end(spi);
  if (r1 == SD_R1_NONE) {
    return PORT_ERR_FILE_NO_MOUNT;
  }
  if (!*version_2) {
    return LB_OK;
  }
  return ((unsigned)(r7[2] & 0xFU) << 8 | r7[3]) == IF_COND ? LB_OK : PORT_ERR_FILE_IO;
}

/* Asks the card again and again to start, until it has. */
static int send_op_cond(const struct spi *spi, bool version_2)
{
  uint64_t start = spi->now_us(spi->context);
  bool late = false;
  uint8_t r1 = SD_R1_IDLE;

  while (r1 == SD_R1_IDLE && !late) {
    late = spi->now_us(spi->context) - start > START_TIME;
    r1 = sd_command(spi, SD_APP_CMD, 0);
    if ((r1 & ~SD_R1_IDLE) == 0) {
      r1 = sd_command(spi, SD_APP_SEND_OP_COND, version_2 ? HIGH_SUPPORT : 0);
    }
  }
  if (r1 == SD_R1_NONE) {
    return PORT_ERR_FILE_NO_MOUNT;
  }
  return r1 == 0 ? LB_OK : PORT_ERR_FILE_IO;
}

/* The idle bit of this response is not looked at: QEMU's cards set it always. */
static int read_ocr(const struct spi *spi, bool *high_capacity)
{
  uint8_t ocr[4] = {0};

  uint8_t r1 = sd_begin(spi, SD_READ_OCR, 0);
  sd_receive(spi, ocr, sizeof ocr);
  sd_end(spi);
  *high_capacity = (ocr[0] & OCR_CCS) != 0;
  return (r1 & ~SD_R1_IDLE) == 0 ? LB_OK : PORT_ERR_FILE_IO;
}

static int read_csd(struct sd_card *card, uint64_t *sectors)
{
  uint8_t csd[SD_CSD_SIZE];

  enum sd_result result = SD_FAILED;
  if (sd_begin(card->spi, SD_SEND_CSD, 0) == 0) {
    result = sd_receive_block(card->spi, csd, sizeof csd);
  }
  sd_end(card->spi);
  if (result != SD_OK) {
    return PORT_ERR_FILE_IO;
  }
  *sectors = sd_csd_sectors(csd);
  card->read_only = sd_csd_is_read_only(csd);
  return *sectors > 0 ? LB_OK : PORT_ERR_FILE_IO;
}

/* What follows on the reset of the card, in the order of the specification. */
static int initialise(struct sd_card *card, uint64_t *sectors)
{
  const struct spi *spi = card->spi;
  bool version_2 = false;

  int err = send_if_cond(spi, &version_2);
  if (!err) {
    err = send_op_cond(spi, version_2);
  }
  if (!err && version_2) {
    err = read_ocr(spi, &card->high_capacity);
  }
  if (!err && sd_command(spi, SD_CRC_ON_OFF, CRC_ON) != 0) {
    err = PORT_ERR_FILE_IO;
  }
  if (!err && !card->high_capacity && sd_command(spi, SD_SET_BLOCKLEN, BLOCK_SIZE) != 0) {
    err = PORT_ERR_FILE_IO;
  }
  if (!err) {
    spi->set_clock(spi->context, SD_CARD_CLOCK);
    err = read_csd(card, sectors);
  }
  return err;
}

int sd_card_start(struct sd_card *card)
{
  const struct spi *spi = card->spi;
  uint64_t sectors = 0;

  card->device.sectors = 0;
  card->high_capacity = false;
  card->read_only = false;
  spi->set_clock(spi->context, SD_CARD_CLOCK_IDENTIFY);
  spi->release(spi->context);
  spi->transfer(spi->context, NULL, NULL, POWER_UP_CLOCKS / 8U);
  if (!reset_card(spi)) {
    return PORT_ERR_FILE_NO_MOUNT;
  }
  int err = initialise(card, &sectors);
  if (!err) {
    card->device.sectors = sectors;
  }
  return err;
}

int sd_card_open(struct sd_card *card, const struct spi *spi)
{
  memset(card, 0, sizeof *card);
  card->spi = spi;
  card->device = (struct block_device){.context = card, .read = sd_read, .write = sd_write};
  return sd_card_start(card);
}
