// SPDX-License-Identifier: MIT
/* The clock of the virtual module: what makes it move, and what wakes it. */
#define _GNU_SOURCE
#include "ports/sim/clock.h"

#include <time.h>
#include <unistd.h>

#include "tests/unit/support/unit.h"

static void test_virtual_clock(void **state)
{
  struct sim_clock clock;

  (void)state;
  sim_clock_start(&clock, SIM_CLOCK_VIRTUAL);
  sim_clock_spend_us(&clock, 2500);
  assert_int_equal(clock.port.now_ms(clock.port.context), 2);
  clock.port.idle(clock.port.context, 3600000); /* with nobody to wait for, an hour takes no time */
  assert_int_equal(sim_clock_now_us(&clock), 3600002500U);
}

/* The virtual date begins today and goes with the virtual time. */
static void test_date(void **state)
{
  struct sim_clock clock;
  const int64_t before = (int64_t)time(NULL);

  (void)state;
  sim_clock_start(&clock, SIM_CLOCK_REAL);
  int64_t date = clock.port.utc(clock.port.context);
  assert_true(date >= before && date <= (int64_t)time(NULL));
  sim_clock_start(&clock, SIM_CLOCK_VIRTUAL);
  date = clock.port.utc(clock.port.context);
  assert_true(date >= before && date <= (int64_t)time(NULL));
  sim_clock_spend_us(&clock, 86400000000U);
  assert_int_equal(clock.port.utc(clock.port.context), date + 86400);
}

static void test_checkpoints_leave_out_idle_time(void **state)
{
  struct sim_clock clock;

  (void)state;
  sim_clock_start(&clock, SIM_CLOCK_VIRTUAL);
  sim_clock_spend_us(&clock, 900000); /* before the first mark */
  sim_clock_checkpoint(&clock);
  sim_clock_spend_us(&clock, 100);
  sim_clock_checkpoint(&clock);
  sim_clock_spend_us(&clock, 30);
  clock.port.idle(clock.port.context, 1000);
  sim_clock_spend_us(&clock, 300);
  sim_clock_checkpoint(&clock);
  sim_clock_checkpoint(&clock);
  assert_int_equal(sim_clock_longest_us(&clock), 330);
  sim_clock_forget_checkpoints(&clock);
  assert_int_equal(sim_clock_longest_us(&clock), 0);
}

static int wait_quietly(void *context, struct pollfd *descriptors, unsigned count, int timeout_ms)
{
  int *longest = context;

  *longest = timeout_ms > *longest ? timeout_ms : *longest;
  return poll(descriptors, count, timeout_ms);
}

static void test_watched_descriptor_wakes(void **state)
{
  int ends[2];
  int longest = 0;
  const struct sim_clock_waiter waiter = {.wait = wait_quietly, .context = &longest};

  (void)state;
  assert_int_equal(pipe(ends), 0);
  for (enum sim_clock_kind kind = SIM_CLOCK_REAL; kind <= SIM_CLOCK_VIRTUAL; kind++) {
    struct sim_clock clock;
    char byte = 0;

    sim_clock_start(&clock, kind);
    assert_true(sim_clock_watch(&clock, ends[0]));
    sim_clock_wait_with(&clock, &waiter);
    clock.port.idle(clock.port.context, 100);
    assert_in_range(sim_clock_now_us(&clock), 90000, 5000000); /* nothing came: it waited */
    assert_int_equal(write(ends[1], "x", 1), 1);
    const uint64_t before = sim_clock_now_us(&clock);
    clock.port.idle(clock.port.context, 60000);
    assert_in_range(sim_clock_now_us(&clock) - before, 0, 30000000);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    sim_clock_unwatch(&clock, ends[0]);
    clock.port.idle(clock.port.context, 1);
  }
  assert_in_range(longest, 1, 60000);
  close(ends[0]);
  close(ends[1]);
}

static void test_real_clock_sleeps(void **state)
{
  struct sim_clock clock;

  (void)state;
  sim_clock_start(&clock, SIM_CLOCK_REAL);
  for (int i = 0; i < 100; i++) {
    sim_clock_spend_us(&clock, 400); /* too short for a sleep each */
  }
  assert_in_range(sim_clock_now_us(&clock), 38000, 5000000);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_virtual_clock),
      cmocka_unit_test(test_date),
      cmocka_unit_test(test_checkpoints_leave_out_idle_time),
      cmocka_unit_test(test_watched_descriptor_wakes),
      cmocka_unit_test(test_real_clock_sleeps),
  };

  return cmocka_run_group_tests_name("sim_clock", tests, NULL, NULL);
}
