// SPDX-License-Identifier: MIT
/*
 * The order of things, over several starts. What is done is kept in the state's block, a record for each start, written
 * before the reset that ends it; the last whole record counts. A port whose flash cannot even keep that begins anew.
 */
#include "tests/port/suite.h"

#include <stddef.h>

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "tests/port/check.h"

#define MAGIC       0x54524F50U /* "PORT" */
#define RECORD_SIZE 20U
#define RECORDS     8U
#define KEPT_SEED   6U
#define KEPT_SIZE   1024U

enum phase { FIRST, AFTER_RESET, AFTER_CRASH, AFTER_HANG, DONE };

struct state {
  enum phase phase;
  uint32_t records; /* written so far */
};

static uint32_t state_address(const struct port_suite *suite)
{
  return suite->scratch + suite->scratch_size - lb_flash_largest_erase(suite->flash);
}

/* ---- the state ---- */

static bool take_record(struct port_suite *suite, struct state *state, const uint8_t *bytes)
{
  if (lb_load_le32(bytes) != MAGIC || lb_load_le32(bytes + 16) != lb_crc32(0, bytes, 16)) {
    return false;
  }
  const uint32_t phase = lb_load_le32(bytes + 4);
  state->phase = phase <= DONE ? (enum phase)phase : FIRST;
  suite->checks = lb_load_le32(bytes + 8);
  suite->passed = lb_load_le32(bytes + 12);
  return true;
}

static void load_state(struct port_suite *suite, struct state *state)
{
  uint8_t bytes[RECORD_SIZE];
  suite->checks = 0;
  suite->passed = 0;
  *state = (struct state){.phase = FIRST};
  while (state->records < RECORDS) {
    const uint32_t address = state_address(suite) + state->records * RECORD_SIZE;
    if (lb_flash_read(suite->flash, address, bytes, RECORD_SIZE) || !take_record(suite, state, bytes)) {
      return;
    }
    state->records++;
  }
}

static void begin_state(struct port_suite *suite)
{
  erase_area(suite, state_address(suite), lb_flash_largest_erase(suite->flash));
}

static void store_state(struct port_suite *suite, struct state *state, enum phase phase)
{
  uint8_t bytes[RECORD_SIZE];
  lb_store_le32(bytes, MAGIC);
  lb_store_le32(bytes + 4, (uint32_t)phase);
  lb_store_le32(bytes + 8, suite->checks);
  lb_store_le32(bytes + 12, suite->passed);
  lb_store_le32(bytes + 16, lb_crc32(0, bytes, 16));
  const uint32_t address = state_address(suite) + state->records * RECORD_SIZE;
  if (lb_flash_program(suite->flash, address, bytes, RECORD_SIZE)) {
    suite->print(suite->context, "suite: what was done so far cannot be kept\n");
  }
  state->phase = phase;
  state->records++;
}

/* ---- one start after the other ---- */

static void check_all_but_resets(struct port_suite *suite)
{
  check_flash_reading(suite);
  if (suite->passed != suite->checks) {
    return; /* nothing below could work */
  }
  check_flash_erasing(suite);
  check_flash_programming(suite);
  check_flash_limits(suite);
  check_flash_at_random(suite);
  check_clock(suite);
}

static void check_cause(struct port_suite *suite, enum lb_reset cause, const char *what)
{
  check_begin(suite, what);
  if (suite->cause != cause) {
    check_fail_at(suite, "the cause is number", (uint32_t)suite->cause);
  }
  check_end(suite);
}

/* What is programmed right before each reset has to be there after it. */
static void keep(struct port_suite *suite)
{
  erase_area(suite, suite->scratch, lb_flash_sector(suite->flash));
  pattern_program(suite, KEPT_SEED, suite->scratch, KEPT_SIZE);
}

static void check_kept(struct port_suite *suite, const char *what)
{
  check_begin(suite, what);
  expect_pattern(suite, KEPT_SEED, suite->scratch, KEPT_SIZE);
  check_end(suite);
}

/* What the start that this one follows has to have been, checked now. */
static void check_start(struct port_suite *suite, enum phase phase)
{
  switch (phase) {
  case FIRST:
    check_cause(suite, LB_RESET_POWER_ON, "reset: the first start is one after power-on");
    check_all_but_resets(suite);
    break;
  case AFTER_RESET:
    check_cause(suite, LB_RESET_COMMANDED, "reset: a commanded one says so");
    check_kept(suite, "flash: what was programmed is there after a reset");
    break;
  case AFTER_CRASH:
    check_cause(suite, LB_RESET_CRASH, "reset: a crash says so");
    check_kept(suite, "flash: what was programmed is there after a crash");
    break;
  case AFTER_HANG:
    check_cause(suite, LB_RESET_WATCHDOG, "reset: the watchdog says so");
    check_kept(suite, "flash: what was programmed is there after a reset by the watchdog");
    break;
  case DONE:
    break;
  }
}

static enum port_suite_result finish(struct port_suite *suite)
{
  print_number(suite, suite->checks);
  suite->print(suite->context, " checks, ");
  print_number(suite, suite->passed);
  suite->print(suite->context, " passed\n");
  return suite->passed == suite->checks ? PORT_SUITE_PASSED : PORT_SUITE_FAILED;
}

/* The next phase that the port can play, and how to get there. */
static void (*next_phase(const struct port_suite *suite, enum phase *phase))(void *context)
{
  void (*const ways[])(void *context) = {
      [AFTER_RESET] = suite->reset, [AFTER_CRASH] = suite->crash, [AFTER_HANG] = suite->hang};
  while (*phase < AFTER_HANG) {
    *phase = (enum phase)((int)*phase + 1);
    if (ways[*phase]) {
      return ways[*phase];
    }
  }
  *phase = DONE;
  return NULL;
}

enum port_suite_result port_suite_run(struct port_suite *suite)
{
  struct state state;
  load_state(suite, &state);
  if (state.phase == DONE) {
    return finish(suite);
  }
  check_start(suite, state.phase);
  if (state.phase == FIRST) {
    begin_state(suite);
    state.records = 0;
  }
  enum phase phase = state.phase;
  void (*way)(void *context) = next_phase(suite, &phase);
  if (suite->passed != suite->checks && state.phase == FIRST) { /* a flash that fails cannot be gone on with */
    way = NULL;
    phase = DONE;
  }
  if (!way) {
    store_state(suite, &state, phase);
    return finish(suite);
  }
  keep(suite);
  store_state(suite, &state, phase);
  suite->print(suite->context, phase == AFTER_RESET   ? "suite: resetting\n"
                               : phase == AFTER_CRASH ? "suite: crashing\n"
                                                      : "suite: hanging\n");
  way(suite->context);
  return PORT_SUITE_RESET;
}
