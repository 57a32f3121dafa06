// SPDX-License-Identifier: MIT
/* The simulated flash: what a chip does, what it refuses, its time, its power. */
#include "ports/sim/flash.h"

#include "tests/unit/support/unit.h"

#define MINIATURE_SIZE 16384U
#define SECTOR         512U
#define BLOCK          2048U
#define PAGE           64U

struct bench {
  struct sim_flash flash;
  const struct lb_flash *driver;
};

static int set_up(void **state)
{
  struct bench *bench = unit_allocate(sizeof *bench);
  const struct sim_geometry geometry = sim_geometry_miniature(MINIATURE_SIZE);

  assert_result(sim_flash_open_memory(&bench->flash, &geometry), LB_OK);
  bench->driver = &bench->flash.driver;
  *state = bench;
  return 0;
}

static int tear_down(void **state)
{
  struct bench *bench = *state;

  sim_flash_close(&bench->flash);
  sim_flash_close(&bench->flash); /* twice does no harm */
  free(bench);
  return 0;
}

static int read_at(struct bench *bench, uint32_t address, void *buffer, uint32_t length)
{
  return bench->driver->read(bench->driver->context, address, buffer, length);
}

static int program_at(struct bench *bench, uint32_t address, const void *data, uint32_t length)
{
  return bench->driver->program(bench->driver->context, address, data, length);
}

static int erase_at(struct bench *bench, uint32_t address, uint32_t length)
{
  return bench->driver->erase(bench->driver->context, address, length);
}

static void test_is_nor_flash(void **state)
{
  struct bench *bench = *state;
  uint8_t byte = 0;

  assert_int_equal(read_at(bench, 100, &byte, 1), 0);
  assert_int_equal(byte, 0xFF);
  assert_int_equal(program_at(bench, 100, "\xF0", 1), 0);
  assert_int_equal(program_at(bench, 100, "\x3C", 1), 0);
  assert_int_equal(read_at(bench, 100, &byte, 1), 0);
  assert_int_equal(byte, 0x30);
  assert_int_equal(erase_at(bench, 0, SECTOR), 0);
  assert_int_equal(read_at(bench, 100, &byte, 1), 0);
  assert_int_equal(byte, 0xFF);
}

static void test_refuses_what_a_chip_cannot(void **state)
{
  struct bench *bench = *state;
  uint8_t bytes[PAGE + 1] = {0};

  assert_int_equal(program_at(bench, 0, bytes, PAGE), 0);
  assert_int_not_equal(program_at(bench, 0, bytes, PAGE + 1), 0);
  assert_int_not_equal(program_at(bench, PAGE - 1, bytes, 2), 0);
  assert_int_not_equal(program_at(bench, 0, bytes, 0), 0);
  assert_int_not_equal(program_at(bench, MINIATURE_SIZE, bytes, 1), 0);
  assert_int_not_equal(program_at(bench, 0xFFFFFFFFU, bytes, 1), 0);
  assert_int_not_equal(read_at(bench, MINIATURE_SIZE - 1, bytes, 2), 0);
  assert_int_not_equal(read_at(bench, 0xFFFFFFFFU, bytes, 2), 0);
  assert_int_not_equal(erase_at(bench, 1, SECTOR), 0);
  assert_int_not_equal(erase_at(bench, SECTOR, BLOCK), 0);
  assert_int_not_equal(erase_at(bench, 0, 0), 0);
  assert_int_not_equal(erase_at(bench, 0, 1024), 0);
  assert_int_not_equal(erase_at(bench, MINIATURE_SIZE, SECTOR), 0);
  assert_int_equal(sim_flash_counters(&bench->flash)->refused, 12);
  for (uint32_t i = 0; i < MINIATURE_SIZE; i++) {
    assert_int_equal(sim_flash_bytes(&bench->flash)[i], i < PAGE ? 0x00 : 0xFF);
  }
}

