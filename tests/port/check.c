// SPDX-License-Identifier: MIT
#include "tests/port/check.h"

#include <string.h>

static void print(struct port_suite *suite, const char *text)
{
  suite->print(suite->context, text);
}

void print_number(struct port_suite *suite, uint32_t number)
{
  char text[11];
  unsigned at = sizeof text - 1;
  text[at] = '\0';
  do {
    text[--at] = (char)('0' + number % 10U);
    number /= 10U;
  } while (number > 0);
  print(suite, text + at);
}

static void begin(struct port_suite *suite, const char *what)
{
  suite->checks++;
  suite->check_failed = false;
  print(suite, what);
}

void check_begin(struct port_suite *suite, const char *what)
{
  begin(suite, what);
  print(suite, " ... ");
}

void check_begin_with(struct port_suite *suite, const char *what, uint32_t number, const char *rest)
{
  begin(suite, what);
  print_number(suite, number);
  print(suite, rest);
  print(suite, " ... ");
}

void check_fail(struct port_suite *suite, const char *why)
{
  if (!suite->check_failed) {
    print(suite, "FAILED: ");
    print(suite, why);
    print(suite, "\n");
  }
  suite->check_failed = true;
}

void check_fail_at(struct port_suite *suite, const char *why, uint32_t number)
{
  if (!suite->check_failed) {
    print(suite, "FAILED: ");
    print(suite, why);
    print(suite, " ");
    print_number(suite, number);
    print(suite, "\n");
  }
  suite->check_failed = true;
}

void check_end(struct port_suite *suite)
{
  if (!suite->check_failed) {
    suite->passed++;
    print(suite, "ok\n");
  }
}

bool check_that(struct port_suite *suite, bool holds, const char *why)
{
  if (!holds) {
    check_fail(suite, why);
  }
  return holds;
}

/* ---- bytes ---- */

uint8_t pattern_at(uint32_t seed, uint32_t address)
{
  uint32_t mixed = (address + seed * 0x9E3779B9U) * 0x85EBCA6BU;
  mixed ^= mixed >> 15;
  return (uint8_t)(mixed ^ mixed >> 8);
}

bool pattern_program(struct port_suite *suite, uint32_t seed, uint32_t address, uint32_t length)
{
  uint8_t bytes[CHUNK];
  while (length > 0) {
    const uint32_t piece = length < CHUNK ? length : CHUNK;
    for (uint32_t i = 0; i < piece; i++) {
      bytes[i] = pattern_at(seed, address + i);
    }
    if (!check_that(suite, lb_flash_program(suite->flash, address, bytes, piece) == LB_OK, "programming failed")) {
      return false;
    }
    address += piece;
    length -= piece;
  }
  return true;
}

static bool expect(struct port_suite *suite, bool is_pattern, uint32_t value, uint32_t address, uint32_t length)
{
  uint8_t bytes[CHUNK];
  while (length > 0) {
    const uint32_t piece = length < CHUNK ? length : CHUNK;
    if (!check_that(suite, lb_flash_read(suite->flash, address, bytes, piece) == LB_OK, "reading failed")) {
      return false;
    }
    for (uint32_t i = 0; i < piece; i++) {
      if (bytes[i] != (is_pattern ? pattern_at(value, address + i) : (uint8_t)value)) {
        check_fail_at(suite, "wrong byte at", address + i);
        return false;
      }
    }
    address += piece;
    length -= piece;
  }
  return true;
}

bool expect_pattern(struct port_suite *suite, uint32_t seed, uint32_t address, uint32_t length)
{
  return expect(suite, true, seed, address, length);
}

bool expect_byte(struct port_suite *suite, uint8_t byte, uint32_t address, uint32_t length)
{
  return expect(suite, false, byte, address, length);
}

bool erase_area(struct port_suite *suite, uint32_t address, uint32_t length)
{
  const uint32_t end = address + length;
  for (uint32_t at = address; at < end;) {
    uint32_t erased = 0;
    if (!check_that(suite, lb_flash_erase_one(suite->flash, at, end, &erased) == LB_OK, "erasing failed")) {
      return false;
    }
    at += erased;
  }
  return expect_byte(suite, 0xFF, address, length);
}

uint64_t clock_now(const struct port_clock *clock)
{
  return clock->now_ms(clock->context);
}
