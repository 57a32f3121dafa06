// SPDX-License-Identifier: MIT
/* The chips: ids and names of the format page, and the windows of the ESP32. */
#include "lifeboat/chip.h"

#include "tests/unit/support/unit.h"

static const struct {
  uint16_t id;
  const char *name;
} chips[] = {{0, "esp32"},    {2, "esp32s2"},  {5, "esp32c3"},  {9, "esp32s3"},
             {12, "esp32c2"}, {13, "esp32c6"}, {16, "esp32h2"}, {0xFFF0, "sifive_u"}};

#define CHIPS (sizeof(chips) / sizeof(chips[0]))

static void test_by_id_and_name(void **state)
{
  (void)state;
  for (size_t i = 0; i < CHIPS; i++) {
    const struct lb_chip *chip = lb_chip_by_id(chips[i].id);

    assert_non_null(chip);
    assert_int_equal(chip->id, chips[i].id);
    assert_string_equal(chip->name, chips[i].name);
    assert_ptr_equal(lb_chip_by_name(chips[i].name), chip);
  }
}

static void test_unknown(void **state)
{
  (void)state;
  assert_null(lb_chip_by_id(1));
  assert_null(lb_chip_by_id(0xFFFF));
  assert_null(lb_chip_by_name("esp8266"));
  assert_null(lb_chip_by_name(""));
  assert_null(lb_chip_by_name("esp3"));
  assert_null(lb_chip_by_name("esp32x"));
}

static void test_esp32_windows(void **state)
{
  const struct lb_chip *esp32 = lb_chip_by_name("esp32");

  (void)state;
  assert_false(lb_chip_maps(esp32, 0x3F3FFFFFU));
  assert_true(lb_chip_maps(esp32, 0x3F400000U));
  assert_true(lb_chip_maps_data(esp32, 0x3F400000U));
  assert_true(lb_chip_maps_data(esp32, 0x3F7FFFFFU));
  assert_false(lb_chip_maps(esp32, 0x3F800000U));
  assert_false(lb_chip_maps(esp32, 0x400CFFFFU));
  assert_true(lb_chip_maps(esp32, 0x400D0000U));
  assert_false(lb_chip_maps_data(esp32, 0x400D0000U));
  assert_true(lb_chip_maps(esp32, 0x403FFFFFU));
  assert_false(lb_chip_maps(esp32, 0x40400000U));
  assert_false(lb_chip_maps(esp32, 0));
  assert_false(lb_chip_maps(esp32, 0xFFFFFFFFU));
}

static void test_windows_are_pages(void **state)
{
  (void)state;
  for (size_t i = 0; i < CHIPS; i++) {
    const struct lb_chip *chip = lb_chip_by_id(chips[i].id);

    assert_true(chip->data.start <= chip->data.end && chip->code.start <= chip->code.end);
    assert_int_equal((chip->data.start | chip->data.end | chip->code.start | chip->code.end) % 0x10000, 0);
    if (chip->data.end > chip->data.start) {
      assert_true(lb_chip_maps_data(chip, chip->data.start) && lb_chip_maps(chip, chip->data.end - 1));
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_by_id_and_name),
      cmocka_unit_test(test_unknown),
      cmocka_unit_test(test_esp32_windows),
      cmocka_unit_test(test_windows_are_pages),
  };

  return cmocka_run_group_tests_name("chip", tests, NULL, NULL);
}
