// SPDX-License-Identifier: MIT
/*
 * Updates by patch that were interrupted while a patch waited in the target's tail: what waits is used, fetched again
 * where it has rotted, and not given up because the list does not come at once. A second console asks for the status
 * beside each step. And how the list itself is read.
 */
#include "tests/unit/support/patch_world.h"
#include "tests/unit/support/unit.h"

#define ENDLESS 1000000U
#define TAKEN   "The patch is there from before: nothing has to come again\n"

/* ---- what waits has rotted ---- */

static uint32_t staged_at(void)
{
  uint32_t sectors = (patch_release.patch.length + 0xFFFU) / 0x1000U;

  return PATCH_WORLD_OTA_1 + PATCH_WORLD_SLOT - (2U + sectors) * 0x1000U;
}

/* All of it was there, or a part: the next update fetches it again by itself, and only once. */
static void test_rotten_stage(void **state)
{
  static const enum flash_job_stage stages[] = {FLASH_JOB_APPLYING, FLASH_JOB_TRANSFERRING};
  static const uint32_t mores[] = {3, 30};

  (void)state;
  for (uint32_t i = 0; i < 2; i++) {
    struct world *world = patch_world_open_with_stage(stages[i], mores[i]);
    uint8_t *bytes = sim_flash_bytes(&world->flash) + staged_at();
    assert_memory_equal(bytes, patch_release.patch.data, 512);
    bytes[300] ^= 4U;
    patch_world_assert_ran(world, PATCH_WORLD_UPDATE, LB_OK);
    world_assert_said(world, PATCH_WORLD_MINE, PATCH_WORLD_SAYS);
    assert_int_equal(world->patch.asked, i == 0 ? 1 : 2);
    assert_int_equal(world->image_asked, 0);
    patch_world_assert_updated(world);
    patch_world_close(world);
  }
}

/* It is bad on the server, too: then the image is fetched whole, and nothing is tried for ever. */
static void test_rotten_patch(void **state)
{
  struct world *world = patch_world_open_with_stage(FLASH_JOB_APPLYING, 3);
  uint8_t *rotten = unit_copy(patch_release.patch.data, patch_release.patch.length);

  (void)state;
  rotten[300] ^= 4U;
  sim_flash_bytes(&world->flash)[staged_at() + 300U] ^= 4U;
  world->patch.bytes = rotten;
  patch_world_assert_ran(world, PATCH_WORLD_UPDATE, LB_OK);
  world_assert_said(world, PATCH_WORLD_MINE, "  Patch cannot be used: the CRC of the patch is wrong\n");
  world_assert_never_said(world, PATCH_WORLD_MINE, PATCH_WORLD_SAYS);
  assert_in_range(world->patch.asked, 1, 2);
  assert_int_equal(world->image_asked, 1);
  patch_world_assert_updated(world);
  free(rotten);
  patch_world_close(world);
}

/* ---- the list ---- */

static const struct trouble {
  int status;
  int error;
  uint32_t breaks_at;
} troubles[] = {
    {.status = 503},
    {.error = PORT_ERR_CONNECT},
    {.status = 200, .error = PORT_ERR_CLOSED, .breaks_at = 60},
};

static uint32_t fail_list(struct world *world, const struct trouble *trouble, uint32_t times)
{
  uint64_t begin = sim_clock_now_us(&world->clock);

  world->list.failing = times;
  world->list.status = trouble->status;
  world->list.error = trouble->error;
  world->list.breaks_at = trouble->breaks_at;
  patch_world_assert_ran(world, PATCH_WORLD_UPDATE, LB_OK);
  patch_world_assert_updated(world);
  return (uint32_t)((sim_clock_now_us(&world->clock) - begin) / 1000U);
}

