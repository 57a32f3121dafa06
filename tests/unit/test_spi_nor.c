// SPDX-License-Identifier: MIT
/* The SPI NOR driver on a chip that does what manuals say, and on chips that do not. */
#include "ports/spi/spi_nor.h"

#include "tests/unit/support/fake_nor.h"
#include "tests/unit/support/unit.h"

#define MB        (1024U * 1024U)
#define IS25WP256 0x9D7019U
#define SECOND    1000000U
#define LONGEST   (SPI_NOR_LONGEST_MS * 1000ULL)

struct bench {
  struct fake_nor chip;
  struct spi_nor nor;
  unsigned fed;
  unsigned polled;
  uint64_t held_up; /* how long each poll takes, in microseconds */
};

static int set_up(void **state)
{
  struct bench *bench = unit_allocate(sizeof *bench);

  memset(bench, 0, sizeof *bench);
  fake_nor_make(&bench->chip, IS25WP256, MB);
  assert_result(spi_nor_open(&bench->nor, &bench->chip.spi, false), LB_OK);
  memset(bench->chip.instructions, 0, sizeof bench->chip.instructions);
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

static int read_at(struct bench *bench, uint32_t address, void *buffer, uint32_t length)
{
  int err = bench->nor.driver.read(bench->nor.driver.context, address, buffer, length);

  assert_int_equal(err, bench->nor.last_error);
  return err;
}

static int program_at(struct bench *bench, uint32_t address, const void *data, uint32_t length)
{
  int err = bench->nor.driver.program(bench->nor.driver.context, address, data, length);

  assert_int_equal(err, bench->nor.last_error);
  return err;
}

static int erase_at(struct bench *bench, uint32_t address, uint32_t length)
{
  int err = bench->nor.driver.erase(bench->nor.driver.context, address, length);

  assert_int_equal(err, bench->nor.last_error);
  return err;
}

/* ---- opening ---- */

static void test_knows_the_chip_of_the_board(void **state)
{
  struct bench *bench = *state;

  assert_int_equal(bench->nor.jedec_id, IS25WP256);
  assert_false(bench->nor.has_sfdp);
  assert_int_equal(bench->nor.geometry.size, 32U * MB);
  assert_int_equal(bench->nor.driver.size, 16U * MB);
  assert_int_equal(bench->nor.driver.page_size, 256);
  assert_int_equal(bench->nor.driver.erase_sizes[0], 4096);
  assert_int_equal(bench->nor.driver.erase_sizes[1], 32768);
  assert_int_equal(bench->nor.driver.erase_sizes[2], 65536);
  assert_int_equal(bench->nor.driver.erase_sizes[3], 0);
  assert_int_equal(bench->chip.hertz, SPI_NOR_CLOCK);
}

static int open_chip(struct fake_nor *chip, struct spi_nor *nor)
{
  return spi_nor_open(nor, &chip->spi, false);
}

static void test_knows_chips_of_modules(void **state)
{
  static const struct {
    uint32_t id;
    uint32_t size;
  } known[] = {{0xEF4018, 16U * MB}, {0xC84018, 16U * MB}, {0x204016, 4U * MB}, {0xEF4016, 4U * MB}};

  (void)state;
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    struct fake_nor chip;
    struct spi_nor nor;

    fake_nor_make(&chip, known[i].id, 65536);
    assert_result(open_chip(&chip, &nor), LB_OK);
    assert_int_equal(nor.driver.size, known[i].size);
    fake_nor_free(&chip);
  }
}

static void test_says_what_it_cannot_open(void **state)
{
  struct fake_nor chip;
  struct spi_nor nor;

  (void)state;
  fake_nor_make(&chip, 0x123456, 65536);
  assert_result(open_chip(&chip, &nor), SPI_NOR_ERR_UNKNOWN_CHIP);
  chip.is_absent = true;
  assert_result(open_chip(&chip, &nor), SPI_NOR_ERR_NO_CHIP);
  chip.idle_line = 0;
  assert_result(open_chip(&chip, &nor), SPI_NOR_ERR_NO_CHIP);
  fake_nor_free(&chip);
}

