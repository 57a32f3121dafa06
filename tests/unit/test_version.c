// SPDX-License-Identifier: MIT
/* What is a version of firmware, and which of two is newer: real ones, odd ones, and that the order is one. */
#include "module/version.h"

#include "tests/unit/support/unit.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const char *order_name(enum version_order order)
{
  switch (order) {
  case VERSION_OLDER:
    return "older";
  case VERSION_SAME:
    return "same";
  case VERSION_NEWER:
    return "newer";
  case VERSION_UNRELATED:
    break;
  }
  return "unrelated";
}

static void assert_order(const char *a, const char *b, enum version_order expected)
{
  enum version_order found = version_compare(a, b);

  if (found != expected) {
    fail_here("\"%s\" seen from \"%s\" is %s, not %s", a, b, order_name(found), order_name(expected));
  }
}

/* ---- what is a version ---- */

static void test_valid(void **state)
{
  static const char *const valid[] = {
      "3",
      "3.1.003",
      "3.1.003-2-g7ea18b4-dirty",
      "3.1.003-2-g7ea18b4-dirty/factory/main",
      "3.3.003-585-g440dc7de-dirty",
      "3.3.006-rc1",
      "3.3.006-beta2",
      "3.3.006_eap+17",
      "00000000000000000000000000000000000000000000000000000000000000",
      "123456789012345678901234567890123456789012345678901234567890123", /* 63 */
  };

  (void)state;
  for (size_t i = 0; i < LENGTH(valid); i++) {
    if (!version_is_valid(valid[i])) {
      fail_here("\"%s\" is a version", valid[i]);
    }
    assert_order(valid[i], valid[i], VERSION_SAME);
  }
}

static void test_invalid(void **state)
{
  static const char *const invalid[] = {
      "",
      " ",
      "v3.1.003",
      ".3",
      "-3",
      "/3.1.003",
      "unknown",
      " 3.1.003",
      "3.1.003 ",
      "3.1 003",
      "3.1.003\n",
      "3.1.003\r",
      "3.1.003\tx",
      "3.1.003\x1b[2J",
      "3.1.003\x7f",
      "3.1.003\xc3\xa9",
      "3.1.003#",
      "3.1.003~1",
      "3.1.003:1",
      "3.1,003",
      "<!DOCTYPE html>",
      "<html><body>9.9.999</body></html>",
      "404 Not Found",
      "3.1.003<br>",
      "{\"version\":\"3.1.003\"}",
      "1234567890123456789012345678901234567890123456789012345678901234", /* 64 */
      "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
  };

  (void)state;
  for (size_t i = 0; i < LENGTH(invalid); i++) {
    if (version_is_valid(invalid[i])) {
      fail_here("\"%s\" is no version", invalid[i]);
    }
    assert_order(invalid[i], "3.1.003", VERSION_UNRELATED);
    assert_order("3.1.003", invalid[i], VERSION_UNRELATED);
    assert_order(invalid[i], invalid[i], VERSION_UNRELATED);
  }
}

/* Each byte in the middle and as the first: only letters, digits and five marks are taken, and only digits begin. */
static void test_every_byte(void **state)
{
  (void)state;
  for (unsigned byte = 1; byte < 256; byte++) {
    const char inside[] = {'3', (char)byte, '1', '\0'};
    const char first[] = {(char)byte, '1', '\0'};
    bool digit = byte >= '0' && byte <= '9';
    bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    bool mark = strchr("._+-/", (int)byte) != NULL;

    if (version_is_valid(inside) != (digit || letter || mark) || version_is_valid(first) != digit) {
      fail_here("the byte 0x%02x", byte);
    }
  }
}

/* No byte behind the 64th is looked at: an answer of a server is not trusted to end. */
static void test_length_is_bounded(void **state)
{
  char *text = unit_allocate(64);

  (void)state;
  memset(text, '7', 64); /* without a NUL: the sanitizer sees what is read behind it */
  assert_false(version_is_valid(text));
  assert_order(text, "7", VERSION_UNRELATED);
  text[63] = '\0';
  assert_true(version_is_valid(text));
  free(text);
}

