// SPDX-License-Identifier: MIT
/* What must be refused, and how long it may take. */
#include "tests/port/check.h"

#define PAGES_TIMED 64U
#define IDLE_GAP_MS 20U /* a longer one loses bytes of the network: see docs/DESIGN.md, "The update session" */

static void check_bounds(struct port_suite *suite)
{
  const struct lb_flash *flash = suite->flash;
  uint8_t bytes[4] = {0};
  uint32_t erased;
  check_begin(suite, "flash: the last bytes can be read, and nothing behind them");
  check_that(suite, lb_flash_read(flash, flash->size - 4U, bytes, 4) == LB_OK, "the last bytes cannot");
  check_that(suite, lb_flash_read(flash, flash->size - 3U, bytes, 4) == LB_ERR_FLASH_BOUNDS, "a read over the end");
  check_that(suite, lb_flash_read(flash, flash->size, bytes, 1) == LB_ERR_FLASH_BOUNDS, "a read behind the end");
  check_that(suite, lb_flash_read(flash, UINT32_MAX, bytes, 4) == LB_ERR_FLASH_BOUNDS, "a read that wraps around");
  check_that(suite, lb_flash_program(flash, flash->size - 1U, bytes, 2) == LB_ERR_FLASH_BOUNDS,
             "a program over the end");
  check_that(suite, lb_flash_erase_one(flash, flash->size, flash->size + 1U, &erased) == LB_ERR_FLASH_BOUNDS,
             "an erase behind the end");
  check_end(suite);
}

/* FNV-1a: only to see whether anything changes. */
static uint32_t fingerprint(struct port_suite *suite, uint32_t address, uint32_t length)
{
  uint8_t bytes[CHUNK];
  uint32_t value = 2166136261U;
  for (uint32_t at = 0; at < length; at += CHUNK) {
    const uint32_t piece = length - at < CHUNK ? length - at : CHUNK;
    if (!check_that(suite, lb_flash_read(suite->flash, address + at, bytes, piece) == LB_OK, "reading failed")) {
      return 0;
    }
    for (uint32_t i = 0; i < piece; i++) {
      value = (value ^ bytes[i]) * 16777619U;
    }
  }
  return value;
}

/* Driver functions, since it is the driver that has to refuse. */
static void check_guard(struct port_suite *suite, const struct port_suite_range *range)
{
  static const uint8_t zero = 0;
  const struct lb_flash *flash = suite->flash;
  const uint32_t sector = lb_flash_sector(flash);
  const uint32_t last = range->start + range->size - sector;
  check_begin_with(suite, "flash: the protected range from ", range->start, " can be neither programmed nor erased");
  const uint32_t before = fingerprint(suite, range->start, range->size);
  check_that(suite, flash->program(flash->context, range->start, &zero, 1) != 0, "its first byte was programmed");
  check_that(suite, flash->program(flash->context, last + sector - 1U, &zero, 1) != 0, "its last byte was programmed");
  check_that(suite, flash->erase(flash->context, range->start, sector) != 0, "its first sector was erased");
  check_that(suite, flash->erase(flash->context, last, sector) != 0, "its last sector was erased");
  const uint32_t after = fingerprint(suite, range->start, range->size);
  check_that(suite, before == after, "it was refused, and happened");
  check_end(suite);
}

static void check_program_time(struct port_suite *suite)
{
  const uint32_t page = suite->flash->page_size;
  uint64_t longest = 0;
  uint64_t whole = 0;
  uint32_t pages = 0;
  check_begin(suite, "flash: a page is programmed in the time of the data sheet");
  bool good = erase_area(suite, suite->scratch, lb_flash_largest_erase(suite->flash));
  for (uint32_t i = 0; good && i < PAGES_TIMED && (i + 1U) * page <= lb_flash_largest_erase(suite->flash); i++) {
    const uint64_t begin = clock_now(suite->clock);
    good = pattern_program(suite, 5, suite->scratch + i * page, page < CHUNK ? page : CHUNK);
    const uint64_t taken = clock_now(suite->clock) - begin;
    longest = taken > longest ? taken : longest;
    whole += taken;
    pages++;
  }
  if (suite->program_ms > 0 && longest > suite->program_ms) {
    check_fail_at(suite, "milliseconds that one took:", (uint32_t)longest);
  }
  if (whole > (uint64_t)pages * suite->program_average_ms) {
    check_fail_at(suite, "milliseconds that all of them took:", (uint32_t)whole);
  }
  check_end(suite);
}

/* ---- erasing, and what is polled meanwhile ---- */

struct watch {
  const struct port_clock *clock;
  uint64_t last;
  uint64_t longest; /* between two polls */
  uint32_t polls;
};

static void poll(void *context)
{
  struct watch *watch = context;
  const uint64_t now = clock_now(watch->clock);
  watch->longest = now - watch->last > watch->longest ? now - watch->last : watch->longest;
  watch->last = now;
  watch->polls++;
}

static void time_erase(struct port_suite *suite, uint32_t size)
{
  struct watch watch = {.clock = suite->clock};
  struct port_idle before = {0};
  if (suite->idle) {
    before = *suite->idle;
    *suite->idle = (struct port_idle){.poll = poll, .context = &watch};
  }
  const uint64_t begin = clock_now(suite->clock);
  watch.last = begin;
  check_that(suite, suite->flash->erase(suite->flash->context, suite->scratch, size) == 0, "the driver refuses");
  const uint64_t taken = clock_now(suite->clock) - begin;
  if (suite->idle) {
    const uint64_t left = begin + taken - watch.last;
    watch.longest = left > watch.longest ? left : watch.longest;
    *suite->idle = before;
    if (watch.longest > IDLE_GAP_MS) {
      check_fail_at(suite, "while the chip was busy nobody was asked for, in milliseconds,", (uint32_t)watch.longest);
    }
  }
  if (taken > suite->erase_ms) {
    check_fail_at(suite, "milliseconds that it took:", (uint32_t)taken);
  }
}

static void check_erase_time(struct port_suite *suite)
{
  const struct lb_flash *flash = suite->flash;
  for (unsigned i = 0; i < LB_FLASH_ERASE_SIZES && flash->erase_sizes[i] != 0; i++) {
    check_begin_with(suite, "flash: erasing ", flash->erase_sizes[i],
                     suite->idle ? " bytes takes no longer than it may, and the idle hook is polled"
                                 : " bytes takes no longer than it may");
    time_erase(suite, flash->erase_sizes[i]);
    check_end(suite);
  }
}

void check_flash_limits(struct port_suite *suite)
{
  check_bounds(suite);
  for (unsigned i = 0; i < PORT_SUITE_GUARDED; i++) {
    if (suite->guarded[i].size > 0) {
      check_guard(suite, &suite->guarded[i]);
    }
  }
  check_program_time(suite);
  check_erase_time(suite);
}
