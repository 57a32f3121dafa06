// SPDX-License-Identifier: MIT
/*
 * A patch on its way into its stage is cut at every operation, in every way, once, twice and many times. Each time:
 * what is said to be there is there and stable, and going on makes the whole patch, with all else untouched.
 */
#include "tests/unit/support/stage_world.h"

#define CHIP 0x8000U /* the slot: 0x4000 bytes */

/* ---- what goes on ---- */

/* After a start: goes on with what is there, or begins. An error is the cut's; nothing else may fail. */
static int go_on(struct stage_world *world)
{
  struct lb_stage stage;
  int result = lb_stage_open(&stage, &world->tap.flash, &world->slot);

  if (result == LB_OK) {
    result = stage_world_measure(&stage);
  }
  if (result == LB_OK) { /* what is there is there, and does not change any more */
    assert_int_equal(stage.start, stage_world_start(world));
    assert_memory_equal(sim_flash_bytes(&world->sim) + stage.start, world->patch, stage.position);
    assert_int_equal(sim_flash_unstable_bits(&world->sim, stage.start, stage.position), 0);
    assert_int_equal(stage.whole, stage.position == stage.size);
  } else if (result == LB_ERR_NO_STAGE) {
    result = stage_world_create(world, &stage);
  }
  if (result == LB_OK) {
    result = stage_world_write(world, &stage, stage.size);
  }
  if (result == LB_OK) {
    result = stage_world_check(world, &stage);
  }
  if (result == LB_OK) {
    assert_true(stage.whole);
    assert_memory_equal(sim_flash_bytes(&world->sim) + stage.start, world->patch, stage.size);
    assert_int_equal(sim_flash_unstable_bits(&world->sim, stage.start, stage.size), 0);
    /* nor may a header that was read by luck be lost later, and all of the patch with it */
    assert_int_equal(sim_flash_unstable_bits(&world->sim, stage.address, stage.entries - stage.address), 0);
  }
  return result;
}

static void assert_cut(struct stage_world *world, int result)
{
  assert_true(sim_flash_cut_fired(&world->sim));
  if (result != LB_ERR_FLASH_PROGRAM && result != LB_ERR_FLASH_ERASE) {
    fail_here("cut, and %s", unit_result_name(result));
  }
  sim_flash_power_on(&world->sim);
}

/* Nothing but the stage may be touched. */
static void guard(struct stage_world *world)
{
  uint32_t end = world->slot.offset + world->slot.size - lb_flash_sector(&world->tap.flash);

  sim_flash_unprotect_all(&world->sim);
  assert_true(sim_flash_protect(&world->sim, 0, stage_world_start(world)));
  assert_true(sim_flash_protect(&world->sim, end, world->tap.flash.size - end));
}

/* Without any cut from here on it ends well. */
static void finish(struct stage_world *world)
{
  sim_flash_cut_at(&world->sim, 0, SIM_CUT_BEFORE);
  assert_result(go_on(world), LB_OK);
  assert_int_equal(sim_flash_counters(&world->sim)->violations, 0);
  stage_world_assert_rest(world);
}

/* Goes on with a cut at that operation; false: there is none of that number any more, and it ended well. */
static bool go_on_cut(struct stage_world *world, uint32_t operation, enum sim_cut cut, uint64_t seed)
{
  int result;

  sim_flash_seed(&world->sim, seed);
  sim_flash_cut_at(&world->sim, operation, cut);
  result = go_on(world);
  if (result == LB_OK) {
    assert_false(sim_flash_cut_fired(&world->sim));
    return false;
  }
  assert_cut(world, result);
  return true;
}

/* ---- once and twice ---- */

