// SPDX-License-Identifier: MIT
/* otadata: what counts, what a selection writes and where, and what a cut at any of its operations leaves. */
#include "lifeboat/otadata.h"

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/trial_bytes.h"
#include "tests/unit/support/unit.h"

#define LAST  0xFFFFFFFEU /* the greatest sequence number */
#define STEPS 12          /* more than any selection takes on sectors of half of otadata */

/* ---- what a record may be ---- */

static const struct kind {
  const char *name;
  uint32_t sequence;
  uint32_t state;
  bool blank, garbage, bad_crc;
  bool usable;
} kinds[] = {
    {"blank", 0, 0, true, false, false, false},
    {"garbage", 0, 0, false, true, false, false},
    {"bad crc", 5, UNDEFINED, false, false, true, false},
    {"invalid", 6, 3, false, false, false, false},
    {"aborted", 7, 4, false, false, false, false},
    {"1", 1, UNDEFINED, false, false, false, true},
    {"2", 2, UNDEFINED, false, false, false, true},
    {"3", 3, UNDEFINED, false, false, false, true},
    {"2 new", 2, 0, false, false, false, true},
    {"3 pending", 3, 1, false, false, false, true},
    {"4 valid", 4, 2, false, false, false, true},
    {"last", LAST, UNDEFINED, false, false, false, true},
    {"last, aborted", LAST, 4, false, false, false, false},
    {"last but one", LAST - 1, UNDEFINED, false, false, false, true},
    {"sequence of ones", UNDEFINED, UNDEFINED, false, false, false, false},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void put_kind(struct fixture *fixture, uint32_t index, const struct kind *kind)
{
  uint8_t *sector = fixture_bytes(fixture) + 0xd000 + index * 0x1000;
  struct unit_random random = {.state = index + 1};

  if (kind->blank) {
    fixture_blank_record(fixture, index);
  } else if (kind->garbage) {
    fixture_blank_record(fixture, index);
    unit_random_fill(&random, sector, 512);
  } else {
    fixture_put_record(fixture, index, kind->sequence, kind->state);
    sector[28] ^= kind->bad_crc ? 1 : 0;
  }
}

/* The record that counts, by the format page: -1 for none. */
static int expected_active(const struct kind *zero, const struct kind *one)
{
  if (zero->usable && one->usable) {
    return one->sequence > zero->sequence ? 1 : 0;
  }
  if (zero->usable || one->usable) {
    return zero->usable ? 0 : 1;
  }
  return -1;
}

static const struct kind *active_kind(const struct kind *zero, const struct kind *one)
{
  int active = expected_active(zero, one);

  return active < 0 ? NULL : active ? one : zero;
}

static uint32_t slot_of(uint32_t sequence, uint32_t slots)
{
  return (sequence - 1) % slots;
}

/* What is expected to be selected: a slot's number, or -1 for factory. */
static int expected_slot(const struct kind *zero, const struct kind *one, uint32_t slots)
{
  const struct kind *active = active_kind(zero, one);

  return active ? (int)slot_of(active->sequence, slots) : -1;
}

static int selected_slot(struct fixture *fixture)
{
  const char *label = fixture_selected(fixture);

  if (strcmp(label, "factory") == 0) {
    return -1;
  }
  assert_memory_equal(label, "ota_", 4);
  return atoi(label + 4);
}

static void test_crc(void **state)
{
  (void)state;
  assert_int_equal(lb_otadata_crc(1), 0x4743989AU);
  assert_int_equal(lb_otadata_crc(2), 0x55F63774U);
  assert_int_equal(lb_otadata_crc(3), 0xED4A5011U);
  assert_int_equal(lb_otadata_crc(4), 0x709D68A8U);
}

static void test_active(void **state)
{
  struct fixture fixture;
  struct lb_otadata otadata;

  (void)state;
  fixture_open_miniature(&fixture, true, 3);
  for (size_t zero = 0; zero < KINDS; zero++) {
    for (size_t one = 0; one < KINDS; one++) {
      put_kind(&fixture, 0, &kinds[zero]);
      put_kind(&fixture, 1, &kinds[one]);
      assert_result(lb_otadata_read(&otadata, &fixture.device), LB_OK);
      if (otadata.active != expected_active(&kinds[zero], &kinds[one]) ||
          selected_slot(&fixture) != expected_slot(&kinds[zero], &kinds[one], 3)) {
        fail_here("%s, %s: active is %d", kinds[zero].name, kinds[one].name, otadata.active);
      }
      assert_int_equal(otadata.records[0].usable, kinds[zero].usable);
      assert_int_equal(otadata.records[1].usable, kinds[one].usable);
    }
  }
  assert_int_equal(fixture.tap.count, 0);
  fixture_close(&fixture);
}

static void test_single_bits_of_a_record(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  fixture_put_record(&fixture, 0, 1, UNDEFINED);
  fixture_put_record(&fixture, 1, 2, UNDEFINED);
  for (uint32_t bit = 0; bit < 256; bit++) {
    uint8_t *byte = fixture_bytes(&fixture) + 0xe000 + bit / 8;
    bool matters = bit / 8 < 4 || bit / 8 >= 28;

    *byte ^= (uint8_t)(1U << bit % 8);
    assert_int_equal(selected_slot(&fixture), matters ? 0 : 1);
    *byte ^= (uint8_t)(1U << bit % 8);
  }
  fixture_close(&fixture);
}

static void test_default_without_factory(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_miniature(&fixture, false, 2);
  assert_string_equal(fixture_selected(&fixture), "ota_0");
  fixture_put_record(&fixture, 0, 2, UNDEFINED);
  assert_string_equal(fixture_selected(&fixture), "ota_1");
  fixture_close(&fixture);
}

static void test_nothing_to_select(void **state)
{
  const struct sim_geometry geometry = sim_geometry_miniature(0x40000);
  static const struct lb_partition rows[] = {{0xd000, 0x2000, 0, 1, 0, "otadata"},
                                             {0x10000, 0x10000, 0, 0, 0x20, "test"}};
  struct fixture fixture;
  struct lb_partition selected;
  struct lb_otadata otadata;

  (void)state;
  fixture_open(&fixture, &geometry, rows, 2);
  assert_result(lb_otadata_read(&otadata, &fixture.device), LB_OK);
  assert_result(lb_otadata_selected(&otadata, &fixture.table, &selected), LB_ERR_NOT_FOUND);
  fixture_put_record(&fixture, 0, 1, UNDEFINED);
  assert_result(lb_otadata_read(&otadata, &fixture.device), LB_OK);
  assert_result(lb_otadata_selected(&otadata, &fixture.table, &selected), LB_ERR_NOT_FOUND);
  assert_result(lb_otadata_select_slot(&otadata, &fixture.device, &(struct lb_selection){.slot = 0}), LB_ERR_NOT_FOUND);
  fixture_close(&fixture);
}

static void test_no_otadata(void **state)
{
  const struct sim_geometry geometry = sim_geometry_miniature(0x40000);
  static const struct lb_partition rows[] = {{0x10000, 0x10000, 0, 0, 0, "factory"},
                                             {0x20000, 0x10000, 0, 0, 0x10, "ota_0"}};
  struct fixture fixture;
  struct lb_otadata otadata;

  (void)state;
  fixture_open(&fixture, &geometry, rows, 2);
  assert_result(lb_otadata_read(&otadata, &fixture.device), LB_ERR_NO_OTADATA);
  fixture_close(&fixture);
}

/* ---- selecting ---- */

/* Takes steps until it is over; at most one erase and one page each, and only so many. */
static int run(struct fixture *fixture, struct lb_otadata *otadata, int slot)
{
  for (int step = 0; step < STEPS; step++) {
    uint32_t programs = fixture->tap.programs;
    uint32_t erases = fixture->tap.erases;
    int result =
        slot < 0 ? lb_otadata_select_factory(otadata, &fixture->device)
                 : lb_otadata_select_slot(otadata, &fixture->device, &(struct lb_selection){.slot = (uint32_t)slot});

    if (fixture->tap.programs - programs > 1 || fixture->tap.erases - erases > 1) {
      fail_here("one step did %u programs and %u erases", (unsigned)(fixture->tap.programs - programs),
                (unsigned)(fixture->tap.erases - erases));
    }
    if (result != LB_MORE) {
      return result;
    }
  }
  fail_here("the selection does not end");
  return LB_MORE;
}

static int read_and_run(struct fixture *fixture, int slot)
{
  struct lb_otadata otadata;
  int result = lb_otadata_read(&otadata, &fixture->device);

  return result ? result : run(fixture, &otadata, slot);
}

/* The smallest sequence above `above` that means the slot, counted up one by one; 0 if there is none. */
static uint32_t next_above(uint32_t above, uint32_t slot, uint32_t slots)
{
  for (uint32_t sequence = above + 1; sequence != UNDEFINED; sequence++) {
    if (slot_of(sequence, slots) == slot) {
      return sequence;
    }
  }
  return 0;
}

/* A record as it is written, with nothing but its tag (if it has one) behind it. */
static void assert_record(struct fixture *fixture, int index, uint32_t sequence, const struct trial_tag *tag)
{
  const uint8_t *half = trial_half(fixture, (uint32_t)index);
  uint8_t expected[OTADATA_HALF];

  memset(expected, 0xFF, sizeof(expected));
  lb_store_le32(expected, sequence);
  lb_store_le32(expected + 28, lb_crc32(0xFFFFFFFFU, expected, 4));
  if (tag) {
    trial_tag_encode(expected, tag);
  }
  assert_memory_equal(half, expected, sizeof(expected));
}

/* What selecting without a trial and without a digest writes. */
static void assert_plain_selection(struct fixture *fixture, int index, uint32_t sequence)
{
  const struct trial_tag tag = {.sequence = sequence, .kind = KIND_AT_ONCE};

  assert_record(fixture, index, sequence, &tag);
}

/* A record whose CRC is right counts as one when numbers are given out, even if it is set aside. */
static bool is_whole(const struct kind *kind)
{
  return !kind->blank && !kind->garbage && !kind->bad_crc && kind->sequence != UNDEFINED;
}

static void check_selection(struct fixture *fixture, const struct kind *zero, const struct kind *one, uint32_t slot,
                            uint32_t slots)
{
  const struct kind *active = active_kind(zero, one);
  int other = expected_active(zero, one) == 0 ? 1 : 0;
  const struct kind *kept = other ? zero : one;
  uint32_t sequence = next_above(is_whole(kept) ? kept->sequence : 0, slot, slots);
  uint8_t before[0x2000];

  put_kind(fixture, 0, zero);
  put_kind(fixture, 1, one);
  memcpy(before, fixture_bytes(fixture) + 0xd000, sizeof(before));
  flash_tap_clear(&fixture->tap);
  assert_result(read_and_run(fixture, (int)slot), LB_OK);
  assert_int_equal(selected_slot(fixture), slot);
  bool settled = active && active->state != LB_OTADATA_NEW && active->state != LB_OTADATA_PENDING_VERIFY;
  if (settled && slot_of(active->sequence, slots) == slot) {
    assert_int_equal(fixture->tap.count, 0);
  } else if (sequence) {
    assert_plain_selection(fixture, other, sequence);
    assert_memory_equal(before + (1 - other) * 0x1000, fixture_bytes(fixture) + 0xd000 + (1 - other) * 0x1000, 0x1000);
  } else if (!kept->usable) {
    assert_plain_selection(fixture, other, slot + 1);
  } else { /* the count begins anew: first with a copy of the record that counts, then with what follows it */
    uint32_t copy = slot_of(kept->sequence, slots) + 1;

    assert_record(fixture, other, copy, NULL);
    assert_plain_selection(fixture, 1 - other, next_above(copy, slot, slots));
  }
  for (uint32_t i = 0; i < fixture->tap.count; i++) {
    assert_in_range(fixture->tap.log[i].address, 0xd000, 0xefff);
  }
}

static void test_select_slot(void **state)
{
  static const uint32_t counts[] = {1, 2, 3, 16};

  (void)state;
  for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
    struct fixture fixture;

    fixture_open_miniature(&fixture, true, counts[i]);
    for (size_t zero = 0; zero < KINDS; zero++) {
      for (size_t one = 0; one < KINDS; one++) {
        for (uint32_t slot = 0; slot < counts[i]; slot++) {
          check_selection(&fixture, &kinds[zero], &kinds[one], slot, counts[i]);
        }
      }
    }
    assert_result(read_and_run(&fixture, (int)counts[i]), LB_ERR_NOT_FOUND);
    fixture_close(&fixture);
  }
}

