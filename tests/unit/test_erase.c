// SPDX-License-Identifier: MIT
/* Erasing a slot: what is refused, each step, and what a cut leaves. */
#include "lifeboat/erase.h"
#include "lifeboat/journal.h"

#include "lifeboat/verify.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/unit.h"

#define UNDEFINED 0xFFFFFFFFU
#define ENDLESS   100000U

static int erase_start(struct fixture *fixture, struct lb_erase *erase, const char *running, const char *slot)
{
  struct lb_partition runs = fixture_partition(fixture, running);
  struct lb_partition erased = fixture_partition(fixture, slot);

  return lb_erase_start(erase, &fixture->device, &runs, &erased);
}

/* What was refused has nothing to step, even if somebody does, and has touched nothing. */
static void assert_refused(struct fixture *fixture, struct lb_erase *erase, const uint8_t *before)
{
  for (int i = 0; i < 3; i++) {
    assert_true(lb_erase_step(erase) <= LB_OK);
  }
  assert_int_equal(fixture->tap.count, 0);
  assert_true(fixture_same(fixture, before, 0, fixture->flash.driver.size));
}

static void refuse(struct fixture *fixture, const char *running, const char *slot, int expected)
{
  struct lb_erase erase;
  uint8_t *before = fixture_snapshot(fixture);

  memset(&erase, 0xA5, sizeof(erase));
  flash_tap_clear(&fixture->tap);
  assert_result(erase_start(fixture, &erase, running, slot), expected);
  assert_refused(fixture, &erase, before);
  free(before);
}

static void put_all(struct fixture *fixture, bool factory)
{
  if (factory) {
    fixture_put_made(fixture, "factory", 1, 9600);
  }
  fixture_put_made(fixture, "ota_0", 2, 12000);
  fixture_put_made(fixture, "ota_1", 3, 8000);
}

static int erase_all(struct lb_erase *erase)
{
  int result;
  uint32_t steps = 0;

  do {
    result = lb_erase_step(erase);
    assert_true(steps++ < ENDLESS);
  } while (result == LB_MORE);
  return result;
}

static void test_refusals(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  put_all(&fixture, true);
  refuse(&fixture, "ota_0", "ota_0", LB_ERR_TARGET_RUNNING);
  refuse(&fixture, "factory", "factory", LB_ERR_TARGET_RUNNING);
  refuse(&fixture, "ota_0", "factory", LB_ERR_TARGET_FACTORY);
  refuse(&fixture, "ota_0", "nvs", LB_ERR_TARGET_FACTORY);
  refuse(&fixture, "ota_0", "otadata", LB_ERR_TARGET_FACTORY);
  for (uint32_t sequence = 1; sequence < 7; sequence++) {
    const char *selected = sequence % 2 ? "ota_0" : "ota_1";

    fixture_put_record(&fixture, sequence % 2, sequence, sequence > 4 ? LB_OTADATA_VALID : UNDEFINED);
    fixture_blank_record(&fixture, 1 - sequence % 2);
    refuse(&fixture, "factory", selected, LB_ERR_TARGET_SELECTED);
  }
  fixture_close(&fixture);
}

/* Records of ESP-IDF's trial count, those that were given up do not. */
static void test_which_record_counts(void **state)
{
  static const struct {
    uint32_t state;
    int result;
  } states[] = {{LB_OTADATA_NEW, LB_ERR_TARGET_SELECTED},
                {LB_OTADATA_PENDING_VERIFY, LB_ERR_TARGET_SELECTED},
                {LB_OTADATA_VALID, LB_ERR_TARGET_SELECTED},
                {LB_OTADATA_INVALID, LB_OK},
                {LB_OTADATA_ABORTED, LB_OK}};
  struct fixture fixture;
  struct lb_erase erase;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  put_all(&fixture, true);
  fixture_put_record(&fixture, 0, 1, UNDEFINED);
  for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
    fixture_put_record(&fixture, 1, 2, states[i].state);
    assert_result(erase_start(&fixture, &erase, "factory", "ota_1"), states[i].result);
  }
  fixture_put_record(&fixture, 1, 2, UNDEFINED); /* a torn one counts as little */
  fixture_bytes(&fixture)[fixture_partition(&fixture, "otadata").offset + 0x1000] ^= 0x40;
  assert_result(erase_start(&fixture, &erase, "factory", "ota_1"), LB_OK);
  assert_result(erase_start(&fixture, &erase, "factory", "ota_0"), LB_ERR_TARGET_SELECTED);
  fixture_close(&fixture);
}

