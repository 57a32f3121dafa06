// SPDX-License-Identifier: MIT
/* Settling otadata before it is trusted: what a power cut left there is completed or made void, and then stays so. */
#include "lifeboat/bytes.h"
#include "lifeboat/trial.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/trial_bytes.h"
#include "tests/unit/support/unit.h"

static int settle(struct fixture *fixture)
{
  struct lb_otadata otadata;

  return lb_trial_settle(&otadata, &fixture->device);
}

/* Settles, and once more: then there is nothing left to do. */
static void settle_twice(struct fixture *fixture)
{
  struct lb_otadata first;
  struct lb_otadata second;
  uint32_t programs;

  assert_result(lb_trial_settle(&first, &fixture->device), LB_OK);
  programs = fixture->tap.programs;
  assert_result(lb_trial_settle(&second, &fixture->device), LB_OK);
  assert_int_equal(fixture->tap.programs, programs);
  assert_int_equal(fixture->tap.erases, 0);
  assert_int_equal(first.active, second.active); /* and it was read anew at its end */
  assert_memory_equal(first.records, second.records, sizeof(first.records));
}

/* ota_0 was confirmed, ota_1 is on trial; both were settled. */
static void open_on_trial(struct trial_module *module)
{
  trial_open(module, true);
  trial_put(&module->fixture, 0, 1, KIND_AT_ONCE, 0, module->digest[OTA_0]);
  trial_put(&module->fixture, 1, 2, KIND_TRIAL, 3, module->digest[OTA_1]);
  trial_put_mark(&module->fixture, 0, AT_SETTLED);
  trial_put_mark(&module->fixture, 1, AT_SETTLED);
}

/* ---- nothing to do ---- */

/* What is blank, void, whole, or written by ESP-IDF, its trial and its set-aside records: nothing is programmed. */
static void test_nothing_to_do(void **state)
{
  static const uint32_t states[] = {0, 1, 2, 3, 4, 5, UNDEFINED};
  struct trial_module module;
  struct fixture *fixture = &module.fixture;

  (void)state;
  open_on_trial(&module);
  settle_twice(fixture);
  fixture_blank_record(fixture, 0);
  settle_twice(fixture);
  memset(trial_half(fixture, 0), 0, 32);
  settle_twice(fixture);
  for (size_t zero = 0; zero < 7; zero++) {
    for (size_t one = 0; one < 7; one++) {
      fixture_put_record(fixture, 0, 4, states[zero]);
      fixture_put_record(fixture, 1, 3, states[one]);
      settle_twice(fixture);
    }
  }
  assert_int_equal(fixture->tap.count, 0);
  trial_close(&module);
}

/* ---- broken records ---- */

static void assert_void(struct fixture *fixture, uint32_t index)
{
  static const uint8_t zeros[4] = {0};

  assert_memory_equal(trial_half(fixture, index) + 28, zeros, 4);
}

static void test_broken_records_are_made_void(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  struct unit_random random;

  (void)state;
  unit_random_seed(&random, "settle", 4);
  open_on_trial(&module);
  for (uint32_t turn = 0; turn < 300; turn++) {
    uint8_t *half = trial_half(fixture, turn % 2);
    uint8_t behind[OTADATA_HALF];

    fixture_put_record(fixture, turn % 2, 5, UNDEFINED);
    fixture_put_record(fixture, 1 - turn % 2, 4, UNDEFINED);
    if (turn < 100) {
      unit_random_fill(&random, half, 32);
    } else if (turn < 200) { /* a torn program: only so many bits of the sequence and the CRC are cleared */
      lb_store_le32(half, lb_load_le32(half) | (unit_random_next(&random) & ~5U) | 8U);
    } else if (turn < 298) {
      half[28 + turn % 4] ^= (uint8_t)(1U << turn % 8);
    } else { /* sequences that mean no slot, and the CRC right */
      fixture_put_record(fixture, turn % 2, turn % 2 ? UNDEFINED : 0, UNDEFINED);
    }
    memcpy(behind, half, sizeof(behind));
    memset(behind + 28, 0, 4);
    flash_tap_clear(&fixture->tap);
    settle_twice(fixture);
    assert_void(fixture, turn % 2);
    assert_memory_equal(half, behind, sizeof(behind)); /* only the record */
    assert_int_equal(fixture->tap.programs, 1);
    assert_int_equal(lb_load_le32(trial_half(fixture, 1 - turn % 2)), 4);
  }
  trial_close(&module);
}

