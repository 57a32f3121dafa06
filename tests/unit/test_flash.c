// SPDX-License-Identifier: MIT
/* The checked access to the flash: bounds, pages, the largest erases, comparing. */
#include "lifeboat/flash.h"

#include "ports/sim/flash.h"
#include "tests/unit/support/flash_tap.h"
#include "tests/unit/support/unit.h"

#define SIZE 0x100000U

struct chip {
  struct sim_flash sim;
  struct flash_tap tap;
};

static const struct lb_flash *open_chip(struct chip *chip)
{
  const struct sim_geometry geometry = sim_geometry_real(SIZE);

  assert_result(sim_flash_open_memory(&chip->sim, &geometry), LB_OK);
  flash_tap_start(&chip->tap, &chip->sim.driver);
  return &chip->tap.flash;
}

static void close_chip(struct chip *chip)
{
  flash_tap_stop(&chip->tap);
  sim_flash_close(&chip->sim);
}

static void test_geometry(void **state)
{
  static const struct lb_flash one = {.erase_sizes = {4096}};
  static const struct lb_flash four = {.erase_sizes = {256, 4096, 32768, 65536}};
  struct chip chip;
  const struct lb_flash *flash = open_chip(&chip);

  (void)state;
  assert_int_equal(lb_flash_sector(flash), 4096);
  assert_int_equal(lb_flash_largest_erase(flash), 65536);
  assert_int_equal(lb_flash_sector(&one), 4096);
  assert_int_equal(lb_flash_largest_erase(&one), 4096);
  assert_int_equal(lb_flash_sector(&four), 256);
  assert_int_equal(lb_flash_largest_erase(&four), 65536);
  close_chip(&chip);
}

static void test_bounds(void **state)
{
  static const struct {
    uint32_t address, length;
    int result;
  } cases[] = {
      {0, 0, LB_OK},
      {0, 16, LB_OK},
      {SIZE - 16, 16, LB_OK},
      {SIZE, 0, LB_OK},
      {SIZE - 15, 16, LB_ERR_FLASH_BOUNDS},
      {SIZE, 1, LB_ERR_FLASH_BOUNDS},
      {SIZE + 1, 0, LB_ERR_FLASH_BOUNDS},
      {0xFFFFFFF8U, 16, LB_ERR_FLASH_BOUNDS},
      {16, 0xFFFFFFF8U, LB_ERR_FLASH_BOUNDS},
      {0xFFFFFFFFU, 0xFFFFFFFFU, LB_ERR_FLASH_BOUNDS},
  };
  struct chip chip;
  const struct lb_flash *flash = open_chip(&chip);
  uint8_t bytes[16] = {0};

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    bool answer;

    assert_result(lb_flash_read(flash, cases[i].address, bytes, cases[i].length), cases[i].result);
    assert_result(lb_flash_program(flash, cases[i].address, bytes, cases[i].length), cases[i].result);
    if (cases[i].length <= 16) {
      assert_result(lb_flash_equals(flash, cases[i].address, bytes, cases[i].length, &answer),
                    cases[i].length ? cases[i].result : LB_OK);
    }
  }
  close_chip(&chip);
}

static void test_program_by_pages(void **state)
{
  struct chip chip;
  const struct lb_flash *flash = open_chip(&chip);
  struct unit_random random;
  uint8_t data[2000];
  bool equal;

  (void)state;
  unit_random_seed(&random, "flash pages", 10);
  for (int turn = 0; turn < 200; turn++) {
    uint32_t address = unit_random_below(&random, 0x8000);
    uint32_t length = unit_random_below(&random, sizeof(data) + 1);

    unit_random_fill(&random, data, length);
    memset(sim_flash_bytes(&chip.sim), 0xFF, SIZE);
    assert_result(lb_flash_program(flash, address, data, length), LB_OK); /* the tap asserts pages */
    assert_result(lb_flash_equals(flash, address, data, length, &equal), LB_OK);
    assert_true(equal);
    assert_memory_equal(sim_flash_bytes(&chip.sim) + address, data, length);
    assert_int_equal(sim_flash_bytes(&chip.sim)[address + length], 0xFF);
    if (length) {
      data[unit_random_below(&random, length)] ^= 0x20;
      assert_result(lb_flash_equals(flash, address, data, length, &equal), LB_OK);
      assert_false(equal);
    }
  }
  close_chip(&chip);
}

static void test_blank_pages_are_left_out(void **state)
{
  struct chip chip;
  const struct lb_flash *flash = open_chip(&chip);
  uint8_t data[1024];

  (void)state;
  memset(data, 0xFF, sizeof(data));
  assert_result(lb_flash_program(flash, 0x100, data, sizeof(data)), LB_OK);
  assert_int_equal(chip.tap.programs, 0);
  data[0x250] = 0xFE;
  assert_result(lb_flash_program(flash, 0x100, data, sizeof(data)), LB_OK);
  assert_int_equal(chip.tap.programs, 1);
  assert_int_equal(chip.tap.log[0].address, 0x300);
  assert_int_equal(chip.tap.log[0].length, 256);
  close_chip(&chip);
}

