// SPDX-License-Identifier: MIT
/*
 * Found by the kill campaign: cut when an update's image was whole, but not selected yet, a module running factory
 * chose the other slot for the repeated update and transferred all of it again. It has to go on where it was.
 *
 * Found by the explorer of cuts: an update by patch was cut like that, and once more just after its journal was made
 * void for the next try; then only the patch that waits in the slot's tail tells where it was.
 */
#include "lifeboat/journal.h"
#include "lifeboat/stage.h"
#include "lifeboat/target.h"
#include "lifeboat/trial.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/unit.h"

#define STEPS 1000

static const char *choose(struct fixture *fixture)
{
  static struct lb_target target;
  struct lb_partition running = fixture_partition(fixture, "factory");
  int result = LB_MORE;

  assert_result(lb_target_start(&target, &fixture->device, &running), LB_OK);
  for (int steps = 0; steps < STEPS && result == LB_MORE; steps++) {
    result = lb_target_step(&target);
  }
  assert_result(result, LB_OK);
  return target.slot.label;
}

static void open_journal(struct fixture *fixture, const char *label, struct lb_journal *journal)
{
  static const uint8_t head[LB_IMAGE_HEADER_SIZE] = {0xE9, 1};
  const struct lb_partition slot = fixture_partition(fixture, label);
  const struct lb_journal_subject subject = {
      .source = "host/a.bin", .validator = "\"1\"", .size = 5008, .compare_end = slot.offset + slot.size, .head = head};
  int result = LB_MORE;

  memset(journal, 0, sizeof(*journal));
  for (int steps = 0; steps < STEPS && result == LB_MORE; steps++) {
    result = lb_journal_create(journal, &fixture->tap.flash, &slot, &subject);
  }
  assert_result(result, LB_OK);
}

static void test_whole_but_interrupted(void **state)
{
  struct fixture fixture;
  struct lb_journal journal;

  (void)state;
  fixture_open_miniature(&fixture, true, 3);
  fixture_put_made(&fixture, "factory", 1, 5008);
  fixture_put_made(&fixture, "ota_0", 2, 5008);
  fixture_put_made(&fixture, "ota_1", 3, 5008);
  assert_string_equal(choose(&fixture), "ota_2"); /* it is blank */
  open_journal(&fixture, "ota_1", &journal);
  assert_string_equal(choose(&fixture), "ota_1");
  assert_result(lb_journal_close(&journal), LB_OK);
  assert_string_equal(choose(&fixture), "ota_2");
  fixture_close(&fixture);
}

static void stage_patch(struct fixture *fixture, const char *label)
{
  const struct lb_partition slot = fixture_partition(fixture, label);
  const struct lb_stage_subject subject = {
      .source = "host/a.patch", .validator = "\"1\"", .size = 700, .image_size = 5008};
  struct lb_stage stage;
  int result = LB_MORE;

  assert_result(lb_stage_start(&stage, &fixture->tap.flash, &slot, &subject), LB_OK);
  for (int steps = 0; steps < STEPS && result == LB_MORE; steps++) {
    result = lb_stage_create(&stage, &subject);
  }
  assert_result(result, LB_OK);
}

static void test_whole_and_a_patch_waits(void **state)
{
  struct fixture fixture;
  bool discarded;

  (void)state;
  fixture_open_miniature(&fixture, true, 3);
  fixture_put_made(&fixture, "factory", 1, 5008);
  fixture_put_made(&fixture, "ota_0", 2, 5008);
  fixture_put_made(&fixture, "ota_1", 3, 5008);
  stage_patch(&fixture, "ota_1");
  assert_string_equal(choose(&fixture), "ota_1");
  const struct lb_partition slot = fixture_partition(&fixture, "ota_1");
  assert_result(lb_stage_discard(&fixture.tap.flash, &slot, &discarded), LB_OK);
  assert_string_equal(choose(&fixture), "ota_2");
  fixture_close(&fixture);
}

/* Only its journal was not closed: what was selected since is not gone on with, however its trial ended. */
static void test_selected_since(void **state)
{
  const uint8_t digest[LB_SHA256_SIZE] = {1};
  const struct lb_selection selection = {.slot = 1, .digest = digest, .attempts = 3};

  (void)state;
  for (int rejected = 0; rejected < 2; rejected++) {
    struct fixture fixture;
    struct lb_journal journal;
    struct lb_otadata otadata;
    int result = LB_MORE;

    fixture_open_miniature(&fixture, true, 3);
    fixture_put_made(&fixture, "factory", 1, 5008);
    fixture_put_made(&fixture, "ota_0", 2, 5008);
    fixture_put_made(&fixture, "ota_1", 3, 5008);
    open_journal(&fixture, "ota_1", &journal);
    assert_result(lb_otadata_read(&otadata, &fixture.device), LB_OK);
    for (int steps = 0; steps < STEPS && result == LB_MORE; steps++) {
      result = lb_otadata_select_slot(&otadata, &fixture.device, &selection);
    }
    assert_result(result, LB_OK);
    if (rejected) {
      const struct lb_partition slot = fixture_partition(&fixture, "ota_1");

      assert_result(lb_trial_reject(&fixture.device, &slot, LB_TRIAL_OPERATOR), LB_OK);
    }
    assert_string_equal(choose(&fixture), "ota_2");
    fixture_close(&fixture);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_whole_but_interrupted),
                                     cmocka_unit_test(test_whole_and_a_patch_waits),
                                     cmocka_unit_test(test_selected_since)};

  return cmocka_run_group_tests(tests, NULL, NULL);
}
