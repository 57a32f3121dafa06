// SPDX-License-Identifier: MIT
/*
 * Found in review: the history got an image's digest only with its last word, behind selecting. Ended between the two,
 * the update stayed an interrupted one for ever, and if its trial failed, that was forgotten with the next selection.
 */
#include "tests/unit/support/unit.h"
#include "tests/unit/support/world.h"

#define FACTORY_AT 0x10000U
#define SIZE       60000U
#define POLLS      1000000U
#define TICKS      1000U

static struct world *open_factory(void)
{
  struct world *world = unit_allocate(sizeof *world);

  world_open(world, true);
  world_put_image(world, FACTORY_AT, SIZE, 1);
  world_offer(world, 600, SIZE, "3.1.003");
  world_boot(world, "factory");
  return world;
}

static void work(struct world *world)
{
  unsigned ticks = 0;

  while (module_tick(&world->module)) {
    assert_true(ticks++ < TICKS);
  }
}

static struct lb_history_entry newest(struct world *world)
{
  const struct lb_history *history = update_log_history(&world->module.update_log);
  struct lb_history_entry entry;

  assert_non_null(history);
  assert_int_equal(history->count, 1);
  assert_result(lb_history_get(history, 0, &entry), LB_OK);
  return entry;
}

static bool is_selected(struct world *world)
{
  struct lb_otadata otadata;
  struct lb_partition selected;

  assert_result(lb_otadata_read(&otadata, &world->module.device_other), LB_OK);
  return lb_otadata_selected(&otadata, world->module.table, &selected) == LB_OK && strcmp(selected.label, "ota_0") == 0;
}

/* Ends as soon as otadata selects the new firmware. */
static void flash_until_selected(struct world *world)
{
  uint32_t polls = 0;

  assert_result(world_execute(world, 0, "ota flash http http://depot.test/a.bin"), LB_MORE);
  while (!is_selected(world)) {
    assert_result(world_poll(world, 0), LB_MORE);
    assert_true(polls++ < POLLS);
  }
  assert_int_equal(newest(world).result, LB_HISTORY_BEGUN);
  assert_memory_equal(newest(world).digest, world->module.flash_job.work.update.image.info.digest, LB_SHA256_SIZE);
}

static void test_cancelled_behind_selecting(void **state)
{
  struct world *world = open_factory();

  (void)state;
  flash_until_selected(world);
  console_cancel(&world->consoles[0].console);
  work(world);
  assert_int_equal(newest(world).result, LB_HISTORY_FLASHED);
  world_assert_quiet(world);
  world_close(world);
  free(world);
}

static void test_cut_behind_selecting_and_failed(void **state)
{
  struct world *world = open_factory();

  (void)state;
  flash_until_selected(world);
  module_die(&world->module);
  for (unsigned i = 0; i < 3; i++) { /* it crashes before its first line */
    world->bootloader.reset = i == 0 ? LB_RESET_POWER_ON : LB_RESET_CRASH;
    world_boot(world, "ota_0");
  }
  world->bootloader.reset = LB_RESET_CRASH;
  world_boot(world, "factory");
  work(world);
  assert_int_equal(newest(world).result, LB_HISTORY_REJECTED);
  assert_int_equal(newest(world).cause, LB_TRIAL_CRASHED);
  assert_result(world_execute(world, 0, "ota flash http http://depot.test/a.bin"), LB_MORE);
  int result = LB_MORE;
  while (result == LB_MORE) {
    result = world_poll(world, 0);
  }
  assert_result(result, LB_ERR_FAILED_BEFORE);
  world_close(world);
  free(world);
}

/* A copy is no update: it leaves nothing in the history. */
static void test_copy_is_not_noted(void **state)
{
  struct world *world = open_factory();

  (void)state;
  world_put_image(world, 0x410000U, SIZE, 2);
  world_run(world, "ota copy ota_0 ota_1", LB_OK);
  const struct lb_history *history = update_log_history(&world->module.update_log);
  assert_true(!history || history->count == 0);
  world_close(world);
  free(world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cancelled_behind_selecting),
      cmocka_unit_test(test_cut_behind_selecting_and_failed),
      cmocka_unit_test(test_copy_is_not_noted),
  };

  return cmocka_run_group_tests_name("digest before selecting", tests, NULL, NULL);
}
