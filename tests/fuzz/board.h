// SPDX-License-Identifier: MIT
/*
 * A board for a module in a fuzz target: a small flash with three slots of 64 KB and settings, a few files and a
 * network in memory, a virtual clock. It is opened once and put back to its beginning for each input.
 */
#ifndef TESTS_FUZZ_BOARD_H
#define TESTS_FUZZ_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "boot/bootloader.h"
#include "module/port.h"
#include "ports/mbedtls/hash.h"
#include "ports/sim/flash.h"
#include "tests/unit/support/image_builder.h"

#define BOARD_FLASH     0x40000U
#define BOARD_FILES     6U
#define BOARD_NAME      64U
#define BOARD_FILE_SIZE 8192U
#define BOARD_OPEN      4U

/* How the network behaves. */
enum board_network {
  BOARD_LINK_DOWN = 1,
  BOARD_NOT_FOUND = 2, /* it answers 404 */
  BOARD_NO_LENGTH = 4,
  BOARD_DROPS = 8,  /* the first connection breaks in the middle */
  BOARD_WEAK = 16,  /* it has no strong validator */
  BOARD_PORTAL = 32 /* it answers everything with a page */
};

struct port_file {
  uint32_t index;
  uint32_t at;
  bool is_open;
};

struct port_transfer {
  const uint8_t *bytes;
  uint32_t length;
  uint32_t sent;
  uint32_t first;
  uint32_t fails_at;
  bool is_open;
};

struct board_file {
  char name[BOARD_NAME]; /* "" is unused */
  uint32_t length;
  uint8_t bytes[BOARD_FILE_SIZE];
};

struct board {
  struct sim_clock clock;
  struct sim_flash flash;
  struct built_image image; /* what the server and a file have */
  struct board_file files[BOARD_FILES];
  struct port_file open_files[BOARD_OPEN];
  struct port_transfer transfers[BOARD_OPEN];
  unsigned network_mode;
  struct port_network network;
  struct port_files files_port;
  struct mbedtls_hash hash_contexts[3];
  struct lb_hash hashes[3];
  struct port port;
};

/* Makes it, once. Factory and both OTA slots hold firmware; ota_0 is selected. */
void board_open(struct board *board);

/* Back to the beginning, with a network that behaves like this. */
void board_reset(struct board *board, unsigned network_mode);

/* Are all files and transfers closed? */
bool board_is_quiet(const struct board *board);

#endif
