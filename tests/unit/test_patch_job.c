// SPDX-License-Identifier: MIT
/*
 * Updates by patch on a whole module: one that goes well, never a long step; cancelled at every stage and given again;
 * a flash that fails under the stage; patches that are not as they should be. A second console asks for the status
 * beside each step. What waits of an update before: test_patch_waits.c.
 */
#include "module/flash_job.h"
#include "tests/unit/support/patch_pairs.h"
#include "tests/unit/support/patch_world.h"
#include "tests/unit/support/unit.h"

#define STEPS_MOST 20000U
#define SEEN       40U /* steps before a cancel beside which the status is asked for */

#define FROM_FILE  "ota flash vfs " WORLD_FILE

/* ---- it works ---- */

static void test_runs_through(void **state)
{
  struct world *world = patch_world_open();
  const uint64_t least = (uint64_t)(PATCH_WORLD_SIZE / 0x10000) * 150000U;

  (void)state;
  uint64_t took = world_run(world, PATCH_WORLD_UPDATE, LB_OK);
  assert_true(took >= least && took < 10 * least);
  world_assert_said(world, PATCH_WORLD_MINE, PATCH_WORLD_SAYS);
  assert_int_equal(world->patch.asked, 1);
  assert_int_equal(world->image_asked, 0);
  patch_world_assert_updated(world);
  patch_world_close(world);
}

static void test_runs_through_from_a_file(void **state)
{
  struct world *world = patch_world_open();

  (void)state;
  patch_world_put_file(world, patch_release.patch.data, patch_release.patch.length);
  (void)world_run(world, FROM_FILE, LB_OK);
  world_assert_said(world, PATCH_WORLD_MINE, PATCH_WORLD_SAYS);
  patch_world_assert_updated(world);
  patch_world_close(world);
}

/* ---- cancelled ---- */

/* At which stage the job is behind each step. */
static uint32_t record_stages(uint8_t stages[STEPS_MOST])
{
  struct world *world = patch_world_open();
  uint32_t steps = 0;

  for (int result = world_execute(world, PATCH_WORLD_MINE, PATCH_WORLD_UPDATE); result == LB_MORE;
       result = world_poll(world, PATCH_WORLD_MINE)) {
    assert_true(steps < STEPS_MOST);
    stages[steps++] = (uint8_t)world->module.flash_job.stage;
  }
  world_assert_said(world, PATCH_WORLD_MINE, PATCH_WORLD_SAYS);
  patch_world_close(world);
  return steps;
}

/* Cancelled behind that step, and given again: what runs and factory stay, and the patch is used all the same. */
static void cancel_at(uint32_t step, bool anew)
{
  struct world *world = patch_world_open();
  uint8_t *before = unit_copy(patch_world_flash(world, PATCH_WORLD_FACTORY), 2U * PATCH_WORLD_SLOT);

  assert_result(patch_world_run(world, PATCH_WORLD_UPDATE, step, step > SEEN ? step - SEEN : 0), LB_MORE);
  enum flash_job_stage stage = world->module.flash_job.stage;
  patch_world_cancel(world);
  if (anew && stage < FLASH_JOB_FINISHING) {
    world_boot(world, "ota_0");
  }
  int result = patch_world_run(world, PATCH_WORLD_UPDATE, UINT32_MAX, UINT32_MAX);
  if (result != LB_OK || !strstr(world->consoles[PATCH_WORLD_MINE].output, PATCH_WORLD_SAYS) ||
      world->image_asked > 0) {
    fail_here("cancelled behind step %u in stage %d: %s\n%s", step, stage, unit_result_name(result),
              world->consoles[PATCH_WORLD_MINE].output);
  }
  assert_memory_equal(patch_world_flash(world, PATCH_WORLD_FACTORY), before, 2U * PATCH_WORLD_SLOT);
  patch_world_assert_updated(world);
  free(before);
  patch_world_close(world);
}

static void test_cancelled_at_every_stage(void **state)
{
  static const enum flash_job_stage wanted[] = {
      FLASH_JOB_CHOOSING,     FLASH_JOB_ASKING,   FLASH_JOB_CONNECTING, FLASH_JOB_STAGING,
      FLASH_JOB_TRANSFERRING, FLASH_JOB_CHECKING, FLASH_JOB_APPLYING,   FLASH_JOB_FINISHING,
  };
  static uint8_t stages[STEPS_MOST];
  uint32_t seen[FLASH_JOB_ENDING + 1] = {0};
  uint32_t steps = record_stages(stages);
  uint32_t since = 0; /* steps in the same stage, and of them that behind which it is cancelled next */
  uint32_t next = 0;

  (void)state;
  for (uint32_t i = 0; i < steps && stages[i] < FLASH_JOB_REMEMBERING; i++) {
    bool first = i == 0 || stages[i] != stages[i - 1U];
    since = first ? 0 : since + 1U;
    next = first ? 0 : next;
    if (since == next) {
      cancel_at(i, i % 2U == 0);
      seen[stages[i]]++;
      next = 2U * since + 3U;
    }
  }
  for (uint32_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
    assert_true(seen[wanted[i]] > 0);
  }
}

