// SPDX-License-Identifier: MIT
/*
 * Found by the explorer (tests/faults): the new image of an update was not on trial where otadata had a record without
 * a tag for its slot, as ESP-IDF's tools and an earlier Lifeboat leave them. That record counts as confirmed, but what
 * it says is about the image that was there before.
 */
#include "lifeboat/update.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/unit.h"

#define UNDEFINED 0xFFFFFFFFU

static void test_update_is_on_trial(void **state)
{
  struct fixture fixture;
  struct built_image image;
  struct lb_boot_decision decision;
  struct lb_update_config config;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  fixture_put_made(&fixture, "factory", 1, 4096);
  fixture_put_made(&fixture, "ota_0", 2, 4096);
  fixture_put_made(&fixture, "ota_1", 3, 4096);
  fixture_put_record(&fixture, 0, 3, UNDEFINED);
  fixture_put_record(&fixture, 1, 2, UNDEFINED);
  image_make(&image, 4, 5008, "3.3.009");
  config = fixture_config(&fixture, "ota_0", "ota_1");
  config.trial.attempts = 3;
  assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 512, NULL), LB_OK);
  assert_result(fixture_boot(&fixture, &decision), LB_OK);
  assert_string_equal(decision.partition.label, "ota_1");
  assert_true(decision.on_trial);
  assert_int_equal(decision.attempts, 3);
  image_free(&image);
  fixture_close(&fixture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_update_is_on_trial),
  };

  return cmocka_run_group_tests_name("an update over a slot with a record without a tag", tests, NULL, NULL);
}