static void test_both_broken(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;

  (void)state;
  open_on_trial(&module);
  trial_half(fixture, 0)[0] ^= 0x40;
  trial_half(fixture, 1)[31] ^= 0x40;
  settle_twice(fixture);
  assert_void(fixture, 0);
  assert_void(fixture, 1);
  assert_string_equal(fixture_selected(fixture), "factory");
  trial_close(&module);
}

/* ---- verdicts ---- */

/* Clears `count` bits of 8 bytes, which ones follows from the random numbers. */
static void clear_some(struct unit_random *random, uint8_t *mark, uint32_t count)
{
  memset(mark, 0xFF, 8);
  for (uint32_t done = 0; done < count;) {
    uint32_t bit = unit_random_below(random, 64);
    uint8_t mask = (uint8_t)(1U << bit % 8);

    done += (mark[bit / 8] & mask) ? 1 : 0;
    mark[bit / 8] &= (uint8_t)~mask;
  }
}

/* Every number of bits: from two on the mark is completed, and the record's state says the same. */
static void check_mark(uint32_t at, uint32_t record_state, struct unit_random *random)
{
  static const uint8_t zeros[8] = {0};
  static const uint8_t blank[8] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  uint8_t *half;

  open_on_trial(&module);
  half = trial_half(fixture, 1);
  for (uint32_t count = 0; count <= 64; count++) {
    for (uint32_t turn = 0; turn < 4; turn++) {
      uint8_t mark[8];
      bool verdict = at == AT_CONFIRMED || at == AT_REJECTED;

      memset(half + 24, 0xFF, 4);
      memset(half + AT_MIRRORED, 0xFF, 8);
      clear_some(random, half + at, count);
      memcpy(mark, half + at, 8);
      flash_tap_clear(&fixture->tap);
      settle_twice(fixture);
      assert_memory_equal(half + at, count >= 2 ? zeros : mark, 8);
      assert_int_equal(lb_load_le32(half + 24), count >= 2 && verdict ? record_state : UNDEFINED);
      assert_int_equal(fixture->tap.programs, (count >= 2 && count < 64) + (count >= 2 && verdict ? 2 : 0));
      assert_memory_equal(half + AT_MIRRORED, count >= 2 && verdict ? zeros : blank, 8);
      assert_string_equal(fixture_selected(fixture), count >= 2 && at == AT_REJECTED ? "ota_0" : "ota_1");
    }
  }
  trial_close(&module);
}

static void test_torn_marks(void **state)
{
  struct unit_random random;

  (void)state;
  unit_random_seed(&random, "torn marks", 5);
  check_mark(AT_CONFIRMED, LB_OTADATA_VALID, &random);
  check_mark(AT_REJECTED, LB_OTADATA_ABORTED, &random);
  check_mark(AT_DEPOT, UNDEFINED, &random);
}

/* Until it is marked that the state was programmed it is programmed again, however it reads; afterwards it is left. */
static void test_torn_states(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;

  (void)state;
  for (uint32_t turn = 0; turn < 4; turn++) {
    uint32_t wanted = turn % 2 ? LB_OTADATA_ABORTED : LB_OTADATA_VALID;
    bool mirrored = turn / 2;

    open_on_trial(&module);
    trial_put_mark(fixture, 1, turn % 2 ? AT_REJECTED : AT_CONFIRMED);
    for (uint32_t bits = 0; bits < 512; bits++) {
      uint32_t before = bits < 256 ? bits | 0xFFFFFF00U : bits & 0xFF;

      lb_store_le32(trial_half(fixture, 1) + 24, before);
      memset(trial_half(fixture, 1) + AT_MIRRORED, mirrored ? 0 : 0xFF, 8);
      flash_tap_clear(&fixture->tap);
      settle_twice(fixture);
      assert_int_equal(lb_load_le32(trial_half(fixture, 1) + 24), mirrored ? before : before & wanted);
      assert_int_equal(fixture->tap.programs, mirrored ? 0 : 2);
    }
    trial_close(&module);
  }
}

