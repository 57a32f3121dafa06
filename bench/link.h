// SPDX-License-Identifier: MIT
/*
 * A simulated link to a server that has a few files, on the virtual clock, as a network for the module.
 *
 * Bytes arrive with time, at a fixed rate, into the receive window, whether or not anybody looks; reading takes them
 * out and so makes room. While the window is full nothing arrives: that time is lost, and counted. There is no latency:
 * the answer's headers take no bytes and are there at once, and so is the news that the window has room again.
 */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "module/port.h"
#include "ports/sim/clock.h"

#define LINK_WINDOW 5744U /* bytes: lwIP's default on an ESP32, four segments */

/* What the server answers a URL with; any other gets 404. All of it stays the caller's. */
struct link_file {
  const char *url;
  const uint8_t *bytes;
  uint32_t length;
};

struct link {
  struct port_network port;  /* for the module: valid as long as the struct does not move */
  struct port_clock waiting; /* the clock, whose idle() ends when the next byte arrives */

  /* the rest belongs to link.c; one transfer at a time */
  struct sim_clock *clock;
  const struct link_file *files;
  uint32_t file_count;
  const struct link_file *file; /* that is transferred; NULL: there is none with that URL */
  uint32_t bytes_per_second;
  bool is_open;
  uint32_t arrived;    /* bytes of the file that have come so far */
  uint32_t taken;      /* of them, read */
  uint64_t updated_us; /* when they were counted */
  uint64_t part;       /* of the next byte, in millionths */
  uint64_t lost_us;    /* the window was full although the file was not at its end */
  uint64_t received;   /* bytes that were read of all files */
};

/* Begins a link to a server that has these files. */
void link_start(struct link *link, struct sim_clock *clock, uint32_t bytes_per_second, const struct link_file *files,
                uint32_t count);

/* Nothing to do: the clock moves to the arrival of the next byte, but at most by `most_us`. */
void link_wait(struct link *link, uint64_t most_us);

#endif
