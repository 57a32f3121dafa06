// SPDX-License-Identifier: MIT
/*
 * Rules about otadata that hold wherever it is used: sectors that hold both records, a selection that somebody else
 * made meanwhile, records of ESP-IDF's trial, and a running app that otadata cannot select.
 */
#include "lifeboat/erase.h"
#include "lifeboat/select.h"
#include "lifeboat/update.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/trial_bytes.h"
#include "tests/unit/support/unit.h"

#define ENDLESS 1000000U

/* ---- sectors larger than half of otadata ---- */

static const struct lb_partition large_rows[] = {
    {0xe000, 0x2000, 0, 1, 0x00, "otadata"}, /* aligned to 8 KB */
    {0x10000, 0x10000, 0, 0, 0x00, "factory"},
    {0x20000, 0x10000, 0, 0, 0x10, "ota_0"},
    {0x30000, 0x10000, 0, 0, 0x11, "ota_1"},
};

static void open_large(struct fixture *fixture, uint32_t sector, bool unaligned)
{
  const struct sim_geometry geometry = {.size = 4U << 20, .page_size = 256, .erase_sizes = {sector, 0}};
  struct lb_partition rows[4];

  memcpy(rows, large_rows, sizeof(rows));
  rows[0].offset = unaligned ? 0xd000 : 0xe000;
  fixture_open(fixture, &geometry, rows, 4);
  fixture_put_made(fixture, "factory", 1, 9600);
  fixture_put_made(fixture, "ota_0", 2, 9600);
  fixture_put_record(fixture, 0, 1, UNDEFINED);
}

static void refuse_large(struct fixture *fixture, const struct built_image *image)
{
  static const char *const labels[] = {"factory", "ota_0", "ota_1"};
  struct lb_otadata otadata;
  struct lb_select select;
  struct lb_erase erase;
  struct lb_partition factory = fixture_partition(fixture, "factory");

  assert_result(lb_otadata_read(&otadata, &fixture->device), LB_ERR_OTADATA_SECTOR);
  for (size_t i = 0; i < 3; i++) {
    struct lb_partition target = fixture_partition(fixture, labels[i]);

    assert_result(lb_select_start(&select, &fixture->device, &target, NULL), LB_ERR_OTADATA_SECTOR);
    assert_result(lb_select_step(&select), LB_ERR_OTADATA_SECTOR);
    if (i > 0) {
      assert_result(lb_target_not_selected(&fixture->device, &target), LB_ERR_OTADATA_SECTOR);
      assert_result(lb_erase_start(&erase, &fixture->device, &factory, &target), LB_ERR_OTADATA_SECTOR);
      assert_result(lb_erase_step(&erase), LB_OK);
    }
  }
  for (unsigned turn = 0; turn < 4; turn++) {
    struct lb_update_config config = fixture_config(fixture, "factory", labels[1 + turn % 2]);
    struct lb_update update;

    config.only_write = turn >= 2;
    config.sector_buffer = NULL; /* the fixture's is smaller than these sectors */
    assert_result(fixture_update(fixture, &config, image->bytes, image->length, 4096, &update), LB_ERR_OTADATA_SECTOR);
    assert_int_equal(lb_update_remains(&update), LB_REMAINS_AS_BEFORE);
    assert_false(lb_update_touched_flash(&update));
  }
}

/* Both records would go with one erase: refused, and nothing is erased nor programmed; but the module boots. */
static void test_sectors_that_hold_both_records(void **state)
{
  static const uint32_t sectors[] = {0x2000, 0x10000};
  struct built_image image;

  (void)state;
  image_make(&image, 7, 9600, "3.3.004");
  for (unsigned turn = 0; turn < 4; turn++) {
    struct fixture fixture;
    struct lb_boot_decision decision;
    uint8_t *before;

    open_large(&fixture, sectors[turn / 2], turn % 2);
    before = fixture_snapshot(&fixture);
    refuse_large(&fixture, &image);
    assert_int_equal(fixture.tap.count, 0);
    assert_true(fixture_same(&fixture, before, 0, fixture.flash.driver.size));
    assert_result(fixture_boot(&fixture, &decision), LB_OK);
    assert_string_equal(decision.partition.label, "factory");
    free(before);
    fixture_close(&fixture);
  }
  image_free(&image);
}