/* Where there is no factory, blank otadata boots ota_0. */
static void test_without_factory(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_miniature(&fixture, false, 2);
  put_all(&fixture, false);
  refuse(&fixture, "ota_1", "ota_0", LB_ERR_TARGET_SELECTED);
  refuse(&fixture, "ota_0", "ota_0", LB_ERR_TARGET_RUNNING);
  fixture_put_record(&fixture, 1, 2, UNDEFINED);
  refuse(&fixture, "ota_0", "ota_1", LB_ERR_TARGET_SELECTED);
  fixture_close(&fixture);
}

static void test_no_such_partition(void **state)
{
  struct fixture fixture;
  struct lb_erase erase;
  struct lb_partition running;
  struct lb_partition slot;
  uint8_t *before;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  put_all(&fixture, true);
  before = fixture_snapshot(&fixture);
  running = fixture_partition(&fixture, "factory");
  slot = fixture_partition(&fixture, "ota_1");
  slot.offset += 0x1000;
  assert_result(lb_erase_start(&erase, &fixture.device, &running, &slot), LB_ERR_NOT_FOUND);
  assert_refused(&fixture, &erase, before);
  slot = fixture_partition(&fixture, "ota_1");
  slot.size += 0x10000; /* into whatever follows */
  assert_result(lb_erase_start(&erase, &fixture.device, &running, &slot), LB_ERR_NOT_FOUND);
  assert_refused(&fixture, &erase, before);
  slot = fixture_partition(&fixture, "ota_1");
  slot.subtype = 0x15;
  assert_result(lb_erase_start(&erase, &fixture.device, &running, &slot), LB_ERR_NOT_FOUND);
  assert_refused(&fixture, &erase, before);
  free(before);
  fixture_close(&fixture);
}

static void open_rows(struct fixture *fixture, const struct lb_partition *rows, uint32_t count)
{
  const struct sim_geometry geometry = sim_geometry_real(4U << 20);

  fixture_open(fixture, &geometry, rows, count);
}

static void test_flags_sizes_gaps(void **state)
{
  static const struct lb_partition rows[] = {
      {0xd000, 0x2000, 0, 1, 0x00, "otadata"},
      {0x10000, 0x10000, 0, 0, 0x00, "factory"},
      {0x20000, 0x10000, LB_FLAG_READ_ONLY, 0, 0x10, "ota_0"},
      {0x30000, 0x10000, LB_FLAG_ENCRYPTED, 0, 0x11, "ota_1"},
      {0x40000, 0x10800, 0, 0, 0x12, "ota_2"},
      {0x60000, 0x0fff4, 0, 0, 0x13, "ota_3"},
      {0x70000, 0x10000, 0, 0, 0x14, "ota_4"},
      {0x80000, 0x10000, 0, 0, 0x16, "ota_6"},
      {0x90000, 0x10000, 0, 0, 0x20, "test"},
  };
  struct fixture fixture;
  struct lb_erase erase;

  (void)state;
  open_rows(&fixture, rows, sizeof(rows) / sizeof(rows[0]));
  refuse(&fixture, "factory", "ota_0", LB_ERR_TARGET_PROTECTED);
  refuse(&fixture, "factory", "ota_1", LB_ERR_TARGET_PROTECTED);
  refuse(&fixture, "factory", "ota_2", LB_ERR_TARGET_SECTORS);
  refuse(&fixture, "factory", "ota_3", LB_ERR_TARGET_SECTORS);
  refuse(&fixture, "factory", "ota_6", LB_ERR_NOT_FOUND); /* behind a gap: nothing can select it */
  refuse(&fixture, "factory", "test", LB_ERR_TARGET_FACTORY);
  refuse(&fixture, "test", "test", LB_ERR_TARGET_RUNNING);
  assert_result(erase_start(&fixture, &erase, "factory", "ota_4"), LB_OK);
  assert_result(erase_start(&fixture, &erase, "test", "ota_4"), LB_OK);
  fixture_close(&fixture);
}

static void test_no_otadata(void **state)
{
  static const struct lb_partition rows[] = {
      {0x10000, 0x10000, 0, 0, 0x00, "factory"},
      {0x20000, 0x10000, 0, 0, 0x10, "ota_0"},
  };
  struct fixture fixture;

  (void)state;
  open_rows(&fixture, rows, 2);
  refuse(&fixture, "factory", "ota_0", LB_ERR_NO_OTADATA);
  fixture_close(&fixture);
}

/* Whether the slot is the selected one cannot be known without otadata. */
static void test_otadata_cannot_be_read(void **state)
{
  struct fixture fixture;
  struct lb_erase erase;
  uint8_t *before;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  put_all(&fixture, true);
  before = fixture_snapshot(&fixture);
  for (uint32_t read = 0; read < 2; read++) {
    flash_tap_clear(&fixture.tap);
    fixture.tap.fail_read_at = read;
    assert_result(erase_start(&fixture, &erase, "factory", "ota_1"), LB_ERR_FLASH_READ);
    assert_refused(&fixture, &erase, before);
  }
  free(before);
  fixture_close(&fixture);
}

