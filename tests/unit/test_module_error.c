// SPDX-License-Identifier: MIT
/* Every error that the module or its ports can tell has words of its own: a cause, a remedy, an ESP-IDF name and
 * number. */
#include "module/port.h"
#include "module/port_error.h"
#include "tests/unit/support/unit.h"

/* The ranges in which module/port.h numbers its errors; what is between them is not used. */
static const struct {
  int first;
  int last;
} ranges[] = {
    {PORT_ERR_FILE_NOT_FOUND, PORT_ERR_FILE_BUSY},
    {PORT_ERR_LINK_DOWN, PORT_ERR_NO_TLS},
    {MODULE_ERR_LINE_TOO_LONG, MODULE_ERR_PATCH},
};

static void assert_words(const char *text)
{
  assert_non_null(text);
  assert_true(strlen(text) > 3);
  assert_true(text[strlen(text) - 1] != '.');
}

static void test_every_error_has_words(void **state)
{
  unsigned described = 0;

  (void)state;
  for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
    for (int code = ranges[i].first; code >= ranges[i].last; code--) {
      const struct lb_error_info *info = module_error_info(code);

      assert_int_equal(info->code, code);
      assert_true(strncmp(info->name, i < 2 ? "PORT_ERR_" : "MODULE_ERR_", i < 2 ? 9 : 11) == 0);
      assert_words(info->cause);
      assert_words(info->remedy);
      assert_true(strncmp(info->esp_name, "ESP_", 4) == 0);
      assert_int_not_equal(info->esp_code, 0);
      described++;
    }
  }
  assert_int_equal(described, module_error_count());
}

/* No two errors say the same, nor does one of the module say what one of the library says. */
static void test_no_two_say_the_same(void **state)
{
  (void)state;
  for (unsigned i = 0; i < module_error_count(); i++) {
    const struct lb_error_info *one = module_error_at(i);

    for (unsigned j = 0; j < i; j++) {
      assert_string_not_equal(one->cause, module_error_at(j)->cause);
      assert_string_not_equal(one->name, module_error_at(j)->name);
    }
    for (unsigned j = 0; j < lb_error_count(); j++) {
      assert_string_not_equal(one->cause, lb_error_at(j)->cause);
      assert_int_not_equal(one->code, lb_error_at(j)->code);
    }
  }
}

static void test_the_library_is_behind_it(void **state)
{
  (void)state;
  assert_ptr_equal(module_error_info(LB_ERR_IMAGE_CHIP), lb_error_info(LB_ERR_IMAGE_CHIP));
  assert_ptr_equal(module_error_info(-9999), lb_error_info(-9999));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_error_has_words),
      cmocka_unit_test(test_no_two_say_the_same),
      cmocka_unit_test(test_the_library_is_behind_it),
  };

  return cmocka_run_group_tests_name("module_error", tests, NULL, NULL);
}