/* ---- which of two ---- */

static const struct {
  const char *a;
  const char *b;
  enum version_order order; /* what a is, seen from b */
} pairs[] = {
    /* releases */
    {"3.1.003", "3.1.003", VERSION_SAME},
    {"3.1.004", "3.1.003", VERSION_NEWER},
    {"3.1.010", "3.1.009", VERSION_NEWER},
    {"3.2.001", "3.1.017", VERSION_NEWER},
    {"3.3.003", "3.3.002", VERSION_NEWER},
    {"10.0.0", "9.9.999", VERSION_NEWER},
    {"3.1", "3.1.003", VERSION_OLDER},
    {"3", "3.0", VERSION_OLDER},
    {"3.1.003", "3.1.003.1", VERSION_OLDER},
    /* leading zeros mean nothing */
    {"3.1.003", "3.1.3", VERSION_SAME},
    {"03.01.0003", "3.1.3", VERSION_SAME},
    {"3.1.000", "3.1.0", VERSION_SAME},
    {"3.1.0", "3.1.00000000000", VERSION_SAME},
    {"3.1.010", "3.1.1", VERSION_NEWER},
    {"3.1.009", "3.1.10", VERSION_OLDER},
    {"3.1.003-rc01", "3.1.3-rc1", VERSION_SAME},
    /* numbers that no machine holds */
    {"3.4294967296", "3.4294967295", VERSION_NEWER},
    {"3.18446744073709551616", "3.18446744073709551615", VERSION_NEWER},
    {"3.18446744073709551616", "3.0", VERSION_NEWER},
    {"1.99999999999999999999999999999999999999", "1.100000000000000000000000000000000000000", VERSION_OLDER},
    {"00000000000000000000000000000000000000000000000000000000000001", "2", VERSION_OLDER},
    {"20180407", "20180406", VERSION_NEWER},
    /* what prepares a release comes before it */
    {"3.3.006-rc1", "3.3.006", VERSION_OLDER},
    {"3.3.006-rc1", "3.3.005", VERSION_NEWER},
    {"3.3.006-rc1", "3.3.005-900-gabcdef01", VERSION_NEWER},
    {"3.3.006-rc2", "3.3.006-rc1", VERSION_NEWER},
    {"3.3.006-rc10", "3.3.006-rc9", VERSION_NEWER},
    {"3.3.006-beta2", "3.3.006-rc1", VERSION_OLDER},
    {"3.3.006-alpha1", "3.3.006-beta1", VERSION_OLDER},
    {"3.3.006-beta2", "3.3.006", VERSION_OLDER},
    {"3.3.006-beta", "3.3.006-beta2", VERSION_OLDER},
    {"3.3.006rc1", "3.3.006", VERSION_OLDER},
    {"3.3.006-rc1-5-g01234567", "3.3.006-rc1", VERSION_NEWER},
    {"3.3.006-rc1-5-g01234567", "3.3.006-rc2", VERSION_OLDER},
    {"3.3.006-rc1-5-g01234567", "3.3.006", VERSION_OLDER},
    /* commits behind a release come after it */
    {"3.3.003-585-g440dc7de-dirty", "3.3.003", VERSION_NEWER},
    {"3.3.003-600-g3a1e5c77", "3.3.003-585-g440dc7de-dirty", VERSION_NEWER},
    {"3.3.003-601-g95901879", "3.3.003-600-g3a1e5c77", VERSION_NEWER},
    {"3.3.003-1000-g00000000", "3.3.003-999-gffffffff", VERSION_NEWER},
    {"3.3.003-658-gffffffff", "3.3.004", VERSION_OLDER},
    {"3.3.006-172-gabcdef0", "3.3.006", VERSION_NEWER},
    {"3.3.006-172-gabcdef0", "3.3.007", VERSION_OLDER},
    {"3.1.003-2-g7ea18b4", "3.1.003-2-gffffff0", VERSION_SAME}, /* hashes have no order */
    {"3.1.003-2-g7ea18b4", "3.1.003-2", VERSION_SAME},
    {"3.1.003-2-g7ea18b4", "3.1.003-3", VERSION_OLDER},
    /* built from changed sources, or where it runs: not compared */
    {"3.1.003-2-g7ea18b4-dirty", "3.1.003-2-g7ea18b4", VERSION_SAME},
    {"3.1.003-dirty", "3.1.003", VERSION_SAME},
    {"3.1.003-dirty", "3.1.003-rc1", VERSION_NEWER},
    {"3.1.003-dirty", "3.1.003-1-g0123456", VERSION_OLDER},
    {"3.1.003/factory/main", "3.1.003", VERSION_SAME},
    {"3.1.003/factory/main", "3.1.003/ota_1/edge", VERSION_SAME},
    {"3.1.003-dirty/factory/main", "3.1.003", VERSION_SAME},
    {"3.3.003-585-g440dc7de-dirty/ota_0/main", "3.3.003-585-g440dc7de", VERSION_SAME},
    {"3.3.003-585-g440dc7de-dirty/ota_0/main", "3.3.003-586-g440dc7de/factory/main", VERSION_OLDER},
    {"3.1.003/9", "3.1.003/8", VERSION_SAME},
    {"3.1.003/", "3.1.003", VERSION_SAME},
    {"3.1.004/factory/main", "3.1.003", VERSION_NEWER},
    /* other marks */
    {"3.1.003+5", "3.1.003", VERSION_NEWER},
    {"3.1.003_5", "3.1.003", VERSION_NEWER},
    {"3.1.003-eap", "3.1.003", VERSION_OLDER},
    {"3.1.003.eap", "3.1.003", VERSION_OLDER},
};