/* Steps through an erase and asserts that each is one, right behind the one before. Returns how many there were. */
static uint32_t watch_steps(struct fixture *fixture, struct lb_erase *erase, const struct lb_partition *slot)
{
  uint32_t at = slot->offset;
  uint32_t steps = 0;
  int result = LB_MORE;

  flash_tap_clear(&fixture->tap);
  while (result == LB_MORE) {
    result = lb_erase_step(erase);
    assert_true(result >= LB_OK);
    assert_int_equal(fixture->tap.count, ++steps);
    assert_int_equal(fixture->tap.log[steps - 1].kind, TAP_ERASE);
    assert_int_equal(fixture->tap.log[steps - 1].address, at);
    at += fixture->tap.log[steps - 1].length;
    assert_true(at <= slot->offset + slot->size);
    assert_true((result == LB_OK) == (at == slot->offset + slot->size)); /* done with the last one, not later */
  }
  assert_result(lb_erase_step(erase), LB_OK); /* and so it stays */
  assert_int_equal(fixture->tap.count, steps);
  return steps;
}

static void assert_only_erased(struct fixture *fixture, const uint8_t *before, const struct lb_partition *slot)
{
  uint32_t end = slot->offset + slot->size;

  for (uint32_t i = slot->offset; i < end; i++) {
    assert_int_equal(fixture_bytes(fixture)[i], 0xFF);
  }
  assert_true(fixture_same(fixture, before, 0, slot->offset));
  assert_true(fixture_same(fixture, before, end, fixture->flash.driver.size - end));
}

static void test_steps(void **state)
{
  static const struct {
    const char *label;
    uint32_t steps;
  } slots[] = {
      {"ota_0", 2},     /* two blocks of 64 KB */
      {"ota_1", 1 + 3}, /* one, and three sectors */
      {"ota_2", 1 + 1 + 1},
      {"ota_3", 1},
  };
  static const struct lb_partition rows[] = {
      {0xd000, 0x2000, 0, 1, 0x00, "otadata"}, {0x10000, 0x10000, 0, 0, 0x00, "factory"},
      {0x20000, 0x20000, 0, 0, 0x10, "ota_0"}, {0x40000, 0x13000, 0, 0, 0x11, "ota_1"},
      {0x60000, 0x19000, 0, 0, 0x12, "ota_2"}, {0x80000, 0x1000, 0, 0, 0x13, "ota_3"},
      {0x81000, 0x1000, 0, 1, 0x81, "behind"},
  };
  struct fixture fixture;

  (void)state;
  open_rows(&fixture, rows, sizeof(rows) / sizeof(rows[0]));
  for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
    struct lb_partition slot = fixture_partition(&fixture, slots[i].label);
    struct lb_erase erase;
    uint8_t *before;

    memset(fixture_bytes(&fixture) + 0x10000, 0x12, 0x100000);
    before = fixture_snapshot(&fixture);
    assert_result(erase_start(&fixture, &erase, "factory", slots[i].label), LB_OK);
    assert_int_equal(watch_steps(&fixture, &erase, &slot), slots[i].steps);
    assert_only_erased(&fixture, before, &slot);
    free(before);
  }
  fixture_close(&fixture);
}

/* A whole slot of the module: 64 blocks; the time it takes follows from that. */
static void test_real_slot(void **state)
{
  struct fixture fixture;
  struct lb_partition slot;
  struct lb_erase erase;
  uint8_t *before;

  (void)state;
  fixture_open_ovms(&fixture);
  slot = fixture_partition(&fixture, "ota_1");
  memset(fixture_bytes(&fixture) + slot.offset, 0x12, slot.size);
  before = fixture_snapshot(&fixture);
  assert_result(erase_start(&fixture, &erase, "ota_0", "ota_1"), LB_OK);
  assert_int_equal(watch_steps(&fixture, &erase, &slot), 64);
  assert_only_erased(&fixture, before, &slot);
  free(before);
  fixture_close(&fixture);
}