static void test_wakes_a_sleeping_chip(void **state)
{
  struct fake_nor chip;
  struct spi_nor nor;

  (void)state;
  fake_nor_make(&chip, IS25WP256, 65536);
  chip.is_asleep = true;
  assert_result(open_chip(&chip, &nor), LB_OK);
  assert_int_equal(nor.jedec_id, IS25WP256);
  fake_nor_free(&chip);
}

static void test_waits_for_what_a_reset_left_running(void **state)
{
  struct fake_nor chip;
  struct spi_nor nor;

  (void)state;
  fake_nor_make(&chip, IS25WP256, 65536);
  chip.busy_until = 2U * SECOND;
  assert_result(open_chip(&chip, &nor), LB_OK);
  assert_true(chip.now_us >= 2U * SECOND);

  chip.busy_until = FAKE_NOR_NEVER;
  uint64_t start = chip.now_us;
  assert_result(open_chip(&chip, &nor), SPI_NOR_ERR_BUSY);
  assert_true(chip.now_us - start < LONGEST);
  fake_nor_free(&chip);
}

/* For each way in which nothing answers at first: a line pulled up, and one that is low. */
static void test_waits_for_a_chip_that_powers_up(void **state)
{
  static const uint8_t idle_lines[] = {0xFF, 0};

  (void)state;
  for (size_t i = 0; i < sizeof idle_lines; i++) {
    struct fake_nor chip;
    struct spi_nor nor;

    fake_nor_make(&chip, IS25WP256, 65536);
    chip.idle_line = idle_lines[i];
    chip.powered_at = 50000;
    assert_result(open_chip(&chip, &nor), LB_OK);
    chip.is_absent = true;
    uint64_t start = chip.now_us;
    assert_result(open_chip(&chip, &nor), SPI_NOR_ERR_NO_CHIP);
    assert_in_range(chip.now_us - start, SPI_NOR_POWER_ON_MS * 1000U, SPI_NOR_POWER_ON_MS * 1000U + 10000U);
    fake_nor_free(&chip);
  }
}

/* What ran before the reset used all of the chip, in either of the two ways. */
static void test_returns_to_the_lowest_16_mb(void **state)
{
  struct fake_nor chip;
  struct spi_nor nor;
  uint8_t byte = 0;

  (void)state;
  fake_nor_make(&chip, IS25WP256, 32U * MB);
  chip.bytes[0x123456] = 0x5A;
  for (unsigned way = 1; way <= 3; way++) {
    chip.has_4_byte_addresses = (way & 1U) != 0;
    chip.extended_address = (way & 2U) != 0 ? 1 : 0;
    assert_result(open_chip(&chip, &nor), LB_OK);
    assert_result(lb_flash_read(&nor.driver, 0x123456, &byte, 1), LB_OK);
    assert_int_equal(byte, 0x5A);
    assert_false(chip.is_enabled);
  }
  fake_nor_free(&chip);

  fake_nor_make(&chip, 0xEF4018, 65536); /* 16 MB: nothing of that is sent */
  assert_result(open_chip(&chip, &nor), LB_OK);
  assert_int_equal(chip.instructions[0xE9] + chip.instructions[0xC5] + chip.instructions[0x06], 0);
  fake_nor_free(&chip);
}

/* ---- reading, programming, erasing ---- */

