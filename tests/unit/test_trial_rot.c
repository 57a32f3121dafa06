// SPDX-License-Identifier: MIT
/*
 * Every single bit of the sectors that otadata uses flips, in a number of states of a trial: something that verifies
 * boots each time, never an error, and where the bit belongs to no record nothing else boots than without it.
 */
#include "lifeboat/bytes.h"
#include "lifeboat/trial.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/trial_bytes.h"
#include "tests/unit/support/unit.h"

#define SECTOR 512U

enum { FRESH, RUNNING, ONCE_FAILED, CONFIRMED, REJECTED, BOTH_CONFIRMED, ESP_IDF, SCENES };

static const struct scene {
  const char *name;
  const char *boots; /* after a reset by a crash */
  bool may_fail;     /* one more failure ends the trial */
} scenes[] = {
    [FRESH] = {"selected, not booted yet", "ota_1", false},
    [RUNNING] = {"on trial, running", "ota_1", false},
    [ONCE_FAILED] = {"on trial, the last attempt", "ota_1", true},
    [CONFIRMED] = {"confirmed", "ota_1", false},
    [REJECTED] = {"rejected", "ota_0", false},
    [BOTH_CONFIRMED] = {"both confirmed", "ota_1", false},
    [ESP_IDF] = {"on trial, beside a record of ESP-IDF", "ota_1", false},
};

static void put_state(struct fixture *fixture, uint32_t index, uint32_t state)
{
  lb_store_le32(trial_half(fixture, index) + 24, state);
  trial_put_mark(fixture, index, AT_MIRRORED);
}

static void put_scene(struct trial_module *module, int scene)
{
  struct fixture *fixture = &module->fixture;
  uint8_t *boots;

  trial_put(fixture, 0, 1, KIND_AT_ONCE, 0, module->digest[OTA_0]);
  trial_put(fixture, 1, 2, KIND_TRIAL, 3, module->digest[OTA_1]);
  boots = trial_half(fixture, 1) + AT_BOOTS;
  trial_put_mark(fixture, 0, AT_SETTLED);
  if (scene != FRESH) {
    trial_put_mark(fixture, 1, AT_SETTLED);
    boots[0] = BOOT_CLOSED;
    boots[1] = BOOT_STARTED;
  }
  if (scene == ONCE_FAILED) {
    memset(boots, BOOT_FAILED, 2);
  } else if (scene == CONFIRMED || scene == BOTH_CONFIRMED) {
    trial_put_mark(fixture, 1, AT_CONFIRMED);
    put_state(fixture, 1, LB_OTADATA_VALID);
  } else if (scene == REJECTED) {
    memset(boots, BOOT_FAILED, 3);
    trial_put_mark(fixture, 1, AT_REJECTED);
    memcpy(trial_half(fixture, 1) + AT_CAUSE, "\1\376", 2);
    put_state(fixture, 1, LB_OTADATA_ABORTED);
  } else if (scene == ESP_IDF) {
    fixture_put_record(fixture, 0, 1, LB_OTADATA_VALID);
  }
  if (scene == BOTH_CONFIRMED) {
    trial_put(fixture, 0, 1, KIND_TRIAL, 3, module->digest[OTA_0]);
    trial_put_mark(fixture, 0, AT_SETTLED);
    trial_put_mark(fixture, 0, AT_CONFIRMED);
    put_state(fixture, 0, LB_OTADATA_VALID);
  }
}

/* May this boot instead? A record that is rotten itself does not count, and then what is behind it does. */
static bool may_boot(int scene, uint32_t half, uint32_t at, const char *label)
{
  bool record = half == (scene == REJECTED ? 0U : 1U) && at < 32;
  bool boots = half == 1 && at >= AT_BOOTS;

  return (record || (boots && scenes[scene].may_fail)) && strcmp(label, scene == REJECTED ? "factory" : "ota_0") == 0;
}

