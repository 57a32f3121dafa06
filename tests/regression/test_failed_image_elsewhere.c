// SPDX-License-Identifier: MIT
/*
 * Found by fuzz_otadata: an image that had failed its trial was passed over at boot wherever it lay. So a failed trial
 * of a copy of the confirmed firmware did not go back to it, and an image that had failed and was selected again by
 * somebody who insisted did not boot. What a record selects boots; only defaults are passed over.
 */
#include "lifeboat/boot.h"
#include "lifeboat/select.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/unit.h"

#define STEPS 100

static void open_module(struct fixture *fixture)
{
  fixture_open_miniature(fixture, true, 2);
  fixture_put_made(fixture, "factory", 1, 1024);
  fixture_put_made(fixture, "ota_0", 2, 1024);
  fixture_put_made(fixture, "ota_1", 2, 1024);
}

static void select_on_trial(struct fixture *fixture, const char *label)
{
  const struct lb_trial_terms terms = {.attempts = 3};
  struct lb_partition target = fixture_partition(fixture, label);
  struct lb_select select;
  int result = LB_MORE;

  assert_result(lb_select_start(&select, &fixture->device, &target, &terms), LB_OK);
  for (int steps = 0; steps < STEPS && result == LB_MORE; steps++) {
    result = lb_select_step(&select);
  }
  assert_result(result, LB_OK);
  assert_true(select.on_trial);
}

static void assert_boots(struct fixture *fixture, const char *label, bool on_trial)
{
  struct lb_boot_decision decision;

  assert_result(fixture_boot(fixture, &decision), LB_OK);
  assert_string_equal(decision.partition.label, label);
  assert_true(decision.on_trial == on_trial);
}

static void reject(struct fixture *fixture, const char *label)
{
  struct lb_partition running = fixture_partition(fixture, label);

  assert_result(lb_trial_reject(&fixture->device, &running, LB_TRIAL_OPERATOR), LB_OK);
}

static void test_copy_of_confirmed(void **state)
{
  struct fixture fixture;

  (void)state;
  open_module(&fixture);
  fixture_put_record(&fixture, 0, 1, LB_OTADATA_VALID);
  select_on_trial(&fixture, "ota_1");
  assert_boots(&fixture, "ota_1", true);
  reject(&fixture, "ota_1");
  assert_boots(&fixture, "ota_0", false);
  assert_boots(&fixture, "ota_0", false);
  fixture_close(&fixture);
}

static void test_selected_again(void **state)
{
  struct fixture fixture;

  (void)state;
  open_module(&fixture);
  select_on_trial(&fixture, "ota_0");
  assert_boots(&fixture, "ota_0", true);
  reject(&fixture, "ota_0");
  assert_boots(&fixture, "factory", false);
  select_on_trial(&fixture, "ota_0");
  assert_boots(&fixture, "ota_0", true);
  fixture_close(&fixture);
}

/* Nothing is selected any more, and the default is what failed: the other slot has another image, and boots. */
static void test_default_is_passed_over(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_miniature(&fixture, false, 2);
  fixture_put_made(&fixture, "ota_0", 2, 1024);
  fixture_put_made(&fixture, "ota_1", 3, 1024);
  fixture_put_record(&fixture, 0, 2, LB_OTADATA_VALID);
  select_on_trial(&fixture, "ota_0");
  assert_boots(&fixture, "ota_0", true);
  reject(&fixture, "ota_0");
  assert_boots(&fixture, "ota_1", false);
  fixture_blank_record(&fixture, 0);
  assert_boots(&fixture, "ota_1", false);
  fixture_close(&fixture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_copy_of_confirmed),
      cmocka_unit_test(test_selected_again),
      cmocka_unit_test(test_default_is_passed_over),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