static void test_reads_what_it_programs(void **state)
{
  struct bench *bench = *state;
  uint8_t data[1000];
  uint8_t back[1000];

  for (uint32_t i = 0; i < sizeof data; i++) {
    data[i] = (uint8_t)(i * 7U + 1U);
  }
  assert_result(lb_flash_program(&bench->nor.driver, 0x12345, data, sizeof data), LB_OK);
  assert_int_equal(bench->chip.instructions[0x02], 5); /* pages that were touched */
  assert_int_equal(bench->chip.instructions[0x06], 5);
  assert_memory_equal(bench->chip.bytes + 0x12345, data, sizeof data);
  assert_result(lb_flash_read(&bench->nor.driver, 0x12345, back, sizeof back), LB_OK);
  assert_memory_equal(back, data, sizeof data);
  assert_int_equal(bench->chip.bytes[0x12344], 0xFF);
  assert_int_equal(bench->chip.bytes[0x12345 + sizeof data], 0xFF);
  assert_result(read_at(bench, 0, back, 0), LB_OK);
}

static void test_erases_by_the_right_instruction(void **state)
{
  static const struct {
    uint32_t length;
    uint8_t opcode;
  } erases[] = {{4096, 0x20}, {32768, 0x52}, {65536, 0xD8}};
  struct bench *bench = *state;

  for (size_t i = 0; i < sizeof erases / sizeof erases[0]; i++) {
    uint32_t start = 0x20000;

    memset(bench->chip.bytes, 0, MB);
    assert_result(erase_at(bench, start, erases[i].length), LB_OK);
    assert_int_equal(bench->chip.instructions[erases[i].opcode], 1);
    for (uint32_t at = 0; at < MB; at++) {
      assert_int_equal(bench->chip.bytes[at], at >= start && at < start + erases[i].length ? 0xFF : 0);
    }
  }
}

static void test_reaches_the_top(void **state)
{
  struct fake_nor chip;
  struct spi_nor nor;
  uint8_t byte = 0;

  (void)state;
  fake_nor_make(&chip, IS25WP256, 32U * MB);
  assert_result(open_chip(&chip, &nor), LB_OK);
  assert_result(lb_flash_program(&nor.driver, 0xFFFFFF, "\x5A", 1), LB_OK);
  assert_int_equal(chip.bytes[0xFFFFFF], 0x5A);
  assert_result(lb_flash_read(&nor.driver, 0xFFFFFF, &byte, 1), LB_OK);
  assert_int_equal(byte, 0x5A);
  fake_nor_free(&chip);
}

static void test_refuses_what_a_chip_cannot(void **state)
{
  struct bench *bench = *state;
  uint8_t bytes[300] = {0};
  uint32_t before = bench->chip.bytes_on_bus;

  assert_result(read_at(bench, 16U * MB - 1U, bytes, 2), SPI_NOR_ERR_ACCESS);
  assert_result(read_at(bench, 0xFFFFFFFFU, bytes, 2), SPI_NOR_ERR_ACCESS);
  assert_result(program_at(bench, 16U * MB, bytes, 1), SPI_NOR_ERR_ACCESS);
  assert_result(program_at(bench, 0, bytes, 0), SPI_NOR_ERR_ACCESS);
  assert_result(program_at(bench, 0, bytes, 257), SPI_NOR_ERR_ACCESS);
  assert_result(program_at(bench, 255, bytes, 2), SPI_NOR_ERR_ACCESS); /* the chip would wrap to byte 0 */
  assert_result(erase_at(bench, 2048, 4096), SPI_NOR_ERR_ACCESS);
  assert_result(erase_at(bench, 4096, 32768), SPI_NOR_ERR_ACCESS);
  assert_result(erase_at(bench, 0, 8192), SPI_NOR_ERR_ACCESS);
  assert_result(erase_at(bench, 0, 0), SPI_NOR_ERR_ACCESS);
  assert_result(erase_at(bench, 16U * MB, 4096), SPI_NOR_ERR_ACCESS);
  assert_int_equal(bench->chip.bytes_on_bus, before);
}

/* ---- chips that fail ---- */

