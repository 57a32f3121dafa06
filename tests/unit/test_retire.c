// SPDX-License-Identifier: MIT
/* An update of the slot that otadata selects: before it is touched, the selection moves to what runs, as what that is.
 */
#include "tests/unit/support/client.h"
#include "tests/unit/support/trial_bytes.h"
#include "tests/unit/support/unit.h"

#define LENGTH 6400U
#define TARGET 0x30000U /* ota_1 */

/* Flashes ota_1; with `limit` only that much. */
static int flash(struct fixture *fixture, const char *running, uint32_t limit, struct client *client)
{
  struct lb_update_config config = client_config(fixture, running, "ota_1", LENGTH);
  struct built_image image;

  config.trial.attempts = 3;
  image_make(&image, 9, LENGTH, "9");
  int result = client_update(fixture, client, &config, image.bytes, LENGTH, limit);
  if (result == LB_OK) {
    assert_memory_equal(fixture_bytes(fixture) + TARGET, image.bytes, LENGTH);
    assert_string_equal(fixture_selected(fixture), "ota_1");
    assert_true(client->update.select.on_trial);
  }
  image_free(&image);
  return result;
}

/* It never booted: its trial is given up, and what was confirmed stays as it is. */
static void test_target_on_trial(void **state)
{
  struct trial_module module;
  struct client client;
  uint8_t record[OTADATA_HALF];

  (void)state;
  trial_open(&module, true);
  trial_put(&module.fixture, 0, 1, KIND_TRIAL, 3, module.digest[OTA_0]);
  trial_put_mark(&module.fixture, 0, AT_CONFIRMED);
  trial_put(&module.fixture, 1, 2, KIND_TRIAL, 3, module.digest[OTA_1]);
  memcpy(record, trial_half(&module.fixture, 0), OTADATA_HALF);
  assert_string_equal(fixture_selected(&module.fixture), "ota_1");
  assert_result(flash(&module.fixture, "ota_0", 300, &client), LB_MORE);
  assert_string_equal(fixture_selected(&module.fixture), "ota_0");
  assert_memory_equal(trial_half(&module.fixture, 0), record, OTADATA_HALF);
  assert_result(flash(&module.fixture, "ota_0", LENGTH, &client), LB_OK);
  assert_memory_equal(trial_half(&module.fixture, 0), record, OTADATA_HALF);
  trial_close(&module);
}

/* The same, and nothing was ever confirmed: factory runs. */
static void test_target_on_trial_factory_runs(void **state)
{
  struct trial_module module;
  struct client client;

  (void)state;
  trial_open(&module, true);
  trial_put(&module.fixture, 1, 2, KIND_TRIAL, 3, module.digest[OTA_1]);
  assert_result(flash(&module.fixture, "factory", 300, &client), LB_MORE);
  assert_string_equal(fixture_selected(&module.fixture), "factory");
  assert_result(flash(&module.fixture, "factory", LENGTH, &client), LB_OK);
  trial_close(&module);
}

/* It is confirmed: the running slot is selected, with the digest of what it holds, and not on trial. */
static void test_target_confirmed(void **state)
{
  struct trial_module module;
  struct client client;
  struct trial_tag tag;

  (void)state;
  trial_open(&module, true);
  trial_put(&module.fixture, 0, 1, KIND_AT_ONCE, 0, module.digest[OTA_0]);
  trial_put(&module.fixture, 1, 2, KIND_AT_ONCE, 0, module.digest[OTA_1]);
  flash_tap_clear(&module.fixture.tap);
  assert_result(flash(&module.fixture, "ota_0", 300, &client), LB_MORE);
  assert_string_equal(fixture_selected(&module.fixture), "ota_0");
  assert_true(trial_tag_decode(trial_half(&module.fixture, 0), &tag));
  assert_int_equal(tag.kind, KIND_AT_ONCE);
  assert_memory_equal(tag.digest, module.digest[OTA_0], sizeof(tag.digest));
  bool in_target = false;
  for (uint32_t i = 0; i < module.fixture.tap.count; i++) { /* all that before the target is touched */
    in_target = in_target || module.fixture.tap.log[i].address >= TARGET;
    assert_int_equal(in_target, module.fixture.tap.log[i].address >= TARGET);
  }
  assert_result(flash(&module.fixture, "ota_0", LENGTH, &client), LB_OK);
  trial_close(&module);
}

static void test_target_confirmed_factory_runs(void **state)
{
  struct trial_module module;
  struct client client;

  (void)state;
  trial_open(&module, true);
  fixture_put_record(&module.fixture, 0, 1, UNDEFINED);
  fixture_put_record(&module.fixture, 1, 2, UNDEFINED);
  assert_result(flash(&module.fixture, "factory", 300, &client), LB_MORE);
  assert_string_equal(fixture_selected(&module.fixture), "factory");
  assert_result(flash(&module.fixture, "factory", LENGTH, &client), LB_OK);
  trial_close(&module);
}

