// SPDX-License-Identifier: MIT
/* Firmware on trial: how its marks are read, and what the running firmware writes and is told. */
#include "lifeboat/trial.h"

#include "tests/unit/support/fixture.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/trial_bytes.h"
#include "tests/unit/support/unit.h"

/* ota_0 was confirmed, ota_1 is on trial: records 0 and 1. */
static void open_on_trial(struct trial_module *module, uint8_t attempts)
{
  trial_open(module, true);
  trial_put(&module->fixture, 0, 1, KIND_AT_ONCE, 0, module->digest[OTA_0]);
  trial_put(&module->fixture, 1, 2, KIND_TRIAL, attempts, module->digest[OTA_1]);
}

static struct lb_trial read_trial(struct fixture *fixture, int index)
{
  struct lb_otadata otadata;

  assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
  return otadata.records[index].trial;
}

/* ---- reading ---- */

static void test_reads_a_tag(void **state)
{
  struct trial_module module;
  struct lb_otadata otadata;
  struct trial_tag tag = {.sequence = 2, .kind = KIND_TRIAL, .attempts = 7, .depot_expected = 1};

  (void)state;
  open_on_trial(&module, 3);
  for (uint8_t i = 0; i < 32; i++) {
    tag.digest[i] = (uint8_t)(i + 100);
  }
  trial_tag_encode(trial_half(&module.fixture, 1), &tag);
  assert_result(lb_otadata_read(&otadata, &module.fixture.device), LB_OK);
  const struct lb_trial *trial = &otadata.records[1].trial;
  assert_true(trial->tagged && !trial->counts_at_once && trial->depot_expected);
  assert_false(trial->confirmed || trial->rejected || trial->settled || trial->depot_reached);
  assert_int_equal(trial->attempts, 7);
  assert_memory_equal(trial->digest, tag.digest, 32);
  assert_int_equal(trial->boots + trial->failures + trial->quarters, 0);
  assert_int_equal(trial->last, 0xFF);
  assert_true(lb_otadata_on_trial(&otadata, 1));
  assert_false(lb_otadata_on_trial(&otadata, 0) || lb_otadata_on_trial(&otadata, LB_OTADATA_NONE));
  assert_int_equal(lb_otadata_confirmed(&otadata), 0);
  assert_true(otadata.records[0].trial.tagged && otadata.records[0].trial.counts_at_once);
  assert_int_equal(module.fixture.tap.count, 0);
  trial_close(&module);
}

/* Two changed bits of a tag, and it is none: the record counts like one of ESP-IDF's. */
static void test_two_bits_of_a_tag(void **state)
{
  struct trial_module module;
  struct lb_otadata otadata;

  (void)state;
  open_on_trial(&module, 3);
  trial_put_mark(&module.fixture, 1, AT_SETTLED);
  for (uint32_t bit = 0; bit < 8 * 64 - 8; bit++) {
    uint8_t *byte = trial_half(&module.fixture, 1) + AT_TAG + bit / 8;

    byte[0] ^= (uint8_t)(1U << bit % 8);
    byte[1] ^= 1U;
    assert_result(lb_otadata_read(&otadata, &module.fixture.device), LB_OK);
    assert_false(otadata.records[1].trial.tagged || otadata.records[1].trial.settled);
    assert_false(lb_otadata_on_trial(&otadata, 1));
    assert_true(otadata.records[1].usable);
    assert_int_equal(otadata.active, 1);
    assert_int_equal(lb_otadata_confirmed(&otadata), 1);
    byte[0] ^= (uint8_t)(1U << bit % 8);
    byte[1] ^= 1U;
  }
  trial_close(&module);
}

/* A tag of another sequence was left by an older record. */
static void test_a_tag_of_another_record(void **state)
{
  struct trial_module module;
  struct lb_otadata otadata;
  struct trial_tag tag;

  (void)state;
  open_on_trial(&module, 3);
  assert_true(trial_tag_decode(trial_half(&module.fixture, 1), &tag));
  tag.sequence = 4;
  trial_tag_encode(trial_half(&module.fixture, 1), &tag);
  assert_result(lb_otadata_read(&otadata, &module.fixture.device), LB_OK);
  assert_false(otadata.records[1].trial.tagged || lb_otadata_on_trial(&otadata, 1));
  trial_close(&module);
}