/* The mark of it is completed like any other, once there is a verdict. */
static void test_torn_mirrored_mark(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  struct unit_random random;

  (void)state;
  unit_random_seed(&random, "torn mark", 8);
  open_on_trial(&module);
  trial_put_mark(fixture, 1, AT_CONFIRMED);
  lb_store_le32(trial_half(fixture, 1) + 24, LB_OTADATA_VALID);
  for (uint32_t bits = 0; bits <= 64; bits++) {
    clear_some(&random, trial_half(fixture, 1) + AT_MIRRORED, bits);
    flash_tap_clear(&fixture->tap);
    settle_twice(fixture);
    assert_int_equal(fixture->tap.programs, bits < 2 ? 2 : bits < 64 ? 1 : 0);
    for (uint32_t at = 0; at < 8; at++) {
      assert_int_equal(trial_half(fixture, 1)[AT_MIRRORED + at], 0);
    }
  }
  trial_close(&module);
}

/* The record that does not count: what was confirmed before, its mark torn, or what failed before. */
static void test_verdict_of_the_other_record(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  struct lb_otadata otadata;

  (void)state;
  open_on_trial(&module);
  trial_put(fixture, 0, 1, KIND_TRIAL, 3, module.digest[OTA_0]);
  trial_half(fixture, 0)[AT_CONFIRMED] = 0xFC;
  settle_twice(fixture);
  assert_int_equal(trial_half(fixture, 0)[24], LB_OTADATA_VALID);
  assert_int_equal(trial_half(fixture, 0)[AT_CONFIRMED + 7], 0);
  trial_half(fixture, 0)[AT_REJECTED] = 0xFC;
  settle_twice(fixture);
  assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
  assert_true(otadata.records[0].trial.rejected);
  assert_int_equal(otadata.active, 1);
  trial_close(&module);
}

/* ---- the record that counts ---- */

static void test_the_active_record_is_programmed_again_once(void **state)
{
  (void)state;
  for (uint32_t bits = 0; bits <= 64; bits++) {
    struct trial_module module;
    struct fixture *fixture = &module.fixture;
    struct unit_random random = {.state = bits};
    uint8_t expected[OTADATA_HALF];

    open_on_trial(&module);
    memset(trial_half(fixture, 0) + AT_SETTLED, 0xFF, 8); /* that one does not count */
    clear_some(&random, trial_half(fixture, 1) + AT_SETTLED, bits);
    memcpy(expected, trial_half(fixture, 1), sizeof(expected));
    settle_twice(fixture);
    memset(expected + AT_SETTLED, 0, 8);
    assert_int_equal(fixture->tap.programs, bits < 2 ? 2 : bits < 64 ? 1 : 0); /* a torn mark is completed */
    if (bits < 2) {
      assert_int_equal(fixture->tap.log[0].address, OTADATA_AT + OTADATA_HALF);
      assert_int_equal(fixture->tap.log[0].length, 32);
      assert_int_equal(fixture->tap.log[1].address, OTADATA_AT + OTADATA_HALF + AT_SETTLED);
    }
    assert_memory_equal(trial_half(fixture, 1), expected, sizeof(expected));
    assert_int_equal(trial_half(fixture, 0)[AT_SETTLED], 0xFF);
    trial_close(&module);
  }
}

/* ---- a trial that something was selected over ---- */

