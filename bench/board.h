// SPDX-License-Identifier: MIT
/*
 * A fresh module for one update: 16 MB of simulated flash in memory with the OVMS layout, factory and ota_0 holding
 * the running image, ota_0 selected and booted (so that ota_1 is the target), and a link to a server.
 */
#ifndef BENCH_BOARD_H
#define BENCH_BOARD_H

#include "bench/images.h"
#include "bench/link.h"
#include "boot/bootloader.h"
#include "ports/mbedtls/hash.h"
#include "ports/sim/files.h"
#include "ports/sim/flash.h"

#define BOARD_URL "depot.bench/ovms3.bin" /* where the update is */

/* What is updated. */
struct scenario {
  const struct bench_image *running; /* in factory and ota_0 */
  const struct bench_image *held;    /* in ota_1, before the update */
  const struct bench_image *update;  /* on the server */
  uint32_t bytes_per_second;         /* of the link */
  const struct link_file *offered;   /* what else is on the server */
  uint32_t offered_count;
};

#define BOARD_FILES 4U

struct board {
  const struct scenario *scenario;
  struct sim_clock clock;
  struct sim_flash flash;
  struct sim_files files; /* nothing is mounted */
  struct link_file on_server[BOARD_FILES];
  struct link link;
  struct mbedtls_hash hash_contexts[4];
  struct lb_hash sha256;
  struct lb_hash sha256_other;
  struct lb_hash sha256_patch;
  struct lb_hash md5;
  struct bootloader bootloader; /* has booted ota_0 */
  struct lb_device device;
  struct lb_partition target; /* ota_1 */
  struct port port;           /* without idle: the processor stands still while the flash is busy */
};

/* Makes it and boots it; the virtual clock then stands at 0 and the flash's counters too. False, and it has said why.
 */
bool board_open(struct board *board, const struct scenario *scenario);
void board_close(struct board *board);

/* Is the update in ota_1, byte for byte, and ota_1 selected, and all else as it was? False, and it has said what not.
 */
bool board_check(struct board *board);

/* How long the flash has been busy, reading included. */
uint64_t board_flash_busy_us(const struct board *board);

#endif