/* Every byte of the tag, and the order: the old record made void, its half erased, the tag, the record. */
static void test_what_a_trial_writes(void **state)
{
  static const struct tap_operation order[] = {
      {TAP_PROGRAM, 0xe000, 32}, {TAP_ERASE, 0xe000, 0x1000}, {TAP_PROGRAM, 0xe040, 64}, {TAP_PROGRAM, 0xe000, 32}};
  struct fixture fixture;
  struct trial_tag tag = {.sequence = 4, .kind = KIND_TRIAL, .attempts = 3, .depot_expected = 1};
  const struct lb_selection selection = {.slot = 1, .digest = tag.digest, .attempts = 3, .depot_expected = true};

  (void)state;
  fixture_open_ovms(&fixture);
  fixture_put_record(&fixture, 0, 3, UNDEFINED);
  fixture_put_record(&fixture, 1, 2, UNDEFINED);
  for (uint32_t i = 0; i < 32; i++) {
    tag.digest[i] = (uint8_t)(7 * i + 1);
  }
  assert_result(trial_select(&fixture, &selection), LB_OK);
  assert_record(&fixture, 1, 4, &tag);
  assert_memory_equal(trial_half(&fixture, 1) + 64, "LBTR\4\0\0\0\1\3\1\377\377", 13);
  assert_int_equal(fixture.tap.count, 4);
  for (uint32_t i = 0; i < 4; i++) {
    assert_int_equal(fixture.tap.log[i].kind, order[i].kind);
    assert_int_equal(fixture.tap.log[i].address, order[i].address);
    assert_int_equal(fixture.tap.log[i].length, order[i].length);
  }
  fixture_close(&fixture);
}

