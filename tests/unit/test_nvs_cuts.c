// SPDX-License-Identifier: MIT
/*
 * The power is cut at every program and erase of a script of changes, and again at every one of the recovery from it.
 * Each time all other settings have their values, and the changed one has the old or the new one: for a reader of what
 * the cut left, and after recovery. A change that was reported as done is never lost, since every step begins with what
 * the ones before it left.
 */
#include "tests/unit/support/nvs_model.h"
#include "tests/unit/support/nvs_pages.h"

#define STEPS 200U
#define TORN  4U /* of each operation so many are torn, each in another way */

struct world {
  struct nvs_flash flash;
  struct lb_nvs nvs;
  struct nvs_model model;
  struct model_value change; /* what the step sets */
  uint32_t key;              /* of which setting */
  uint8_t *before;           /* the partition at the start of the step */
  uint8_t *after_cut;        /* and after the first cut */
  uint64_t cuts;
  uint64_t again; /* cuts in a recovery */
  uint32_t compactions;
};

/* ---- the script ---- */

static void add_keys(struct world *world)
{
  static const char *const keys[] = {"number", "mode", "text", "url", "blob", "large", "rare"};

  for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
    nvs_model_add(&world->model, i % 2 == 0 ? "ota" : "vfs", keys[i]);
  }
}

/* Each step changes one setting; lengths so that pages fill quickly and hold few items. */
static void choose_change(struct world *world, uint32_t step)
{
  world->key = step % 7;
  switch (world->key) {
  case 0:
    nvs_model_integer(&world->change, LB_NVS_I32, step);
    break;
  case 1:
    if (step % 3 == 0) {
      nvs_model_string(&world->change, 30 + step, step);
    } else {
      nvs_model_integer(&world->change, LB_NVS_U8, step);
    }
    break;
  case 2:
    nvs_model_string(&world->change, 300 + step, step);
    break;
  case 3:
    nvs_model_string(&world->change, 900 - step, step);
    break;
  case 4:
    nvs_model_blob(&world->change, 10 * step, step);
    break;
  case 5:
    nvs_model_blob(&world->change, 1500 + step, step);
    break;
  default:
    nvs_model_integer(&world->change, LB_NVS_U64, step);
    world->change.present = step % 2 == 0 || !world->model.settings[6].value.present;
  }
}

/* ---- what has to hold ---- */

static struct model_setting *changed(struct world *world)
{
  return &world->model.settings[world->key];
}

static void check_settings(struct world *world, const struct lb_nvs *nvs, const char *when)
{
  struct model_setting *setting = changed(world);

  nvs_model_check(&world->model, nvs, world->key);
  if (!nvs_model_holds(nvs, setting, &world->change) && !nvs_model_holds(nvs, setting, &setting->value)) {
    fail_here("%s: %s.%s has neither its old nor its new value", when, setting->space, setting->key);
  }
}

static void check_reader(struct world *world)
{
  struct lb_nvs reader;

  nvs_flash_settings(&world->flash, &reader, false);
  check_settings(world, &reader, "read-only");
}

/* After all, the change can be made, and what is there is no more than has to be. */
static void check_afterwards(struct world *world)
{
  const struct lb_nvs *nvs = &world->nvs;
  struct lb_nvs_statistics statistics;
  uint32_t most = 2; /* the namespaces */

  nvs_flash_settings(&world->flash, &world->nvs, true);
  check_settings(world, nvs, "recovered");
  for (uint32_t i = 0; i < world->model.count; i++) {
    const struct model_value *value = &world->model.settings[i].value;
    uint32_t length = i == world->key && value->length < world->change.length ? world->change.length : value->length;

    most += 1 + (length + 31) / 32 + (value->type == LB_NVS_BLOB || i == 4 || i == 5 ? 4U : 0U);
  }
  assert_result(lb_nvs_statistics(nvs, &statistics), LB_OK);
  assert_true(statistics.pages_free >= 1);
  if (statistics.entries_used > most) {
    fail_here("%u entries are in use, %u at the most should be", statistics.entries_used, most);
  }
  if (world->change.present || nvs_model_holds(nvs, changed(world), &changed(world)->value)) {
    int result = nvs_model_set(&world->nvs, changed(world), &world->change);

    if (result != LB_OK && !(result == LB_ERR_NVS_NOT_FOUND && !world->change.present)) {
      fail_here("the change cannot be made any more: %s", unit_result_name(result));
    }
  }
  assert_true(nvs_model_holds(nvs, changed(world), &world->change));
  nvs_model_check(&world->model, nvs, world->key);
}

/* ---- cuts ---- */

static void restore(struct world *world, const uint8_t *bytes)
{
  sim_flash_power_on(&world->flash.flash);
  sim_flash_cut_at(&world->flash.flash, 0, SIM_CUT_BEFORE);
  memcpy(nvs_flash_bytes(&world->flash), bytes, nvs_flash_size(&world->flash));
}

