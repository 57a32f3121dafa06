// SPDX-License-Identifier: MIT
/* What may not be written while a firmware is on trial, and what becomes of a trial that something is selected over. */
#include "lifeboat/boot.h"
#include "lifeboat/erase.h"
#include "lifeboat/select.h"
#include "lifeboat/target.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/unit.h"

#define STEPS 200

static void open_module(struct fixture *fixture)
{
  fixture_open_miniature(fixture, true, 3);
  fixture_put_made(fixture, "factory", 1, 1024);
  fixture_put_made(fixture, "ota_0", 2, 1024);
  fixture_put_made(fixture, "ota_1", 3, 1024);
  fixture_put_made(fixture, "ota_2", 4, 1024);
}

static void select_slot(struct fixture *fixture, const char *label, uint8_t attempts)
{
  const struct lb_trial_terms terms = {.attempts = attempts};
  struct lb_partition target = fixture_partition(fixture, label);
  struct lb_select select;
  int result = LB_MORE;

  assert_result(lb_select_start(&select, &fixture->device, &target, &terms), LB_OK);
  for (int steps = 0; steps < STEPS && result == LB_MORE; steps++) {
    result = lb_select_step(&select);
  }
  assert_result(result, LB_OK);
}

static void assert_boots(struct fixture *fixture, const char *label, bool on_trial)
{
  struct lb_boot_decision decision;

  assert_result(fixture_boot(fixture, &decision), LB_OK);
  assert_string_equal(decision.partition.label, label);
  assert_true(decision.on_trial == on_trial);
}

/* Runs ota_1 on trial; what it goes back to is ota_0. */
static void begin_trial(struct fixture *fixture)
{
  open_module(fixture);
  fixture_put_record(fixture, 0, 1, LB_OTADATA_VALID);
  select_slot(fixture, "ota_1", 3);
  assert_boots(fixture, "ota_1", true);
}

/* What starting an update of that slot, erasing it, and asking say. */
static void assert_may_be_written(struct fixture *fixture, const char *running, const char *label, int expected)
{
  struct lb_partition runs = fixture_partition(fixture, running);
  struct lb_partition slot = fixture_partition(fixture, label);
  struct lb_update_config config = fixture_config(fixture, running, label);
  struct lb_update update;
  struct lb_erase erase;

  flash_tap_clear(&fixture->tap);
  assert_result(lb_target_not_fallback(&fixture->device, &runs, &slot), expected);
  assert_result(lb_update_start(&update, &config), expected);
  assert_result(lb_erase_start(&erase, &fixture->device, &runs, &slot), expected);
  assert_int_equal(fixture->tap.count, 0);
}

static void test_fallback_is_kept(void **state)
{
  struct fixture fixture;
  struct lb_partition running;

  (void)state;
  begin_trial(&fixture);
  running = fixture_partition(&fixture, "ota_1");
  assert_may_be_written(&fixture, "ota_1", "ota_0", LB_ERR_TARGET_FALLBACK);
  assert_may_be_written(&fixture, "ota_1", "ota_2", LB_OK);
  assert_result(lb_trial_confirm(&fixture.device, &running), LB_OK);
  assert_may_be_written(&fixture, "ota_1", "ota_0", LB_OK);
  fixture_close(&fixture);
}

/* What runs is not what is on trial, and was never confirmed either: what was may not be lost to it. */
static void test_another_one_runs(void **state)
{
  struct fixture fixture;

  (void)state;
  begin_trial(&fixture);
  const struct lb_partition running = fixture_partition(&fixture, "ota_2");
  const struct lb_partition confirmed = fixture_partition(&fixture, "ota_0");
  assert_result(lb_target_not_fallback(&fixture.device, &running, &confirmed), LB_ERR_TARGET_FALLBACK);

  fixture_close(&fixture);
}

static void assert_on_trial(struct fixture *fixture, uint32_t count)
{
  struct lb_otadata otadata;
  uint32_t found = 0;

  assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
  for (int i = 0; i < (int)LB_OTADATA_RECORDS; i++) {
    found += lb_otadata_on_trial(&otadata, i) ? 1U : 0U;
  }
  assert_int_equal(found, count);
}

/* What was confirmed is selected again: the trial ends there and then, not only at the next boot. */
static void test_confirmed_is_selected_again(void **state)
{
  struct fixture fixture;

  (void)state;
  begin_trial(&fixture);
  assert_on_trial(&fixture, 1);
  select_slot(&fixture, "ota_0", 3);
  assert_on_trial(&fixture, 0);
  assert_string_equal(fixture_selected(&fixture), "ota_0");
  assert_boots(&fixture, "ota_0", false);
  fixture_close(&fixture);
}

/* Nothing is confirmed, and a trial is selected over another one: the first one is no way back from the second. */
static void test_trial_over_trial(void **state)
{
  struct fixture fixture;
  struct lb_partition running;

  (void)state;
  open_module(&fixture);
  select_slot(&fixture, "ota_0", 3);
  select_slot(&fixture, "ota_1", 3);
  assert_on_trial(&fixture, 1);
  assert_boots(&fixture, "ota_1", true);
  running = fixture_partition(&fixture, "ota_1");
  assert_result(lb_trial_reject(&fixture.device, &running, LB_TRIAL_OPERATOR), LB_OK);
  assert_boots(&fixture, "factory", false);
  fixture_close(&fixture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fallback_is_kept),
      cmocka_unit_test(test_another_one_runs),
      cmocka_unit_test(test_confirmed_is_selected_again),
      cmocka_unit_test(test_trial_over_trial),
  };

  return cmocka_run_group_tests_name("trial_rules", tests, NULL, NULL);
}