/* A half that reads blank is erased all the same: it may have been in flight once. */
static void test_a_blank_half_is_erased(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_ovms(&fixture);
  assert_result(read_and_run(&fixture, 0), LB_OK);
  assert_int_equal(fixture.tap.erases, 1);
  assert_int_equal(fixture.tap.log[0].kind, TAP_ERASE);
  assert_int_equal(fixture.tap.count, 3);
  assert_plain_selection(&fixture, 0, 1);
  fixture_close(&fixture);
}

/* Where the count begins anew, a record that was there before must not lend its stale state to the selection. */
static void test_wrap_writes_a_fresh_state(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_ovms(&fixture);
  for (uint32_t stale = 0; stale < 3; stale++) {      /* NEW, PENDING_VERIFY, VALID */
    fixture_put_record(&fixture, 0, LAST, UNDEFINED); /* ota_1 */
    fixture_put_record(&fixture, 1, 1, stale);
    assert_result(read_and_run(&fixture, 0), LB_OK);
    assert_record(&fixture, 1, 2, NULL); /* what counted before */
    assert_plain_selection(&fixture, 0, 3);
  }
  fixture_close(&fixture);
}

/* A sector whose every part has to be erased still takes one erase a step; `run` asserts it. */
static void test_one_erase_a_step_on_small_sectors(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  memset(fixture_bytes(&fixture) + 0xd000, 0, 0x2000);
  assert_result(read_and_run(&fixture, 1), LB_OK);
  assert_string_equal(fixture_selected(&fixture), "ota_1");
  fixture_close(&fixture);
}

