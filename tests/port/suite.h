// SPDX-License-Identifier: MIT
/*
 * Does a port keep what it promises to the library and the module? A suite of checks of its flash, its clock and its
 * reset, that runs on the target itself: it needs no operating system, no heap, and nothing of the C library but
 * <string.h>. One line a check, and at the end "N checks, N passed".
 *
 * The suite resets the board several times and goes on afterwards: where it stands is kept in the last block of the
 * scratch area. So the port's program does nothing but fill a struct port_suite, also with why the processor started,
 * and call port_suite_run, at each start. docs/porting.md goes through it; tests/port/board_main.c is an example.
 */
#ifndef TESTS_PORT_SUITE_H
#define TESTS_PORT_SUITE_H

#include "lifeboat/flash.h"
#include "lifeboat/trial.h"
#include "module/port.h"

#define PORT_SUITE_GUARDED 2U

struct port_suite_range {
  uint32_t start;
  uint32_t size; /* 0: none */
};

struct port_suite {
  /* ---- the port's to fill ---- */
  const struct lb_flash *flash;
  struct port_idle *idle; /* what the driver polls while the chip is busy; NULL: it offers none */
  uint32_t scratch;       /* address of an area that is destroyed, aligned to the largest erase size */
  uint32_t scratch_size;  /* at least four of those blocks. Blank the last one (the state) to begin anew */
  struct port_suite_range guarded[PORT_SUITE_GUARDED]; /* where the driver refuses to program and to erase */
  uint32_t program_ms; /* no page takes longer, by the chip's data sheet; 0, as where an emulator is held up: unknown */
  uint32_t program_average_ms; /* nor does one page of many on average */
  uint32_t erase_ms;           /* no block takes longer to be erased */

  const struct port_clock *clock;
  bool idle_sleeps; /* the clock's idle lasts as long as it may while nothing wakes it; in the suite nothing does */
  const struct port_clock *reference; /* a second one to compare it with; NULL: there is none */

  enum lb_reset cause; /* why the processor started */
  /* Resets as the firmware does, crashes, and hangs until the watchdog bites. They need not return; where one does, as
   * in a simulation, the suite says PORT_SUITE_RESET. NULL: the port cannot; then it is not checked. */
  void (*reset)(void *context);
  void (*crash)(void *context);
  void (*hang)(void *context);

  void (*print)(void *context, const char *text);
  void *context; /* passed to all four */

  /* ---- the suite's own ---- */
  uint32_t checks;
  uint32_t passed;
  bool check_failed; /* the one that is under way */
};

enum port_suite_result {
  PORT_SUITE_PASSED,
  PORT_SUITE_FAILED,
  PORT_SUITE_RESET /* the port was asked for a reset, and returned: start anew, with the cause that it left */
};

enum port_suite_result port_suite_run(struct port_suite *suite);

#endif
