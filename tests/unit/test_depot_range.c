// SPDX-License-Identifier: MIT
/* The depot's Range, ETag and date headers, value by value. */
#define _GNU_SOURCE /* st_mtim */
#include "tool/depot_range.h"

#include <time.h>

#include "tests/unit/support/unit.h"
#include "tool/depot_validator.h"

#define HUGE_NUMBER "184467440737095516160000000000"

struct range_case {
  const char *value;
  uint64_t size;
  enum depot_range_kind kind;
  uint64_t first;
  uint64_t length;
};

static const struct range_case range_cases[] = {
    {NULL, 100, DEPOT_RANGE_WHOLE, 0, 100},
    {"bytes=0-0", 100, DEPOT_RANGE_PART, 0, 1},
    {"bytes=0-99", 100, DEPOT_RANGE_PART, 0, 100},
    {"bytes=0-100", 100, DEPOT_RANGE_PART, 0, 100},
    {"bytes=99-99", 100, DEPOT_RANGE_PART, 99, 1},
    {"bytes=40-", 100, DEPOT_RANGE_PART, 40, 60},
    {"bytes=0-", 100, DEPOT_RANGE_PART, 0, 100},
    {"bytes=-1", 100, DEPOT_RANGE_PART, 99, 1},
    {"bytes=-100", 100, DEPOT_RANGE_PART, 0, 100},
    {"bytes=-101", 100, DEPOT_RANGE_PART, 0, 100},
    {"bytes=-" HUGE_NUMBER, 100, DEPOT_RANGE_PART, 0, 100},
    {"bytes=7-" HUGE_NUMBER, 100, DEPOT_RANGE_PART, 7, 93},
    {"bytes=7-18446744073709551615", 100, DEPOT_RANGE_PART, 7, 93},
    {"bytes=00007-0000000000000000000000000000008", 100, DEPOT_RANGE_PART, 7, 2},
    {"Bytes=1-2", 100, DEPOT_RANGE_PART, 1, 2},
    {"bytes= 1-2 \t", 100, DEPOT_RANGE_PART, 1, 2},
    {"bytes=100-", 100, DEPOT_RANGE_UNSATISFIABLE, 0, 100},
    {"bytes=100-200", 100, DEPOT_RANGE_UNSATISFIABLE, 0, 100},
    {"bytes=" HUGE_NUMBER "-", 100, DEPOT_RANGE_UNSATISFIABLE, 0, 100},
    {"bytes=18446744073709551615-18446744073709551615", 100, DEPOT_RANGE_UNSATISFIABLE, 0, 100},
    {"bytes=-0", 100, DEPOT_RANGE_UNSATISFIABLE, 0, 100},
    {"bytes=0-", 0, DEPOT_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=-5", 0, DEPOT_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=5-4", 100, DEPOT_RANGE_WHOLE, 0, 100},
    {"bytes=0-1,4-5", 100, DEPOT_RANGE_WHOLE, 0, 100},
    {"bytes=0-1,", 100, DEPOT_RANGE_WHOLE, 0, 100},
    {"bytes=-", 100, DEPOT_RANGE_WHOLE, 0, 100},
    {"bytes=", 100, DEPOT_RANGE_WHOLE, 0, 100},
    {"bytes=5", 100, DEPOT_RANGE_WHOLE, 0, 100},
    {"bytes=a-b", 100, DEPOT_RANGE_WHOLE, 0, 100},
    {"bytes=1 -2", 100, DEPOT_RANGE_WHOLE, 0, 100},
    {"bytes=1-2x", 100, DEPOT_RANGE_WHOLE, 0, 100},
    {"bytes=--1", 100, DEPOT_RANGE_WHOLE, 0, 100},
    {"bytes=+1-2", 100, DEPOT_RANGE_WHOLE, 0, 100},
    {"bytes=0x1-2", 100, DEPOT_RANGE_WHOLE, 0, 100},
    {"items=0-1", 100, DEPOT_RANGE_WHOLE, 0, 100},
    {"0-1", 100, DEPOT_RANGE_WHOLE, 0, 100},
    {"", 100, DEPOT_RANGE_WHOLE, 0, 100},
};

static void test_ranges(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof range_cases / sizeof range_cases[0]; i++) {
    const struct range_case *expected = &range_cases[i];
    struct depot_range range;
    enum depot_range_kind kind = depot_range_parse(expected->value, expected->size, &range);
    if (kind != expected->kind || range.first != expected->first || range.length != expected->length) {
      fail_here("\"%s\" of %llu: kind %d, first %llu, length %llu", expected->value ? expected->value : "(absent)",
                (unsigned long long)expected->size, (int)kind, (unsigned long long)range.first,
                (unsigned long long)range.length);
    }
  }
}