static void test_refuses_impossible_geometry(void **state)
{
  static const struct sim_geometry impossible[] = {
      {.size = 0, .page_size = 64, .erase_sizes = {512}},
      {.size = 1000, .page_size = 64, .erase_sizes = {512}},
      {.size = 4096, .page_size = 0, .erase_sizes = {512}},
      {.size = 4096, .page_size = 48, .erase_sizes = {512}},
      {.size = 4096, .page_size = 1024, .erase_sizes = {512}},
      {.size = 4096, .page_size = 64, .erase_sizes = {0}},
      {.size = 4096, .page_size = 64, .erase_sizes = {512, 512}},
      {.size = 4096, .page_size = 64, .erase_sizes = {2048, 512}},
      {.size = 4096, .page_size = 64, .erase_sizes = {512, 768}},
  };

  (void)state;
  for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
    struct sim_flash flash;

    assert_result(sim_flash_open_memory(&flash, &impossible[i]), LB_ERR_ARGUMENT);
    sim_flash_close(&flash);
  }
}

static void test_counts(void **state)
{
  struct bench *bench = *state;
  uint8_t bytes[10] = {0};

  assert_int_equal(read_at(bench, 0, bytes, 10), 0);
  assert_int_equal(program_at(bench, 0, bytes, 4), 0);
  assert_int_equal(program_at(bench, 4, bytes, 3), 0);
  assert_int_equal(erase_at(bench, 0, BLOCK), 0);
  assert_int_equal(erase_at(bench, SECTOR, SECTOR), 0);

  const struct sim_flash_counters *counters = sim_flash_counters(&bench->flash);
  assert_int_equal(counters->reads, 1);
  assert_int_equal(counters->bytes_read, 10);
  assert_int_equal(counters->programs, 2);
  assert_int_equal(counters->bytes_programmed, 7);
  assert_int_equal(counters->erases, 2);
  assert_int_equal(counters->erases_by_size[0], 1);
  assert_int_equal(counters->erases_by_size[1], 1);
  assert_int_equal(counters->bytes_erased, BLOCK + SECTOR);
  assert_int_equal(sim_flash_wear(&bench->flash, 0), 1);
  assert_int_equal(sim_flash_wear(&bench->flash, SECTOR), 2);
  assert_int_equal(sim_flash_wear(&bench->flash, BLOCK), 0);
  assert_int_equal(sim_flash_wear_max(&bench->flash), 2);
  assert_int_equal(sim_flash_wear_total(&bench->flash), 5);
  sim_flash_clear_counters(&bench->flash);
  assert_int_equal(counters->programs, 0);
  assert_int_equal(sim_flash_wear_max(&bench->flash), 2);
}

static void test_protects(void **state)
{
  struct bench *bench = *state;

  assert_true(sim_flash_protect(&bench->flash, 1000, 100));
  assert_int_not_equal(program_at(bench, 1000, "", 1), 0);
  assert_int_not_equal(program_at(bench, 999, "\xFF", 2), 0);
  assert_int_not_equal(program_at(bench, 1099, "", 1), 0);
  assert_int_not_equal(erase_at(bench, 0, BLOCK), 0);
  assert_int_equal(sim_flash_counters(&bench->flash)->violations, 4);
  assert_int_equal(program_at(bench, 999, "", 1), 0);
  assert_int_equal(program_at(bench, 1100, "", 1), 0);
  assert_int_equal(erase_at(bench, 0, SECTOR), 0);
  assert_int_equal(sim_flash_counters(&bench->flash)->violations, 4);
  for (uint32_t i = 1; i < SIM_FLASH_PROTECTED; i++) {
    assert_true(sim_flash_protect(&bench->flash, 0, 1));
  }
  assert_false(sim_flash_protect(&bench->flash, 0, 1));
  sim_flash_unprotect_all(&bench->flash);
  assert_int_equal(erase_at(bench, 0, BLOCK), 0);
}

/* ---- power ---- */