/* ---- somebody else selects meanwhile ---- */

static void put_all(struct fixture *fixture, uint32_t slots)
{
  static const char *const labels[] = {"ota_0", "ota_1", "ota_2"};

  fixture_open_miniature(fixture, true, slots);
  fixture_put_made(fixture, "factory", 1, 9600);
  for (uint32_t i = 0; i < slots; i++) {
    fixture_put_made(fixture, labels[i], i + 2, 9600);
  }
}

static int select_all(struct lb_select *select)
{
  int result;
  uint32_t steps = 0;

  do {
    result = lb_select_step(select);
    assert_true(steps++ < ENDLESS);
  } while (result == LB_MORE);
  return result;
}

static void select_now(struct fixture *fixture, const char *label)
{
  struct lb_partition target = fixture_partition(fixture, label);
  struct lb_select select;

  assert_result(lb_select_start(&select, &fixture->device, &target, NULL), LB_OK);
  assert_result(select_all(&select), LB_OK);
}

static uint32_t active_sequence(struct fixture *fixture)
{
  struct lb_otadata otadata;

  assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
  return otadata.active == LB_OTADATA_NONE ? 0 : otadata.records[otadata.active].sequence;
}

/* Begins to select `label`, lets another one be selected, and goes on: the last one to end counts, above the other. */
static void overtake(struct fixture *fixture, const char *label, const char *meanwhile)
{
  struct lb_partition target = fixture_partition(fixture, label);
  struct lb_select slow;
  uint32_t before;

  assert_result(lb_select_start(&slow, &fixture->device, &target, NULL), LB_OK);
  assert_result(lb_select_step(&slow), LB_MORE);
  /* the hash is one for both, so that the other one has to be quick: verified elsewhere */
  struct lb_otadata otadata;
  struct lb_partition other = fixture_partition(fixture, meanwhile);
  int result;
  assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
  do {
    result = lb_partition_is_ota(&other)
                 ? lb_otadata_select_slot(&otadata, &fixture->device,
                                          &(struct lb_selection){.slot = other.subtype - (uint32_t)LB_SUBTYPE_OTA_0})
                 : lb_otadata_select_factory(&otadata, &fixture->device);
  } while (result == LB_MORE);
  assert_result(result, LB_OK);
  assert_string_equal(fixture_selected(fixture), meanwhile);
  before = active_sequence(fixture);
  flash_tap_clear(&fixture->tap);
  assert_result(select_all(&slow), LB_OK);
  assert_string_equal(fixture_selected(fixture), label);
  if (strcmp(label, meanwhile) == 0) {
    assert_int_equal(fixture->tap.count, 0); /* selected already */
  } else if (lb_partition_is_ota(&target)) {
    assert_true(active_sequence(fixture) > before);
  } else {
    assert_int_equal(active_sequence(fixture), 0);
  }
}

static void test_another_selection_meanwhile(void **state)
{
  static const char *const labels[] = {"ota_0", "ota_1", "ota_2", "factory"};
  static const uint32_t sequences[][2] = {{0, 0}, {1, 0}, {0, 1}, {4, 5}, {9, 8}, {77, 70}};

  (void)state;
  for (size_t start = 0; start < sizeof(sequences) / sizeof(sequences[0]); start++) {
    for (size_t pair = 0; pair < 16; pair++) {
      struct fixture fixture;

      put_all(&fixture, 3);
      for (uint32_t i = 0; i < 2; i++) {
        if (sequences[start][i]) {
          fixture_put_record(&fixture, i, sequences[start][i], UNDEFINED);
        }
      }
      overtake(&fixture, labels[pair / 4], labels[pair % 4]);
      fixture_close(&fixture);
    }
  }
}