static void test_program_clears_bits_only(void **state)
{
  struct chip chip;
  const struct lb_flash *flash = open_chip(&chip);
  const uint8_t first = 0xF0;
  const uint8_t second = 0x3C;
  uint8_t now;

  (void)state;
  assert_result(lb_flash_program(flash, 5, &first, 1), LB_OK);
  assert_result(lb_flash_program(flash, 5, &second, 1), LB_OK);
  assert_result(lb_flash_read(flash, 5, &now, 1), LB_OK);
  assert_int_equal(now, 0x30);
  close_chip(&chip);
}

static void test_erase_one(void **state)
{
  static const struct {
    uint32_t address, end, erased;
    int result;
  } cases[] = {
      {0, SIZE, 65536, LB_OK},
      {0, 65536, 65536, LB_OK},
      {0, 65535, 32768, LB_OK},
      {0, 32767, 4096, LB_OK},
      {0, 4096, 4096, LB_OK},
      {0, 4095, 0, LB_ERR_FLASH_BOUNDS},
      {0, 0, 0, LB_ERR_FLASH_BOUNDS},
      {4096, SIZE, 4096, LB_OK},
      {32768, SIZE, 32768, LB_OK},
      {0x18000, SIZE, 32768, LB_OK},
      {0x18000, 0x19000, 4096, LB_OK},
      {0x20000, 0x10000, 0, LB_ERR_FLASH_BOUNDS},
      {100, SIZE, 0, LB_ERR_FLASH_BOUNDS},
      {SIZE, SIZE + 65536, 0, LB_ERR_FLASH_BOUNDS},
      {0xFFFF0000U, 0xFFFFFFFFU, 0, LB_ERR_FLASH_BOUNDS},
  };
  struct chip chip;
  const struct lb_flash *flash = open_chip(&chip);

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint32_t erased = 0;

    memset(sim_flash_bytes(&chip.sim), 0, SIZE);
    flash_tap_clear(&chip.tap);
    assert_result(lb_flash_erase_one(flash, cases[i].address, cases[i].end, &erased), cases[i].result);
    assert_int_equal(chip.tap.erases, cases[i].result == LB_OK);
    if (cases[i].result == LB_OK) {
      assert_int_equal(erased, cases[i].erased);
      assert_int_equal(chip.tap.log[0].length, erased);
      assert_int_equal(sim_flash_bytes(&chip.sim)[cases[i].address + erased - 1], 0xFF);
      if (cases[i].address + erased < SIZE) {
        assert_int_equal(sim_flash_bytes(&chip.sim)[cases[i].address + erased], 0);
      }
    }
  }
  close_chip(&chip);
}

static void test_is_blank(void **state)
{
  struct chip chip;
  const struct lb_flash *flash = open_chip(&chip);
  bool blank;

  (void)state;
  assert_result(lb_flash_is_blank(flash, 0, SIZE, &blank), LB_OK);
  assert_true(blank);
  assert_result(lb_flash_is_blank(flash, 0, 0, &blank), LB_OK);
  assert_true(blank);
  for (uint32_t at = 1000; at < 1400; at++) {
    sim_flash_bytes(&chip.sim)[at] = 0x7F;
    assert_result(lb_flash_is_blank(flash, 1000, 400, &blank), LB_OK);
    assert_false(blank);
    assert_result(lb_flash_is_blank(flash, 999, at - 999, &blank), LB_OK);
    assert_true(blank);
    assert_result(lb_flash_is_blank(flash, at + 1, 500, &blank), LB_OK);
    assert_true(blank);
    sim_flash_bytes(&chip.sim)[at] = 0xFF;
  }
  assert_result(lb_flash_is_blank(flash, SIZE - 4, 8, &blank), LB_ERR_FLASH_BOUNDS);
  close_chip(&chip);
}

static void test_driver_failures(void **state)
{
  struct chip chip;
  const struct lb_flash *flash = open_chip(&chip);
  uint8_t bytes[600] = {0};
  uint32_t erased;
  bool answer;

  (void)state;
  chip.tap.fail_read_at = 0;
  assert_result(lb_flash_read(flash, 0, bytes, 4), LB_ERR_FLASH_READ);
  flash_tap_clear(&chip.tap);
  chip.tap.fail_program_at = 1;
  assert_result(lb_flash_program(flash, 0, bytes, sizeof(bytes)), LB_ERR_FLASH_PROGRAM);
  assert_int_equal(chip.tap.programs, 2);
  flash_tap_clear(&chip.tap);
  chip.tap.fail_erase_at = 0;
  assert_result(lb_flash_erase_one(flash, 0, 4096, &erased), LB_ERR_FLASH_ERASE);
  flash_tap_clear(&chip.tap);
  chip.tap.fail_read_at = 0;
  assert_result(lb_flash_is_blank(flash, 0, 4, &answer), LB_ERR_FLASH_READ);
  flash_tap_clear(&chip.tap);
  chip.tap.fail_read_at = 0;
  assert_result(lb_flash_equals(flash, 0, bytes, 4, &answer), LB_ERR_FLASH_READ);
  close_chip(&chip);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_geometry),
      cmocka_unit_test(test_bounds),
      cmocka_unit_test(test_program_by_pages),
      cmocka_unit_test(test_blank_pages_are_left_out),
      cmocka_unit_test(test_program_clears_bits_only),
      cmocka_unit_test(test_erase_one),
      cmocka_unit_test(test_is_blank),
      cmocka_unit_test(test_driver_failures),
  };

  return cmocka_run_group_tests_name("flash", tests, NULL, NULL);
}