static void test_pairs(void **state)
{
  (void)state;
  for (size_t i = 0; i < LENGTH(pairs); i++) {
    assert_order(pairs[i].a, pairs[i].b, pairs[i].order);
    assert_order(pairs[i].b, pairs[i].a, (enum version_order)(-(int)pairs[i].order));
  }
}

/* ---- that it is an order ---- */

static const char *const versions[] = {
    "3",
    "3.0",
    "3.1",
    "3.1.0",
    "3.1.001",
    "3.1.1",
    "3.1.002",
    "3.1.003",
    "3.1.003-dirty",
    "3.1.003/factory/main",
    "3.1.003-2-g7ea18b4",
    "3.1.003-2-g7ea18b4-dirty",
    "3.1.003-2-g7ea18b4-dirty/factory/main",
    "3.1.003-2-gabcdef0",
    "3.1.003-2",
    "3.1.003-12-g0",
    "3.1.003-rc1",
    "3.1.003-rc1-dirty",
    "3.1.003-rc01",
    "3.1.003-rc2",
    "3.1.003-rc10",
    "3.1.003-rc",
    "3.1.003rc1",
    "3.1.003.rc1",
    "3.1.003_rc1",
    "3.1.003+rc1",
    "3.1.003-rc1-5-g0123456",
    "3.1.003-rc1.5",
    "3.1.003-beta",
    "3.1.003-beta2",
    "3.1.003-alpha",
    "3.1.003.1",
    "3.1.003_1",
    "3.1.003+1",
    "3.1.003-1",
    "3.1.003-1.5",
    "3.1.003-",
    "3.1.003.",
    "3.1.003-.",
    "3.1.003--",
    "3.1.003a",
    "3.1.003b/x",
    "3.1.010",
    "3.1.4294967296",
    "3.1.18446744073709551617",
    "3.2.000",
    "3.2.0",
    "3.2.016-68-g8e10c6b7",
    "3.3.003",
    "3.3.003-585-g440dc7de-dirty",
    "3.3.003-600-g3a1e5c77",
    "3.3.003-601-g95901879",
    "3.3.003-658-g0a1b2c3d",
    "3.3.004",
    "3.3.006-172-gabc",
    "3.3.006-rc1",
    "3.3.006",
    "03.3.006",
    "10",
    "3-dirty",
};