static void check_bit(struct trial_module *module, int scene, uint32_t half, uint32_t bit)
{
  struct fixture *fixture = &module->fixture;
  struct lb_boot_decision decision;
  struct lb_otadata otadata;
  const char *label = decision.partition.label;
  uint32_t programs;

  trial_half(fixture, half)[bit / 8] ^= (uint8_t)(1U << bit % 8);
  assert_result(trial_boot(fixture, LB_RESET_CRASH, &decision), LB_OK);
  if (strcmp(label, scenes[scene].boots) != 0 && !may_boot(scene, half, bit / 8, label)) {
    fail_here("%s, half %u, byte %u, bit %u: %s boots", scenes[scene].name, (unsigned)half, (unsigned)(bit / 8),
              (unsigned)(bit % 8), label);
  }
  programs = fixture->tap.programs; /* what was to be settled is: it reads the same from now on */
  assert_result(lb_trial_settle(&otadata, &fixture->device), LB_OK);
  assert_int_equal(fixture->tap.programs, programs);
  for (uint32_t boot = 0; boot < 4; boot++) { /* crashing on: it ends at what stays */
    assert_result(trial_boot(fixture, LB_RESET_CRASH, &decision), LB_OK);
  }
  assert_false(decision.on_trial);
  flash_tap_clear(&fixture->tap);
}

static void check_scene(int scene)
{
  struct trial_module module;
  uint8_t otadata[2 * OTADATA_HALF];

  trial_open(&module, true);
  put_scene(&module, scene);
  memcpy(otadata, trial_half(&module.fixture, 0), sizeof(otadata));
  trial_boots(&module.fixture, LB_RESET_CRASH, scenes[scene].boots,
              scene != CONFIRMED && scene != REJECTED && scene != BOTH_CONFIRMED);
  for (uint32_t half = 0; half < 2; half++) {
    for (uint32_t bit = 0; bit < 8 * SECTOR; bit++) {
      memcpy(trial_half(&module.fixture, 0), otadata, sizeof(otadata));
      check_bit(&module, scene, half, bit);
    }
  }
  trial_close(&module);
}

static void test_fresh(void **state)
{
  (void)state;
  check_scene(FRESH);
}

static void test_running(void **state)
{
  (void)state;
  check_scene(RUNNING);
}

static void test_once_failed(void **state)
{
  (void)state;
  check_scene(ONCE_FAILED);
}

static void test_confirmed(void **state)
{
  (void)state;
  check_scene(CONFIRMED);
}

static void test_rejected(void **state)
{
  (void)state;
  check_scene(REJECTED);
}

static void test_both_confirmed(void **state)
{
  (void)state;
  check_scene(BOTH_CONFIRMED);
}

static void test_esp_idf(void **state)
{
  (void)state;
  check_scene(ESP_IDF);
}

/* Noise all over: something boots, and once it was settled it stays what it is. */
static void test_noise(void **state)
{
  struct trial_module module;
  struct unit_random random;
  uint8_t before[2 * OTADATA_HALF];

  (void)state;
  unit_random_seed(&random, "noise in otadata", 6);
  trial_open(&module, true);
  for (uint32_t turn = 0; turn < 4000; turn++) {
    struct lb_boot_decision decision;

    put_scene(&module, (int)(turn % SCENES));
    for (uint32_t bits = unit_random_below(&random, 40); bits > 0; bits--) {
      uint32_t bit = unit_random_below(&random, turn % 3 ? 8 * SECTOR : 8 * 64);

      trial_half(&module.fixture, unit_random_below(&random, 2))[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (uint32_t boot = 0; boot < 5; boot++) {
      assert_result(trial_boot(&module.fixture, LB_RESET_CRASH, &decision), LB_OK);
    }
    if (!decision.on_trial) { /* noise may have put the number of boots anywhere, but the end is an end */
      memcpy(before, trial_half(&module.fixture, 0), sizeof(before));
      trial_boots(&module.fixture, LB_RESET_CRASH, decision.partition.label, false);
      assert_memory_equal(before, trial_half(&module.fixture, 0), sizeof(before));
    }
    flash_tap_clear(&module.fixture.tap);
  }
  trial_close(&module);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fresh),     cmocka_unit_test(test_running),  cmocka_unit_test(test_once_failed),
      cmocka_unit_test(test_confirmed), cmocka_unit_test(test_rejected), cmocka_unit_test(test_both_confirmed),
      cmocka_unit_test(test_esp_idf),   cmocka_unit_test(test_noise),
  };

  return cmocka_run_group_tests_name("rot in otadata", tests, NULL, NULL);
}
