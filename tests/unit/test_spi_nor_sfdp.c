// SPDX-License-Identifier: MIT
/* Chips that describe themselves, rightly, oddly, and in bad faith. */
#include "lifeboat/bytes.h"
#include "ports/spi/spi_nor.h"
#include "tests/unit/support/fake_nor.h"
#include "tests/unit/support/unit.h"

#define MB      (1024U * 1024U)
#define UNKNOWN 0x123456U /* no chip of the list */

struct bench {
  struct fake_nor chip;
  struct spi_nor nor;
  uint8_t *table; /* the basic table, DWORD 1 first */
};

static int set_up(void **state)
{
  struct bench *bench = unit_allocate(sizeof *bench);

  fake_nor_make(&bench->chip, UNKNOWN, 65536);
  fake_nor_describe(&bench->chip, 8U * MB);
  bench->table = bench->chip.sfdp + FAKE_NOR_TABLE;
  *state = bench;
  return 0;
}

static int tear_down(void **state)
{
  struct bench *bench = *state;

  fake_nor_free(&bench->chip);
  free(bench);
  return 0;
}

static int open_chip(struct bench *bench)
{
  return spi_nor_open(&bench->nor, &bench->chip.spi, false);
}

static void test_believes_the_tables(void **state)
{
  struct bench *bench = *state;

  assert_result(open_chip(bench), LB_OK);
  assert_true(bench->nor.has_sfdp);
  assert_int_equal(bench->nor.driver.size, 8U * MB);
  assert_int_equal(bench->nor.driver.page_size, 256);
  assert_int_equal(bench->nor.driver.erase_sizes[0], 4096);
  assert_int_equal(bench->nor.driver.erase_sizes[1], 32768);
  assert_int_equal(bench->nor.driver.erase_sizes[2], 65536);
  assert_int_equal(bench->nor.driver.erase_sizes[3], 0);

  /* More than the list, which says 16 MB of this one. */
  bench->chip.id = 0xEF4018;
  assert_result(open_chip(bench), LB_OK);
  assert_int_equal(bench->nor.driver.size, 8U * MB);
}

static void test_erase_types_in_any_order(void **state)
{
  struct bench *bench = *state;

  memcpy(bench->table + 28, (const uint8_t[]){16, 0xD8, 0, 0x52, 12, 0xD7, 12, 0x20}, 8);
  assert_result(open_chip(bench), LB_OK);
  assert_int_equal(bench->nor.driver.erase_sizes[0], 4096);
  assert_int_equal(bench->nor.driver.erase_sizes[1], 65536);
  assert_int_equal(bench->nor.driver.erase_sizes[2], 0);
  memset(bench->chip.bytes, 0, 65536);
  assert_result(bench->nor.driver.erase(bench->nor.driver.context, 0x1000, 4096), 0);
  assert_int_equal(bench->chip.instructions[0xD7], 1);
  assert_int_equal(bench->chip.bytes[0xFFF], 0);
  assert_int_equal(bench->chip.bytes[0x1000], 0xFF);
}

static void test_page_sizes(void **state)
{
  struct bench *bench = *state;

  lb_store_le32(bench->table + 40, 0x92); /* 2^9 */
  assert_result(open_chip(bench), LB_OK);
  assert_int_equal(bench->nor.driver.page_size, 512);

  bench->chip.sfdp[11] = 9; /* the first edition says no page size, only whether there is a buffer */
  assert_result(open_chip(bench), LB_OK);
  assert_int_equal(bench->nor.driver.page_size, 256);
  bench->table[0] = (uint8_t)(bench->table[0] & ~4U);
  assert_result(open_chip(bench), SPI_NOR_ERR_UNKNOWN_CHIP);

  bench->chip.sfdp[11] = 11;
  lb_store_le32(bench->table + 40, 0x42); /* 2^4, less than the library takes */
  assert_result(open_chip(bench), SPI_NOR_ERR_UNKNOWN_CHIP);
  lb_store_le32(bench->table + 40, 0xF2); /* 2^15, more than a sector */
  assert_result(open_chip(bench), SPI_NOR_ERR_UNKNOWN_CHIP);
}

static void test_sizes(void **state)
{
  static const struct {
    uint32_t density;
    uint32_t offered; /* 0: no such chip */
    uint64_t size;
  } sizes[] = {
      {0x07FFFFFF, 16U * MB, 16U * MB},
      {0x0FFFFFFF, 16U * MB, 32U * MB},
      {0x7FFFFFFF, 16U * MB, 256U * MB},
      {0x80000020, 16U * MB, 512U * MB},
      {0x80000023, 16U * MB, 4096ULL * MB},
      {0x8000003F, 0, 0}, /* 2^63 bits */
      {0x800000FF, 0, 0},
      {0xFFFFFFFF, 0, 0},
      {0x00000000, 0, 0}, /* one bit */
      {0x00000FFF, 0, 0}, /* 512 bytes */
      {0x03FFFFFE, 0, 0}, /* no whole sectors */
  };
  struct bench *bench = *state;

  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    lb_store_le32(bench->table + 4, sizes[i].density);
    int err = open_chip(bench);

    assert_result(err, sizes[i].offered != 0 ? LB_OK : SPI_NOR_ERR_UNKNOWN_CHIP);
    if (!err) {
      assert_int_equal(bench->nor.driver.size, sizes[i].offered);
      assert_true(bench->nor.geometry.size == sizes[i].size);
    }
  }
}

