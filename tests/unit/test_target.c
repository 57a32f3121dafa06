// SPDX-License-Identifier: MIT
/* Which slot an update goes to. */
#include "lifeboat/target.h"

#include "tests/unit/support/fixture.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/unit.h"

static int choose(struct fixture *fixture, const char *running, struct lb_target *target)
{
  struct lb_partition partition = fixture_partition(fixture, running);
  int result = lb_target_start(target, &fixture->device, &partition);

  if (result != LB_OK) {
    return result;
  }
  do {
    uint64_t before = fixture->tap.bytes_read;

    result = lb_target_step(target);
    assert_true(fixture->tap.bytes_read - before <= LB_VERIFY_STEP);
  } while (result == LB_MORE);
  return result;
}

static void assert_choice(struct fixture *fixture, const char *running, const char *expected)
{
  struct lb_target target;

  assert_result(choose(fixture, running, &target), LB_OK);
  assert_string_equal(target.slot.label, expected);
  assert_int_equal(fixture->tap.count, 0);
}

/* From an OTA slot the next one in turn, whatever the slots hold and whatever is selected. */
static void test_in_turn(void **state)
{
  (void)state;
  for (uint32_t slots = 2; slots <= 16; slots++) {
    struct fixture fixture;

    fixture_open_miniature(&fixture, true, slots);
    for (uint32_t selected = 0; selected <= slots; selected += slots - 1) {
      if (selected) {
        fixture_put_record(&fixture, 0, selected, 0xFFFFFFFFU);
      }
      for (uint32_t running = 0; running < slots; running++) {
        char from[LB_LABEL_SIZE];
        char to[LB_LABEL_SIZE];

        snprintf(from, sizeof(from), "ota_%u", (unsigned)(running % 16));
        bool skips = selected && slots > 2 && selected - 1 == (running + 1) % slots; /* nothing else was confirmed */
        snprintf(to, sizeof(to), "ota_%u", (unsigned)((running + 1 + skips) % slots % 16));
        assert_choice(&fixture, from, to);
      }
    }
    fixture_close(&fixture);
  }
}

/* From factory, three slots: each good or bad, each selected or none; the rule of the issue worked out by hand. */
static void test_from_factory(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_miniature(&fixture, true, 3);
  fixture_put_made(&fixture, "factory", 9, 4096);
  for (unsigned good = 0; good < 8; good++) {
    for (uint32_t selected = 0; selected < 4; selected++) { /* 0: factory */
      char label[LB_LABEL_SIZE];
      uint32_t expected = 0;

      for (unsigned slot = 0; slot < 3; slot++) {
        snprintf(label, sizeof(label), "ota_%u", slot % 3);
        fixture_put_made(&fixture, label, slot + 1, 6400);
        if (!(good >> slot & 1)) {
          fixture_bytes(&fixture)[fixture_partition(&fixture, label).offset + 6399 - slot * 1000] ^= 1;
        }
      }
      fixture_blank_record(&fixture, 0);
      if (selected) {
        fixture_put_record(&fixture, 0, selected, 0xFFFFFFFFU);
      }
      while (good != 7 && (good >> expected & 1)) {
        expected++;
      }
      if (good == 7) {
        expected = selected == 1 ? 1 : 0;
      }
      snprintf(label, sizeof(label), "ota_%u", (unsigned)(expected % 3));
      assert_choice(&fixture, "factory", label);
    }
  }
  fixture_close(&fixture);
}

static void test_fresh_module(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_ovms(&fixture);
  assert_choice(&fixture, "factory", "ota_0");
  assert_choice(&fixture, "ota_0", "ota_1");
  assert_choice(&fixture, "ota_1", "ota_0");
  fixture_close(&fixture);
  fixture_open_7m(&fixture);
  assert_choice(&fixture, "ota_0", "ota_1");
  assert_choice(&fixture, "ota_1", "ota_0");
  fixture_close(&fixture);
}

static void test_one_slot(void **state)
{
  struct fixture fixture;
  struct lb_target target;

  (void)state;
  fixture_open_miniature(&fixture, true, 1);
  assert_choice(&fixture, "factory", "ota_0");
  fixture_put_made(&fixture, "ota_0", 1, 4096);
  fixture_put_record(&fixture, 0, 1, 0xFFFFFFFFU);
  assert_choice(&fixture, "factory", "ota_0"); /* good and selected, but the only one */
  assert_result(choose(&fixture, "ota_0", &target), LB_ERR_NO_TARGET);
  fixture_close(&fixture);
}