/* The record that the other selection wrote is never erased before the new one counts. */
static void test_the_other_record_is_kept_until_then(void **state)
{
  struct fixture fixture;
  struct lb_partition target;
  struct lb_select slow;

  (void)state;
  put_all(&fixture, 3);
  fixture_put_record(&fixture, 0, 1, UNDEFINED);
  target = fixture_partition(&fixture, "ota_2");
  assert_result(lb_select_start(&slow, &fixture.device, &target, NULL), LB_OK);
  fixture_put_record(&fixture, 1, 2, UNDEFINED); /* ota_1, on the half that was free when it began */
  for (int result = LB_MORE; result == LB_MORE;) {
    const char *selected = fixture_selected(&fixture);

    assert_true(strcmp(selected, "ota_1") == 0 || strcmp(selected, "ota_2") == 0);
    result = lb_select_step(&slow);
    assert_true(result >= LB_OK);
  }
  assert_string_equal(fixture_selected(&fixture), "ota_2");
  fixture_close(&fixture);
}

/* ---- records of ESP-IDF's trial ---- */

static void test_trial_records_are_written_anew(void **state)
{
  static const struct {
    uint32_t state;
    bool anew;
  } states[] = {{LB_OTADATA_NEW, true},
                {LB_OTADATA_PENDING_VERIFY, true},
                {LB_OTADATA_VALID, false},
                {UNDEFINED, false},
                {5, false}};

  (void)state;
  for (uint32_t i = 0; i < 2 * sizeof(states) / sizeof(states[0]); i++) {
    bool anew = states[i / 2].anew;
    struct fixture fixture;
    struct lb_otadata otadata;

    put_all(&fixture, 2);
    fixture_put_record(&fixture, i % 2, 2, states[i / 2].state);
    fixture_put_record(&fixture, 1 - i % 2, 1, LB_OTADATA_VALID);
    flash_tap_clear(&fixture.tap);
    select_now(&fixture, "ota_1");
    assert_string_equal(fixture_selected(&fixture), "ota_1");
    assert_true((fixture.tap.count > 0) == anew);
    assert_result(lb_otadata_read(&otadata, &fixture.device), LB_OK);
    assert_int_equal(otadata.records[otadata.active].sequence, anew ? 4 : 2);
    assert_int_equal(otadata.records[otadata.active].state, anew ? UNDEFINED : states[i / 2].state);
    assert_true((otadata.active == (int)(i % 2)) != anew); /* in the other half: the old one counts until then */
    fixture_close(&fixture);
  }
}

/* The last sequence number on trial: no greater one is left. */
static void test_trial_at_the_end_of_the_count(void **state)
{
  struct fixture fixture;
  struct lb_otadata otadata;

  (void)state;
  put_all(&fixture, 2);
  fixture_put_record(&fixture, 0, 0xFFFFFFFEU, LB_OTADATA_PENDING_VERIFY); /* ota_1 */
  assert_string_equal(fixture_selected(&fixture), "ota_1");
  select_now(&fixture, "ota_1");
  assert_string_equal(fixture_selected(&fixture), "ota_1");
  assert_result(lb_otadata_read(&otadata, &fixture.device), LB_OK);
  assert_int_equal(otadata.records[otadata.active].sequence, 2);
  assert_int_equal(otadata.records[otadata.active].state, UNDEFINED);
  fixture_close(&fixture);
}

/* Cut at each operation: the slot is selected all the time, by the old record or by the new one. */
static void test_trial_record_cut(void **state)
{
  struct fixture fixture;
  struct lb_partition target;
  struct lb_select select;
  uint8_t *before;
  bool fired = true;

  (void)state;
  put_all(&fixture, 2);
  fixture_put_record(&fixture, 0, 2, LB_OTADATA_PENDING_VERIFY);
  fixture_put_record(&fixture, 1, 1, LB_OTADATA_ABORTED);
  before = fixture_snapshot(&fixture);
  target = fixture_partition(&fixture, "ota_1");
  for (uint32_t number = 1; fired; number++) {
    for (uint64_t seed = 0; seed < 50; seed++) {
      fixture_restore(&fixture, before);
      sim_flash_seed(&fixture.flash, seed);
      sim_flash_cut_at(&fixture.flash, number, seed ? SIM_CUT_TORN : SIM_CUT_BEFORE);
      assert_result(lb_select_start(&select, &fixture.device, &target, NULL), LB_OK);
      int result = select_all(&select);
      fired = sim_flash_cut_fired(&fixture.flash);
      assert_true((result == LB_OK) != fired);
      sim_flash_power_on(&fixture.flash);
      assert_string_equal(fixture_selected(&fixture), "ota_1");
    }
  }
  free(before);
  fixture_close(&fixture);
}