/* The id is unknown, so that a table which is not believed leaves nothing. */
static void expect_disbelief(struct bench *bench, uint32_t at, uint8_t value, const char *what)
{
  fake_nor_describe(&bench->chip, 8U * MB);
  bench->chip.sfdp[at] = value;
  if (open_chip(bench) != SPI_NOR_ERR_UNKNOWN_CHIP) {
    fail_here("believed in spite of its %s", what);
  }
}

static void test_tables_that_are_none(void **state)
{
  struct bench *bench = *state;

  expect_disbelief(bench, 3, 'p', "signature");
  expect_disbelief(bench, 8, 0x01, "id");
  expect_disbelief(bench, 15, 0x01, "id's upper half");
  expect_disbelief(bench, 10, 2, "major version");
  expect_disbelief(bench, 11, 0, "length of 0");
  expect_disbelief(bench, 11, 8, "length");
  expect_disbelief(bench, FAKE_NOR_TABLE + 2, 0xF4, "4-byte addresses only");

  bench->chip.id = 0xC84018; /* then the list counts */
  assert_result(open_chip(bench), LB_OK);
  assert_false(bench->nor.has_sfdp);
  assert_int_equal(bench->nor.driver.size, 16U * MB);
  assert_int_equal(bench->nor.driver.erase_sizes[1], 32768);
}

/* The fake chip fails the test when it is told to erase all of itself. */
static void test_never_erases_the_chip(void **state)
{
  struct bench *bench = *state;

  memcpy(bench->table + 28, (const uint8_t[]){12, 0xC7, 15, 0x60, 16, 0x01, 17, 0x06}, 8);
  assert_result(open_chip(bench), SPI_NOR_ERR_UNKNOWN_CHIP);
  memcpy(bench->table + 28, (const uint8_t[]){12, 0xC7, 255, 0xD8, 16, 0xD8, 21, 0x20}, 8);
  assert_result(open_chip(bench), LB_OK);
  assert_int_equal(bench->nor.driver.erase_sizes[0], 65536);
  assert_int_equal(bench->nor.driver.erase_sizes[1], 0);
}

static bool is_power_of_two(uint32_t value)
{
  return value != 0 && (value & (value - 1U)) == 0;
}

/* What the library takes for granted of a driver (lifeboat/flash.h). */
static void check_driver(const struct lb_flash *driver, uint32_t turn)
{
  bool sound = is_power_of_two(driver->page_size) && driver->page_size >= 32 && driver->size <= SPI_NOR_REACH &&
               driver->erase_sizes[0] >= driver->page_size && driver->size % driver->erase_sizes[0] == 0;

  for (unsigned i = 0; i < LB_FLASH_ERASE_SIZES && driver->erase_sizes[i] != 0; i++) {
    sound = sound && is_power_of_two(driver->erase_sizes[i]);
    sound = sound && (i == 0 || driver->erase_sizes[i] > driver->erase_sizes[i - 1]);
  }
  if (!sound) {
    fail_here("turn %u: no sound driver", (unsigned)turn);
  }
}

static void try_hostile(struct bench *bench, uint32_t turn, uint32_t *opened)
{
  uint8_t page[32] = {0};
  int err = open_chip(bench);

  if (err) {
    assert_result(err, SPI_NOR_ERR_UNKNOWN_CHIP);
    return;
  }
  const struct lb_flash *driver = &bench->nor.driver;
  check_driver(driver, turn);
  bench->chip.program_us = 0;
  bench->chip.erase_us = 0;
  assert_result(driver->program(driver->context, driver->size - 32U, page, 32), LB_OK);
  if (driver->erase_sizes[0] <= 65536) {
    assert_result(driver->erase(driver->context, 0, driver->erase_sizes[0]), LB_OK);
  }
  (*opened)++;
}

static void test_damaged_tables(void **state)
{
  struct bench *bench = *state;
  struct unit_random random;
  uint32_t opened = 0;

  unit_random_seed(&random, "damaged SFDP tables", 5);
  for (uint32_t turn = 0; turn < 20000; turn++) {
    fake_nor_describe(&bench->chip, 8U * MB);
    uint32_t changes = 1 + unit_random_below(&random, 6);
    for (uint32_t i = 0; i < changes; i++) {
      uint32_t at = unit_random_below(&random, 8U + 44U);
      bench->chip.sfdp[at < 8 ? 8 + at : FAKE_NOR_TABLE + at - 8] = (uint8_t)unit_random_next(&random);
    }
    try_hostile(bench, turn, &opened);
  }
  assert_in_range(opened, 1000, 19000); /* both happen, or this tests little */
}

static void test_random_tables(void **state)
{
  struct bench *bench = *state;
  struct unit_random random;
  uint32_t opened = 0;

  unit_random_seed(&random, "random SFDP tables", 6);
  for (uint32_t turn = 0; turn < 20000; turn++) {
    fake_nor_describe(&bench->chip, 8U * MB);
    unit_random_fill(&random, bench->chip.sfdp + 16, FAKE_NOR_SFDP_SIZE - 16);
    unit_random_fill(&random, bench->chip.sfdp + 11, 4); /* length and pointer */
    try_hostile(bench, turn, &opened);
  }
}

#define WITH_CHIP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_CHIP(test_believes_the_tables),  WITH_CHIP(test_erase_types_in_any_order),
      WITH_CHIP(test_page_sizes),           WITH_CHIP(test_sizes),
      WITH_CHIP(test_tables_that_are_none), WITH_CHIP(test_never_erases_the_chip),
      WITH_CHIP(test_damaged_tables),       WITH_CHIP(test_random_tables),
  };

  return cmocka_run_group_tests_name("spi_nor_sfdp", tests, NULL, NULL);
}