static void test_select_factory(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_ovms(&fixture);
  for (size_t zero = 0; zero < KINDS; zero++) {
    for (size_t one = 0; one < KINDS; one++) {
      int active = expected_active(&kinds[zero], &kinds[one]);
      uint32_t dirty = (kinds[zero].blank ? 0U : 1U) + (kinds[one].blank ? 0U : 1U);

      put_kind(&fixture, 0, &kinds[zero]);
      put_kind(&fixture, 1, &kinds[one]);
      flash_tap_clear(&fixture.tap);
      assert_result(read_and_run(&fixture, -1), LB_OK);
      assert_string_equal(fixture_selected(&fixture), "factory");
      assert_int_equal(fixture.tap.erases, dirty);
      if (dirty == 2 && active >= 0) { /* the one that does not count goes first */
        uint32_t last_erase = 0;

        for (uint32_t i = 0; i < fixture.tap.count; i++) {
          last_erase = fixture.tap.log[i].kind == TAP_ERASE ? fixture.tap.log[i].address : last_erase;
        }
        assert_int_equal(last_erase, 0xd000 + active * 0x1000);
      }
      for (uint32_t at = 0xd000; at < 0xf000; at++) {
        assert_int_equal(fixture_bytes(&fixture)[at], 0xFF);
      }
    }
  }
  fixture_close(&fixture);
}

static void test_select_back_and_forth(void **state)
{
  struct fixture fixture;
  struct unit_random random;

  (void)state;
  unit_random_seed(&random, "otadata", 9);
  fixture_open_miniature(&fixture, true, 3);
  for (int turn = 0; turn < 500; turn++) {
    int slot = (int)unit_random_below(&random, 4) - 1;

    assert_result(read_and_run(&fixture, slot), LB_OK);
    assert_int_equal(selected_slot(&fixture), slot);
  }
  fixture_close(&fixture);
}

