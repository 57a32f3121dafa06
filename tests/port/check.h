// SPDX-License-Identifier: MIT
/* What the checks of the suite share: a line for each, and bytes to write that tell where they belong. */
#ifndef TESTS_PORT_CHECK_H
#define TESTS_PORT_CHECK_H

#include "tests/port/suite.h"

/* A check: begin with its line, say what is wrong (any number of times, the first is printed), end. */
void check_begin(struct port_suite *suite, const char *what);
void check_begin_with(struct port_suite *suite, const char *what, uint32_t number, const char *rest);
void check_fail(struct port_suite *suite, const char *why);
void check_fail_at(struct port_suite *suite, const char *why, uint32_t number); /* with an address or another number */
void check_end(struct port_suite *suite);

/* Fails the check unless it holds; tells whether it holds. */
bool check_that(struct port_suite *suite, bool holds, const char *why);

void print_number(struct port_suite *suite, uint32_t number);

/* ---- bytes ---- */

#define CHUNK 64U /* what the helpers read at once */

/* The byte that pattern number `seed` has at an address. */
uint8_t pattern_at(uint32_t seed, uint32_t address);

/* Programs a pattern through lb_flash_program; fails the check if that fails. */
bool pattern_program(struct port_suite *suite, uint32_t seed, uint32_t address, uint32_t length);

/* Fails the check unless the flash holds that pattern there, or nothing but that byte. */
bool expect_pattern(struct port_suite *suite, uint32_t seed, uint32_t address, uint32_t length);
bool expect_byte(struct port_suite *suite, uint8_t byte, uint32_t address, uint32_t length);

/* Erases with the largest blocks that fit, and fails the check if it is not blank then. */
bool erase_area(struct port_suite *suite, uint32_t address, uint32_t length);

/* ---- the clock ---- */

uint64_t clock_now(const struct port_clock *clock);

/* ---- the parts of the suite; the last block of the scratch area is not theirs ---- */

void check_flash_reading(struct port_suite *suite);
void check_flash_erasing(struct port_suite *suite);
void check_flash_programming(struct port_suite *suite);
void check_flash_limits(struct port_suite *suite);
void check_flash_at_random(struct port_suite *suite);
void check_clock(struct port_suite *suite);

#endif
