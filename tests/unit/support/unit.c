// SPDX-License-Identifier: MIT
#include "tests/unit/support/unit.h"

const char *unit_result_name(int result)
{
  if (result == LB_OK) {
    return "LB_OK";
  }
  if (result == LB_MORE) {
    return "LB_MORE";
  }
  return lb_error_info(result)->name;
}

void unit_assert_result(int actual, int expected, const char *what, const char *file, int line)
{
  if (actual == expected) {
    return;
  }
  print_error("%s\n  is %s (%d), not %s (%d)\n", what, unit_result_name(actual), actual, unit_result_name(expected),
              expected);
  _fail(file, line);
}

void unit_random_seed(struct unit_random *random, const char *test, uint64_t fallback)
{
  const char *wanted = getenv("LIFEBOAT_SEED");

  random->state = wanted && *wanted ? strtoull(wanted, NULL, 0) : fallback;
  print_message("%s: LIFEBOAT_SEED=0x%llx\n", test, (unsigned long long)random->state);
}

uint32_t unit_random_next(struct unit_random *random)
{
  uint64_t mixed = random->state += 0x9E3779B97F4A7C15U;

  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
  return (uint32_t)((mixed ^ (mixed >> 31)) >> 16);
}

uint32_t unit_random_below(struct unit_random *random, uint32_t bound)
{
  assert_true(bound > 0);
  return unit_random_next(random) % bound;
}

void unit_random_fill(struct unit_random *random, void *bytes, size_t length)
{
  uint8_t *to = bytes;
  uint32_t word = 0;

  for (size_t i = 0; i < length; i++) {
    if (i % 4 == 0) {
      word = unit_random_next(random);
    }
    to[i] = (uint8_t)(word >> (8 * (i % 4)));
  }
}

void *unit_allocate(size_t length)
{
  void *memory = calloc(1, length ? length : 1);

  assert_non_null(memory);
  return memory;
}

void *unit_copy(const void *bytes, size_t length)
{
  void *copy = unit_allocate(length);

  memcpy(copy, bytes, length);
  return copy;
}