/* ---- power cuts ---- */

static uint32_t cuts_fired;

/* Cuts at one operation; returns false once there is no such operation any more. */
static bool cut_once(struct fixture *fixture, const struct kind *zero, const struct kind *one, int slot, int old,
                     uint64_t operation, uint64_t seed)
{
  int now;

  put_kind(fixture, 0, zero);
  put_kind(fixture, 1, one);
  sim_flash_seed(&fixture->flash, seed);
  sim_flash_cut_at(&fixture->flash, operation, seed ? SIM_CUT_TORN : SIM_CUT_BEFORE);
  (void)read_and_run(fixture, slot);
  if (!sim_flash_cut_fired(&fixture->flash)) {
    sim_flash_cut_at(&fixture->flash, 0, SIM_CUT_BEFORE);
    assert_int_equal(selected_slot(fixture), slot);
    return false;
  }
  cuts_fired++;
  sim_flash_power_on(&fixture->flash);
  now = selected_slot(fixture);
  if (now != old && now != slot) {
    fail_here("%s, %s, to %d, operation %u, seed %u: %d is selected", zero->name, one->name, slot, (unsigned)operation,
              (unsigned)seed, now);
  }
  assert_result(read_and_run(fixture, slot), LB_OK);
  assert_int_equal(selected_slot(fixture), slot);
  return true;
}

static void cut_everywhere(struct fixture *fixture, const struct kind *zero, const struct kind *one, int slot,
                           uint32_t slots)
{
  int old = expected_slot(zero, one, slots);

  for (uint64_t seed = 0; seed < 12; seed++) {
    uint64_t operation = 1;

    while (cut_once(fixture, zero, one, slot, old, operation, seed)) {
      operation++;
    }
  }
}

static void test_cuts(void **state)
{
  struct fixture fixture;

  (void)state;
  cuts_fired = 0;
  fixture_open_ovms(&fixture);
  for (size_t zero = 0; zero < KINDS; zero++) {
    for (size_t one = 0; one < KINDS; one++) {
      for (int slot = -1; slot < 2; slot++) {
        cut_everywhere(&fixture, &kinds[zero], &kinds[one], slot, 2);
      }
    }
  }
  print_message("otadata: %u cuts fired\n", (unsigned)cuts_fired);
  assert_true(cuts_fired > 5000);
  fixture_close(&fixture);
}

/*
 * A record that was set aside (INVALID, ABORTED) must not count again because the bits of its state were the first to
 * rise in an erase that was cut: whatever subset of the state's bits rises, the old or the new selection stays.
 */
static void check_torn_state(struct fixture *fixture, uint32_t state_before, int slot)
{
  uint8_t *sector = fixture_bytes(fixture) + 0xe000;

  for (uint32_t risen = 0; risen < 256; risen++) {
    struct lb_otadata otadata;
    int now;

    fixture_put_record(fixture, 0, 1, UNDEFINED);
    fixture_put_record(fixture, 1, 2, state_before);
    flash_tap_clear(&fixture->tap);
    fixture->tap.fail_erase_at = 0;
    assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
    assert_result(run(fixture, &otadata, slot), LB_ERR_FLASH_ERASE);
    sector[24] |= (uint8_t)risen;
    if (risen == 255) {
      memset(sector + 24, 0xFF, 4);
    }
    now = selected_slot(fixture);
    if (now != 0 && now != slot) {
      fail_here("to %d, state %u with bits 0x%02x risen: %d is selected", slot, (unsigned)state_before, (unsigned)risen,
                now);
    }
  }
}

static void test_torn_erase_does_not_revive(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_ovms(&fixture);
  check_torn_state(&fixture, 3, -1);
  check_torn_state(&fixture, 4, -1);
  fixture_close(&fixture);
}

/* ---- a flash that fails, or lies ---- */

