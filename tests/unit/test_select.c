// SPDX-License-Identifier: MIT
/* Selecting for a user: only what has been read back and verified, in bounded steps. */
#include "lifeboat/select.h"

#include "tests/unit/support/fixture.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/unit.h"

static int select_label(struct fixture *fixture, const char *label)
{
  struct lb_partition target = fixture_partition(fixture, label);
  struct lb_select select;
  int result = lb_select_start(&select, &fixture->device, &target, NULL);

  if (result) {
    assert_result(lb_select_step(&select), result);
    return result;
  }
  do {
    uint32_t programs = fixture->tap.programs;
    uint32_t erases = fixture->tap.erases;
    uint64_t bytes = fixture->tap.bytes_read;

    result = lb_select_step(&select);
    assert_true(fixture->tap.programs - programs <= 1 && fixture->tap.erases - erases <= 1);
    /* reading the image, or else looking at otadata: two sectors and the records */
    assert_true(fixture->tap.bytes_read - bytes <= 0x2000 + 64 + LB_VERIFY_STEP);
  } while (result == LB_MORE);
  if (result == LB_OK) {
    assert_true(select.verify.image.info.length > 0);
  }
  assert_result(lb_select_step(&select), result); /* and so it stays */
  return result;
}

static void put_all(struct fixture *fixture)
{
  fixture_put_made(fixture, "factory", 1, 9600);
  fixture_put_made(fixture, "ota_0", 2, 4800);
  fixture_put_made(fixture, "ota_1", 3, 8000);
}

static void test_each_slot(void **state)
{
  static const char *const labels[] = {"ota_0", "ota_1", "ota_0", "factory", "ota_1", "ota_1", "factory", "factory"};
  struct fixture fixture;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  put_all(&fixture);
  for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
    assert_result(select_label(&fixture, labels[i]), LB_OK);
    assert_string_equal(fixture_selected(&fixture), labels[i]);
  }
  fixture_close(&fixture);
}

static void test_bad_image_changes_nothing(void **state)
{
  static const char *const labels[] = {"factory", "ota_1"};
  static const uint32_t places[] = {0, 12, 23, 40, 5000, 7980};
  struct fixture fixture;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  for (size_t i = 0; i < 2; i++) {
    for (size_t j = 0; j < sizeof(places) / sizeof(places[0]); j++) {
      put_all(&fixture);
      fixture_put_record(&fixture, 0, 1, 0xFFFFFFFFU);
      fixture_bytes(&fixture)[fixture_partition(&fixture, labels[i]).offset + places[j]] ^= 0x10;
      flash_tap_clear(&fixture.tap);
      assert_true(select_label(&fixture, labels[i]) <= LB_ERR_IMAGE_MAGIC);
      assert_int_equal(fixture.tap.count, 0);
      assert_string_equal(fixture_selected(&fixture), "ota_0");
    }
  }
  fixture_close(&fixture);
}

static void test_what_is_no_slot(void **state)
{
  struct fixture fixture;
  struct lb_partition target;
  struct lb_select select;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  put_all(&fixture);
  assert_result(select_label(&fixture, "nvs"), LB_ERR_NOT_FOUND);
  assert_result(select_label(&fixture, "otadata"), LB_ERR_NOT_FOUND);
  target = fixture_partition(&fixture, "ota_1");
  target.subtype = 0x12;
  assert_result(lb_select_start(&select, &fixture.device, &target, NULL), LB_ERR_NOT_FOUND);
  target = fixture_partition(&fixture, "ota_1");
  target.offset += 0x10000; /* not where the table has it */
  assert_result(lb_select_start(&select, &fixture.device, &target, NULL), LB_ERR_NOT_FOUND);
  assert_int_equal(fixture.tap.count, 0);
  fixture_close(&fixture);
}

static void test_no_otadata(void **state)
{
  const struct sim_geometry geometry = sim_geometry_miniature(0x40000);
  static const struct lb_partition rows[] = {{0x10000, 0x4000, 0, 0, 0, "factory"},
                                             {0x20000, 0x4000, 0, 0, 0x10, "ota_0"},
                                             {0x30000, 0x4000, 0, 0, 0x20, "test"}};
  struct fixture fixture;

  (void)state;
  fixture_open(&fixture, &geometry, rows, 3);
  fixture_put_made(&fixture, "ota_0", 2, 4800);
  assert_result(select_label(&fixture, "ota_0"), LB_ERR_NO_OTADATA);
  assert_true(select_label(&fixture, "test") < 0);
  fixture_close(&fixture);
}

static void test_failures(void **state)
{
  struct fixture fixture;
  struct failing_hash failing;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  put_all(&fixture);
  for (uint32_t at = 0;; at++) {
    int result;

    fixture_put_record(&fixture, 0, 1, 0xFFFFFFFFU);
    fixture_blank_record(&fixture, 1);
    flash_tap_clear(&fixture.tap);
    fixture.tap.fail_read_at = at;
    result = select_label(&fixture, "ota_1");
    if (result == LB_OK) {
      assert_true(at > 10);
      break;
    }
    assert_result(result, LB_ERR_FLASH_READ);
  }
  fixture_put_record(&fixture, 0, 1, 0xFFFFFFFFU);
  fixture_blank_record(&fixture, 1);
  flash_tap_clear(&fixture.tap);
  fixture.tap.fail_program_at = 0;
  assert_result(select_label(&fixture, "ota_1"), LB_ERR_FLASH_PROGRAM);
  assert_string_equal(fixture_selected(&fixture), "ota_0");
  failing_hash_start(&failing, unit_sha256());
  failing.fail_start = true;
  fixture.device.sha256 = &failing.hash;
  assert_result(select_label(&fixture, "ota_1"), LB_ERR_HASH);
  fixture_close(&fixture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_slot),       cmocka_unit_test(test_bad_image_changes_nothing),
      cmocka_unit_test(test_what_is_no_slot), cmocka_unit_test(test_no_otadata),
      cmocka_unit_test(test_failures),
  };

  return cmocka_run_group_tests_name("select", tests, NULL, NULL);
}