/* ---- a running app that otadata cannot select ---- */

static void open_with_test_app(struct fixture *fixture, bool factory)
{
  static const struct lb_partition rows[] = {
      {0xd000, 0x2000, 0, 1, 0x00, "otadata"},   {0x30000, 0x10000, 0, 0, 0x10, "ota_0"},
      {0x40000, 0x10000, 0, 0, 0x11, "ota_1"},   {0x20000, 0x10000, 0, 0, 0x20, "test"},
      {0x10000, 0x10000, 0, 0, 0x00, "factory"},
  };
  const struct sim_geometry geometry = sim_geometry_real(4U << 20);

  fixture_open(fixture, &geometry, rows, factory ? 5 : 4);
  fixture_put_made(fixture, "test", 5, 9600);
}

/* The selection could move nowhere: refused before anything is touched. Another slot is written as ever. */
static void test_the_test_app_runs(void **state)
{
  struct built_image image;

  (void)state;
  image_make(&image, 7, 9600, "3.3.004");
  for (unsigned turn = 0; turn < 8; turn++) {
    bool factory = turn & 1;
    bool second = turn & 2;
    bool blank = !factory && !second && (turn & 4); /* blank otadata means ota_0 where there is no factory */
    struct fixture fixture;
    struct lb_boot_decision decision;
    struct lb_update update;
    struct lb_update_config config;
    uint8_t *before;

    open_with_test_app(&fixture, factory);
    if (!blank) {
      fixture_put_record(&fixture, 0, second ? 2 : 1, UNDEFINED);
    }
    assert_result(fixture_boot(&fixture, &decision), LB_OK);
    assert_string_equal(decision.partition.label, "test"); /* it is how one gets there: nothing else verifies */
    before = fixture_snapshot(&fixture);
    flash_tap_clear(&fixture.tap);
    config = fixture_config(&fixture, "test", second ? "ota_1" : "ota_0");
    assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 4096, &update), LB_ERR_TARGET_SELECTED);
    assert_int_equal(lb_update_remains(&update), LB_REMAINS_AS_BEFORE);
    assert_false(lb_update_touched_flash(&update));
    assert_int_equal(fixture.tap.count, 0);
    assert_true(fixture_same(&fixture, before, 0, fixture.flash.driver.size));
    config = fixture_config(&fixture, "test", second ? "ota_0" : "ota_1");
    assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 4096, &update), LB_OK);
    assert_string_equal(fixture_selected(&fixture), config.target.label);
    free(before);
    fixture_close(&fixture);
  }
  image_free(&image);
}

/* What the library itself chooses while the test app runs can be written: else no update works without `to SLOT`. */
static void test_choice_while_the_test_app_runs(void **state)
{
  struct built_image image;
  struct fixture fixture;
  struct lb_target target;
  struct lb_update_config config;
  struct lb_partition running;
  int result;

  (void)state;
  image_make(&image, 7, 9600, "3.3.004");
  open_with_test_app(&fixture, true);
  fixture_put_record(&fixture, 0, 1, UNDEFINED); /* ota_0, which does not verify */
  running = fixture_partition(&fixture, "test");
  assert_result(lb_target_start(&target, &fixture.device, &running), LB_OK);
  do {
    result = lb_target_step(&target);
  } while (result == LB_MORE);
  assert_result(result, LB_OK);
  config = fixture_config(&fixture, "test", target.slot.label);
  assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 4096, NULL), LB_OK);
  fixture_close(&fixture);
  image_free(&image);
}