/* Else a cut in the middle would leave a journal that speaks of blocks that are gone. */
static void test_journal_goes_first(void **state)
{
  static const uint8_t head[LB_IMAGE_HEADER_SIZE] = {LB_IMAGE_MAGIC};
  struct fixture fixture;
  struct lb_erase erase;
  struct lb_journal journal = {.phase = 0};
  int result = LB_MORE;

  (void)state;
  fixture_open_ovms(&fixture);
  const struct lb_partition slot = fixture_partition(&fixture, "ota_1");
  const struct lb_journal_subject subject = {.source = "x/y.bin", .validator = "\"1\"", .size = 70000, .head = head};
  while (result == LB_MORE) {
    result = lb_journal_create(&journal, fixture.device.flash, &slot, &subject);
  }
  assert_result(result, LB_OK);
  assert_result(erase_start(&fixture, &erase, "ota_0", "ota_1"), LB_OK);
  assert_result(lb_erase_step(&erase), LB_MORE);
  assert_result(lb_journal_read(&journal, fixture.device.flash, &slot), LB_ERR_NO_JOURNAL);
  assert_int_equal(fixture.tap.erases, 1); /* that of making it */
  assert_result(erase_all(&erase), LB_OK);
  fixture_close(&fixture);
}

/* A block that does not erase is told, is not passed over, and can be tried again. */
static void test_failing_erase(void **state)
{
  struct fixture fixture;
  struct lb_partition slot;
  struct lb_erase erase;
  uint8_t *before;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  put_all(&fixture, true);
  before = fixture_snapshot(&fixture);
  slot = fixture_partition(&fixture, "ota_0");
  for (uint32_t failing = 0; failing < 8; failing++) {
    fixture_restore(&fixture, before);
    flash_tap_clear(&fixture.tap);
    fixture.tap.fail_erase_at = failing;
    assert_result(erase_start(&fixture, &erase, "factory", "ota_0"), LB_OK);
    assert_result(erase_all(&erase), LB_ERR_FLASH_ERASE);
    assert_int_equal(fixture.tap.erases, failing + 1);
    assert_result(erase_all(&erase), LB_OK);
    assert_only_erased(&fixture, before, &slot);
  }
  free(before);
  fixture_close(&fixture);
}

/* The power goes at each step: the slot is what it was, or no image; nothing else is touched; it can be done again. */
static void cut_at(struct fixture *fixture, const uint8_t *before, uint32_t step, enum sim_cut cut)
{
  struct lb_partition slot = fixture_partition(fixture, "ota_0");
  struct lb_verify verify;
  struct lb_boot_decision decision;
  struct lb_erase erase;
  uint32_t end = slot.offset + slot.size;

  fixture_restore(fixture, before);
  sim_flash_cut_at(&fixture->flash, step, cut);
  assert_result(erase_start(fixture, &erase, "factory", "ota_0"), LB_OK);
  assert_result(erase_all(&erase), LB_ERR_FLASH_ERASE);
  assert_true(sim_flash_cut_fired(&fixture->flash));
  sim_flash_power_on(&fixture->flash);
  assert_true(fixture_same(fixture, before, 0, slot.offset));
  assert_true(fixture_same(fixture, before, end, fixture->flash.driver.size - end));
  if (step == 1 && cut == SIM_CUT_BEFORE) {
    assert_true(fixture_same(fixture, before, slot.offset, slot.size));
  } else if (!fixture_same(fixture, before, slot.offset, slot.size)) {
    assert_true(lb_error_is_of_image(lb_verify_partition(&verify, &fixture->device, &slot)));
  }
  if (step > 1) {
    assert_int_equal(fixture_bytes(fixture)[slot.offset], 0xFF);
  }
  assert_result(fixture_boot(fixture, &decision), LB_OK);
  assert_string_equal(decision.partition.label, "factory");
  assert_result(erase_start(fixture, &erase, "factory", "ota_0"), LB_OK);
  assert_result(erase_all(&erase), LB_OK);
  assert_only_erased(fixture, before, &slot);
}

static void test_cut(void **state)
{
  struct fixture fixture;
  uint8_t *before;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  put_all(&fixture, true);
  fixture_put_made(&fixture, "ota_0", 2, 16384); /* a full slot, so that each block matters to its image */
  before = fixture_snapshot(&fixture);
  for (uint32_t step = 1; step <= 8; step++) {
    cut_at(&fixture, before, step, SIM_CUT_BEFORE);
    for (uint64_t seed = 0; seed < 20; seed++) {
      sim_flash_seed(&fixture.flash, seed);
      cut_at(&fixture, before, step, SIM_CUT_TORN);
    }
  }
  free(before);
  fixture_close(&fixture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_which_record_counts),
      cmocka_unit_test(test_without_factory),
      cmocka_unit_test(test_no_such_partition),
      cmocka_unit_test(test_flags_sizes_gaps),
      cmocka_unit_test(test_no_otadata),
      cmocka_unit_test(test_otadata_cannot_be_read),
      cmocka_unit_test(test_steps),
      cmocka_unit_test(test_real_slot),
      cmocka_unit_test(test_journal_goes_first),
      cmocka_unit_test(test_failing_erase),
      cmocka_unit_test(test_cut),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
