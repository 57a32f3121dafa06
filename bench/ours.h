// SPDX-License-Identifier: MIT
/* Our update: the module's own command on its own console, `ota flash http URL`, to its success line. */
#ifndef BENCH_OURS_H
#define BENCH_OURS_H

#include "bench/board.h"

/* The flash driver lets the module take in what arrives while the chip is busy. False, and it has said why. */
bool ours_read_ahead(struct board *board);

/* The processor stands still while the flash is busy: only the receive window takes in what arrives. */
bool ours_standing_still(struct board *board);

#endif