/* The same for an OTA slot behind a gap in the numbers. */
static void test_a_slot_behind_a_gap_runs(void **state)
{
  static const struct lb_partition rows[] = {
      {0xd000, 0x2000, 0, 1, 0x00, "otadata"},
      {0x20000, 0x10000, 0, 0, 0x10, "ota_0"},
      {0x40000, 0x10000, 0, 0, 0x12, "ota_2"},
  };
  const struct sim_geometry geometry = sim_geometry_real(4U << 20);
  struct built_image image;
  struct fixture fixture;
  struct lb_update_config config;

  (void)state;
  image_make(&image, 7, 9600, "3.3.004");
  fixture_open(&fixture, &geometry, rows, 3);
  config = fixture_config(&fixture, "ota_2", "ota_0");
  assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 4096, NULL), LB_ERR_TARGET_SELECTED);
  assert_int_equal(fixture.tap.count, 0);
  fixture_close(&fixture);
  image_free(&image);
}

/* ---- what a trial goes back to ---- */

/* Three slots: ota_0 was confirmed, ota_1 is on trial and runs. What ota_2 holds does not matter. */
static void open_with_trial(struct fixture *fixture, uint8_t kind, bool confirmed)
{
  static const uint8_t digest[32] = {1};

  put_all(fixture, 3);
  if (confirmed) {
    trial_put(fixture, 0, 1, KIND_AT_ONCE, 0, digest);
  }
  trial_put(fixture, 1, 2, kind, kind == KIND_TRIAL ? 3 : 0, digest);
}

static int not_fallback(struct fixture *fixture, const char *running, const char *slot)
{
  struct lb_partition runs = fixture_partition(fixture, running);
  struct lb_partition target = fixture_partition(fixture, slot);

  return lb_target_not_fallback(&fixture->device, &runs, &target);
}

static int erase_start(struct fixture *fixture, const char *running, const char *slot)
{
  struct lb_partition runs = fixture_partition(fixture, running);
  struct lb_partition target = fixture_partition(fixture, slot);
  struct lb_erase erase;
  int result = lb_erase_start(&erase, &fixture->device, &runs, &target);

  if (result) {
    assert_result(lb_erase_step(&erase), LB_OK);
    assert_int_equal(fixture->tap.count, 0);
  }
  return result;
}

static int update_slot(struct fixture *fixture, const struct built_image *image, const char *running, const char *slot)
{
  struct lb_update_config config = fixture_config(fixture, running, slot);
  struct lb_update update;
  int result = fixture_update(fixture, &config, image->bytes, image->length, 4096, &update);

  if (result) {
    assert_int_equal(lb_update_remains(&update), LB_REMAINS_AS_BEFORE);
    assert_int_equal(fixture->tap.count, 0);
  }
  return result;
}

/* While firmware is on trial the slot that it would go back to is neither written nor erased; any other one is. */
static void test_fallback_is_no_target(void **state)
{
  struct built_image image;

  (void)state;
  image_make(&image, 7, 9600, "3.3.004");
  for (unsigned i = 0; i < 4; i++) {
    bool trial = i & 1;
    bool confirmed = i & 2; /* else it goes back to factory, which is no target anyway */
    int expected = trial && confirmed ? LB_ERR_TARGET_FALLBACK : LB_OK;
    struct fixture fixture;

    open_with_trial(&fixture, trial ? KIND_TRIAL : KIND_AT_ONCE, confirmed);
    assert_result(not_fallback(&fixture, "ota_1", "ota_0"), expected);
    assert_result(not_fallback(&fixture, "ota_1", "ota_2"), LB_OK);
    assert_result(not_fallback(&fixture, "ota_1", "factory"), trial && !confirmed ? LB_ERR_TARGET_FALLBACK : LB_OK);
    assert_result(not_fallback(&fixture, "factory", "ota_0"), LB_OK); /* what runs is not what is on trial */
    assert_result(erase_start(&fixture, "ota_1", "ota_0"), expected);
    assert_result(erase_start(&fixture, "ota_1", "ota_2"), LB_OK);
    assert_int_equal(fixture.tap.count, 0);
    assert_result(update_slot(&fixture, &image, "ota_1", "ota_0"), expected);
    assert_result(update_slot(&fixture, &image, "ota_1", "ota_2"), LB_OK);
    fixture_close(&fixture);
  }
  image_free(&image);
}

