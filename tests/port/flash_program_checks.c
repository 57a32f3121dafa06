// SPDX-License-Identifier: MIT
/* Programming: any part of a page, bits that are only ever cleared, and much of it at random against a model. */
#include <string.h>

#include "tests/port/check.h"

#define MODEL_MOST   1024U
#define RANDOM_STEPS 300U

static int driver_program(struct port_suite *suite, uint32_t address, const void *data, uint32_t length)
{
  return suite->flash->program(suite->flash->context, address, data, length);
}

/* A part of a page, from `start` on, through the driver itself: those bytes, and no others of the page. */
static bool program_part(struct port_suite *suite, uint32_t page_address, uint32_t start, uint32_t length)
{
  uint8_t bytes[MODEL_MOST];
  for (uint32_t i = 0; i < length; i++) {
    bytes[i] = pattern_at(3, page_address + start + i);
  }
  return check_that(suite, driver_program(suite, page_address + start, bytes, length) == 0, "the driver refuses") &&
         expect_byte(suite, 0xFF, page_address, start) && expect_pattern(suite, 3, page_address + start, length) &&
         expect_byte(suite, 0xFF, page_address + start + length, suite->flash->page_size - start - length);
}

static void check_parts_of_pages(struct port_suite *suite)
{
  static const uint32_t lengths[] = {1, 2, 3, 4, 5, 7, 8, 16, 31};
  const uint32_t page = suite->flash->page_size;
  const uint32_t area = lb_flash_largest_erase(suite->flash);
  uint32_t at = suite->scratch;
  check_begin(suite, "flash: any part of a page can be programmed, and the rest of it stays");
  bool good = check_that(suite, page <= MODEL_MOST, "pages are larger than the suite knows") &&
              erase_area(suite, suite->scratch, area);
  for (unsigned i = 0; good && i < sizeof lengths / sizeof lengths[0]; i++) {
    for (uint32_t start = 0; good && start < 3; start++) {
      const uint32_t from = start == 2 ? page - lengths[i] : start;
      good = at + page <= suite->scratch + area ? program_part(suite, at, from, lengths[i]) : true;
      at += page;
    }
  }
  check_end(suite);
}

static void check_whole_pages(struct port_suite *suite)
{
  const uint32_t page = suite->flash->page_size;
  const uint32_t sector = lb_flash_sector(suite->flash);
  const uint32_t border = suite->scratch + sector;
  check_begin(suite, "flash: whole pages, on both sides of a sector's border");
  if (check_that(suite, page <= MODEL_MOST, "pages are larger than the suite knows") &&
      erase_area(suite, suite->scratch, 2U * sector) && program_part(suite, border, 0, page)) {
    expect_byte(suite, 0xFF, border - page, page);
    program_part(suite, border - page, 0, page);
    expect_pattern(suite, 3, border, page);
  }
  check_end(suite);
}

static void check_across_pages(struct port_suite *suite)
{
  const uint32_t page = suite->flash->page_size;
  const uint32_t length = 3U * page + 5U;
  const uint32_t start = suite->scratch + page - 3U;
  uint8_t bytes[2U * MODEL_MOST];
  check_begin(suite, "flash: lb_flash_program across pages");
  const uint32_t given = length < sizeof bytes ? length : (uint32_t)sizeof bytes;
  for (uint32_t i = 0; i < given; i++) {
    bytes[i] = pattern_at(4, start + i);
  }
  if (erase_area(suite, suite->scratch, 2U * lb_flash_sector(suite->flash)) &&
      check_that(suite, lb_flash_program(suite->flash, start, bytes, given) == LB_OK, "it failed")) {
    expect_byte(suite, 0xFF, suite->scratch, page - 3U);
    expect_pattern(suite, 4, start, given);
    expect_byte(suite, 0xFF, start + given, page);
  }
  check_end(suite);
}

static void check_bits(struct port_suite *suite)
{
  static const uint8_t first[] = {0xF0, 0xFF, 0x0F, 0x81};
  static const uint8_t second[] = {0x3C, 0xA5, 0xFF, 0x18};
  static const uint8_t both[] = {0x30, 0xA5, 0x0F, 0x00};
  const uint32_t address = suite->scratch + 5U;
  uint8_t bytes[sizeof both];
  check_begin(suite, "flash: programming clears bits and sets none");
  if (erase_area(suite, suite->scratch, lb_flash_sector(suite->flash)) &&
      check_that(suite, driver_program(suite, address, first, sizeof first) == 0, "the driver refuses") &&
      check_that(suite, driver_program(suite, address, second, sizeof second) == 0,
                 "the driver refuses a second time") &&
      check_that(suite, lb_flash_read(suite->flash, address, bytes, sizeof bytes) == LB_OK, "reading failed")) {
    check_that(suite, memcmp(bytes, both, sizeof both) == 0, "what is there is not what both have in common");
    expect_byte(suite, 0xFF, suite->scratch, 5);
    expect_byte(suite, 0xFF, address + (uint32_t)sizeof both, 8);
  }
  check_end(suite);
}

void check_flash_programming(struct port_suite *suite)
{
  check_parts_of_pages(suite);
  check_whole_pages(suite);
  check_across_pages(suite);
  check_bits(suite);
}

/* ---- at random ---- */

static uint32_t next_random(uint32_t *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}

/* One program of a random part of the model, which lies at `address`, or one read of it. */
static bool random_step(struct port_suite *suite, uint32_t *random, uint8_t *model, uint32_t size, uint32_t address)
{
  uint8_t bytes[MODEL_MOST];
  const uint32_t start = next_random(random) % size;
  uint32_t length = 1U + next_random(random) % 80U;
  length = length < size - start ? length : size - start;
  if ((next_random(random) & 3U) != 0) {
    return check_that(suite, lb_flash_read(suite->flash, address + start, bytes, length) == LB_OK, "reading failed") &&
           check_that(suite, memcmp(bytes, model + start, length) == 0, "a read differs from what was programmed");
  }
  for (uint32_t i = 0; i < length; i++) {
    bytes[i] = (uint8_t)(next_random(random) | next_random(random));
    model[start + i] &= bytes[i];
  }
  return check_that(suite, lb_flash_program(suite->flash, address + start, bytes, length) == LB_OK,
                    "programming failed");
}

void check_flash_at_random(struct port_suite *suite)
{
  uint8_t model[MODEL_MOST];
  uint32_t random = 2463534242U;
  const uint32_t sector = lb_flash_sector(suite->flash);
  const uint32_t size = sector < MODEL_MOST ? sector : MODEL_MOST;
  check_begin(suite, "flash: programs and reads at random, against a model");
  bool good = erase_area(suite, suite->scratch, sector);
  memset(model, 0xFF, sizeof model);
  for (uint32_t i = 0; good && i < RANDOM_STEPS; i++) {
    good = random_step(suite, &random, model, size, suite->scratch);
  }
  uint8_t byte = 0;
  for (uint32_t i = 0; good && i < size; i++) {
    good = check_that(suite, lb_flash_read(suite->flash, suite->scratch + i, &byte, 1) == LB_OK && byte == model[i],
                      "a byte at the end differs");
  }
  check_end(suite);
}
