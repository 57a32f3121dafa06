// SPDX-License-Identifier: MIT
/* What every unit test includes: cmocka, results by name, and random numbers that repeat. */
#ifndef TESTS_UNIT_SUPPORT_UNIT_H
#define TESTS_UNIT_SUPPORT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lifeboat/error.h"

/* Fails the test, naming both results, unless they are the same. */
void unit_assert_result(int actual, int expected, const char *what, const char *file, int line);

#define assert_result(actual, expected) unit_assert_result((actual), (expected), #actual, __FILE__, __LINE__)

/* A printf into the test's output that also fails the test: for loops, to say which turn it was. */
#define fail_here(...)                                                                                                 \
  do {                                                                                                                 \
    print_error(__VA_ARGS__);                                                                                          \
    print_error("\n");                                                                                                 \
    fail();                                                                                                            \
  } while (0)

/* "LB_ERR_IMAGE_CHIP", "LB_MORE", "LB_OK". */
const char *unit_result_name(int result);

/* Random numbers (splitmix64): the same from the same seed, on every machine. */
struct unit_random {
  uint64_t state;
};

/* Seeds from LIFEBOAT_SEED if that is set, else from `fallback`, and prints the seed with the test's name. */
void unit_random_seed(struct unit_random *random, const char *test, uint64_t fallback);
uint32_t unit_random_next(struct unit_random *random);
uint32_t unit_random_below(struct unit_random *random, uint32_t bound);
void unit_random_fill(struct unit_random *random, void *bytes, size_t length);

/* Memory that is there, or the test fails. */
void *unit_allocate(size_t length);
void *unit_copy(const void *bytes, size_t length);

#endif