static void cut_twice(struct stage_world *world, uint32_t every, uint64_t seed)
{
  static const enum sim_cut cuts[] = {SIM_CUT_UNSTABLE, SIM_CUT_TORN, SIM_CUT_BEFORE};

  assert_true(sim_flash_mark(&world->sim));
  for (uint32_t operation = 1;; operation += every) {
    for (uint32_t i = 0; i < 3; i++) {
      sim_flash_rewind(&world->sim);
      if (!go_on_cut(world, operation, cuts[i], seed + operation)) {
        sim_flash_unmark(&world->sim);
        return;
      }
      finish(world);
    }
  }
}

static void cut_everywhere(const struct sim_geometry *geometry, uint32_t size, uint32_t every)
{
  struct stage_world world;
  bool more = true;
  uint32_t operation;

  stage_world_open(&world, geometry, size);
  guard(&world);
  assert_true(sim_flash_mark(&world.sim));
  for (operation = 1; more; operation++) {
    for (uint32_t cut = 0; cut < SIM_CUT_WAYS && more; cut++) {
      for (uint64_t seed = 0; seed < 3 && more; seed++) {
        sim_flash_rewind(&world.sim);
        more = go_on_cut(&world, operation, (enum sim_cut)cut, 100 * seed + operation);
        if (more && seed == 0) {
          cut_twice(&world, every, operation);
        }
        if (more) {
          finish(&world);
        }
      }
    }
  }
  assert_true(operation > size / geometry->page_size);
  stage_world_close(&world);
}

static void test_small_pages(void **state)
{
  const struct sim_geometry geometry = {CHIP, 32, {512, 2048}};

  (void)state;
  cut_everywhere(&geometry, 1025, 5);
}

static void test_miniature(void **state)
{
  const struct sim_geometry geometry = sim_geometry_miniature(CHIP);

  (void)state;
  cut_everywhere(&geometry, 2000, 1);
  cut_everywhere(&geometry, 512, 1);
  cut_everywhere(&geometry, 66, 1);
}

static void test_other_sizes(void **state)
{
  const struct sim_geometry geometry = {CHIP, 128, {1024, 4096}};

  (void)state;
  cut_everywhere(&geometry, 6000, 7);
}

static void test_real_chip(void **state)
{
  const struct sim_geometry geometry = sim_geometry_real(0x80000);

  (void)state;
  cut_everywhere(&geometry, 9000, 17);
}

/* ---- many times ---- */

/* Pages that are blank in the patch itself: they look as if nothing had come there yet. */
static void blank_pages(struct stage_world *world)
{
  uint32_t page = world->tap.flash.page_size;

  for (uint32_t at = page; at < world->subject.size; at += page) {
    uint32_t length = world->subject.size - at < page ? world->subject.size - at : page;

    if (unit_random_below(&world->random, 3) == 0 || (at > 1500 && at < 3200)) {
      memset(world->patch + at, 0xFF, length);
    }
  }
  stage_world_seal(world);
}

static void cut_often(const struct sim_geometry *geometry, uint32_t size, uint32_t turns, bool blank)
{
  struct stage_world world;
  uint32_t cuts = 0;

  stage_world_open(&world, geometry, size);
  unit_random_seed(&world.random, "cut_often", size + turns);
  for (uint32_t turn = 0; turn < turns; turn++) {
    stage_world_patch(&world, 66 + unit_random_below(&world.random, size - 65));
    if (blank) {
      blank_pages(&world);
    }
    guard(&world);
    while (unit_random_below(&world.random, 12) > 0) {
      uint32_t operations = unit_random_below(&world.random, 3) == 0 ? size / geometry->page_size + 12 : 8;
      enum sim_cut cut = unit_random_below(&world.random, 4) ? SIM_CUT_UNSTABLE : SIM_CUT_TORN;

      cuts += go_on_cut(&world, 1 + unit_random_below(&world.random, operations), cut, unit_random_next(&world.random));
    }
    finish(&world);
    sim_flash_unprotect_all(&world.sim);
    /* the next turn has the same source and validator: a real server's would differ */
    bool discarded = false;
    assert_result(lb_stage_discard(&world.tap.flash, &world.slot, &discarded), LB_OK);
    assert_true(discarded);
    memcpy(world.before, sim_flash_bytes(&world.sim), geometry->size);
  }
  print_message("%u cuts\n", cuts);
  assert_true(cuts > 2 * turns);
  stage_world_close(&world);
}