/* Clears the first `count` bits of a mark, or the last ones. */
static void clear_bits(uint8_t *mark, uint32_t count, bool from_end)
{
  memset(mark, 0xFF, 8);
  for (uint32_t i = 0; i < count; i++) {
    uint32_t bit = from_end ? 63 - i : i;

    mark[bit / 8] &= (uint8_t) ~(1U << bit % 8);
  }
}

static bool flag_at(const struct lb_trial *trial, uint32_t at)
{
  return at == AT_CONFIRMED  ? trial->confirmed
         : at == AT_SETTLED  ? trial->settled
         : at == AT_REJECTED ? trial->rejected
         : at == AT_MIRRORED ? trial->mirrored
                             : trial->depot_reached;
}

static void test_marks_count_from_two_bits(void **state)
{
  static const uint32_t marks[] = {AT_CONFIRMED, AT_SETTLED, AT_REJECTED, AT_DEPOT, AT_MIRRORED};
  struct trial_module module;

  (void)state;
  open_on_trial(&module, 3);
  for (uint32_t i = 0; i < 5; i++) {
    uint8_t *mark = trial_half(&module.fixture, 1) + marks[i];

    for (uint32_t count = 0; count <= 64; count++) {
      for (uint32_t end = 0; end < 2; end++) {
        clear_bits(mark, count, end);
        struct lb_trial trial = read_trial(&module.fixture, 1);
        for (uint32_t other = 0; other < 5; other++) {
          assert_int_equal(flag_at(&trial, marks[other]), other == i && count >= 2);
        }
      }
    }
    for (uint32_t bit = 0; bit < 64; bit++) { /* and each single one is none */
      memset(mark, 0xFF, 8);
      mark[bit / 8] ^= (uint8_t)(1U << bit % 8);
      struct lb_trial trial = read_trial(&module.fixture, 1);
      assert_false(flag_at(&trial, marks[i]));
    }
    memset(mark, 0xFF, 8);
  }
  trial_close(&module);
}

/* Both verdicts: the bad one counts. */
static void test_rejected_wins(void **state)
{
  struct trial_module module;
  struct lb_otadata otadata;

  (void)state;
  open_on_trial(&module, 3);
  trial_put_mark(&module.fixture, 1, AT_CONFIRMED);
  assert_result(lb_otadata_read(&otadata, &module.fixture.device), LB_OK);
  assert_true(otadata.records[1].trial.confirmed && otadata.records[1].usable);
  assert_int_equal(lb_otadata_confirmed(&otadata), 1);
  trial_put_mark(&module.fixture, 1, AT_REJECTED);
  assert_result(lb_otadata_read(&otadata, &module.fixture.device), LB_OK);
  assert_true(otadata.records[1].trial.rejected && !otadata.records[1].trial.confirmed);
  assert_false(otadata.records[1].usable);
  assert_int_equal(otadata.active, 0);
  trial_close(&module);
}

static void test_causes(void **state)
{
  struct trial_module module;
  uint8_t *half;

  (void)state;
  open_on_trial(&module, 3);
  half = trial_half(&module.fixture, 1);
  for (uint32_t cause = 0; cause < 256; cause++) {
    half[AT_CAUSE] = (uint8_t)cause;
    half[AT_CAUSE + 1] = (uint8_t)~cause;
    memset(half + AT_REJECTED, 0xFF, 8);
    assert_int_equal(read_trial(&module.fixture, 1).cause, LB_TRIAL_UNKNOWN); /* not rejected: no cause */
    trial_put_mark(&module.fixture, 1, AT_REJECTED);
    assert_int_equal(read_trial(&module.fixture, 1).cause, cause <= LB_TRIAL_NO_DEPOT ? cause : LB_TRIAL_UNKNOWN);
    half[AT_CAUSE + 1] ^= 1;
    assert_int_equal(read_trial(&module.fixture, 1).cause, LB_TRIAL_UNKNOWN); /* half a cause is none */
  }
  trial_close(&module);
}

static void test_digests(void **state)
{
  struct trial_module module;
  struct lb_otadata otadata;

  (void)state;
  open_on_trial(&module, 3);
  assert_result(lb_otadata_read(&otadata, &module.fixture.device), LB_OK);
  assert_false(lb_otadata_has_failed(&otadata, module.digest[OTA_1]));
  trial_put_mark(&module.fixture, 1, AT_REJECTED);
  assert_result(lb_otadata_read(&otadata, &module.fixture.device), LB_OK);
  assert_true(lb_otadata_has_failed(&otadata, module.digest[OTA_1]));
  assert_false(lb_otadata_has_failed(&otadata, module.digest[OTA_0]));
  trial_close(&module);
}

