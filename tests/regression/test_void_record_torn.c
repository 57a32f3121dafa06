// SPDX-License-Identifier: MIT
/*
 * Found by the explorer (tests/faults): a record that is made void was 32 bytes of zero. When the erase of its half was
 * cut so that the sequence stayed 0 and the CRC read 0xFFFFFFFF, it had its CRC again, and selected the last OTA slot.
 */
#include "lifeboat/bytes.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/trial_bytes.h"
#include "tests/unit/support/unit.h"

static void open_module(struct fixture *fixture)
{
  fixture_open_ovms(fixture);
  fixture_put_made(fixture, "factory", 1, 4096);
  fixture_put_made(fixture, "ota_0", 2, 4096);
  fixture_put_made(fixture, "ota_1", 3, 4096);
}

/* A sequence of 0 means no slot, whatever its CRC says. */
static void test_sequence_0_selects_nothing(void **state)
{
  struct fixture fixture;
  struct lb_boot_decision decision;

  (void)state;
  open_module(&fixture);
  memset(trial_half(&fixture, 0), 0, 28);
  assert_int_equal(lb_otadata_crc(0), 0xFFFFFFFFU); /* which is what a blank record's bytes say */
  assert_string_equal(fixture_selected(&fixture), "factory");
  assert_result(fixture_boot(&fixture, &decision), LB_OK);
  assert_string_equal(decision.partition.label, "factory");
  assert_int_equal(lb_load_le32(trial_half(&fixture, 0) + 28), 0); /* void from now on */
  fixture_close(&fixture);
}

/* Whatever part of a void record a cut erase leaves or blanks, it does not count; for all sequences, also the odd one.
 */
static void test_torn_void_records(void **state)
{
  static const uint32_t sequences[] = {1, 2, 3, 0xFFFF, 0x9226F562, 0xFFFFFFFE};
  struct fixture fixture;
  struct lb_otadata otadata;

  (void)state;
  open_module(&fixture);
  for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
    uint8_t *half = trial_half(&fixture, 0);
    uint8_t whole[32];

    fixture_put_record(&fixture, 0, sequences[i], UNDEFINED);
    assert_result(lb_otadata_read(&otadata, &fixture.device), LB_OK);
    flash_tap_clear(&fixture.tap);
    fixture.tap.fail_erase_at = 0; /* where the power goes: the record is void by then */
    (void)lb_otadata_select_factory(&otadata, &fixture.device);
    while (fixture.tap.erases == 0 && lb_otadata_select_factory(&otadata, &fixture.device) == LB_MORE) {
    }
    memcpy(whole, half, sizeof(whole));
    for (uint32_t blanked = 0; blanked < 16; blanked++) { /* sequence, label, state, CRC */
      memcpy(half, whole, sizeof(whole));
      if (blanked & 1) {
        memset(half, 0xFF, 4);
      }
      if (blanked & 2) {
        memset(half + 4, 0xFF, 20);
      }
      if (blanked & 4) {
        memset(half + 24, 0xFF, 4);
      }
      if (blanked & 8) {
        memset(half + 28, 0xFF, 4);
      }
      assert_string_equal(fixture_selected(&fixture), "factory");
    }
  }
  fixture_close(&fixture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sequence_0_selects_nothing),
      cmocka_unit_test(test_torn_void_records),
  };

  return cmocka_run_group_tests_name("a void record, torn", tests, NULL, NULL);
}