static void test_cut_before(void **state)
{
  struct bench *bench = *state;
  uint8_t byte = 0;

  sim_flash_cut_at(&bench->flash, 3, SIM_CUT_BEFORE);
  assert_int_equal(program_at(bench, 0, "\x01", 1), 0);
  assert_int_not_equal(program_at(bench, PAGE - 1, "\0", 2), 0); /* refused, so not counted */
  assert_int_equal(erase_at(bench, SECTOR, SECTOR), 0);
  assert_false(sim_flash_cut_fired(&bench->flash));
  assert_int_not_equal(program_at(bench, 1, "\x01", 1), 0);
  assert_true(sim_flash_cut_fired(&bench->flash));
  assert_int_not_equal(read_at(bench, 0, &byte, 1), 0);
  assert_int_not_equal(program_at(bench, 1, "\x01", 1), 0);
  assert_int_not_equal(erase_at(bench, 0, SECTOR), 0);

  sim_flash_power_on(&bench->flash);
  assert_true(sim_flash_cut_fired(&bench->flash));
  assert_int_equal(read_at(bench, 0, &byte, 1), 0);
  assert_int_equal(byte, 0x01);
  assert_int_equal(read_at(bench, 1, &byte, 1), 0);
  assert_int_equal(byte, 0xFF);
  assert_int_equal(program_at(bench, 1, "\x01", 1), 0);

  sim_flash_cut_at(&bench->flash, 1, SIM_CUT_TORN);
  assert_false(sim_flash_cut_fired(&bench->flash));
  sim_flash_cut_at(&bench->flash, 0, SIM_CUT_TORN);
  assert_int_equal(program_at(bench, 1, "\0", 1), 0);
  assert_false(sim_flash_cut_fired(&bench->flash));
}

/* Tears one program of a page of zeros over 0xF0 and tells how many bits of it were done. */
static uint32_t tear_program(struct bench *bench, uint64_t seed, uint8_t page[PAGE])
{
  uint8_t bytes[PAGE];
  uint32_t cleared = 0;

  memset(bytes, 0x0F, sizeof bytes);
  memset(sim_flash_bytes(&bench->flash), 0xFF, MINIATURE_SIZE);
  memset(sim_flash_bytes(&bench->flash), 0xFE, PAGE);
  sim_flash_seed(&bench->flash, seed);
  sim_flash_cut_at(&bench->flash, 1, SIM_CUT_TORN);
  assert_int_not_equal(program_at(bench, 0, bytes, PAGE), 0);
  assert_true(sim_flash_cut_fired(&bench->flash));
  sim_flash_power_on(&bench->flash);
  memcpy(page, sim_flash_bytes(&bench->flash), PAGE);
  for (uint32_t i = 0; i < PAGE; i++) {
    assert_int_equal(page[i] & 0x0F, 0x0E); /* what was not to change has not, what was clear still is */
    cleared += (uint32_t)__builtin_popcount(0xFEU & ~page[i]);
  }
  for (uint32_t i = PAGE; i < MINIATURE_SIZE; i++) {
    assert_int_equal(sim_flash_bytes(&bench->flash)[i], 0xFF);
  }
  return cleared;
}

static void test_torn_program(void **state)
{
  struct bench *bench = *state;
  uint32_t partly = 0;
  uint32_t prefixes = 0;

  for (uint64_t seed = 0; seed < 200; seed++) {
    uint8_t once[PAGE];
    uint8_t again[PAGE];
    uint32_t whole = 0;
    const uint32_t cleared = tear_program(bench, seed, once);

    assert_int_equal(tear_program(bench, seed, again), cleared);
    assert_memory_equal(once, again, PAGE);
    assert_true(cleared < 4 * PAGE);
    partly += cleared > 0;
    while (whole < PAGE && once[whole] == 0x0E) {
      whole++;
    }
    prefixes += cleared == 4 * whole;
  }
  assert_in_range(partly, 150, 200);
  assert_in_range(prefixes, 50, 150);
}