/* Whatever is asked for, a part lies within the file and is not empty. */
static void test_ranges_stay_inside(void **state)
{
  static const char letters[] = "0123456789--,= xbytes";
  struct unit_random random;
  (void)state;
  unit_random_seed(&random, "ranges_stay_inside", 7);
  for (unsigned turn = 0; turn < 200000; turn++) {
    char value[32] = "bytes=";
    uint32_t length = unit_random_below(&random, 24);
    uint64_t size = unit_random_below(&random, 3) == 0 ? unit_random_below(&random, 4) : unit_random_next(&random);
    struct depot_range range;
    for (uint32_t i = 0; i < length; i++) {
      value[6 + i] = letters[unit_random_below(&random, (uint32_t)sizeof letters - 1)];
    }
    enum depot_range_kind kind = depot_range_parse(value, size, &range);
    bool inside = range.first <= size && range.length <= size - range.first;
    if (!inside || (kind == DEPOT_RANGE_PART && range.length == 0)) {
      fail_here("\"%s\" of %llu", value, (unsigned long long)size);
    }
  }
}

static struct stat stat_of(ino_t inode, off_t size, time_t second, long nanosecond)
{
  struct stat file;
  memset(&file, 0, sizeof file);
  file.st_ino = inode;
  file.st_size = size;
  file.st_mtim.tv_sec = second;
  file.st_mtim.tv_nsec = nanosecond;
  return file;
}

static void test_dates(void **state)
{
  static const struct {
    time_t second;
    const char *text;
  } cases[] = {
      {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
      {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"}, /* RFC 9110's example */
      {951782399, "Mon, 28 Feb 2000 23:59:59 GMT"},
      {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
      {4102444799, "Thu, 31 Dec 2099 23:59:59 GMT"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct stat file = stat_of(1, 1, cases[i].second, 5);
    struct depot_validator validator;
    depot_validator_of(&validator, &file);
    assert_string_equal(validator.modified, cases[i].text);
  }
}

static void test_etags_differ(void **state)
{
  const struct stat files[] = {stat_of(1, 1, 1, 1), stat_of(2, 1, 1, 1), stat_of(1, 2, 1, 1), stat_of(1, 1, 2, 1),
                               stat_of(1, 1, 1, 2)};
  struct depot_validator validators[5];
  (void)state;
  for (size_t i = 0; i < 5; i++) {
    depot_validator_of(&validators[i], &files[i]);
    size_t length = strlen(validators[i].etag);
    assert_true(length > 2 && validators[i].etag[0] == '"' && validators[i].etag[length - 1] == '"');
    for (size_t j = 0; j < i; j++) {
      assert_string_not_equal(validators[i].etag, validators[j].etag);
    }
  }
}

static const struct depot_validator known = {.etag = "\"abc\"", .modified = "Sun, 06 Nov 1994 08:49:37 GMT"};

static void test_not_modified(void **state)
{
  static const struct {
    const char *none_match;
    const char *since;
    bool expected;
  } cases[] = {
      {NULL, NULL, false},
      {"\"abc\"", NULL, true},
      {"W/\"abc\"", NULL, true},
      {"*", NULL, true},
      {" *", NULL, true},
      {"\"x\", \"abc\"", NULL, true},
      {"\"x\",W/\"y,\" ,\"abc\"", NULL, true},
      {"\"abc\", \"x\"", NULL, true},
      {"\"ab\"", NULL, false},
      {"\"abcd\"", NULL, false},
      {"\"x,\\\"abc\\\"\"", NULL, false},
      {"abc", NULL, false},
      {"\"abc", NULL, false},
      {"w/\"abc\"", NULL, false},
      {"", NULL, false},
      {",", NULL, false},
      {NULL, "Sun, 06 Nov 1994 08:49:37 GMT", true},
      {NULL, "Sun, 06 Nov 1994 08:49:38 GMT", false}, /* a tag may go back to an older release */
      {NULL, "Sun, 06 Nov 1994 08:49:36 GMT", false},
      {NULL, "", false},
      {"\"x\"", "Sun, 06 Nov 1994 08:49:37 GMT", false}, /* If-None-Match alone counts */
      {"\"abc\"", "Sun, 06 Nov 1994 08:49:36 GMT", true},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (depot_validator_not_modified(&known, cases[i].none_match, cases[i].since) != cases[i].expected) {
      fail_here("If-None-Match: %s, If-Modified-Since: %s", cases[i].none_match, cases[i].since);
    }
  }
}

static void test_if_range(void **state)
{
  (void)state;
  assert_true(depot_validator_allows_range(&known, NULL));
  assert_true(depot_validator_allows_range(&known, "\"abc\""));
  assert_true(depot_validator_allows_range(&known, "Sun, 06 Nov 1994 08:49:37 GMT"));
  assert_false(depot_validator_allows_range(&known, "W/\"abc\""));
  assert_false(depot_validator_allows_range(&known, "\"abd\""));
  assert_false(depot_validator_allows_range(&known, "*"));
  assert_false(depot_validator_allows_range(&known, ""));
  assert_false(depot_validator_allows_range(&known, "Sun, 06 Nov 1994 08:49:38 GMT"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ranges),       cmocka_unit_test(test_ranges_stay_inside), cmocka_unit_test(test_dates),
      cmocka_unit_test(test_etags_differ), cmocka_unit_test(test_not_modified),       cmocka_unit_test(test_if_range),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