/* What waits is worth waiting for: the list is asked for again rather than the image fetched whole. */
static void test_no_list_while_a_stage_waits(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < 2U * sizeof(troubles) / sizeof(troubles[0]); i++) {
    bool whole = i % 2U == 0;
    struct world *world =
        patch_world_open_with_stage(whole ? FLASH_JOB_CHECKING : FLASH_JOB_TRANSFERRING, whole ? 0 : 60);
    uint32_t took_ms = fail_list(world, &troubles[i / 2U], 2);
    if (!strstr(world->consoles[PATCH_WORLD_MINE].output, PATCH_WORLD_SAYS) || world->image_asked != 0) {
      fail_here("trouble %u: %s", i / 2U, world->consoles[PATCH_WORLD_MINE].output);
    }
    assert_int_equal(world->list.asked, 3);
    assert_in_range(took_ms, 1500, 120000); /* two pauses, of 1 and 2 s, each up to a half less */
    patch_world_close(world);
  }
}

/* It does not come back at all: after some tries the image is fetched whole. */
static void test_no_list_for_good(void **state)
{
  struct world *world = patch_world_open_with_stage(FLASH_JOB_APPLYING, 0);

  (void)state;
  world->list.failing = ENDLESS;
  world->list.status = 503;
  patch_world_assert_ran(world, PATCH_WORLD_UPDATE, LB_OK);
  assert_in_range(world->list.asked, 2, 10);
  assert_int_equal(world->image_asked, 1);
  world_assert_said(world, PATCH_WORLD_MINE, "The list of patches beside the image does not come: it is fetched whole");
  assert_int_equal(world->patch.asked, 0);
  patch_world_assert_updated(world);
  patch_world_close(world);
}

/* Without a stage no trouble is worth a pause; and a server that has no list any more has said so. */
static void test_no_list_and_no_pause(void **state)
{
  (void)state;
  for (uint32_t i = 0; i <= sizeof(troubles) / sizeof(troubles[0]); i++) {
    bool gone = i == sizeof(troubles) / sizeof(troubles[0]);
    struct world *world = gone ? patch_world_open_with_stage(FLASH_JOB_CHECKING, 0) : patch_world_open();
    const struct trouble not_found = {.status = 404};
    (void)fail_list(world, gone ? &not_found : &troubles[i], ENDLESS);
    world_assert_never_said(world, PATCH_WORLD_MINE, PATCH_WORLD_SAYS);
    world_assert_never_said(world, PATCH_WORLD_MINE, "trying again");
    assert_int_equal(world->list.asked, 1);
    assert_int_equal(world->image_asked, 1);
    patch_world_close(world);
  }
}

/* Waiting for the network costs time with each nap: none while there are bytes to read. */
static void test_long_list(void **state)
{
  struct world *world = patch_world_open();
  char *list = unit_allocate(PATCH_LIST_SIZE_MAX + 1U);
  size_t length = strlen(patch_release.list);
  uint32_t naps = 0;

  (void)state;
  memcpy(list, patch_release.list, length);
  for (; length < PATCH_LIST_SIZE_MAX; length++) {
    list[length] = length % 80U == 0 ? '\n' : 'x'; /* words that nobody knows */
  }
  world->list.bytes = (const uint8_t *)list;
  world->list.length = (uint32_t)length;
  world->list.at_once = true;
  int result = world_execute(world, PATCH_WORLD_MINE, PATCH_WORLD_UPDATE);
  while (result == LB_MORE && world->module.flash_job.stage <= FLASH_JOB_ASKING) {
    result = world_poll(world, PATCH_WORLD_MINE);
    naps += world->module.flash_job.stage == FLASH_JOB_ASKING &&
            console_is_waiting(&world->consoles[PATCH_WORLD_MINE].console);
  }
  assert_int_equal(world->module.flash_job.stage, FLASH_JOB_CONNECTING); /* it was taken */
  assert_in_range(naps, 1, 4);                                           /* for the reply */
  while (result == LB_MORE) {
    result = world_poll(world, PATCH_WORLD_MINE);
  }
  assert_result(result, LB_OK);
  world_assert_said(world, PATCH_WORLD_MINE, PATCH_WORLD_SAYS);
  patch_world_assert_updated(world);
  free(list);
  patch_world_close(world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rotten_stage),
      cmocka_unit_test(test_rotten_patch),
      cmocka_unit_test(test_no_list_while_a_stage_waits),
      cmocka_unit_test(test_no_list_for_good),
      cmocka_unit_test(test_no_list_and_no_pause),
      cmocka_unit_test(test_long_list),
  };

  return cmocka_run_group_tests_name("patch_waits", tests, patch_world_make, patch_world_free);
}
