// SPDX-License-Identifier: MIT
/*
 * Found by review: firmware on trial could come to count as confirmed, and what a failed trial goes back to could be
 * written over while nothing else had proved itself.
 */
#include "lifeboat/erase.h"
#include "lifeboat/select.h"
#include "lifeboat/target.h"
#include "lifeboat/trial.h"
#include "tests/unit/support/trial_bytes.h"
#include "tests/unit/support/unit.h"

#define ATTEMPTS 3U
#define LENGTH   1536U
#define PIECE    100U

static void open_module(struct fixture *fixture, bool factory, uint32_t slots)
{
  static const char *const labels[] = {"ota_0", "ota_1", "ota_2"};

  fixture_open_miniature(fixture, factory, slots);
  if (factory) {
    fixture_put_made(fixture, "factory", 1, 1024);
  }
  for (uint32_t i = 0; i < slots; i++) {
    fixture_put_made(fixture, labels[i], 10 + i, 1024);
  }
}

/* As `ota boot` does; attempts 0: it counts at once. */
static bool choose(struct fixture *fixture, const char *label, uint8_t attempts)
{
  const struct lb_trial_terms terms = {.attempts = attempts};
  const struct lb_partition slot = fixture_partition(fixture, label);
  struct lb_select select;
  int result = LB_MORE;

  assert_result(lb_select_start(&select, &fixture->device, &slot, &terms), LB_OK);
  while (result == LB_MORE) {
    result = lb_select_step(&select);
  }
  assert_result(result, LB_OK);
  return select.on_trial;
}

static void flip_bit(struct fixture *fixture, const char *label)
{
  fixture_bytes(fixture)[fixture_partition(fixture, label).offset + 512] ^= 4;
}

/* An update to `target` while `running` runs, with a new image. */
static int flash(struct fixture *fixture, const char *running, const char *target)
{
  struct lb_update_config config = fixture_config(fixture, running, target);
  struct built_image image;

  config.trial.attempts = ATTEMPTS;
  image_make(&image, 99, LENGTH, "9.9");
  int result = fixture_update(fixture, &config, image.bytes, image.length, PIECE, NULL);
  image_free(&image);
  return result;
}

static struct lb_partition default_target(struct fixture *fixture, const char *running)
{
  const struct lb_partition from = fixture_partition(fixture, running);
  struct lb_target target;
  int result = LB_MORE;

  assert_result(lb_target_start(&target, &fixture->device, &from), LB_OK);
  while (result == LB_MORE) {
    result = lb_target_step(&target);
  }
  assert_result(result, LB_OK);
  return target.slot;
}

/* ota_0 was confirmed, ota_1 runs on trial; then `next` is chosen, and nothing is reset. */
static void open_between(struct fixture *fixture, uint32_t slots, const char *next)
{
  open_module(fixture, true, slots);
  choose(fixture, "ota_0", 0);
  trial_boots(fixture, LB_RESET_COMMANDED, "ota_0", false);
  assert_true(choose(fixture, "ota_1", ATTEMPTS));
  trial_boots(fixture, LB_RESET_COMMANDED, "ota_1", true);
  choose(fixture, next, ATTEMPTS);
}

static void assert_spared(struct fixture *fixture, const char *label, int erase_result)
{
  const struct lb_partition running = fixture_partition(fixture, "ota_1");
  const struct lb_partition slot = fixture_partition(fixture, label);
  uint8_t *before = fixture_snapshot(fixture);
  struct lb_erase erase;

  assert_result(flash(fixture, "ota_1", label), LB_ERR_TARGET_FALLBACK);
  assert_true(fixture_same(fixture, before, 0, fixture->flash.driver.size));
  assert_result(lb_erase_start(&erase, &fixture->device, &running, &slot), erase_result);
  assert_result(lb_erase_step(&erase), LB_OK);
  assert_true(fixture_same(fixture, before, 0, fixture->flash.driver.size));
  free(before);
}

static void test_trial_given_up_without_reset(void **state)
{
  struct fixture fixture;

  (void)state;
  open_between(&fixture, 2, "ota_0");
  const struct lb_partition target = default_target(&fixture, "ota_1");
  assert_string_equal(target.label, "ota_0");
  assert_spared(&fixture, "ota_0", LB_ERR_TARGET_SELECTED); /* which it is, and so it may not be erased */
  trial_boots(&fixture, LB_RESET_CRASH, "ota_0", false);
  fixture_close(&fixture);
}

static void test_another_trial_without_reset(void **state)
{
  struct fixture fixture;

  (void)state;
  open_between(&fixture, 3, "ota_2");
  assert_spared(&fixture, "ota_0", LB_ERR_TARGET_FALLBACK);
  trial_boots(&fixture, LB_RESET_COMMANDED, "ota_2", true);
  trial_boots(&fixture, LB_RESET_CRASH, "ota_2", true);
  trial_boots(&fixture, LB_RESET_CRASH, "ota_2", true);
  trial_boots(&fixture, LB_RESET_CRASH, "ota_0", false);
  fixture_close(&fixture);
}

/* The trial's slot breaks, factory runs, and what was confirmed is written over: the new image has its trial. */
static void test_update_over_confirmed_from_factory(void **state)
{
  struct fixture fixture;

  (void)state;
  open_module(&fixture, true, 2);
  choose(&fixture, "ota_0", 0);
  assert_true(choose(&fixture, "ota_1", ATTEMPTS));
  trial_boots(&fixture, LB_RESET_COMMANDED, "ota_1", true);
  flip_bit(&fixture, "ota_1");
  trial_boots(&fixture, LB_RESET_COMMANDED, "factory", false);
  assert_result(flash(&fixture, "factory", "ota_0"), LB_OK);
  trial_boots(&fixture, LB_RESET_COMMANDED, "ota_0", true);
  trial_boots(&fixture, LB_RESET_CRASH, "ota_0", true);
  trial_boots(&fixture, LB_RESET_CRASH, "ota_0", true);
  trial_boots(&fixture, LB_RESET_CRASH, "factory", false);
  trial_boots(&fixture, LB_RESET_CRASH, "factory", false);
  fixture_close(&fixture);
}

