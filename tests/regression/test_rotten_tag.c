// SPDX-License-Identifier: MIT
/*
 * Found by tests/damage/rot: one bit that had rotted in the tag behind a record made the tag worthless, and a record
 * without one counts as confirmed. So firmware on trial that did nothing but crash was never left again.
 */
#include "lifeboat/boot.h"
#include "tests/unit/support/trial_bytes.h"
#include "tests/unit/support/unit.h"

#define TAG_BITS (8U * 64U)

static void flip(struct trial_module *module, uint32_t bit)
{
  trial_half(&module->fixture, 1)[AT_TAG + bit / 8] ^= (uint8_t)(1U << bit % 8);
}

/* ota_0 was confirmed, ota_1 is on trial: records 0 and 1. */
static void open_on_trial(struct trial_module *module, bool factory)
{
  trial_open(module, factory);
  trial_put(&module->fixture, 0, 1, KIND_AT_ONCE, 0, module->digest[OTA_0]);
  trial_put(&module->fixture, 1, 2, KIND_TRIAL, 3, module->digest[OTA_1]);
}

static void test_tag_with_a_rotten_bit_is_read(void **state)
{
  struct trial_module module;
  struct lb_otadata otadata;

  (void)state;
  open_on_trial(&module, true);
  for (uint32_t bit = 0; bit < TAG_BITS; bit++) {
    flip(&module, bit);
    assert_result(lb_otadata_read(&otadata, &module.fixture.device), LB_OK);
    const struct lb_trial *trial = &otadata.records[1].trial;
    if (!trial->tagged || trial->counts_at_once || trial->attempts != 3) {
      fail_here("bit %u of the tag", (unsigned)bit);
    }
    assert_memory_equal(trial->digest, module.digest[OTA_1], 32);
    assert_true(lb_otadata_on_trial(&otadata, 1));
    assert_int_equal(lb_otadata_confirmed(&otadata), 0);
    flip(&module, bit);
  }
  trial_close(&module);
}

static void test_crash_loop_ends(void **state)
{
  (void)state;
  for (uint32_t bit = 0; bit < TAG_BITS; bit += 5) {
    struct trial_module module;

    open_on_trial(&module, bit % 2 == 0);
    trial_boots(&module.fixture, LB_RESET_COMMANDED, "ota_1", true);
    flip(&module, bit);
    trial_boots(&module.fixture, LB_RESET_CRASH, "ota_1", true);
    trial_boots(&module.fixture, LB_RESET_CRASH, "ota_1", true);
    trial_boots(&module.fixture, LB_RESET_CRASH, "ota_0", false);
    trial_close(&module);
  }
}

/* Two are too many to tell what it was. A tag of the sequence before is none either, although that is a bit away. */
static void test_no_more_than_one_bit(void **state)
{
  struct trial_module module;
  struct lb_otadata otadata;

  (void)state;
  open_on_trial(&module, true);
  for (uint32_t bit = 0; bit < TAG_BITS - 1; bit++) {
    flip(&module, bit);
    flip(&module, bit + 1);
    assert_result(lb_otadata_read(&otadata, &module.fixture.device), LB_OK);
    assert_false(otadata.records[1].trial.tagged);
    flip(&module, bit);
    flip(&module, bit + 1);
  }
  trial_put(&module.fixture, 1, 2, KIND_TRIAL, 3, module.digest[OTA_1]);
  const struct trial_tag tag = {.sequence = 3, .kind = KIND_TRIAL, .attempts = 3};
  trial_tag_encode(trial_half(&module.fixture, 1), &tag);
  assert_result(lb_otadata_read(&otadata, &module.fixture.device), LB_OK);
  assert_false(otadata.records[1].trial.tagged);
  trial_close(&module);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tag_with_a_rotten_bit_is_read),
      cmocka_unit_test(test_crash_loop_ends),
      cmocka_unit_test(test_no_more_than_one_bit),
  };

  return cmocka_run_group_tests_name("rotten tag", tests, NULL, NULL);
}