/* On trial over a record of the same slot whose image is gone: both go, and nothing that runs is made confirmed. */
static void test_target_on_trial_and_confirmed(void **state)
{
  struct trial_module module;
  struct client client;

  (void)state;
  trial_open(&module, true);
  trial_put(&module.fixture, 0, 2, KIND_AT_ONCE, 0, module.digest[FACTORY]);
  trial_put(&module.fixture, 1, 4, KIND_TRIAL, 3, module.digest[OTA_1]);
  assert_string_equal(fixture_selected(&module.fixture), "ota_1");
  assert_result(flash(&module.fixture, "ota_0", 300, &client), LB_MORE);
  assert_string_equal(fixture_selected(&module.fixture), "factory");
  assert_result(flash(&module.fixture, "ota_0", LENGTH, &client), LB_OK);
  trial_close(&module);
}

/* What runs does not verify any more: it must not be what boots next, so nothing is touched. */
static void test_running_is_damaged(void **state)
{
  struct trial_module module;
  struct client client;

  (void)state;
  trial_open(&module, true);
  fixture_put_record(&module.fixture, 0, 1, UNDEFINED);
  fixture_put_record(&module.fixture, 1, 2, UNDEFINED);
  fixture_bytes(&module.fixture)[0x20000 + 1000] ^= 1;
  flash_tap_clear(&module.fixture.tap);
  assert_result(flash(&module.fixture, "ota_0", LENGTH, &client), LB_ERR_NOT_BOOTABLE);
  assert_int_equal(module.fixture.tap.count, 0);
  assert_int_equal(lb_update_remains(&client.update), LB_REMAINS_AS_BEFORE);
  assert_string_equal(fixture_selected(&module.fixture), "ota_1");
  trial_close(&module);
}

/* The target is what the running firmware's trial goes back to. */
static void test_fallback(void **state)
{
  struct trial_module module;
  struct client client;

  (void)state;
  trial_open(&module, true);
  trial_put(&module.fixture, 0, 2, KIND_AT_ONCE, 0, module.digest[OTA_1]);
  trial_put(&module.fixture, 1, 3, KIND_TRIAL, 3, module.digest[OTA_0]);
  flash_tap_clear(&module.fixture.tap);
  assert_result(flash(&module.fixture, "ota_0", LENGTH, &client), LB_ERR_TARGET_FALLBACK);
  assert_int_equal(module.fixture.tap.count, 0);
  trial_put_mark(&module.fixture, 1, AT_CONFIRMED);
  assert_result(flash(&module.fixture, "ota_0", LENGTH, &client), LB_OK);
  trial_close(&module);
}

/* The flash fails at each of its calls in turn: the error comes out, and the target is only touched once it may be. */
static void test_driver_failures(void **state)
{
  static const int errors[] = {LB_ERR_FLASH_READ, LB_ERR_FLASH_PROGRAM, LB_ERR_FLASH_ERASE};
  struct trial_module module;
  struct client client;

  (void)state;
  trial_open(&module, true);
  trial_put(&module.fixture, 0, 1, KIND_AT_ONCE, 0, NULL);
  trial_put(&module.fixture, 1, 2, KIND_AT_ONCE, 0, module.digest[OTA_1]);
  uint8_t *before = fixture_snapshot(&module.fixture);
  for (size_t i = 0; i < 3; i++) {
    for (uint32_t at = 0;; at++) {
      int result;

      fixture_restore(&module.fixture, before);
      flash_tap_clear(&module.fixture.tap);
      module.fixture.tap.fail_read_at = i == 0 ? at : TAP_NEVER;
      module.fixture.tap.fail_program_at = i == 1 ? at : TAP_NEVER;
      module.fixture.tap.fail_erase_at = i == 2 ? at : TAP_NEVER;
      result = flash(&module.fixture, "ota_0", 300, &client);
      flash_tap_clear(&module.fixture.tap);
      if (result == LB_MORE) {
        assert_true(at > (i == 2 ? 0U : 2U));
        break;
      }
      assert_result(result, errors[i]);
      assert_memory_equal(fixture_bytes(&module.fixture) + TARGET, before + TARGET, 0x3E00);
    }
  }
  free(before);
  trial_close(&module);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_target_on_trial),
      cmocka_unit_test(test_target_on_trial_factory_runs),
      cmocka_unit_test(test_target_confirmed),
      cmocka_unit_test(test_target_confirmed_factory_runs),
      cmocka_unit_test(test_target_on_trial_and_confirmed),
      cmocka_unit_test(test_running_is_damaged),
      cmocka_unit_test(test_fallback),
      cmocka_unit_test(test_driver_failures),
  };

  return cmocka_run_group_tests_name("retire", tests, NULL, NULL);
}