static void test_a_chip_that_stays_busy(void **state)
{
  struct bench *bench = *state;
  uint8_t byte = 0;

  bench->chip.program_us = FAKE_NOR_NEVER;
  uint64_t start = bench->chip.now_us;
  assert_result(program_at(bench, 0, "\x01", 1), SPI_NOR_ERR_BUSY);
  assert_true(bench->chip.now_us - start < SECOND);

  /* Nothing else is tried while it lasts, and a read does not take nonsense for data. */
  assert_result(read_at(bench, 0, &byte, 1), SPI_NOR_ERR_BUSY);
  assert_result(program_at(bench, 1, "\x01", 1), SPI_NOR_ERR_BUSY);
  assert_result(erase_at(bench, 0, 4096), SPI_NOR_ERR_BUSY);
  assert_int_equal(bench->chip.instructions[0x03], 0);
  assert_int_equal(bench->chip.instructions[0x06], 1);

  bench->chip.busy_until = 0;
  assert_result(read_at(bench, 0, &byte, 1), LB_OK);
  assert_int_equal(byte, 0x01);
}

static void test_an_erase_that_never_ends(void **state)
{
  struct bench *bench = *state;

  bench->chip.erase_us = FAKE_NOR_NEVER;
  uint64_t start = bench->chip.now_us;
  assert_result(erase_at(bench, 0, 65536), SPI_NOR_ERR_BUSY);
  assert_in_range(bench->chip.now_us - start, SPI_NOR_ERASE_MS * 1000U, SPI_NOR_ERASE_MS * 1000U + 1000U);
}

/* It was late with a program, but is well: nothing that comes next fails for that. */
static void test_a_slow_chip_is_waited_for(void **state)
{
  struct bench *bench = *state;
  uint8_t byte = 0;

  bench->chip.program_us = 3U * SECOND;
  assert_result(program_at(bench, 0, "\x01", 1), SPI_NOR_ERR_BUSY);
  assert_result(read_at(bench, 0, &byte, 1), LB_OK);
  assert_int_equal(byte, 0x01);
  assert_result(program_at(bench, 1, "\x02", 1), SPI_NOR_ERR_BUSY);
  assert_result(erase_at(bench, 0x1000, 4096), LB_OK);
}

/* Nor does waiting for what was late make a call longer than a watchdog may be told. */
static void test_no_call_is_longer_than_the_longest(void **state)
{
  struct bench *bench = *state;
  uint8_t byte = 0;

  bench->chip.program_us = 3U * SECOND;
  bench->chip.erase_us = FAKE_NOR_NEVER;
  assert_result(program_at(bench, 0, "\x01", 1), SPI_NOR_ERR_BUSY);
  uint64_t start = bench->chip.now_us;
  assert_result(erase_at(bench, 0, 65536), SPI_NOR_ERR_BUSY);
  assert_true(bench->chip.now_us - start < LONGEST);
  start = bench->chip.now_us;
  assert_result(read_at(bench, 0, &byte, 1), SPI_NOR_ERR_BUSY);
  assert_true(bench->chip.now_us - start < LONGEST);
}

static void test_larger_blocks_may_take_longer(void **state)
{
  struct bench *bench = *state;

  bench->chip.erase_us = 3U * SECOND;
  assert_result(erase_at(bench, 0, 65536), LB_OK);
  assert_result(erase_at(bench, 0, 4096), SPI_NOR_ERR_BUSY);
}

static void test_a_chip_that_ignores_write_enable(void **state)
{
  struct bench *bench = *state;

  bench->chip.ignores_write_enable = true;
  assert_result(program_at(bench, 0, "\x01", 1), SPI_NOR_ERR_WRITE_ENABLE);
  assert_result(erase_at(bench, 0, 4096), SPI_NOR_ERR_WRITE_ENABLE);
  assert_int_equal(bench->chip.instructions[0x02], 0);
  assert_int_equal(bench->chip.instructions[0x20], 0);
}