static void test_a_trial_that_does_not_count(void **state)
{
  (void)state;
  for (uint32_t old = 0; old < 2; old++) {
    for (uint32_t kind = 0; kind < 3; kind++) {
      struct trial_module module;
      struct fixture *fixture = &module.fixture;

      trial_open(&module, true);
      trial_put(fixture, old, 2, KIND_TRIAL, 3, module.digest[OTA_1]);
      trial_put_mark(fixture, old, AT_SETTLED);
      if (kind < 2) {
        trial_put(fixture, 1 - old, 3, kind ? KIND_TRIAL : KIND_AT_ONCE, kind ? 3 : 0, module.digest[OTA_0]);
        trial_put_mark(fixture, 1 - old, AT_SETTLED);
      } else {
        fixture_put_record(fixture, 1 - old, 3, UNDEFINED); /* otatool did */
      }
      settle_twice(fixture);
      assert_void(fixture, old);
      assert_int_equal(fixture->tap.programs, 1);
      assert_string_equal(fixture_selected(fixture), "ota_0");
      trial_close(&module);
    }
  }
}

/* The one sequence whose CRC is 0: void all the same. */
static void test_a_void_record_of_crc_zero(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;

  (void)state;
  trial_open(&module, true);
  trial_put(fixture, 0, 0x9226F562U, KIND_TRIAL, 3, module.digest[OTA_1]);
  trial_put_mark(fixture, 0, AT_SETTLED);
  assert_int_equal(lb_load_le32(trial_half(fixture, 0) + 28), 0);
  settle_twice(fixture);
  assert_int_equal(fixture->tap.programs, 0);
  assert_string_equal(fixture_selected(fixture), "ota_1"); /* until something is selected over it */
  fixture_put_record(fixture, 1, 0x9226F563U, UNDEFINED);
  settle_twice(fixture);
  assert_int_equal(fixture->tap.programs, 1);
  assert_int_equal(lb_load_le32(trial_half(fixture, 0)), 0);
  fixture_blank_record(fixture, 1);
  assert_string_equal(fixture_selected(fixture), "factory");
  trial_close(&module);
}

/* Nothing but a trial is: not what was confirmed, nor counted at once, nor failed. */
static void test_what_is_kept(void **state)
{
  (void)state;
  for (uint32_t kind = 0; kind < 3; kind++) {
    struct trial_module module;
    struct fixture *fixture = &module.fixture;

    trial_open(&module, true);
    trial_put(fixture, 0, 3, KIND_TRIAL, 3, module.digest[OTA_0]);
    trial_put_mark(fixture, 0, AT_SETTLED);
    trial_put(fixture, 1, 2, kind ? KIND_TRIAL : KIND_AT_ONCE, 3, module.digest[OTA_1]);
    if (kind) {
      trial_put_mark(fixture, 1, kind == 1 ? AT_CONFIRMED : AT_REJECTED);
      lb_store_le32(trial_half(fixture, 1) + 24, kind == 1 ? LB_OTADATA_VALID : LB_OTADATA_ABORTED);
      trial_put_mark(fixture, 1, AT_MIRRORED);
    }
    settle_twice(fixture);
    assert_int_equal(fixture->tap.programs, 0);
    trial_close(&module);
  }
}

/* ---- what goes wrong ---- */

/* As much to do as there can be: a broken record and a torn verdict; or a trial that does not count and a fresh record.
 */
static void put_work(struct trial_module *module, unsigned which)
{
  struct fixture *fixture = &module->fixture;

  trial_put(fixture, 0, 1, KIND_TRIAL, 3, module->digest[OTA_0]);
  trial_put(fixture, 1, 2, KIND_TRIAL, 3, module->digest[OTA_1]);
  trial_half(fixture, 1)[AT_DEPOT] = 0x3F;
  if (which == 1) {
    trial_half(fixture, 0)[2] ^= 1;
    trial_half(fixture, 1)[AT_CONFIRMED + 3] = 0x5A;
  } else if (which == 2) {
    trial_half(fixture, 0)[AT_CONFIRMED + 3] = 0x5A;
    trial_half(fixture, 1)[AT_REJECTED + 3] = 0x5A;
  }
}

