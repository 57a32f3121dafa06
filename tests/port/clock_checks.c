// SPDX-License-Identifier: MIT
/* The clock: it goes, never back, as fast as it says, and waiting for it ends. */
#include "tests/port/check.h"

#define READS        20000U
#define SPIN_MOST    200000000U /* readings of a clock that stands still, before the suite gives it up */
#define WAIT_MS      300U
#define WAIT_OVER_MS 100U /* that an idle may last longer than it was asked for */
#define RATE_MS      1000U
#define RATE_OFF_PC  5U

static void check_monotonic(struct port_suite *suite)
{
  uint64_t before = clock_now(suite->clock);
  check_begin(suite, "clock: it never goes back");
  for (uint32_t i = 0; i < READS; i++) {
    const uint64_t now = clock_now(suite->clock);
    if (!check_that(suite, now >= before, "it went back")) {
      break;
    }
    before = now;
  }
  check_end(suite);
}

static void check_idle(struct port_suite *suite, uint32_t ms)
{
  check_begin_with(suite, "clock: idle for ", ms,
                   suite->idle_sleeps ? " ms sleeps, and ends in time" : " ms ends in time");
  const uint64_t begin = clock_now(suite->clock);
  suite->clock->idle(suite->clock->context, ms);
  const uint64_t passed = clock_now(suite->clock) - begin;
  if (passed > ms + WAIT_OVER_MS) {
    check_fail_at(suite, "milliseconds that it lasted:", (uint32_t)passed);
  }
  if (suite->idle_sleeps && 2U * passed + 1U < ms) { /* the clock may be about to tick */
    check_fail_at(suite, "it did not sleep; milliseconds that it lasted:", (uint32_t)passed);
  }
  check_end(suite);
}

/* Idle may end early, but time must pass by it: else a module that waits would never go on. */
static void check_goes_on(struct port_suite *suite)
{
  check_begin_with(suite, "clock: time passes while the module is idle, ", WAIT_MS, " ms");
  const uint64_t begin = clock_now(suite->clock);
  uint32_t calls = 0;
  while (clock_now(suite->clock) - begin < WAIT_MS && calls < SPIN_MOST) {
    suite->clock->idle(suite->clock->context, 10);
    calls++;
  }
  check_that(suite, calls < SPIN_MOST, "it stands still");
  check_end(suite);
}

static void check_rate(struct port_suite *suite)
{
  check_begin_with(suite, "clock: as fast as the other clock, for ", RATE_MS, " ms");
  const uint64_t begin = clock_now(suite->clock);
  const uint64_t reference = clock_now(suite->reference);
  uint32_t calls = 0;
  while (clock_now(suite->reference) - reference < RATE_MS && calls < SPIN_MOST) {
    suite->clock->idle(suite->clock->context, 10);
    calls++;
  }
  const uint64_t passed = clock_now(suite->clock) - begin;
  const uint64_t expected = clock_now(suite->reference) - reference;
  const uint64_t off = passed > expected ? passed - expected : expected - passed;
  if (calls == SPIN_MOST || off * 100U > expected * RATE_OFF_PC) {
    check_fail_at(suite, "milliseconds that it counted instead:", (uint32_t)passed);
  }
  check_end(suite);
}

/* For whoever watches from outside: the two lines come RATE_MS apart. */
static void show_rate(struct port_suite *suite)
{
  suite->print(suite->context, "clock: one second begins\n");
  const uint64_t begin = clock_now(suite->clock);
  while (clock_now(suite->clock) - begin < RATE_MS) {
    suite->clock->idle(suite->clock->context, 10);
  }
  suite->print(suite->context, "clock: one second ends\n");
}

void check_clock(struct port_suite *suite)
{
  const uint32_t before = suite->passed;
  check_monotonic(suite);
  check_idle(suite, 1);
  check_idle(suite, 50);
  check_goes_on(suite);
  if (suite->passed - before < 4U) {
    return; /* what follows would not end */
  }
  if (suite->reference) {
    check_rate(suite);
  } else {
    show_rate(suite);
  }
}