/* Confirmed: the rule is over. Rejected or made void: what runs has proved nothing, so it stays. */
static void test_fallback_after_the_trial(void **state)
{
  (void)state;
  for (unsigned i = 0; i < 3; i++) {
    struct fixture fixture;

    open_with_trial(&fixture, KIND_TRIAL, true);
    if (i < 2) {
      trial_put_mark(&fixture, 1, i ? AT_REJECTED : AT_CONFIRMED);
    } else {
      memset(trial_half(&fixture, 1) + 28, 0, 4);
    }
    assert_result(not_fallback(&fixture, "ota_1", "ota_0"), i > 0 ? LB_ERR_TARGET_FALLBACK : LB_OK);
    fixture_close(&fixture);
  }
}

/* Without a factory and without a confirmed record it goes back to ota_0. */
static void test_fallback_without_factory(void **state)
{
  static const uint8_t digest[32] = {1};
  struct fixture fixture;

  (void)state;
  fixture_open_miniature(&fixture, false, 2);
  trial_put(&fixture, 1, 2, KIND_TRIAL, 3, digest);
  assert_result(not_fallback(&fixture, "ota_1", "ota_0"), LB_ERR_TARGET_FALLBACK);
  assert_result(erase_start(&fixture, "ota_1", "ota_0"), LB_ERR_TARGET_FALLBACK);
  fixture_close(&fixture);
}

/* Where there is no otadata there is no trial; where it cannot be read nobody knows. */
static void test_fallback_unknown(void **state)
{
  static const struct lb_partition rows[] = {{0x20000, 0x10000, 0, 0, 0x10, "ota_0"},
                                             {0x40000, 0x10000, 0, 0, 0x11, "ota_1"}};
  const struct sim_geometry geometry = sim_geometry_real(4U << 20);
  struct fixture fixture;
  uint32_t failures = 0;
  int result;

  (void)state;
  fixture_open(&fixture, &geometry, rows, 2);
  assert_result(not_fallback(&fixture, "ota_1", "ota_0"), LB_OK);
  fixture_close(&fixture);
  open_large(&fixture, 0x2000, false);
  assert_result(not_fallback(&fixture, "ota_0", "ota_1"), LB_OK);
  fixture_close(&fixture);
  open_with_trial(&fixture, KIND_TRIAL, true);
  do {
    flash_tap_clear(&fixture.tap);
    fixture.tap.fail_read_at = failures;
    result = not_fallback(&fixture, "ota_1", "ota_0");
    failures++;
  } while (result == LB_ERR_FLASH_READ);
  assert_result(result, LB_ERR_TARGET_FALLBACK);
  assert_true(failures > 6);
  fixture_close(&fixture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sectors_that_hold_both_records),
      cmocka_unit_test(test_another_selection_meanwhile),
      cmocka_unit_test(test_the_other_record_is_kept_until_then),
      cmocka_unit_test(test_trial_records_are_written_anew),
      cmocka_unit_test(test_trial_at_the_end_of_the_count),
      cmocka_unit_test(test_trial_record_cut),
      cmocka_unit_test(test_the_test_app_runs),
      cmocka_unit_test(test_choice_while_the_test_app_runs),
      cmocka_unit_test(test_a_slot_behind_a_gap_runs),
      cmocka_unit_test(test_fallback_is_no_target),
      cmocka_unit_test(test_fallback_after_the_trial),
      cmocka_unit_test(test_fallback_without_factory),
      cmocka_unit_test(test_fallback_unknown),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
