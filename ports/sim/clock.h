// SPDX-License-Identifier: MIT
/*
 * The clock of the virtual module, real or virtual.
 *
 * The real one is the computer's monotonic clock: time that the flash needs is slept, waiting is waiting.
 * The virtual one only moves when the flash works or when the module has nothing to do, so that a test of an hour takes
 * seconds. While the module waits for a server on this computer, it runs SIM_CLOCK_HASTE times as fast as real time.
 */
#ifndef PORTS_SIM_CLOCK_H
#define PORTS_SIM_CLOCK_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "module/port.h"

#define SIM_CLOCK_HASTE    10U
#define SIM_CLOCK_WAIT_MS  50U /* the virtual clock's longest real wait */
#define SIM_CLOCK_WATCHED  8U  /* descriptors that may be watched */
#define SIM_CLOCK_SLICE_US 1000U

enum sim_clock_kind { SIM_CLOCK_REAL, SIM_CLOCK_VIRTUAL };

/* Waits for the network or for one of the descriptors, like poll(): the number of those where something happened. */
struct sim_clock_waiter {
  int (*wait)(void *context, struct pollfd *descriptors, unsigned count, int timeout_ms); /* NULL: no network */
  void *context;
};

struct sim_clock {
  struct port_clock port; /* for the module: valid as long as the struct is and does not move */

  /* the rest belongs to clock.c */
  enum sim_clock_kind kind;
  uint64_t start_us; /* real: the computer's clock at power-on */
  uint64_t now_us;   /* virtual */
  int64_t start_utc; /* the computer's date at power-on: the virtual clock's date begins there, and goes as it goes */
  uint64_t debt_us;  /* real: time spent that has not been slept yet */
  struct pollfd watched[SIM_CLOCK_WATCHED];
  unsigned watched_count;
  struct sim_clock_waiter waiter;
  uint64_t checkpoint_us;
  uint64_t longest_us;
  bool has_checkpoint;
};

/* Begins at 0 with nothing watched. */
void sim_clock_start(struct sim_clock *clock, enum sim_clock_kind kind);

/* Microseconds since sim_clock_start. */
uint64_t sim_clock_now_us(const struct sim_clock *clock);

/*
 * The module is busy for this long: the virtual clock moves on, the real one sleeps. Small amounts are gathered until
 * they make SIM_CLOCK_SLICE_US, since a sleep cannot be short.
 */
void sim_clock_spend_us(struct sim_clock *clock, uint64_t us);

/*
 * While idle, `fd` being readable ends the wait: the terminal, or an eventfd that a signal handler writes to. Does not
 * read it. Returns false if SIM_CLOCK_WATCHED descriptors are watched already.
 */
bool sim_clock_watch(struct sim_clock *clock, int fd);
void sim_clock_unwatch(struct sim_clock *clock, int fd);

/* While idle, wait in `waiter`; with NULL nothing comes from outside, and the virtual clock need not wait really. */
void sim_clock_wait_with(struct sim_clock *clock, const struct sim_clock_waiter *waiter);

/* Marks a poll of the console. The longest time between two marks, idle time not counted, is kept. */
void sim_clock_checkpoint(struct sim_clock *clock);
uint64_t sim_clock_longest_us(const struct sim_clock *clock);

/* Forgets the marks and the longest time. */
void sim_clock_forget_checkpoints(struct sim_clock *clock);

#endif