static void test_often(void **state)
{
  const struct sim_geometry miniature = sim_geometry_miniature(CHIP);
  const struct sim_geometry small_pages = {CHIP, 32, {512, 2048}};

  (void)state;
  cut_often(&miniature, 6000, 800, false);
  cut_often(&miniature, 6000, 800, true);
  cut_often(&small_pages, 3000, 400, true);
}

/* ---- it ends ---- */

/* Cut in the middle of being discarded: it is discarded, or it is there as it was; discarding it again settles it. */
static void test_discard(void **state)
{
  const struct sim_geometry geometry = sim_geometry_miniature(CHIP);
  struct stage_world world;
  uint32_t gone = 0;

  (void)state;
  stage_world_open(&world, &geometry, 2000);
  guard(&world);
  finish(&world);
  assert_true(sim_flash_mark(&world.sim));
  for (uint64_t seed = 0; seed < 300; seed++) {
    struct lb_stage stage;
    bool discarded;

    sim_flash_rewind(&world.sim);
    sim_flash_seed(&world.sim, seed);
    sim_flash_cut_at(&world.sim, 1, seed % 2 ? SIM_CUT_UNSTABLE : SIM_CUT_TORN);
    assert_cut(&world, lb_stage_discard(&world.tap.flash, &world.slot, &discarded));
    gone += lb_stage_open(&stage, &world.tap.flash, &world.slot) == LB_ERR_NO_STAGE;
    assert_result(lb_stage_discard(&world.tap.flash, &world.slot, &discarded), LB_OK);
    assert_true(discarded);
    for (uint32_t i = 0; i < 20; i++) {
      assert_result(lb_stage_open(&stage, &world.tap.flash, &world.slot), LB_ERR_NO_STAGE);
    }
    stage_world_assert_rest(&world);
  }
  assert_true(gone > 100);
  stage_world_close(&world);
}

/* A header that was cut while it was made may read as a good one at times; discarded, it never does again. */
static void test_discard_half_made(void **state)
{
  const struct sim_geometry geometry = sim_geometry_miniature(CHIP);
  struct stage_world world;
  uint32_t there = 0;

  (void)state;
  stage_world_open(&world, &geometry, 300);
  assert_true(sim_flash_mark(&world.sim));
  for (uint32_t operation = 1; operation <= 8; operation++) {
    for (uint64_t seed = 0; seed < 300; seed++) {
      struct lb_stage stage;
      bool discarded;

      sim_flash_rewind(&world.sim);
      sim_flash_seed(&world.sim, seed);
      sim_flash_cut_at(&world.sim, operation, SIM_CUT_UNSTABLE);
      if (stage_world_create(&world, &stage) == LB_OK) {
        continue;
      }
      sim_flash_power_on(&world.sim);
      there += lb_stage_open(&stage, &world.tap.flash, &world.slot) == LB_OK;
      assert_result(lb_stage_discard(&world.tap.flash, &world.slot, &discarded), LB_OK);
      for (uint32_t i = 0; i < 20; i++) {
        assert_result(lb_stage_open(&stage, &world.tap.flash, &world.slot), LB_ERR_NO_STAGE);
      }
    }
  }
  print_message("%u half made read as good ones\n", there);
  assert_true(there > 0);
  stage_world_close(&world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_small_pages),       cmocka_unit_test(test_miniature), cmocka_unit_test(test_other_sizes),
      cmocka_unit_test(test_real_chip),         cmocka_unit_test(test_often),     cmocka_unit_test(test_discard),
      cmocka_unit_test(test_discard_half_made),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