/* Boots are counted to the last that is marked, wherever the pieces end in which they are read. */
static void test_boots_are_counted(void **state)
{
  struct trial_module module;
  uint8_t *boots;

  (void)state;
  open_on_trial(&module, 3);
  boots = trial_half(&module.fixture, 1) + AT_BOOTS;
  for (uint32_t count = 1; count <= 320; count++) {
    boots[count - 1] = count % 5 ? BOOT_CLOSED : BOOT_FAILED;
    struct lb_trial trial = read_trial(&module.fixture, 1);
    assert_int_equal(trial.boots, count);
    assert_int_equal(trial.failures, count / 5);
    assert_int_equal(trial.last, boots[count - 1]);
  }
  boots[320] = BOOT_FAILED; /* behind the sector */
  assert_int_equal(read_trial(&module.fixture, 1).boots, 320);
  trial_close(&module);
}

static void test_every_read_can_fail(void **state)
{
  struct trial_module module;
  struct lb_otadata otadata;
  uint32_t failed = 0;

  (void)state;
  open_on_trial(&module, 3);
  for (uint32_t at = 0;; at++) {
    flash_tap_clear(&module.fixture.tap);
    module.fixture.tap.fail_read_at = at;
    int result = lb_otadata_read(&otadata, &module.fixture.device);
    if (result == LB_OK) {
      break;
    }
    assert_result(result, LB_ERR_FLASH_READ);
    failed++;
  }
  assert_true(failed >= 7); /* each record, tag and marks, and the boots of the trial */
  trial_close(&module);
}

/* ---- the marks of the running firmware ---- */

static int survive(struct fixture *fixture, const struct lb_partition *running)
{
  return lb_trial_survive(&fixture->device, running);
}

static int end_in_order(struct fixture *fixture, const struct lb_partition *running)
{
  return lb_trial_close(&fixture->device, running);
}

static int count_quarter(struct fixture *fixture, const struct lb_partition *running)
{
  return lb_trial_count_quarter(&fixture->device, running);
}

static int reach_depot(struct fixture *fixture, const struct lb_partition *running)
{
  return lb_trial_reach_depot(&fixture->device, running);
}

static int confirm(struct fixture *fixture, const struct lb_partition *running)
{
  return lb_trial_confirm(&fixture->device, running);
}

static int reject(struct fixture *fixture, const struct lb_partition *running)
{
  return lb_trial_reject(&fixture->device, running, LB_TRIAL_OPERATOR);
}

static int find(struct fixture *fixture, const struct lb_partition *running)
{
  struct lb_otadata otadata;

  return lb_trial_find(&otadata, &fixture->device, running);
}

static const struct function {
  const char *name;
  int (*call)(struct fixture *fixture, const struct lb_partition *running);
  uint32_t programs;
  bool also_confirmed; /* of use to a firmware that is not on trial */
} functions[] = {
    {"find", find, 0, false},
    {"survive", survive, 1, false},
    {"close", end_in_order, 1, false},
    {"count quarter", count_quarter, 1, false},
    {"reach depot", reach_depot, 1, true},
    {"confirm", confirm, 3, false},
    {"reject", reject, 3, false},
};

#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

static int call(struct fixture *fixture, const struct function *function, const char *running)
{
  struct lb_partition partition = fixture_partition(fixture, running);

  return function->call(fixture, &partition);
}