static void test_failures(void **state)
{
  static const uint32_t programs[] = {4, 7, 9};

  (void)state;
  for (unsigned work = 0; work < 3; work++) {
    uint32_t failures[3] = {0, 0, 0};

    for (uint32_t i = 0; i < 3 * 200; i++) {
      static const int errors[] = {LB_ERR_FLASH_READ, LB_ERR_FLASH_PROGRAM, LB_ERR_READ_BACK};
      struct trial_module module;
      struct flash_tap *tap = &module.fixture.tap;

      trial_open(&module, true);
      put_work(&module, work);
      *(i % 3 == 0 ? &tap->fail_read_at : i % 3 == 1 ? &tap->fail_program_at : &tap->drop_program_at) = i / 3;
      int result = settle(&module.fixture);
      if (result) {
        assert_result(result, errors[i % 3]);
        failures[i % 3]++;
        flash_tap_clear(tap);
        settle_twice(&module.fixture);
      }
      trial_close(&module);
    }
    assert_in_range(failures[0], 20, 190);
    assert_int_equal(failures[1], programs[work]);
    assert_int_equal(failures[2], programs[work] - 1); /* programming the record again clears nothing */
  }
}

/*
 * Unstable bits that happen to read as they should are programmed only once they do not; but what they mean stays.
 */
static void settle_and_stay(struct fixture *fixture)
{
  struct lb_otadata first;
  struct lb_otadata again;

  assert_result(lb_trial_settle(&first, &fixture->device), LB_OK);
  for (int turn = 0; turn < 8; turn++) {
    assert_result(turn % 2 ? lb_trial_settle(&again, &fixture->device) : lb_otadata_read(&again, &fixture->device),
                  LB_OK);
    assert_int_equal(first.active, again.active);
    for (int i = 0; i < 2; i++) {
      assert_int_equal(first.records[i].usable, again.records[i].usable);
      assert_memory_equal(&first.records[i].trial, &again.records[i].trial, sizeof(struct lb_trial));
    }
  }
}

/* The power goes at each operation, in each way: afterwards it settles to what is selected with or without it. */
static void test_cuts(void **state)
{
  static const enum sim_cut ways[] = {SIM_CUT_BEFORE, SIM_CUT_PROGRAM_PREFIX, SIM_CUT_PROGRAM_SUBSET, SIM_CUT_UNSTABLE};
  static const char *const selected[] = {"ota_1", "ota_1", "ota_0"};
  uint32_t fired = 0;

  (void)state;
  for (unsigned i = 0; i < 3 * 8 * 40; i++) {
    struct trial_module module;
    struct fixture *fixture = &module.fixture;

    trial_open(&module, true);
    put_work(&module, i / 320);
    sim_flash_seed(&fixture->flash, i);
    sim_flash_cut_at(&fixture->flash, 1 + i % 8, ways[i / 8 % 4]);
    int result = settle(fixture);
    bool cut = sim_flash_cut_fired(&fixture->flash);
    assert_int_equal(result == LB_OK, !cut);
    fired += cut;
    sim_flash_power_on(&fixture->flash);
    sim_flash_cut_at(&fixture->flash, 0, SIM_CUT_BEFORE);
    settle_and_stay(fixture);
    assert_string_equal(fixture_selected(fixture), selected[i / 320]);
    trial_close(&module);
  }
  print_message("settling: %u cuts fired\n", (unsigned)fired);
  assert_true(fired >= 4 * 40 * 3);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nothing_to_do),
      cmocka_unit_test(test_broken_records_are_made_void),
      cmocka_unit_test(test_both_broken),
      cmocka_unit_test(test_torn_marks),
      cmocka_unit_test(test_torn_states),
      cmocka_unit_test(test_torn_mirrored_mark),
      cmocka_unit_test(test_verdict_of_the_other_record),
      cmocka_unit_test(test_the_active_record_is_programmed_again_once),
      cmocka_unit_test(test_a_trial_that_does_not_count),
      cmocka_unit_test(test_a_void_record_of_crc_zero),
      cmocka_unit_test(test_what_is_kept),
      cmocka_unit_test(test_failures),
      cmocka_unit_test(test_cuts),
  };

  return cmocka_run_group_tests_name("settling", tests, NULL, NULL);
}