static void test_errors_leave_the_selection(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_ovms(&fixture);
  for (int slot = -1; slot < 2; slot += 2) {
    fixture_put_record(&fixture, 0, 3, UNDEFINED);
    fixture_put_record(&fixture, 1, 2, UNDEFINED);
    flash_tap_clear(&fixture.tap);
    fixture.tap.fail_erase_at = 0;
    assert_result(read_and_run(&fixture, slot), LB_ERR_FLASH_ERASE);
    /* for factory both records are void before the first erase */
    assert_string_equal(fixture_selected(&fixture), slot < 0 ? "factory" : "ota_0");
    for (uint32_t at = 0;; at++) {
      int result;

      fixture_put_record(&fixture, 0, 3, UNDEFINED);
      fixture_put_record(&fixture, 1, 2, UNDEFINED);
      flash_tap_clear(&fixture.tap);
      fixture.tap.fail_read_at = at;
      result = read_and_run(&fixture, slot);
      if (result == LB_OK) {
        break;
      }
      assert_result(result, LB_ERR_FLASH_READ);
    }
  }
  fixture_put_record(&fixture, 0, 3, UNDEFINED);
  fixture_blank_record(&fixture, 1);
  flash_tap_clear(&fixture.tap);
  fixture.tap.fail_program_at = 0;
  assert_result(read_and_run(&fixture, 1), LB_ERR_FLASH_PROGRAM);
  assert_string_equal(fixture_selected(&fixture), "ota_0");
  fixture_close(&fixture);
}

static void test_silent_failures_are_read_back(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_ovms(&fixture);
  fixture_put_record(&fixture, 0, 3, UNDEFINED);
  flash_tap_clear(&fixture.tap);
  fixture.tap.drop_program_at = 0;
  assert_result(read_and_run(&fixture, 1), LB_ERR_READ_BACK);
  assert_string_equal(fixture_selected(&fixture), "ota_0");
  fixture_put_record(&fixture, 1, 2, UNDEFINED);
  flash_tap_clear(&fixture.tap);
  fixture.tap.skip_erases = true;
  assert_result(read_and_run(&fixture, 1), LB_ERR_READ_BACK);
  assert_string_equal(fixture_selected(&fixture), "ota_0");
  fixture_close(&fixture);
}

/*
 * Selecting factory on a flash that no longer erases: an error, not erases for ever. By then both records are void, so
 * that factory is selected.
 */
static void test_stuck_erase_ends(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_ovms(&fixture);
  fixture_put_record(&fixture, 0, 3, UNDEFINED);
  fixture_put_record(&fixture, 1, 2, UNDEFINED);
  flash_tap_clear(&fixture.tap);
  fixture.tap.skip_erases = true;
  assert_result(read_and_run(&fixture, -1), LB_ERR_READ_BACK);
  assert_string_equal(fixture_selected(&fixture), "factory");
  for (uint32_t half = 0; half < 2; half++) {
    for (uint32_t at = 28; at < 32; at++) {
      assert_int_equal(trial_half(&fixture, half)[at], 0);
    }
  }
  fixture_close(&fixture);
}

/* The same where the count begins anew: every program lies. */
static void test_stuck_program_ends_at_the_wrap(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_ovms(&fixture);
  fixture_put_record(&fixture, 0, LAST, UNDEFINED); /* ota_1 */
  flash_tap_clear(&fixture.tap);
  fixture.tap.drop_all_programs = true;
  assert_result(read_and_run(&fixture, 0), LB_ERR_READ_BACK);
  assert_string_equal(fixture_selected(&fixture), "ota_1");
  fixture_close(&fixture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_crc),
      cmocka_unit_test(test_active),
      cmocka_unit_test(test_single_bits_of_a_record),
      cmocka_unit_test(test_default_without_factory),
      cmocka_unit_test(test_nothing_to_select),
      cmocka_unit_test(test_no_otadata),
      cmocka_unit_test(test_select_slot),
      cmocka_unit_test(test_what_a_trial_writes),
      cmocka_unit_test(test_a_blank_half_is_erased),
      cmocka_unit_test(test_wrap_writes_a_fresh_state),
      cmocka_unit_test(test_one_erase_a_step_on_small_sectors),
      cmocka_unit_test(test_select_factory),
      cmocka_unit_test(test_select_back_and_forth),
      cmocka_unit_test(test_cuts),
      cmocka_unit_test(test_torn_erase_does_not_revive),
      cmocka_unit_test(test_errors_leave_the_selection),
      cmocka_unit_test(test_silent_failures_are_read_back),
      cmocka_unit_test(test_stuck_erase_ends),
      cmocka_unit_test(test_stuck_program_ends_at_the_wrap),
  };

  return cmocka_run_group_tests_name("otadata", tests, NULL, NULL);
}
