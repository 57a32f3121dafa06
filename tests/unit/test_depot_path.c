// SPDX-License-Identifier: MIT
/* What the depot makes of the path of a URL, and which names and texts it takes. */
#include "tool/depot_path.h"

#include "tests/unit/support/unit.h"
#include "tool/depot_listen.h"
#include "tool/depot_name.h"

static void test_paths(void **state)
{
  static const struct {
    const char *url;
    enum depot_path_result result;
    const char *path;
  } cases[] = {
      {"/firmware/ota/v3.1/main/ovms3.bin", DEPOT_PATH_OK, "v3.1/main/ovms3.bin"},
      {"/v3.1/main/ovms3.bin", DEPOT_PATH_OK, "v3.1/main/ovms3.bin"},
      {"//firmware//ota///v3.1/main//ovms3.bin", DEPOT_PATH_OK, "v3.1/main/ovms3.bin"},
      {"/%66irmware/ota/v3%2E1/main/ovms3%2ebin", DEPOT_PATH_OK, "v3.1/main/ovms3.bin"},
      {"/v3.1/a%20b?query=/../..", DEPOT_PATH_OK, "v3.1/a b"},
      {"/v3.1/%C3%A9", DEPOT_PATH_OK, "v3.1/\xC3\xA9"},
      {"/v3.1/a%252e", DEPOT_PATH_OK, "v3.1/a%2e"}, /* unescaped once, not twice */
      {"http://host:80/firmware/ota/v3.1/x", DEPOT_PATH_OK, "v3.1/x"},
      {"/firmware/otax/x", DEPOT_PATH_OK, "firmware/otax/x"},
      {"/firmware/ota", DEPOT_PATH_OK, "firmware/ota"},
      {"/firmware/ota/", DEPOT_PATH_HIDDEN, NULL},
      {"/", DEPOT_PATH_HIDDEN, NULL},
      {"http://host", DEPOT_PATH_MALFORMED, NULL},
      {"", DEPOT_PATH_MALFORMED, NULL},
      {"*", DEPOT_PATH_MALFORMED, NULL},
      {"v3.1/x", DEPOT_PATH_MALFORMED, NULL},
      {"/v3.1/x/", DEPOT_PATH_HIDDEN, NULL},
      {"/..", DEPOT_PATH_HIDDEN, NULL},
      {"/v3.1/../x", DEPOT_PATH_HIDDEN, NULL},
      {"/./x", DEPOT_PATH_HIDDEN, NULL},
      {"/v3.1/.lock", DEPOT_PATH_HIDDEN, NULL},
      {"/%2e%2e/x", DEPOT_PATH_HIDDEN, NULL},
      {"/%2E./x", DEPOT_PATH_HIDDEN, NULL},
      {"/firmware/ota/%2elock", DEPOT_PATH_HIDDEN, NULL},
      {"/v3.1%2fmain", DEPOT_PATH_MALFORMED, NULL},
      {"/v3.1%2Fmain", DEPOT_PATH_MALFORMED, NULL},
      {"/v3.1/x%00.bin", DEPOT_PATH_MALFORMED, NULL},
      {"/v3.1/x%0a", DEPOT_PATH_MALFORMED, NULL},
      {"/v3.1/x%7f", DEPOT_PATH_MALFORMED, NULL},
      {"/v3.1/x%", DEPOT_PATH_MALFORMED, NULL},
      {"/v3.1/x%4", DEPOT_PATH_MALFORMED, NULL},
      {"/v3.1/x%4g", DEPOT_PATH_MALFORMED, NULL},
      {"/v3.1/x%-1", DEPOT_PATH_MALFORMED, NULL},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char path[DEPOT_PATH_SIZE] = "";
    enum depot_path_result result = depot_path_from_url(cases[i].url, "firmware/ota", path);
    if (result != cases[i].result || (cases[i].path && strcmp(path, cases[i].path) != 0)) {
      fail_here("%s: result %d, path %s", cases[i].url, (int)result, path);
    }
  }
}

static void test_path_lengths(void **state)
{
  char url[DEPOT_PATH_SIZE + 8];
  char path[DEPOT_PATH_SIZE];
  (void)state;
  for (size_t length = DEPOT_PATH_SIZE - 8; length < DEPOT_PATH_SIZE + 4; length++) {
    memset(url, 'a', sizeof url);
    url[0] = '/';
    url[length + 1] = '\0';
    enum depot_path_result expected = length < DEPOT_PATH_SIZE ? DEPOT_PATH_OK : DEPOT_PATH_HIDDEN;
    assert_int_equal(depot_path_from_url(url, "", path), expected);
    assert_true(expected != DEPOT_PATH_OK || strlen(path) == length);
  }
}