/* Each mark is programmed, and nothing else changes; with a page each. */
static void test_what_is_written(void **state)
{
  (void)state;
  for (size_t i = 0; i < FUNCTIONS; i++) {
    struct trial_module module;
    struct fixture *fixture = &module.fixture;
    uint8_t expected[OTADATA_HALF];
    uint8_t *before;

    open_on_trial(&module, 3);
    trial_half(fixture, 1)[AT_BOOTS] = BOOT_CLOSED;
    trial_half(fixture, 1)[AT_BOOTS + 1] = BOOT_STARTED;
    memcpy(expected, trial_half(fixture, 1), sizeof(expected));
    before = fixture_snapshot(fixture);
    assert_result(call(fixture, &functions[i], "ota_1"), LB_OK);
    assert_int_equal(fixture->tap.programs, functions[i].programs);
    assert_int_equal(fixture->tap.erases, 0);
    switch (i) {
    case 1:
      expected[AT_BOOTS + 1] = BOOT_SURVIVED;
      break;
    case 2:
      expected[AT_BOOTS + 1] = BOOT_CLOSED;
      break;
    case 3:
      expected[AT_QUARTERS] = 0xFE;
      break;
    case 4:
      memset(expected + AT_DEPOT, 0, 8);
      break;
    case 5:
      memset(expected + AT_CONFIRMED, 0, 8);
      memset(expected + AT_MIRRORED, 0, 8);
      memcpy(expected + 24, "\2\0\0\0", 4);
      break;
    case 6:
      memset(expected + AT_REJECTED, 0, 8);
      memset(expected + AT_MIRRORED, 0, 8);
      memcpy(expected + AT_CAUSE, "\4\373", 2);
      memcpy(expected + 24, "\4\0\0\0", 4);
      break;
    default:
      break;
    }
    assert_memory_equal(trial_half(fixture, 1), expected, sizeof(expected));
    assert_true(fixture_same(fixture, before, 0, OTADATA_AT + OTADATA_HALF));
    free(before);
    trial_close(&module);
  }
}

static void test_not_on_trial(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;

  (void)state;
  for (size_t i = 0; i < FUNCTIONS; i++) {
    int missing = functions[i].also_confirmed ? LB_ERR_NOT_FOUND : LB_ERR_NOT_ON_TRIAL;

    open_on_trial(&module, 3);
    assert_result(call(fixture, &functions[i], "ota_0"), missing); /* not the active record's slot */
    assert_result(call(fixture, &functions[i], "factory"), missing);
    trial_put_mark(fixture, 1, AT_CONFIRMED);
    assert_result(call(fixture, &functions[i], "ota_0"), missing);
    trial_put_mark(fixture, 1, AT_MIRRORED);
    if (!functions[i].also_confirmed) {
      assert_result(call(fixture, &functions[i], "ota_1"), LB_ERR_NOT_ON_TRIAL);
    }
    fixture_put_record(fixture, 1, 2, UNDEFINED); /* ESP-IDF's: no trial of ours, and no room for a mark */
    assert_result(call(fixture, &functions[i], "ota_1"), missing);
    fixture_blank_record(fixture, 0);
    fixture_blank_record(fixture, 1);
    assert_result(call(fixture, &functions[i], "factory"), missing);
    assert_int_equal(fixture->tap.count, 0);
    trial_close(&module);
  }
}

/* A confirmed firmware tells that it reached its depot. Half a mark that can be seen may be gone later: it is made
 * whole.
 */
static void test_a_confirmed_one_reaches_its_depot(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;

  (void)state;
  trial_open(&module, true);
  trial_put(fixture, 0, 1, KIND_AT_ONCE, 0, module.digest[OTA_0]);
  assert_result(call(fixture, &functions[4], "ota_0"), LB_OK);
  assert_true(read_trial(fixture, 0).depot_reached);
  assert_int_equal(fixture->tap.programs, 1);
  trial_half(fixture, 0)[AT_DEPOT] = 0x5A;
  assert_true(read_trial(fixture, 0).depot_reached);
  assert_result(call(fixture, &functions[4], "ota_0"), LB_OK);
  assert_int_equal(trial_half(fixture, 0)[AT_DEPOT], 0);
  trial_close(&module);
}

/* Confirmed by half: whoever confirms completes it. */
static void test_half_confirmed(void **state)
{
  static const uint8_t zeros[8] = {0};
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  uint8_t *half;

  (void)state;
  open_on_trial(&module, 3);
  half = trial_half(fixture, 1);
  half[AT_CONFIRMED] = 0x5A;
  assert_result(call(fixture, &functions[5], "ota_1"), LB_OK);
  assert_memory_equal(half + AT_CONFIRMED, zeros, 8);
  assert_memory_equal(half + AT_MIRRORED, zeros, 8);
  assert_int_equal(half[24], LB_OTADATA_VALID);
  assert_result(call(fixture, &functions[5], "ota_1"), LB_ERR_NOT_ON_TRIAL);
  assert_int_equal(fixture->tap.programs, 3);
  trial_close(&module);
}