static void test_a_chip_that_is_gone(void **state)
{
  struct bench *bench = *state;

  bench->chip.is_absent = true;
  assert_result(program_at(bench, 0, "\x01", 1), SPI_NOR_ERR_NO_CHIP);
  assert_result(erase_at(bench, 0, 4096), SPI_NOR_ERR_NO_CHIP);
}

/* ---- hooks ---- */

static void on_feed(void *context)
{
  ((struct bench *)context)->fed++;
}

static void on_poll(void *context)
{
  struct bench *bench = context;

  bench->polled++;
  bench->chip.now_us += bench->held_up;
}

static void hook(struct bench *bench)
{
  bench->nor.feed = on_feed;
  bench->nor.feed_context = bench;
  bench->nor.idle = (struct port_idle){on_poll, bench};
}

static void test_calls_while_it_waits(void **state)
{
  struct bench *bench = *state;
  uint8_t byte = 0;

  hook(bench);
  assert_result(read_at(bench, 0, &byte, 1), LB_OK);
  assert_int_equal(bench->fed, 1);
  assert_int_equal(bench->polled, 0);

  bench->chip.program_us = 0; /* as QEMU's: never busy */
  assert_result(program_at(bench, 0, "\x01", 1), LB_OK);
  assert_int_equal(bench->polled, 1);
  assert_int_equal(bench->fed, 2);

  bench->held_up = 1000;
  assert_result(erase_at(bench, 0, 4096), LB_OK);
  assert_in_range(bench->polled, 40, 50); /* in 45 ms */
  assert_int_equal(bench->fed, bench->polled + 1);
}

/* The network took an hour in between: that is no time-out of the chip, which was ready long before. */
static void test_being_held_up_is_no_time_out(void **state)
{
  struct bench *bench = *state;

  hook(bench);
  bench->held_up = 3600ULL * SECOND;
  assert_result(erase_at(bench, 0, 4096), LB_OK);
  assert_result(program_at(bench, 0, "\x01", 1), LB_OK);
}

/* ---- protected ranges ---- */

static void test_protects_ranges(void **state)
{
  struct bench *bench = *state;
  uint8_t byte = 0;

  assert_result(spi_nor_protect(&bench->nor, 0, 0x9000), LB_OK);
  assert_result(spi_nor_protect(&bench->nor, 0x20000, 0x30001), LB_OK);
  memset(bench->chip.bytes, 0x55, MB);
  uint32_t before = bench->chip.bytes_on_bus;

  assert_result(erase_at(bench, 0, 4096), SPI_NOR_ERR_PROTECTED);
  assert_result(erase_at(bench, 0x8000, 4096), SPI_NOR_ERR_PROTECTED);
  assert_result(erase_at(bench, 0, 65536), SPI_NOR_ERR_PROTECTED);
  assert_result(erase_at(bench, 0x18000, 32768), LB_OK); /* ends where the range begins */
  before = bench->chip.bytes_on_bus;
  assert_result(erase_at(bench, 0x20000, 65536), SPI_NOR_ERR_PROTECTED);
  assert_result(erase_at(bench, 0x30000, 65536), SPI_NOR_ERR_PROTECTED); /* its first byte is in the range */
  assert_result(program_at(bench, 0x8FFF, "\x01", 1), SPI_NOR_ERR_PROTECTED);
  assert_result(program_at(bench, 0x30000, "\x01", 1), SPI_NOR_ERR_PROTECTED);
  assert_result(program_at(bench, 0x20000, "\x01", 1), SPI_NOR_ERR_PROTECTED);
  assert_int_equal(bench->chip.bytes_on_bus, before);

  assert_result(program_at(bench, 0x9000, "\x01", 1), LB_OK);
  assert_result(program_at(bench, 0x1FFFF, "\x01", 1), LB_OK);
  assert_result(program_at(bench, 0x30001, "\x01", 1), LB_OK);
  assert_result(read_at(bench, 0x8FFF, &byte, 1), LB_OK);
  assert_int_equal(byte, 0x55);
  assert_result(lb_flash_program(&bench->nor.driver, 0x100, "\x01", 1), LB_ERR_FLASH_PROGRAM);
  assert_int_equal(bench->nor.last_error, SPI_NOR_ERR_PROTECTED);
}

