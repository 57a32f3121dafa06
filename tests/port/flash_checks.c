// SPDX-License-Identifier: MIT
/* Reading and erasing, and what the driver says of its chip. */
#include <string.h>

#include "tests/port/check.h"

#define READ_MOST 300U
#define CANARY    0xA5U

static bool is_power_of_two(uint32_t number)
{
  return number != 0 && (number & (number - 1U)) == 0;
}

static void check_geometry(struct port_suite *suite)
{
  const struct lb_flash *flash = suite->flash;
  uint32_t before = 0;
  check_begin(suite, "flash: its geometry is one that the library can use");
  check_that(suite, is_power_of_two(flash->page_size) && flash->page_size >= 32, "the page size");
  for (unsigned i = 0; i < LB_FLASH_ERASE_SIZES && flash->erase_sizes[i] != 0; i++) {
    const uint32_t size = flash->erase_sizes[i];
    check_that(suite, is_power_of_two(size) && size > before && size % flash->page_size == 0, "the erase sizes");
    before = size;
  }
  check_that(suite, before != 0, "it has no erase size");
  check_that(suite, flash->size != 0 && before != 0 && flash->size % flash->erase_sizes[0] == 0, "the size");
  check_end(suite);
}

static void check_scratch(struct port_suite *suite)
{
  const uint32_t block = lb_flash_largest_erase(suite->flash);
  check_begin(suite, "suite: the scratch area can be used");
  check_that(suite, suite->scratch % block == 0 && suite->scratch_size % block == 0, "it is not made of whole blocks");
  check_that(suite, suite->scratch_size >= 4U * block, "it has less than four of the largest blocks");
  check_that(suite, suite->scratch <= suite->flash->size && suite->scratch_size <= suite->flash->size - suite->scratch,
             "it leaves the chip");
  check_end(suite);
}

/* One read, into the middle of a buffer whose other bytes must stay. */
static bool read_once(struct port_suite *suite, uint32_t address, uint32_t length)
{
  uint8_t buffer[READ_MOST + 16U];
  memset(buffer, CANARY, sizeof buffer);
  if (!check_that(suite, lb_flash_read(suite->flash, address, buffer + 7, length) == LB_OK, "reading failed")) {
    return false;
  }
  for (uint32_t i = 0; i < sizeof buffer; i++) {
    const bool inside = i >= 7U && i < 7U + length;
    const uint8_t expected = inside ? pattern_at(1, address + i - 7U) : CANARY;
    if (buffer[i] != expected) {
      check_fail_at(suite, inside ? "wrong byte at" : "wrote outside the buffer reading from", address);
      return false;
    }
  }
  return true;
}

void check_flash_reading(struct port_suite *suite)
{
  static const uint32_t lengths[] = {0,  1,  2,  3,  4,  5,   7,   8,   15,  16,       17,
                                     31, 33, 63, 64, 65, 127, 255, 256, 257, READ_MOST};
  check_geometry(suite);
  check_scratch(suite);
  if (suite->passed != suite->checks) {
    return; /* nothing else makes sense, and nothing is written */
  }
  check_begin(suite, "flash: reads of any length at any address");
  bool good = erase_area(suite, suite->scratch, lb_flash_sector(suite->flash)) &&
              pattern_program(suite, 1, suite->scratch, 2U * READ_MOST);
  for (uint32_t start = 0; good && start < 9; start++) {
    for (unsigned i = 0; good && i < sizeof lengths / sizeof lengths[0]; i++) {
      good = read_once(suite, suite->scratch + start + 248U * (start & 1U), lengths[i]);
    }
  }
  check_end(suite);
}

/* ---- erasing ---- */

/* A block between two others: it gets blank, and the pages on both sides of it stay. */
static void check_erase_size(struct port_suite *suite, uint32_t size)
{
  const uint32_t page = suite->flash->page_size;
  const uint32_t block = suite->scratch + size;
  bool good = erase_area(suite, suite->scratch, 3U * lb_flash_largest_erase(suite->flash));
  good = good && pattern_program(suite, 2, block - page, 2U * page);        /* before, and its first page */
  good = good && pattern_program(suite, 2, block + size / 2U, page);        /* in the middle */
  good = good && pattern_program(suite, 2, block + size - page, 2U * page); /* its last page, and behind */
  if (good && check_that(suite, suite->flash->erase(suite->flash->context, block, size) == 0, "the driver refuses")) {
    expect_byte(suite, 0xFF, block, size);
    expect_pattern(suite, 2, block - page, page);
    expect_pattern(suite, 2, block + size, page);
  }
}

void check_flash_erasing(struct port_suite *suite)
{
  const struct lb_flash *flash = suite->flash;
  for (unsigned i = 0; i < LB_FLASH_ERASE_SIZES && flash->erase_sizes[i] != 0; i++) {
    check_begin_with(suite, "flash: erasing ", flash->erase_sizes[i], " bytes sets all of their bits, and no others");
    check_erase_size(suite, flash->erase_sizes[i]);
    check_end(suite);
  }
}
