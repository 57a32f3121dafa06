// SPDX-License-Identifier: MIT
/* Moments in words, compared with the C library's. */
#include "module/date.h"

#include <time.h>

#include "tests/unit/support/unit.h"

static void assert_date(int64_t seconds, const char *expected)
{
  char text[DATE_SIZE];

  date_utc(seconds, text);
  if (strcmp(text, expected) != 0) {
    fail_here("%lld is '%s' instead of '%s'", (long long)seconds, text, expected);
  }
}

static void test_known(void **state)
{
  (void)state;
  assert_date(0, "unknown time");
  assert_date(-1, "unknown time");
  assert_date(INT64_MIN, "unknown time");
  assert_date(INT64_MAX, "unknown time");
  assert_date(1, "1970-01-01 00:00:01 UTC");
  assert_date(951782400, "2000-02-29 00:00:00 UTC");
  assert_date(1795372200, "2026-11-22 18:30:00 UTC");
  assert_date(4107542399, "2100-02-28 23:59:59 UTC");
  assert_date(4107542400, "2100-03-01 00:00:00 UTC");
  assert_date(253402300799, "9999-12-31 23:59:59 UTC");
  assert_date(253402300800, "unknown time");
}

/* Every day of 8030 years, at another time of each. */
static void test_each_day(void **state)
{
  char expected[64];

  (void)state;
  for (int64_t day = 0; day < 2932896; day++) {
    const time_t seconds = (time_t)(day * 86400 + 1 + day * 7919 % 86399);
    struct tm parts;

    assert_non_null(gmtime_r(&seconds, &parts));
    assert_true(strftime(expected, sizeof(expected), "%Y-%m-%d %H:%M:%S UTC", &parts) > 0);
    assert_date(seconds, expected);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known),
      cmocka_unit_test(test_each_day),
  };

  return cmocka_run_group_tests_name("date", tests, NULL, NULL);
}