static uint64_t operations(struct world *world)
{
  const struct sim_flash_counters *counters = sim_flash_counters(&world->flash.flash);

  return counters->programs + counters->erases;
}

/* How many operations opening takes from these bytes. */
static uint64_t recovery_operations(struct world *world, const uint8_t *bytes)
{
  restore(world, bytes);
  sim_flash_clear_counters(&world->flash.flash);
  nvs_flash_settings(&world->flash, &world->nvs, true);
  return operations(world);
}

/* The recovery is cut at that operation, and the next one is not. */
static void cut_recovery(struct world *world, uint64_t at, enum sim_cut kind, uint64_t seed)
{
  restore(world, world->after_cut);
  sim_flash_seed(&world->flash.flash, seed);
  sim_flash_cut_at(&world->flash.flash, at, kind);
  assert_true(lb_nvs_open(&world->nvs, nvs_flash_driver(&world->flash), &world->flash.partition, true) < 0);
  assert_true(sim_flash_cut_fired(&world->flash.flash));
  sim_flash_power_on(&world->flash.flash);
  world->again++;
  check_reader(world);
  check_afterwards(world);
}

/* The step is cut at that operation; then its recovery at each of its own. */
static void cut_step(struct world *world, uint64_t at, enum sim_cut kind, uint64_t seed)
{
  uint64_t recovery;
  int result;

  restore(world, world->before);
  nvs_flash_settings(&world->flash, &world->nvs, true);
  sim_flash_seed(&world->flash.flash, seed);
  sim_flash_cut_at(&world->flash.flash, at, kind);
  result = nvs_model_set(&world->nvs, changed(world), &world->change);
  assert_true(sim_flash_cut_fired(&world->flash.flash));
  assert_true(result < 0);
  sim_flash_power_on(&world->flash.flash);
  world->cuts++;
  memcpy(world->after_cut, nvs_flash_bytes(&world->flash), nvs_flash_size(&world->flash));
  check_reader(world);
  recovery = recovery_operations(world, world->after_cut);
  check_afterwards(world);
  for (uint64_t i = 1; i <= recovery; i++) {
    cut_recovery(world, i, SIM_CUT_BEFORE, 0);
    cut_recovery(world, i, SIM_CUT_TORN, seed + i);
  }
}

/* The step without a cut: how many operations it has, and what the model has from then on. */
static uint64_t run_step(struct world *world)
{
  const struct sim_flash_counters *counters = sim_flash_counters(&world->flash.flash);

  restore(world, world->before);
  nvs_flash_settings(&world->flash, &world->nvs, true);
  sim_flash_clear_counters(&world->flash.flash);
  assert_result(nvs_model_set(&world->nvs, changed(world), &world->change), LB_OK);
  world->compactions += (uint32_t)counters->erases;
  return operations(world);
}

static void one_step(struct world *world, uint32_t step)
{
  uint8_t *after;
  uint64_t count;

  choose_change(world, step);
  memcpy(world->before, nvs_flash_bytes(&world->flash), nvs_flash_size(&world->flash));
  count = run_step(world);
  after = unit_copy(nvs_flash_bytes(&world->flash), nvs_flash_size(&world->flash));
  for (uint64_t at = 1; at <= count; at++) {
    cut_step(world, at, SIM_CUT_BEFORE, step * 100003ULL + at * TORN);
    for (uint32_t i = 0; i < TORN; i++) {
      cut_step(world, at, SIM_CUT_TORN, step * 100003ULL + at * TORN + i);
    }
  }
  restore(world, after);
  free(after);
  changed(world)->value = world->change;
  nvs_flash_settings(&world->flash, &world->nvs, true);
  nvs_model_check(&world->model, &world->nvs, MODEL_KEYS);
}

static void cut_script(uint32_t pages, uint32_t compactions)
{
  struct world *world = unit_allocate(sizeof(*world));

  memset(world, 0, sizeof(*world));
  nvs_flash_open(&world->flash, pages, false);
  world->before = unit_allocate(nvs_flash_size(&world->flash));
  world->after_cut = unit_allocate(nvs_flash_size(&world->flash));
  add_keys(world);
  for (uint32_t step = 0; world->compactions < compactions; step++) {
    assert_true(step < STEPS);
    one_step(world, step);
  }
  print_message("%u pages, %u compactions: %llu cuts, and %llu in recoveries from them; all fired\n", pages,
                world->compactions, (unsigned long long)world->cuts, (unsigned long long)world->again);
  free(world->before);
  free(world->after_cut);
  nvs_flash_close(&world->flash);
  free(world);
}

static void test_three_pages(void **state)
{
  (void)state;
  cut_script(3, 12);
}

static void test_four_pages(void **state)
{
  (void)state;
  cut_script(4, 8);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_three_pages),
      cmocka_unit_test(test_four_pages),
  };

  return cmocka_run_group_tests_name("nvs_cuts", tests, NULL, NULL);
}