/* Found by the explorer: rejected by half, and only seen now. Whoever rejects completes it. */
static void test_half_rejected(void **state)
{
  static const uint8_t zeros[8] = {0};
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  uint8_t *half;

  (void)state;
  open_on_trial(&module, 3);
  const struct lb_partition running = fixture_partition(fixture, "ota_1");
  half = trial_half(fixture, 1);
  half[AT_REJECTED] = 0x5A;
  assert_result(lb_trial_reject(&fixture->device, &running, LB_TRIAL_OPERATOR), LB_OK);
  assert_memory_equal(half + AT_REJECTED, zeros, 8);
  assert_memory_equal(half + AT_MIRRORED, zeros, 8);
  assert_int_equal(half[24], LB_OTADATA_ABORTED);
  assert_result(lb_trial_reject(&fixture->device, &running, LB_TRIAL_OPERATOR), LB_ERR_NOT_ON_TRIAL);
  trial_close(&module);
}

static void test_quarters(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;

  (void)state;
  open_on_trial(&module, 3);
  for (uint32_t count = 1; count <= LB_TRIAL_QUARTERS; count++) {
    assert_result(call(fixture, &functions[3], "ota_1"), LB_OK);
    assert_int_equal(read_trial(fixture, 1).quarters, count);
    assert_int_equal(fixture->tap.programs, count);
  }
  for (uint32_t at = 0; at < 12; at++) {
    assert_int_equal(trial_half(fixture, 1)[AT_QUARTERS + at], 0);
  }
  assert_int_equal(trial_half(fixture, 1)[AT_QUARTERS + 12], 0xFF);
  assert_result(call(fixture, &functions[3], "ota_1"), LB_OK); /* a day is over: no more is counted */
  assert_int_equal(fixture->tap.programs, LB_TRIAL_QUARTERS);
  assert_int_equal(read_trial(fixture, 1).quarters, LB_TRIAL_QUARTERS);
  trial_close(&module);
}

/* A quarter that has rotted away is counted, and stops no other. */
static void test_rotten_quarters(void **state)
{
  (void)state;
  for (uint32_t bit = 0; bit < LB_TRIAL_QUARTERS; bit++) {
    struct trial_module module;

    open_on_trial(&module, 3);
    trial_half(&module.fixture, 1)[AT_QUARTERS + bit / 8] ^= (uint8_t)(1U << bit % 8);
    for (uint32_t turn = 0; turn < LB_TRIAL_QUARTERS; turn++) {
      assert_result(call(&module.fixture, &functions[3], "ota_1"), LB_OK);
    }
    assert_int_equal(read_trial(&module.fixture, 1).quarters, LB_TRIAL_QUARTERS);
    trial_close(&module);
  }
}

/* Where no boot was marked there is nothing to mark it on. */
static void test_no_boot_to_mark(void **state)
{
  struct trial_module module;

  (void)state;
  open_on_trial(&module, 3);
  assert_result(call(&module.fixture, &functions[1], "ota_1"), LB_OK);
  assert_result(call(&module.fixture, &functions[2], "ota_1"), LB_OK);
  assert_int_equal(module.fixture.tap.count, 0);
  trial_close(&module);
}

static void test_every_cause_is_written(void **state)
{
  (void)state;
  for (int cause = LB_TRIAL_UNKNOWN; cause <= LB_TRIAL_NO_DEPOT; cause++) {
    struct trial_module module;
    struct fixture *fixture = &module.fixture;
    struct lb_partition running;
    struct lb_otadata otadata;

    open_on_trial(&module, 3);
    running = fixture_partition(fixture, "ota_1");
    assert_result(lb_trial_reject(&fixture->device, &running, (enum lb_trial_cause)cause), LB_OK);
    assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
    assert_true(otadata.records[1].trial.rejected);
    assert_int_equal(otadata.records[1].trial.cause, cause);
    assert_int_equal(otadata.records[1].state, LB_OTADATA_ABORTED);
    assert_int_equal(otadata.active, 0);
    assert_result(lb_trial_reject(&fixture->device, &running, LB_TRIAL_OPERATOR), LB_ERR_NOT_ON_TRIAL);
    trial_close(&module);
  }
}

/* ---- what goes wrong ---- */

