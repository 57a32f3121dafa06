// SPDX-License-Identifier: MIT
/* Content-Length, Content-Range and ETag as they may come, and what is made of them. */
#include "ports/http/headers.h"

#include "module/source.h"

#include "tests/unit/support/unit.h"

static void test_lengths(void **state)
{
  static const struct {
    const char *text;
    bool good;
    uint64_t length;
  } cases[] = {
      {"0", true, 0},
      {"5", true, 5},
      {"007", true, 7},
      {"9223372036854775807", true, INT64_MAX},
      {"9223372036854775808", false, 0},
      {"99999999999999999999999", false, 0},
      {"", false, 0},
      {"-1", false, 0},
      {"+1", false, 0},
      {" 1", false, 0},
      {"1 ", false, 0},
      {"1,1", false, 0},
      {"0x10", false, 0},
      {"1.0", false, 0},
  };

  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint64_t length = 77;
    const bool good = http_header_length(cases[i].text, &length);

    if (good != cases[i].good || length != (good ? cases[i].length : 77)) {
      fail_here("\"%s\": %d, %llu", cases[i].text, good, (unsigned long long)length);
    }
  }
}

static void test_ranges(void **state)
{
  static const struct {
    const char *text;
    uint64_t first, last, total;
  } good[] = {
      {"bytes 0-0/1", 0, 0, 1},
      {"bytes 65536-71679/71680", 65536, 71679, 71680},
      {"Bytes 1-2/4", 1, 2, 4},
      {"bytes 0-9223372036854775806/9223372036854775807", 0, INT64_MAX - 1, INT64_MAX},
  };
  static const char *const bad[] = {
      "",
      "bytes",
      "bytes ",
      "bytes=0-1/2",
      "bytes 0-1",
      "bytes 0-1/",
      "bytes 0-1/*",
      "bytes */2",
      "bytes 0-/2",
      "bytes -1/2",
      "bytes 1-0/2",
      "bytes 0-2/2",
      "bytes 2-3/2",
      "bytes  0-1/2",
      "bytes 0 - 1/2",
      "bytes 0-1/2 ",
      "bytes 0-1/2, bytes 0-1/2",
      "bytes 0-1,1-1/2",
      "items 0-1/2",
      "byte 0-1/2",
      "bytess 0-1/2",
      "bytes 0-99999999999999999999/99999999999999999999",
      "bytes 18446744073709551616-1/2",
      "bytes 0x0-0x1/0x2",
  };

  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    struct http_range range;

    if (!http_header_range(good[i].text, &range) || range.first != good[i].first || range.last != good[i].last ||
        range.total != good[i].total) {
      fail_here("\"%s\"", good[i].text);
    }
  }
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct http_range range = {.first = 7, .last = 8, .total = 9};

    if (http_header_range(bad[i], &range) || range.first != 7 || range.last != 8 || range.total != 9) {
      fail_here("\"%s\"", bad[i]);
    }
  }
}

static void test_tags(void **state)
{
  static const struct {
    const char *text;
    bool strong, weak;
  } cases[] = {
      {"\"a\"", true, false},
      {"\"5f3-1a2b\"", true, false},
      {"\"!#~\\\"", true, false},
      {"W/\"a\"", false, true},
      {"W/", false, true},
      {"w/\"a\"", false, false}, /* the W is a capital one: this is nothing */
      {"\"\"", false, false},
      {"\"", false, false},
      {"", false, false},
      {"a", false, false},
      {"\"a", false, false},
      {"a\"", false, false},
      {"\"a\"b\"", false, false},
      {"\"a\", \"b\"", false, false},
      {"\"a b\"", false, false},
      {"\"a\tb\"", false, false},
      {"\"a\r\nX: y\"", false, false},
      {"\"\x7F\"", false, false},
      {"\"\xC3\xA4\"", false, false},
  };

  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char validator[PORT_VALIDATOR_SIZE] = "before";
    bool weak = !cases[i].weak;

    http_header_etag(cases[i].text, validator, &weak);
    if (strcmp(validator, cases[i].strong ? cases[i].text : "") != 0 || weak != cases[i].weak ||
        source_is_strong_tag(cases[i].text) != cases[i].strong) {
      fail_here("%s: %s, %d", cases[i].text, validator, weak);
    }
  }
}

static void test_long_tags(void **state)
{
  char text[PORT_VALIDATOR_SIZE + 1];
  char validator[PORT_VALIDATOR_SIZE];
  bool weak = true;

  (void)state;
  for (size_t length = PORT_VALIDATOR_SIZE - 1; length <= PORT_VALIDATOR_SIZE; length++) {
    const bool fits = length == PORT_VALIDATOR_SIZE - 1;

    memset(text, 'x', length);
    text[0] = text[length - 1] = '"';
    text[length] = '\0';
    http_header_etag(text, validator, &weak);
    assert_string_equal(validator, fits ? text : "");
    assert_false(weak);
    assert_int_equal(source_is_strong_tag(text), fits);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lengths),
      cmocka_unit_test(test_ranges),
      cmocka_unit_test(test_tags),
      cmocka_unit_test(test_long_tags),
  };

  return cmocka_run_group_tests_name("http_headers", tests, NULL, NULL);
}
