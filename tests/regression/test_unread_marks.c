// SPDX-License-Identifier: MIT
/*
 * Found by tests/damage/failing: when the read failed that follows the mark of a boot on trial, the record whose marks
 * could not be read counted as one without any, and so as confirmed. The bootloader then went back to the very firmware
 * whose boot it could not mark, and said that it was not on trial.
 */
#include "lifeboat/boot.h"
#include "tests/unit/support/trial_bytes.h"
#include "tests/unit/support/unit.h"

static void open_on_trial(struct trial_module *module, bool factory)
{
  trial_open(module, factory);
  trial_put(&module->fixture, 0, 1, KIND_AT_ONCE, 0, module->digest[OTA_0]);
  trial_put(&module->fixture, 1, 2, KIND_TRIAL, 3, module->digest[OTA_1]);
}

static int boot(struct trial_module *module, enum lb_reset reset, struct lb_boot_decision *decision)
{
  static struct lb_table table;
  static struct lb_verify verify;
  struct lb_device device = module->fixture.device;

  return lb_boot(&device, &table, &verify, NULL, reset, decision);
}

/* Each read of a boot after a crash fails once. Without the failure ota_1 boots on trial again. */
static void try_each_read(bool factory)
{
  uint32_t failed = 0;

  for (uint32_t number = 0;; number++) {
    struct trial_module module;
    struct lb_boot_decision decision;

    open_on_trial(&module, factory);
    assert_result(boot(&module, LB_RESET_COMMANDED, &decision), LB_OK);
    assert_true(decision.on_trial);
    flash_tap_clear(&module.fixture.tap);
    module.fixture.tap.fail_read_at = number;
    const int result = boot(&module, LB_RESET_CRASH, &decision);
    const bool reached = module.fixture.tap.reads > number;
    trial_close(&module);
    if (!reached) {
      break;
    }
    assert_result(result, LB_OK);
    if (strcmp(decision.partition.label, "ota_1") == 0 && !decision.on_trial) {
      fail_here("read %u failed: ota_1 boots without a mark (reason %d)", (unsigned)number, (int)decision.reason);
    }
    failed++;
  }
  assert_true(failed > 20);
}

static void test_with_factory(void **state)
{
  (void)state;
  try_each_read(true);
}

static void test_without_factory(void **state)
{
  (void)state;
  try_each_read(false);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_with_factory),
      cmocka_unit_test(test_without_factory),
  };

  return cmocka_run_group_tests_name("unread marks", tests, NULL, NULL);
}