static void test_flash_failures(void **state)
{
  (void)state;
  for (size_t i = 0; i < FUNCTIONS; i++) {
    for (unsigned kind = 0; kind < 3; kind++) {
      uint32_t failures = 0;

      for (uint32_t at = 0;; at++) {
        struct trial_module module;
        struct flash_tap *tap = &module.fixture.tap;

        open_on_trial(&module, 3);
        trial_half(&module.fixture, 1)[AT_BOOTS] = BOOT_STARTED;
        *(kind == 0 ? &tap->fail_read_at : kind == 1 ? &tap->fail_program_at : &tap->drop_program_at) = at;
        int result = call(&module.fixture, &functions[i], "ota_1");
        trial_close(&module);
        if (result == LB_OK) {
          break;
        }
        assert_result(result, kind == 0 ? LB_ERR_FLASH_READ : kind == 1 ? LB_ERR_FLASH_PROGRAM : LB_ERR_READ_BACK);
        failures++;
      }
      if (kind > 0) {
        assert_int_equal(failures, functions[i].programs);
      } else {
        assert_true(failures >= 7 + functions[i].programs); /* each program is read back */
      }
    }
  }
}

static void test_no_otadata(void **state)
{
  const struct sim_geometry geometry = sim_geometry_miniature(0x40000);
  static const struct lb_partition rows[] = {{0x10000, 0x4000, 0, 0, 0x10, "ota_0"},
                                             {0x20000, 0x4000, 0, 0, 0x11, "ota_1"}};
  struct fixture fixture;
  struct lb_otadata otadata;
  bool rejected;

  (void)state;
  fixture_open(&fixture, &geometry, rows, 2);
  for (size_t i = 0; i < FUNCTIONS; i++) {
    assert_result(call(&fixture, &functions[i], "ota_0"), LB_ERR_NO_OTADATA);
  }
  assert_result(lb_trial_settle(&otadata, &fixture.device), LB_ERR_NO_OTADATA);
  assert_result(lb_trial_judge(&otadata, &fixture.device, LB_RESET_CRASH, &rejected), LB_OK);
  assert_result(lb_trial_begin_boot(&otadata, &fixture.device), LB_OK);
  assert_false(rejected);
  fixture_close(&fixture);
}

/* Sectors that hold both records, and such as have no room for the marks. */
static void test_impossible_sectors(void **state)
{
  static const struct lb_partition rows[] = {{0xe000, 0x2000, 0, 1, 0x00, "otadata"},
                                             {0x10000, 0x10000, 0, 0, 0x10, "ota_0"}};
  static const uint32_t sectors[] = {128, 0x2000};

  (void)state;
  for (size_t i = 0; i < 2; i++) {
    const struct sim_geometry geometry = {.size = 0x40000, .page_size = 64, .erase_sizes = {sectors[i], 0}};
    struct fixture fixture;
    struct lb_otadata otadata;

    fixture_open(&fixture, &geometry, rows, 2);
    for (size_t j = 0; j < FUNCTIONS; j++) {
      assert_result(call(&fixture, &functions[j], "ota_0"), LB_ERR_OTADATA_SECTOR);
    }
    assert_result(lb_trial_settle(&otadata, &fixture.device), LB_ERR_OTADATA_SECTOR);
    assert_int_equal(fixture.tap.count, 0);
    fixture_close(&fixture);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reads_a_tag),
      cmocka_unit_test(test_two_bits_of_a_tag),
      cmocka_unit_test(test_a_tag_of_another_record),
      cmocka_unit_test(test_marks_count_from_two_bits),
      cmocka_unit_test(test_rejected_wins),
      cmocka_unit_test(test_causes),
      cmocka_unit_test(test_digests),
      cmocka_unit_test(test_boots_are_counted),
      cmocka_unit_test(test_every_read_can_fail),
      cmocka_unit_test(test_what_is_written),
      cmocka_unit_test(test_not_on_trial),
      cmocka_unit_test(test_a_confirmed_one_reaches_its_depot),
      cmocka_unit_test(test_half_confirmed),
      cmocka_unit_test(test_half_rejected),
      cmocka_unit_test(test_quarters),
      cmocka_unit_test(test_rotten_quarters),
      cmocka_unit_test(test_no_boot_to_mark),
      cmocka_unit_test(test_every_cause_is_written),
      cmocka_unit_test(test_flash_failures),
      cmocka_unit_test(test_no_otadata),
      cmocka_unit_test(test_impossible_sectors),
  };

  return cmocka_run_group_tests_name("trial", tests, NULL, NULL);
}
