// SPDX-License-Identifier: MIT
/* What an update took and cost, in words. */
#include "module/history_text.h"

#include "tests/unit/support/unit.h"

static void check(uint32_t size, uint32_t transferred, const char *patch_base, const char *expected)
{
  struct lb_history_entry entry = {.size = size, .transferred = transferred};
  char text[HISTORY_TRANSFER_SIZE];

  (void)snprintf(entry.patch_base, sizeof(entry.patch_base), "%s", patch_base);
  memset(text, '#', sizeof(text));
  history_transfer_text(&entry, text);
  assert_string_equal(text, expected);
}

static void test_without_a_patch(void **state)
{
  (void)state;
  check(3670032, 0, "", "3670032 bytes"); /* not known: by older firmware */
  check(3670032, 3670032, "", "3670032 bytes");
  check(3670032, 5744, "", "3670032 bytes"); /* not all of it came */
  check(3670032, 3670033, "", "3670032 bytes, 3670033 transferred");
  check(0, 0, "", "0 bytes");
}

static void test_patch(void **state)
{
  (void)state;
  check(3670032, 562, "ota_0", "patch from ota_0, 562 bytes instead of 3670032");
  check(3670032, 562, "factory", "patch from factory, 562 bytes instead of 3670032");
  check(3670032, 2021303, "-", "compressed image, 2021303 bytes instead of 3670032");
  check(3670032, 3670033, "ota_0", "patch from ota_0, 3670033 bytes instead of 3670032");
  check(3670032, 0, "ota_0", "patch from ota_0 instead of 3670032 bytes");
  check(3670032, 0, "-", "compressed image instead of 3670032 bytes");
}

/* The longest there can be: nothing is cut off. */
static void test_room(void **state)
{
  (void)state;
  check(UINT32_MAX, UINT32_MAX, "sixteen-letters-",
        "patch from sixteen-letters-, 4294967295 bytes instead of 4294967295");
  check(UINT32_MAX - 1, UINT32_MAX, "", "4294967294 bytes, 4294967295 transferred");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_without_a_patch),
      cmocka_unit_test(test_patch),
      cmocka_unit_test(test_room),
  };

  return cmocka_run_group_tests_name("history_text", tests, NULL, NULL);
}