/* ota_0 comes first in the table and verifies, but nobody ever ran it. */
static void test_confirmed_before_first(void **state)
{
  struct fixture fixture;

  (void)state;
  open_module(&fixture, false, 3);
  choose(&fixture, "ota_1", 0);
  assert_true(choose(&fixture, "ota_2", ATTEMPTS));
  trial_boots(&fixture, LB_RESET_COMMANDED, "ota_2", true);
  flip_bit(&fixture, "ota_2");
  trial_boots(&fixture, LB_RESET_COMMANDED, "ota_1", false);
  fixture_close(&fixture);
}

/* A record of ESP-IDF's tools for ota_0, a later one for ota_1, which runs. */
static void open_untagged(struct fixture *fixture)
{
  open_module(fixture, true, 2);
  fixture_put_record(fixture, 0, 1, UNDEFINED);
  fixture_put_record(fixture, 1, 2, UNDEFINED);
  trial_boots(fixture, LB_RESET_POWER_ON, "ota_1", false);
}

static void assert_chosen_on_trial(struct fixture *fixture)
{
  assert_true(choose(fixture, "ota_0", ATTEMPTS));
  trial_boots(fixture, LB_RESET_COMMANDED, "ota_0", true);
  trial_boots(fixture, LB_RESET_CRASH, "ota_0", true);
  trial_boots(fixture, LB_RESET_CRASH, "ota_0", true);
  trial_boots(fixture, LB_RESET_CRASH, "ota_1", false);
  fixture_close(fixture);
}

/* A record that names no image is no proof of what an update wrote and was cut before it selected it. */
static void test_cut_before_selecting(void **state)
{
  struct fixture fixture;
  struct lb_update update;
  struct built_image image;
  int result = LB_OK;

  (void)state;
  open_untagged(&fixture);
  struct lb_update_config config = fixture_config(&fixture, "ota_1", "ota_0");
  config.trial.attempts = ATTEMPTS;
  image_make(&image, 99, LENGTH, "9.9");
  assert_result(lb_update_start(&update, &config), LB_OK);
  for (uint32_t at = 0; at < image.length;) {
    uint32_t used = 0;

    assert_result(lb_update_write(&update, image.bytes + at, image.length - at, &used), LB_OK);
    at += used;
  }
  while (!lb_update_is_verified(&update)) {
    result = lb_update_finish(&update);
    assert_result(result, LB_MORE);
  }
  assert_int_equal(lb_update_remains(&update), LB_REMAINS_WHOLE);
  image_free(&image);
  trial_boots(&fixture, LB_RESET_POWER_ON, "ota_1", false);
  assert_chosen_on_trial(&fixture);
}

/* The same of what a copy wrote, which never selects. */
static void test_copied_and_chosen(void **state)
{
  struct fixture fixture;
  struct built_image image;

  (void)state;
  open_untagged(&fixture);
  struct lb_update_config config = fixture_config(&fixture, "ota_1", "ota_0");
  config.only_write = true;
  image_make(&image, 99, LENGTH, "9.9");
  assert_result(fixture_update(&fixture, &config, image.bytes, image.length, PIECE, NULL), LB_OK);
  image_free(&image);
  trial_boots(&fixture, LB_RESET_POWER_ON, "ota_1", false);
  assert_chosen_on_trial(&fixture);
}

/* What failed its trial runs, since nothing else verifies: it may write over what broke, and proves nothing by it. */
static void test_last_resort(void **state)
{
  struct fixture fixture;
  struct lb_otadata otadata;

  (void)state;
  open_module(&fixture, false, 2);
  choose(&fixture, "ota_0", 0);
  assert_true(choose(&fixture, "ota_1", 1));
  trial_boots(&fixture, LB_RESET_COMMANDED, "ota_1", true);
  flip_bit(&fixture, "ota_0");
  trial_boots(&fixture, LB_RESET_CRASH, "ota_1", false);
  assert_result(flash(&fixture, "ota_1", "ota_0"), LB_OK);
  assert_result(lb_otadata_read(&otadata, &fixture.device), LB_OK);
  assert_int_equal(lb_otadata_confirmed(&otadata), LB_OTADATA_NONE);
  trial_boots(&fixture, LB_RESET_COMMANDED, "ota_0", true);
  trial_boots(&fixture, LB_RESET_CRASH, "ota_0", true);
  assert_result(lb_trial_confirm(&fixture.device, &(struct lb_partition){0}), LB_ERR_NOT_ON_TRIAL);
  const struct lb_partition running = fixture_partition(&fixture, "ota_0");
  assert_result(lb_trial_confirm(&fixture.device, &running), LB_OK);
  trial_boots(&fixture, LB_RESET_CRASH, "ota_0", false);
  fixture_close(&fixture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_trial_given_up_without_reset),
      cmocka_unit_test(test_another_trial_without_reset),
      cmocka_unit_test(test_update_over_confirmed_from_factory),
      cmocka_unit_test(test_confirmed_before_first),
      cmocka_unit_test(test_cut_before_selecting),
      cmocka_unit_test(test_copied_and_chosen),
      cmocka_unit_test(test_last_resort),
  };

  return cmocka_run_group_tests_name("what a failed trial goes back to stays", tests, NULL, NULL);
}
