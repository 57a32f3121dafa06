// SPDX-License-Identifier: MIT
/*
 * Found by the explorer (tests/faults), with bits that a cut leaves so weak that they read differently each time:
 * - a state that read VALID was not programmed again, and read otherwise later;
 * - a mark that was not seen when the bootloader settled otadata was seen later in the same boot: confirmed firmware
 *   was on trial again at the next one;
 * - a record that counted was programmed again as it read a moment later, which was wrong, and was marked settled.
 */
#include "lifeboat/bytes.h"
#include "tests/unit/support/trial_bytes.h"
#include "tests/unit/support/unit.h"

#define SEEDS 300U
#define BOOTS 6U

/* ota_1 is on trial and has been booted once; cuts the `number`-th operation of its confirmation. */
static void cut_confirmation(struct trial_module *module, uint64_t number, uint64_t seed)
{
  struct fixture *fixture = &module->fixture;
  struct lb_boot_decision decision;

  trial_put(fixture, 0, 1, KIND_AT_ONCE, 0, module->digest[OTA_0]);
  trial_put(fixture, 1, 2, KIND_TRIAL, 16, module->digest[OTA_1]);
  assert_result(trial_boot(fixture, LB_RESET_COMMANDED, &decision), LB_OK);
  assert_true(decision.on_trial);
  sim_flash_seed(&fixture->flash, seed);
  sim_flash_cut_at(&fixture->flash, number, SIM_CUT_UNSTABLE);
  assert_int_not_equal(lb_trial_confirm(&fixture->device, &decision.partition), LB_OK);
  assert_true(sim_flash_cut_fired(&fixture->flash));
  sim_flash_power_on(&fixture->flash);
}

/* Once it is confirmed it stays so, and ESP-IDF sees it, too. */
static void test_confirmation(void **state)
{
  struct trial_module module;
  uint32_t confirmed_cases = 0;

  (void)state;
  trial_open(&module, true);
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    bool confirmed = false;

    assert_true(sim_flash_mark(&module.fixture.flash));
    assert_true(sim_flash_touch(&module.fixture.flash, OTADATA_AT, 2 * OTADATA_HALF));
    cut_confirmation(&module, 1 + seed % 3, seed);
    for (uint32_t boot = 0; boot < BOOTS; boot++) {
      struct lb_boot_decision decision;
      uint8_t bytes[4];

      assert_result(trial_boot(&module.fixture, LB_RESET_COMMANDED, &decision), LB_OK);
      assert_string_equal(decision.partition.label, "ota_1");
      assert_false(confirmed && decision.on_trial);
      confirmed = !decision.on_trial;
      if (confirmed) {
        assert_result(lb_flash_read(&module.fixture.flash.driver, OTADATA_AT + OTADATA_HALF + 24, bytes, 4), LB_OK);
        assert_int_equal(lb_load_le32(bytes), LB_OTADATA_VALID);
      }
    }
    confirmed_cases += confirmed;
    sim_flash_rewind(&module.fixture.flash);
    sim_flash_unmark(&module.fixture.flash);
  }
  assert_in_range(confirmed_cases, SEEDS / 2, SEEDS);
  trial_close(&module);
}

/* The record of a selection, cut: it counts or it does not, at every boot the same. */
static void test_selection(void **state)
{
  struct trial_module module;
  uint32_t selected_cases = 0;

  (void)state;
  trial_open(&module, true);
  trial_put(&module.fixture, 0, 1, KIND_AT_ONCE, 0, module.digest[OTA_0]);
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    const struct lb_selection selection = {.slot = 1, .digest = module.digest[OTA_1], .attempts = 16};
    struct lb_otadata otadata;
    struct lb_boot_decision first;
    int result = LB_MORE;

    assert_true(sim_flash_mark(&module.fixture.flash));
    sim_flash_seed(&module.fixture.flash, seed);
    sim_flash_cut_at(&module.fixture.flash, 3, SIM_CUT_UNSTABLE); /* erase, tag, record */
    assert_result(lb_otadata_read(&otadata, &module.fixture.device), LB_OK);
    while (result == LB_MORE) {
      result = lb_otadata_select_slot(&otadata, &module.fixture.device, &selection);
    }
    assert_true(sim_flash_cut_fired(&module.fixture.flash));
    assert_int_equal(sim_flash_cut_report(&module.fixture.flash)->length, 32);
    sim_flash_power_on(&module.fixture.flash);
    assert_result(trial_boot(&module.fixture, LB_RESET_COMMANDED, &first), LB_OK);
    selected_cases += first.on_trial;
    for (uint32_t boot = 0; boot < BOOTS; boot++) {
      struct lb_boot_decision again;

      assert_result(trial_boot(&module.fixture, LB_RESET_COMMANDED, &again), LB_OK);
      assert_string_equal(again.partition.label, first.partition.label);
      assert_int_equal(again.on_trial, first.on_trial);
    }
    sim_flash_rewind(&module.fixture.flash);
    sim_flash_unmark(&module.fixture.flash);
  }
  assert_in_range(selected_cases, 5, SEEDS - 5);
  trial_close(&module);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_confirmation),
      cmocka_unit_test(test_selection),
  };

  return cmocka_run_group_tests_name("weak bits in otadata", tests, NULL, NULL);
}
