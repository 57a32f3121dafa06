// SPDX-License-Identifier: MIT
/*
 * A ring between the network, which must not wait, and the flash, which makes everything wait: while the chip erases a
 * block for 150 ms, what the network delivers gathers here. Given out in whole pieces, so that progress is counted in
 * the same steps however the network cut its packets.
 */
#ifndef MODULE_READ_AHEAD_H
#define MODULE_READ_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

#define READ_AHEAD_SIZE  32768U /* what a link of 200 KB/s delivers during the longest erase, and a little */
#define READ_AHEAD_PIECE 4096U  /* divides READ_AHEAD_SIZE */

struct read_ahead {
  uint32_t begin; /* counts bytes given out; its place in the ring is the remainder */
  uint32_t end;   /* counts bytes put in */
  bool ended;     /* no more bytes come */
  uint8_t ring[READ_AHEAD_SIZE];
};

void read_ahead_start(struct read_ahead *ahead);

/* Room for more bytes in one run: its start, and in `*size` its length, 0 if the ring is full. */
uint8_t *read_ahead_room(struct read_ahead *ahead, uint32_t *size);

/* Says that `size` bytes were put there. */
void read_ahead_put(struct read_ahead *ahead, uint32_t size);

/* Says that no more bytes come. */
void read_ahead_end(struct read_ahead *ahead);

/* The next piece: READ_AHEAD_PIECE bytes, fewer only at the very end; NULL if it is not there yet, or nothing is left.
 */
const uint8_t *read_ahead_piece(const struct read_ahead *ahead, uint32_t *size);

/* What is there of the next piece, though more of it may come. NULL: nothing. */
const uint8_t *read_ahead_part(const struct read_ahead *ahead, uint32_t *size);

/* Gives a piece of that size back. */
void read_ahead_drop(struct read_ahead *ahead, uint32_t size);

/* Has everything been given out? */
bool read_ahead_is_finished(const struct read_ahead *ahead);

#endif