static void test_protects_no_more_than_it_can(void **state)
{
  struct bench *bench = *state;

  assert_result(spi_nor_protect(&bench->nor, 5, 5), LB_ERR_ARGUMENT);
  assert_result(spi_nor_protect(&bench->nor, 6, 5), LB_ERR_ARGUMENT);
  assert_result(spi_nor_protect(&bench->nor, 0, 1), LB_OK);
  assert_result(spi_nor_protect(&bench->nor, 0xFFF000, 0xFFFFFFFFU), LB_OK);
  assert_result(spi_nor_protect(&bench->nor, 8, 9), SPI_NOR_ERR_RANGES);
  assert_result(erase_at(bench, 0xFFF000, 4096), SPI_NOR_ERR_PROTECTED);
}

static void test_production_writes_everything(void **state)
{
  struct bench *bench = *state;

  assert_result(spi_nor_open(&bench->nor, &bench->chip.spi, true), LB_OK);
  assert_result(spi_nor_protect(&bench->nor, 0, 0x9000), LB_OK);
  assert_result(erase_at(bench, 0, 4096), LB_OK);
  assert_result(program_at(bench, 0, "\x01", 1), LB_OK);
  assert_int_equal(bench->chip.bytes[0], 0x01);
}

static void test_describes_its_errors(void **state)
{
  (void)state;
  for (int error = SPI_NOR_ERR_RANGES; error <= SPI_NOR_ERR_NO_CHIP; error++) {
    const struct lb_error_info *info = spi_nor_error_info(error);

    assert_int_equal(info->code, error);
    assert_true(strncmp(info->name, "SPI_NOR_ERR_", 12) == 0);
    assert_true(info->cause[0] != '\0' && info->remedy[0] != '\0');
  }
  assert_string_equal(spi_nor_error_info(LB_ERR_ARGUMENT)->name, "LB_ERR_ARGUMENT");
}

#define WITH_CHIP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_CHIP(test_knows_the_chip_of_the_board),
      cmocka_unit_test(test_knows_chips_of_modules),
      cmocka_unit_test(test_says_what_it_cannot_open),
      cmocka_unit_test(test_wakes_a_sleeping_chip),
      cmocka_unit_test(test_waits_for_what_a_reset_left_running),
      cmocka_unit_test(test_waits_for_a_chip_that_powers_up),
      cmocka_unit_test(test_returns_to_the_lowest_16_mb),
      WITH_CHIP(test_reads_what_it_programs),
      WITH_CHIP(test_erases_by_the_right_instruction),
      cmocka_unit_test(test_reaches_the_top),
      WITH_CHIP(test_refuses_what_a_chip_cannot),
      WITH_CHIP(test_a_chip_that_stays_busy),
      WITH_CHIP(test_an_erase_that_never_ends),
      WITH_CHIP(test_a_slow_chip_is_waited_for),
      WITH_CHIP(test_no_call_is_longer_than_the_longest),
      WITH_CHIP(test_larger_blocks_may_take_longer),
      WITH_CHIP(test_a_chip_that_ignores_write_enable),
      WITH_CHIP(test_a_chip_that_is_gone),
      WITH_CHIP(test_calls_while_it_waits),
      WITH_CHIP(test_being_held_up_is_no_time_out),
      WITH_CHIP(test_protects_ranges),
      WITH_CHIP(test_protects_no_more_than_it_can),
      WITH_CHIP(test_production_writes_everything),
      cmocka_unit_test(test_describes_its_errors),
  };

  return cmocka_run_group_tests_name("spi_nor", tests, NULL, NULL);
}
