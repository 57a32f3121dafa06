// SPDX-License-Identifier: MIT
/*
 * An SD card in SPI mode behind a `struct spi`, as the specification describes one. It answers a command with a wrong
 * CRC with an error, insists on 74 clocks before the first one, on a slow clock until it has started, and on a sector
 * length of 512 bytes. Its clock runs with the bus.
 */
#ifndef TESTS_UNIT_SUPPORT_FAKE_SD_H
#define TESTS_UNIT_SUPPORT_FAKE_SD_H

#include <stdbool.h>
#include <stdint.h>

#include "ports/spi/spi.h"

#define FAKE_SD_FOR_EVER 0xFFFFFFFFU
#define FAKE_SD_COMMANDS 64U

enum fake_sd_kind {
  FAKE_SD_VERSION_1, /* does not know SEND_IF_COND, addressed by byte */
  FAKE_SD_VERSION_2, /* knows it, addressed by byte */
  FAKE_SDHC,         /* addressed by sector */
  FAKE_MMC           /* does not know ACMD41 */
};

enum fake_sd_state { FAKE_SD_NATIVE, FAKE_SD_IDLE, FAKE_SD_READY };

/* What is wrong with the card; counts are of events to come, FAKE_SD_FOR_EVER never ends. */
struct fake_sd_faults {
  bool is_absent;
  uint8_t idle_line;         /* what an absent card reads as: 0xFF, or 0 without a pull-up */
  bool answers_illegal;      /* QEMU's empty socket: every command is illegal */
  uint32_t deaf_resets;      /* GO_IDLE_STATE is not heard */
  bool refuses_voltage;      /* SEND_IF_COND does not echo */
  uint32_t start_polls;      /* ACMD41 until it has started */
  bool refuses_crc;          /* CRC_ON_OFF */
  uint32_t damaged_blocks;   /* data blocks with a flipped bit */
  uint32_t damaged_commands; /* commands arrive with a flipped bit */
  bool gives_no_data;        /* no token comes */
  bool gives_error_token;
  bool stays_busy;         /* after a write */
  uint8_t data_response;   /* of a write: 0x05 */
  uint8_t status;          /* the second byte of R2 */
  bool refuses_stop;       /* STOP_TRANSMISSION is not answered */
  uint32_t gone_after;     /* bytes on the bus, then it is absent; 0: never */
  uint32_t busy_bytes;     /* after each write and stop */
  bool has_idle_bit_in_r3; /* QEMU's */
};

struct fake_sd {
  struct spi spi; /* give this one to the driver */
  enum fake_sd_kind kind;
  uint32_t sectors;
  uint8_t *bytes;
  uint8_t csd[16];
  struct fake_sd_faults faults;

  uint64_t now_us;
  uint32_t hertz;
  uint32_t commands[FAKE_SD_COMMANDS]; /* how many of each came */
  uint32_t bytes_on_bus;

  /* the card's own */
  enum fake_sd_state state;
  bool is_selected;
  bool is_application; /* the next command is an ACMD */
  bool has_crc;        /* CRC_ON_OFF */
  uint32_t clocks;     /* bytes before the first command */
  uint32_t block_length;
  uint8_t frame[6];
  uint32_t frame_bytes;
  uint8_t out[600]; /* what it says next */
  uint32_t out_at;
  uint32_t out_end;
  bool is_reading;   /* READ_MULTIPLE_BLOCK: there is always a next sector */
  bool is_stoppable; /* and it waits for STOP_TRANSMISSION, even behind the last one */
  bool is_stopping;  /* its response has not been read to the end */
  bool is_writing;
  bool is_stuck;     /* busy for ever */
  bool is_receiving; /* a data block; its bytes are in `block` */
  uint32_t address;  /* in bytes */
  uint8_t block[514];
  uint32_t block_bytes;
};

/* A card of that kind. SDHC: a multiple of 1024 sectors; others: a multiple of 4, at most 16384. */
void fake_sd_make(struct fake_sd *card, enum fake_sd_kind kind, uint32_t sectors);
void fake_sd_free(struct fake_sd *card);

/* As if it were pulled out and put in again. */
void fake_sd_power_cycle(struct fake_sd *card);

#endif
