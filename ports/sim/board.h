// SPDX-License-Identifier: MIT
/* The hardware of a virtual module: flash, clock, card, network, hashes; and what the module's firmware sees of it. */
#ifndef PORTS_SIM_BOARD_H
#define PORTS_SIM_BOARD_H

#include "ports/mbedtls/hash.h"
#include "ports/sim/files.h"
#include "ports/sim/flash.h"
#include "ports/sim/network.h"
#include "ports/sim/virtual_module.h"

struct sim_board {
  struct port port; /* for the module: valid as long as the struct is and does not move */
  struct sim_clock clock;
  struct sim_flash flash;
  struct sim_files files;
  struct sim_network *network;
  struct lb_hash sha256;
  struct lb_hash sha256_other;
  struct lb_hash sha256_patch;
  struct lb_hash md5;
  struct mbedtls_hash hash_contexts[4];
};

/* Switches it on; it was all zeros before. False: it has been said on stderr why not; switch it off all the same. */
bool sim_board_open(struct sim_board *board, const struct virtual_module_options *options);

void sim_board_close(struct sim_board *board);

#endif