static bool is_order(enum version_order order)
{
  return order == VERSION_OLDER || order == VERSION_SAME || order == VERSION_NEWER;
}

/* Of any three: if a comes before b or is the same, and b before c or the same, then so it is with a and c. */
static void assert_total_order(const char *const *list, size_t count)
{
  static enum version_order found[LENGTH(versions) * LENGTH(versions)];

  assert_true(count <= LENGTH(versions));
  for (size_t a = 0; a < count; a++) {
    for (size_t b = 0; b < count; b++) {
      found[a * count + b] = version_compare(list[a], list[b]);
      assert_true(is_order(found[a * count + b]));
    }
  }
  for (size_t a = 0; a < count; a++) {
    assert_order(list[a], list[a], VERSION_SAME);
    for (size_t b = 0; b < count; b++) {
      enum version_order ab = found[a * count + b];

      assert_order(list[b], list[a], (enum version_order)(-(int)ab));
      for (size_t c = 0; c < count; c++) {
        enum version_order bc = found[b * count + c];
        enum version_order ac = found[a * count + c];
        bool follows = ab <= VERSION_SAME && bc <= VERSION_SAME;
        enum version_order expected = ab == VERSION_SAME && bc == VERSION_SAME ? VERSION_SAME : VERSION_OLDER;

        if (follows && ac != expected) {
          fail_here("\"%s\" is %s than \"%s\", that one %s than \"%s\", but the first is %s than the last", list[a],
                    order_name(ab), list[b], order_name(bc), list[c], order_name(ac));
        }
      }
    }
  }
}

static void test_order_of_sixty(void **state)
{
  (void)state;
  assert_int_equal(LENGTH(versions), 60);
  assert_total_order(versions, LENGTH(versions));
}

/* A commit without a count is the release, so a candidate for the release comes before both. */
static void test_hash_without_count(void **state)
{
  static const char *const list[] = {"3.3.006",    "3.3.006-g9590187", "3.3.006-rc1", "3.3.006-beta2",
                                     "3.3.006-g1", "3.3.006-1-g95901", "3.3.006.1",   "3.3.005-g9590187"};

  (void)state;
  assert_total_order(list, LENGTH(list));
}

/* A word is no hash because it begins with g: git's are hexadecimal. This one prepares 3.1.003 as -beta does. */
static void test_word_that_is_no_hash(void **state)
{
  (void)state;
  assert_order("3.1.003-gamma1", "3.1.003", VERSION_OLDER);
  assert_order("3.1.003-gamma1", "3.1.003-gamma2", VERSION_OLDER);
}

/* Any versions at all, out of the pieces that versions are made of. */
static void test_order_of_random_ones(void **state)
{
  static const char *const pieces[] = {"0", "1", "01", "10", ".", "-", "_", "+", "-rc", "-g0", "-dirty", "/", "a", "b"};
  enum { COUNT = 40, ROUNDS = 30, PIECES = 6, SIZE = 64 };
  static char texts[COUNT][SIZE];
  const char *list[COUNT];
  struct unit_random random;

  (void)state;
  unit_random_seed(&random, "versions", 0x5EED);
  for (unsigned round = 0; round < ROUNDS; round++) {
    for (unsigned i = 0; i < COUNT; i++) {
      strcpy(texts[i], "3");
      for (uint32_t left = unit_random_below(&random, PIECES); left > 0; left--) {
        strcat(texts[i], pieces[unit_random_below(&random, (uint32_t)LENGTH(pieces))]);
      }
      list[i] = texts[i];
    }
    assert_total_order(list, COUNT);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_valid),
      cmocka_unit_test(test_invalid),
      cmocka_unit_test(test_every_byte),
      cmocka_unit_test(test_length_is_bounded),
      cmocka_unit_test(test_pairs),
      cmocka_unit_test(test_order_of_sixty),
      cmocka_unit_test(test_hash_without_count),
      cmocka_unit_test(test_word_that_is_no_hash),
      cmocka_unit_test(test_order_of_random_ones),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