static void test_torn_erase(void **state)
{
  struct bench *bench = *state;
  uint32_t with_old = 0;
  uint32_t with_erased = 0;
  uint32_t with_noise = 0;

  for (uint64_t seed = 0; seed < 200; seed++) {
    uint8_t *bytes = sim_flash_bytes(&bench->flash);
    uint32_t old = 0;
    uint32_t erased = 0;

    memset(bytes, 0x10, MINIATURE_SIZE);
    sim_flash_seed(&bench->flash, seed);
    sim_flash_cut_at(&bench->flash, 1, SIM_CUT_TORN);
    assert_int_not_equal(erase_at(bench, BLOCK, BLOCK), 0);
    sim_flash_power_on(&bench->flash);
    for (uint32_t i = 0; i < MINIATURE_SIZE; i++) {
      if (i < BLOCK || i >= 2 * BLOCK) {
        assert_int_equal(bytes[i], 0x10);
        continue;
      }
      old += bytes[i] == 0x10;
      erased += bytes[i] == 0xFF;
    }
    with_old += old > BLOCK / 20;
    with_erased += erased > BLOCK / 20;
    with_noise += old + erased < BLOCK - BLOCK / 20;
  }
  assert_in_range(with_old, 50, 199);
  assert_in_range(with_erased, 50, 199);
  assert_in_range(with_noise, 50, 199);
}

/* ---- time ---- */

struct poller {
  struct sim_clock *clock;
  struct bench *bench;
  uint64_t last_us;
  uint64_t longest_us;
  uint32_t polls;
  uint32_t reached_flash;
};

static void poll_once(void *context)
{
  struct poller *poller = context;
  const uint64_t now = sim_clock_now_us(poller->clock);
  uint8_t byte = 0;

  poller->polls++;
  poller->longest_us = now - poller->last_us > poller->longest_us ? now - poller->last_us : poller->longest_us;
  poller->last_us = now;
  poller->reached_flash += read_at(poller->bench, 0, &byte, 1) == 0;
}

static void test_takes_time(void **state)
{
  struct sim_clock clock;
  struct bench bench;
  static uint8_t bytes[65536];
  struct poller poller = {.clock = &clock, .bench = &bench};
  const struct sim_geometry geometry = sim_geometry_real(0x100000);

  (void)state;
  assert_result(sim_flash_open_memory(&bench.flash, &geometry), LB_OK);
  bench.driver = &bench.flash.driver;
  sim_clock_start(&clock, SIM_CLOCK_VIRTUAL);
  assert_int_equal(erase_at(&bench, 0, 4096), 0);
  assert_int_equal(sim_clock_now_us(&clock), 0);
  sim_flash_set_timing(&bench.flash, &sim_timing_w25q128jv, &clock);
  bench.flash.idle = (struct port_idle){.poll = poll_once, .context = &poller};

  assert_int_equal(erase_at(&bench, 0, 4096), 0);
  assert_int_equal(sim_clock_now_us(&clock), 45000);
  assert_int_equal(poller.polls, 45);
  assert_int_equal(erase_at(&bench, 0, 32768), 0);
  assert_int_equal(sim_clock_now_us(&clock), 165000);
  assert_int_equal(erase_at(&bench, 0, 65536), 0);
  assert_int_equal(sim_clock_now_us(&clock), 315000);
  assert_int_equal(program_at(&bench, 0, bytes, 256), 0);
  assert_int_equal(sim_clock_now_us(&clock), 315700);
  assert_int_equal(poller.polls, 316);
  assert_int_equal(poller.longest_us, 1000);
  assert_int_equal(poller.reached_flash, 0);

  for (uint32_t i = 0; i < 20; i++) {
    assert_int_equal(read_at(&bench, 0, bytes, 1), 0); /* 20 bytes in a microsecond, in pieces too */
  }
  assert_int_equal(sim_clock_now_us(&clock), 315701);
  assert_int_equal(read_at(&bench, 0, bytes, 40000), 0);
  assert_int_equal(sim_clock_now_us(&clock), 317701);
  assert_int_equal(poller.polls, 316);
  sim_flash_close(&bench.flash);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_is_nor_flash, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_refuses_what_a_chip_cannot, set_up, tear_down),
      cmocka_unit_test(test_refuses_impossible_geometry),
      cmocka_unit_test_setup_teardown(test_counts, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_protects, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_cut_before, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_torn_program, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_torn_erase, set_up, tear_down),
      cmocka_unit_test(test_takes_time),
  };

  return cmocka_run_group_tests_name("sim_flash", tests, NULL, NULL);
}