/* ---- the flash fails under the stage ---- */

/* In the sector before the last one, with the stage's header, no image has a byte: it need not be good. */
static void test_bad_header_sector(void **state)
{
  static const enum sim_fault faults[] = {SIM_FAULT_PROGRAM_FAILS, SIM_FAULT_ERASE_FAILS, SIM_FAULT_PROGRAM_IGNORED};

  (void)state;
  for (uint32_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
    struct world *world = patch_world_open();
    uint32_t header = PATCH_WORLD_OTA_1 + PATCH_WORLD_SLOT - 0x2000U;
    assert_true(sim_flash_set_fault(&world->flash, faults[i], header, 0x1000, SIM_FAULT_ALWAYS));
    int result = patch_world_run_beside(world, PATCH_WORLD_UPDATE);
    if (result != LB_OK) {
      fail_here("fault %u: %s\n%s", i, unit_result_name(result), world->consoles[PATCH_WORLD_MINE].output);
    }
    assert_true(sim_flash_fault_hits(&world->flash) > 0);
    world_assert_said(world, PATCH_WORLD_MINE, "OTA flash was successful\n");
    sim_flash_clear_faults(&world->flash);
    patch_world_assert_updated(world);
    patch_world_close(world);
  }
}

/* ---- files ---- */

static void offer_file(struct world *world, uint32_t result_length)
{
  struct lb_patch_info info;
  uint8_t *bytes = unit_copy(patch_release.patch.data, patch_release.patch.length);

  assert_result(lb_patch_read_header(&info, bytes), LB_OK);
  info.result_length = result_length;
  info.tail = 0; /* nothing at its end is computed */
  lb_patch_store_header(&info, bytes);
  patch_mend_crc(bytes, patch_release.patch.length);
  patch_world_put_file(world, bytes, patch_release.patch.length);
  free(bytes);
}

/* The status divides by the length of what is made. */
static void test_file_that_makes_too_little(void **state)
{
  static const uint32_t lengths[] = {0, 1, 1023};

  (void)state;
  for (uint32_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    struct world *world = patch_world_open();
    uint8_t *before = unit_copy(patch_world_flash(world, PATCH_WORLD_OTA_1), PATCH_WORLD_SLOT);

    offer_file(world, lengths[i]);
    patch_world_assert_ran(world, FROM_FILE, MODULE_ERR_TOO_SMALL);
    world_assert_said(world, PATCH_WORLD_MINE, "too small for an image");
    assert_memory_equal(patch_world_flash(world, PATCH_WORLD_OTA_1), before, PATCH_WORLD_SLOT);
    free(before);
    patch_world_close(world);
  }
}

static void test_file_that_makes_too_much(void **state)
{
  struct world *world = patch_world_open();

  (void)state;
  offer_file(world, PATCH_WORLD_SLOT + 12345U);
  patch_world_assert_ran(world, FROM_FILE, LB_ERR_IMAGE_TOO_LONG);
  world_assert_said(world, PATCH_WORLD_MINE, "4206649 bytes");
  world_assert_said(world, PATCH_WORLD_MINE, "4194304");
  patch_world_close(world);
}

/* ---- images that are not as they should be ---- */

static void test_another_project(void **state)
{
  struct world *world = patch_world_open();
  static struct patch_release other;

  (void)state;
  patch_release_make(&other, "cooker");
  patch_world_offer(world, &other);
  patch_world_assert_ran(world, PATCH_WORLD_UPDATE, LB_ERR_IMAGE_PROJECT);
  world_assert_said(world, PATCH_WORLD_MINE, "cooker");
  patch_world_look_on(world);
  world_assert_never_said(world, PATCH_WORLD_THEIRS, PATCH_WORLD_WAITS);
  world_boot(world, "ota_0");
  patch_world_look_on(world);
  world_assert_never_said(world, PATCH_WORLD_THEIRS, PATCH_WORLD_WAITS);
  patch_release_free(&other);
  patch_world_close(world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_runs_through),
      cmocka_unit_test(test_runs_through_from_a_file),
      cmocka_unit_test(test_cancelled_at_every_stage),
      cmocka_unit_test(test_bad_header_sector),
      cmocka_unit_test(test_file_that_makes_too_little),
      cmocka_unit_test(test_file_that_makes_too_much),
      cmocka_unit_test(test_another_project),
  };

  return cmocka_run_group_tests_name("patch_job", tests, patch_world_make, patch_world_free);
}
