// SPDX-License-Identifier: MIT
/* CRC-32: known values, and the same whatever the pieces. */
#include "lifeboat/crc32.h"

#include "tests/unit/support/unit.h"

static void test_known_values(void **state)
{
  (void)state;
  assert_int_equal(lb_crc32(0, "123456789", 9), 0xCBF43926U);
  assert_int_equal(lb_crc32(0, "", 0), 0);
  assert_int_equal(lb_crc32(0x12345678U, "", 0), 0x12345678U);
  assert_int_equal(lb_crc32(0, "a", 1), 0xE8B7BE43U);
  assert_int_equal(lb_crc32(0, "\0\0\0\0", 4), 0x2144DF1CU);
}

static void test_otadata_sequences(void **state)
{
  static const uint32_t expected[] = {0x4743989AU, 0x55F63774U, 0xED4A5011U, 0x709D68A8U};

  (void)state;
  for (uint8_t sequence = 1; sequence <= 4; sequence++) {
    const uint8_t bytes[4] = {sequence, 0, 0, 0};

    assert_int_equal(lb_crc32(0xFFFFFFFFU, bytes, 4), expected[sequence - 1]);
  }
}

/* The definition, a bit at a time, in its own words. */
static uint32_t crc_by_bits(uint32_t crc, const uint8_t *bytes, uint32_t length)
{
  crc = ~crc;
  for (uint32_t i = 0; i < length; i++) {
    for (unsigned bit = 0; bit < 8; bit++) {
      uint32_t feed = (crc ^ (uint32_t)(bytes[i] >> bit)) & 1;

      crc = (crc >> 1) ^ (feed ? 0xEDB88320U : 0);
    }
  }
  return ~crc;
}

static void test_random_pieces(void **state)
{
  struct unit_random random;
  uint8_t bytes[600];

  (void)state;
  unit_random_seed(&random, "crc32", 32);
  for (int turn = 0; turn < 300; turn++) {
    uint32_t length = unit_random_below(&random, sizeof(bytes));
    uint32_t cut = unit_random_below(&random, length + 1);
    uint32_t begin = unit_random_next(&random);

    unit_random_fill(&random, bytes, sizeof(bytes));
    assert_int_equal(lb_crc32(begin, bytes, length), crc_by_bits(begin, bytes, length));
    assert_int_equal(lb_crc32(lb_crc32(begin, bytes, cut), bytes + cut, length - cut), lb_crc32(begin, bytes, length));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known_values),
      cmocka_unit_test(test_otadata_sequences),
      cmocka_unit_test(test_random_pieces),
  };

  return cmocka_run_group_tests_name("crc32", tests, NULL, NULL);
}
