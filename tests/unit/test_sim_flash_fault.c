// SPDX-License-Identifier: MIT
/* Broken parts of the simulated flash. */
#include "ports/sim/flash.h"
#include "tests/unit/support/unit.h"

#define SIZE   16384U
#define SECTOR 512U
#define BLOCK  2048U

static int set_up(void **state)
{
  struct sim_flash *flash = unit_allocate(sizeof *flash);
  const struct sim_geometry geometry = sim_geometry_miniature(SIZE);

  assert_result(sim_flash_open_memory(flash, &geometry), LB_OK);
  *state = flash;
  return 0;
}

static int tear_down(void **state)
{
  sim_flash_close(*state);
  free(*state);
  return 0;
}

static int read_byte(struct sim_flash *flash, uint32_t address, uint8_t *byte)
{
  return flash->driver.read(flash, address, byte, 1);
}

static int program_byte(struct sim_flash *flash, uint32_t address, uint8_t byte)
{
  return flash->driver.program(flash, address, &byte, 1);
}

static int erase_at(struct sim_flash *flash, uint32_t address, uint32_t length)
{
  return flash->driver.erase(flash, address, length);
}

static void test_reads(void **state)
{
  struct sim_flash *flash = *state;
  uint8_t bytes[16];

  assert_true(sim_flash_set_fault(flash, SIM_FAULT_READ_FAILS, 100, 8, 2));
  assert_int_equal(read_byte(flash, 99, bytes), 0);
  assert_int_equal(read_byte(flash, 108, bytes), 0);
  assert_int_not_equal(flash->driver.read(flash, 95, bytes, 6), 0);
  assert_int_not_equal(read_byte(flash, 107, bytes), 0);
  assert_int_equal(read_byte(flash, 107, bytes), 0); /* it was to fail twice */
  assert_int_equal(sim_flash_fault_hits(flash), 2);
  assert_true(sim_flash_set_fault(flash, SIM_FAULT_READ_FAILS, 100, 8, SIM_FAULT_ALWAYS));
  for (uint32_t i = 0; i < 20; i++) {
    assert_int_not_equal(read_byte(flash, 100, bytes), 0);
  }
  sim_flash_clear_faults(flash);
  assert_int_equal(read_byte(flash, 100, bytes), 0);
  assert_int_equal(sim_flash_fault_hits(flash), 22);
}

static void test_programs(void **state)
{
  struct sim_flash *flash = *state;

  assert_true(sim_flash_set_fault(flash, SIM_FAULT_PROGRAM_FAILS, 64, 64, SIM_FAULT_ALWAYS));
  assert_true(sim_flash_set_fault(flash, SIM_FAULT_PROGRAM_IGNORED, 128, 64, 1));
  assert_int_not_equal(program_byte(flash, 64, 0), 0);
  assert_int_equal(sim_flash_bytes(flash)[64], 0xFF);
  assert_int_equal(program_byte(flash, 63, 0), 0);
  assert_int_equal(program_byte(flash, 128, 0), 0);
  assert_int_equal(sim_flash_bytes(flash)[128], 0xFF);
  assert_int_equal(program_byte(flash, 128, 0), 0);
  assert_int_equal(sim_flash_bytes(flash)[128], 0);
  assert_int_not_equal(program_byte(flash, 127, 0), 0); /* the other one is still there */
  assert_int_equal(erase_at(flash, 0, SECTOR), 0);
}

static void test_erases(void **state)
{
  struct sim_flash *flash = *state;

  memset(sim_flash_bytes(flash), 0, SIZE);
  assert_true(sim_flash_set_fault(flash, SIM_FAULT_ERASE_FAILS, SECTOR, SECTOR, SIM_FAULT_ALWAYS));
  assert_true(sim_flash_set_fault(flash, SIM_FAULT_ERASE_IGNORED, 3 * SECTOR, SECTOR, SIM_FAULT_ALWAYS));
  assert_int_equal(erase_at(flash, 0, SECTOR), 0);
  assert_int_equal(sim_flash_bytes(flash)[0], 0xFF);
  assert_int_not_equal(erase_at(flash, SECTOR, SECTOR), 0);
  assert_int_not_equal(erase_at(flash, 0, BLOCK), 0); /* it is in there */
  assert_int_equal(sim_flash_bytes(flash)[SECTOR], 0);
  assert_int_equal(sim_flash_bytes(flash)[2 * SECTOR], 0);
  assert_int_equal(erase_at(flash, 3 * SECTOR, SECTOR), 0);
  assert_int_equal(sim_flash_bytes(flash)[3 * SECTOR], 0);
  assert_int_equal(sim_flash_wear(flash, SECTOR), 0);
  assert_int_equal(sim_flash_wear(flash, 3 * SECTOR), 0);
  sim_flash_clear_faults(flash);
  assert_int_equal(erase_at(flash, 0, BLOCK), 0);
  assert_int_equal(sim_flash_bytes(flash)[SECTOR], 0xFF);
}

static void test_room(void **state)
{
  struct sim_flash *flash = *state;

  for (uint32_t i = 0; i < SIM_FLASH_FAULTS; i++) {
    assert_true(sim_flash_set_fault(flash, SIM_FAULT_READ_FAILS, i, 1, 1));
  }
  assert_false(sim_flash_set_fault(flash, SIM_FAULT_READ_FAILS, 100, 1, 1));
}

/* A broken operation is one that can be cut, too, and then nothing is broken about it. */
static void test_cut_comes_first(void **state)
{
  struct sim_flash *flash = *state;

  assert_true(sim_flash_set_fault(flash, SIM_FAULT_PROGRAM_IGNORED, 0, 64, 1));
  sim_flash_cut_at(flash, 1, SIM_CUT_BEFORE);
  assert_int_not_equal(program_byte(flash, 0, 0), 0);
  assert_true(sim_flash_cut_fired(flash));
  assert_int_equal(sim_flash_fault_hits(flash), 0);
  sim_flash_power_on(flash);
  assert_int_equal(program_byte(flash, 0, 0), 0);
  assert_int_equal(sim_flash_fault_hits(flash), 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_reads, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_programs, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_erases, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_room, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_cut_comes_first, set_up, tear_down),
  };

  return cmocka_run_group_tests_name("sim_flash faults", tests, NULL, NULL);
}