static void test_no_slot(void **state)
{
  struct fixture fixture;
  struct lb_target target;

  (void)state;
  fixture_open_miniature(&fixture, true, 0);
  assert_result(choose(&fixture, "factory", &target), LB_ERR_NO_TARGET);
  fixture_close(&fixture);
}

static void test_failures(void **state)
{
  struct fixture fixture;
  struct lb_target target;
  struct failing_hash failing;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  fixture_put_made(&fixture, "ota_0", 1, 6400);
  flash_tap_clear(&fixture.tap);
  fixture.tap.fail_read_at = 5;
  assert_result(choose(&fixture, "factory", &target), LB_ERR_FLASH_READ);
  flash_tap_clear(&fixture.tap);
  failing_hash_start(&failing, unit_sha256());
  failing.fail_start = true;
  fixture.device.sha256 = &failing.hash;
  assert_result(choose(&fixture, "factory", &target), LB_ERR_HASH);
  failing.fail_start = false;
  failing.fail_update_at = 3;
  assert_result(choose(&fixture, "factory", &target), LB_ERR_HASH);
  fixture_close(&fixture);
}

/* ---- what may be written ---- */

static void test_allowed(void **state)
{
  struct fixture fixture;
  struct lb_partition factory;
  struct lb_partition zero;
  struct lb_partition one;
  struct lb_partition nvs;
  struct lb_partition shifted;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  factory = fixture_partition(&fixture, "factory");
  zero = fixture_partition(&fixture, "ota_0");
  one = fixture_partition(&fixture, "ota_1");
  nvs = fixture_partition(&fixture, "nvs");
  assert_result(lb_target_allowed(&fixture.table, &factory, &zero), LB_OK);
  assert_result(lb_target_allowed(&fixture.table, &zero, &one), LB_OK);
  assert_result(lb_target_allowed(&fixture.table, &zero, &zero), LB_ERR_TARGET_RUNNING);
  assert_result(lb_target_allowed(&fixture.table, &zero, &factory), LB_ERR_TARGET_FACTORY);
  assert_result(lb_target_allowed(&fixture.table, &zero, &nvs), LB_ERR_TARGET_FACTORY);
  assert_true(lb_target_allowed(&fixture.table, &factory, &factory) < 0);
  shifted = one;
  shifted.offset = factory.offset; /* an OTA slot by its type, factory by its place */
  assert_true(lb_target_allowed(&fixture.table, &zero, &shifted) < 0);
  shifted = one;
  shifted.subtype = 0x15;
  assert_result(lb_target_allowed(&fixture.table, &zero, &shifted), LB_ERR_NOT_FOUND);
  shifted = one;
  shifted.size *= 2;
  assert_result(lb_target_allowed(&fixture.table, &zero, &shifted), LB_ERR_NOT_FOUND);
  fixture_close(&fixture);
}

/* A slot behind a gap can never be selected, so nothing is to be written to it. */
static void test_behind_a_gap(void **state)
{
  const struct sim_geometry geometry = sim_geometry_miniature(0x50000);
  static const struct lb_partition rows[] = {{0xd000, 0x2000, 0, 1, 0, "otadata"},
                                             {0x10000, 0x4000, 0, 0, 0, "factory"},
                                             {0x20000, 0x4000, 0, 0, 0x10, "ota_0"},
                                             {0x30000, 0x4000, 0, 0, 0x12, "ota_2"}};
  struct fixture fixture;
  struct lb_partition slot;
  struct lb_partition running;

  (void)state;
  fixture_open(&fixture, &geometry, rows, 4);
  slot = fixture_partition(&fixture, "ota_2");
  running = fixture_partition(&fixture, "factory");
  assert_result(lb_target_allowed(&fixture.table, &running, &slot), LB_ERR_NOT_FOUND);
  fixture_close(&fixture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_in_turn),  cmocka_unit_test(test_from_factory), cmocka_unit_test(test_fresh_module),
      cmocka_unit_test(test_one_slot), cmocka_unit_test(test_no_slot),      cmocka_unit_test(test_failures),
      cmocka_unit_test(test_allowed),  cmocka_unit_test(test_behind_a_gap),
  };

  return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