static void test_prefixes(void **state)
{
  static const char *const bad[] = {"", "firmware", "/a b", "/a//b", "/../x", "/a/.b", "/a?b", "/a%20"};
  char prefix[DEPOT_PATH_SIZE];
  (void)state;
  assert_true(depot_path_prefix("/firmware/ota", prefix));
  assert_string_equal(prefix, "firmware/ota");
  assert_true(depot_path_prefix("/firmware/ota/", prefix));
  assert_string_equal(prefix, "firmware/ota");
  assert_true(depot_path_prefix("/", prefix));
  assert_string_equal(prefix, "");
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    if (depot_path_prefix(bad[i], prefix)) {
      fail_here("%s was taken", bad[i]);
    }
  }
}

static void test_labels(void **state)
{
  char longest[DEPOT_LABEL_MAX + 2];
  static const char *const bad[] = {"", ".", "..", ".x", "a/b", "a b", "releases", "\xC3\xA9", "a\n", "a%", "a\\b"};
  (void)state;
  memset(longest, 'a', sizeof longest);
  longest[DEPOT_LABEL_MAX] = '\0';
  assert_true(depot_name_label("--tag", "v3.1"));
  assert_true(depot_name_label("--tag", "main"));
  assert_true(depot_name_label("--tag", "Edge_2-x."));
  assert_true(depot_name_label("--tag", longest));
  longest[DEPOT_LABEL_MAX] = 'a';
  longest[DEPOT_LABEL_MAX + 1] = '\0';
  assert_false(depot_name_label("--tag", longest));
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    if (depot_name_label("--tag", bad[i])) {
      fail_here("%s was taken", bad[i]);
    }
  }
}

static void test_versions(void **state)
{
  static const char *const bad[] = {"", ".", "..", ".1", "a/b", "a b", "a?b", "a\tb", "\x7F", " 1", "1 "};
  (void)state;
  assert_true(depot_name_version("x.bin", "3.1.003-2-g7ea18b4-dirty"));
  assert_true(depot_name_version("x.bin", "v1+2~3"));
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    if (depot_name_version("x.bin", bad[i])) {
      fail_here("%s was taken", bad[i]);
    }
  }
}

static bool is_text(const char *bytes, size_t length)
{
  uint8_t *copy = unit_copy(bytes, length); /* of exactly that size: AddressSanitizer sees a byte too many */
  bool result = depot_name_is_text(copy, (uint32_t)length);
  free(copy);
  return result;
}

static void test_texts(void **state)
{
  static const char *const good[] = {"a\r\n\t\x7F",  "\xC2\x80",         "\xDF\xBF",
                                     "\xE0\xA0\x80", "\xED\x9F\xBF",     "\xEE\x80\x80",
                                     "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"};
  static const char *const bad[] = {"\x80",
                                    "\xBF",
                                    "\xC0\x80",
                                    "\xC1\xBF",
                                    "\xC2",
                                    "\xC2\x7F",
                                    "\xC2\xC0",
                                    "\xE0\x9F\xBF",
                                    "\xE2\x82",
                                    "\xE2\x82\x28",
                                    "\xED\xA0\x80",
                                    "\xF0\x8F\xBF\xBF",
                                    "\xF0\x9F\x98",
                                    "\xF0\x9F\x98\x28",
                                    "\xF4\x90\x80\x80",
                                    "\xF5\x80\x80\x80",
                                    "\xFF"};
  (void)state;
  assert_true(depot_name_is_text((const uint8_t *)"", 0));
  assert_false(is_text("a\0b", 3));
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    if (!is_text(good[i], strlen(good[i]))) {
      fail_here("good text %zu was refused", i);
    }
  }
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    if (is_text(bad[i], strlen(bad[i]))) {
      fail_here("bad text %zu was taken", i);
    }
  }
}

static void test_listen(void **state)
{
  static const char *const bad[] = {"",
                                    ":",
                                    "8070",
                                    ":8070",
                                    "127.0.0.1",
                                    "127.0.0.1:",
                                    "127.0.0.1:65536",
                                    "::1:80",
                                    "127.0.0.1:80x",
                                    "127.0.0.1:-1",
                                    "127.0.0.1:123456",
                                    "[::1]",
                                    "[::1]80",
                                    "[]:80",
                                    "[::1:80",
                                    "127.0.0.1:99999999999999999999"};
  struct depot_listen listen;
  (void)state;
  assert_true(depot_listen_parse("127.0.0.1:8070", &listen));
  assert_string_equal(listen.address, "127.0.0.1");
  assert_string_equal(listen.port, "8070");
  assert_true(depot_listen_parse("[::1]:0", &listen));
  assert_string_equal(listen.address, "::1");
  assert_string_equal(listen.port, "0");
  assert_true(depot_listen_parse("localhost:65535", &listen));
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    if (depot_listen_parse(bad[i], &listen)) {
      fail_here("%s was taken", bad[i]);
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_paths),  cmocka_unit_test(test_path_lengths), cmocka_unit_test(test_prefixes),
      cmocka_unit_test(test_labels), cmocka_unit_test(test_versions),     cmocka_unit_test(test_texts),
      cmocka_unit_test(test_listen),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
