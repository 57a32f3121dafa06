// SPDX-License-Identifier: MIT
/*
 * Found in review: cut between selecting a slot and closing its journal, the slot boots with an open journal, and
 * `ota status` called an update that was done interrupted for ever after. And an update that was cut before its first
 * block was done was not shown at all.
 */
#include "lifeboat/journal.h"
#include "tests/unit/support/unit.h"
#include "tests/unit/support/world.h"

#define SIZE  8192U
#define OTA_0 0x410000U
#define OTA_1 0x810000U

static void leave_journal(struct world *world, bool done)
{
  static const uint8_t head[LB_IMAGE_HEADER_SIZE] = {LB_IMAGE_MAGIC, 1};
  struct lb_journal journal = {.phase = 0};
  const struct lb_partition slot = {.offset = OTA_0, .size = 0x400000, .subtype = 0x10, .label = "ota_0"};
  const struct lb_journal_subject subject = {
      .source = "host/a.bin", .validator = "\"1\"", .size = SIZE, .compare_end = OTA_0, .head = head};
  int result = LB_MORE;

  while (result == LB_MORE) {
    result = lb_journal_create(&journal, &world->flash.driver, &slot, &subject);
  }
  assert_result(result, LB_OK);
  assert_result(lb_journal_begin_block(&journal, 0), LB_OK);
  if (done) {
    assert_result(lb_journal_finish_block(&journal, 0, 0x12345678), LB_OK);
  }
}

static void test_what_runs_is_not_interrupted(void **state)
{
  struct world *world = unit_allocate(sizeof *world);

  (void)state;
  world_open(world, true);
  world_put_image(world, 0x10000, SIZE, 1);
  world_boot(world, "factory");
  leave_journal(world, true);
  world_run(world, "ota status nocheck", LB_OK);
  world_assert_said(world, 0, "Interrupted (99%)"); /* in a slot that is not in use it is one */
  world_put_image(world, OTA_0, SIZE, 2);
  leave_journal(world, true);
  world_run(world, "ota boot ota_0", LB_OK);
  world_run(world, "ota status nocheck", LB_OK);
  assert_null(strstr(world->consoles[0].output, "Interrupted"));
  world_boot(world, "ota_0");
  world_run(world, "ota boot factory", LB_OK);
  world_run(world, "ota status nocheck", LB_OK);
  assert_null(strstr(world->consoles[0].output, "Interrupted"));
  world_close(world);
  free(world);
}

/* And when another firmware runs and boots next, what was confirmed in the first slot is no more interrupted. */
static void test_what_was_confirmed_is_not_interrupted(void **state)
{
  static const uint8_t attempts[] = {0, 3}; /* the first one counts at once, the second one is on trial */
  struct world *world = unit_allocate(sizeof *world);

  (void)state;
  world_open(world, true);
  world_put_image(world, 0x10000, SIZE, 1);
  world_put_image(world, OTA_0, SIZE, 2);
  world_put_image(world, OTA_1, SIZE, 3);
  world_boot(world, "factory");
  for (uint32_t slot = 0; slot < 2; slot++) {
    const uint8_t digest[LB_SHA256_SIZE] = {(uint8_t)(slot + 1U)};
    const struct lb_selection selection = {.slot = slot, .digest = digest, .attempts = attempts[slot]};
    struct lb_otadata otadata;
    int result = lb_otadata_read(&otadata, &world->module.device);

    result = result == LB_OK ? LB_MORE : result;
    while (result == LB_MORE) {
      result = lb_otadata_select_slot(&otadata, &world->module.device, &selection);
    }
    assert_result(result, LB_OK);
  }
  world_boot(world, "ota_1");
  leave_journal(world, true);
  world_run(world, "ota status nocheck", LB_OK);
  assert_null(strstr(world->consoles[0].output, "Interrupted"));
  world_close(world);
  free(world);
}

static void test_nothing_is_done_yet(void **state)
{
  struct world *world = unit_allocate(sizeof *world);

  (void)state;
  world_open(world, true);
  world_put_image(world, 0x10000, SIZE, 1);
  world_boot(world, "factory");
  leave_journal(world, false);
  world_run(world, "ota status nocheck", LB_OK);
  world_assert_said(world, 0, "Interrupted (0%)\n");
  world->link = false;
  world_run(world, "ota flash http host/a.bin to ota_0", PORT_ERR_LINK_DOWN);
  assert_null(strstr(world->consoles[0].output, "goes on")); /* it will begin anew */
  world_close(world);
  free(world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_runs_is_not_interrupted),
      cmocka_unit_test(test_what_was_confirmed_is_not_interrupted),
      cmocka_unit_test(test_nothing_is_done_yet),
  };

  return cmocka_run_group_tests_name("journal left open", tests, NULL, NULL);
}
