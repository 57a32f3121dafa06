// SPDX-License-Identifier: MIT
/* Verifying a partition: bounded steps, never a byte read outside it, and only what it holds. */
#include "lifeboat/verify.h"

#include "lifeboat/bytes.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/unit.h"

static int verify_label(struct fixture *fixture, const char *label, struct lb_verify *verify)
{
  struct lb_partition partition = fixture_partition(fixture, label);

  return lb_verify_partition(verify, &fixture->device, &partition);
}

static void test_good_image(void **state)
{
  struct fixture fixture;
  struct built_image image;
  struct lb_verify verify;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  for (uint32_t length = 1024; length <= 0x4000; length += 1024 - 16) {
    image_make(&image, length, length, "1.2.3");
    fixture_put_image(&fixture, "ota_0", &image);
    assert_result(verify_label(&fixture, "ota_0", &verify), LB_OK);
    assert_int_equal(verify.image.info.length, length);
    assert_string_equal(verify.image.info.description.version, "1.2.3");
    assert_memory_equal(verify.image.info.digest, image.info.digest, 32);
    image_free(&image);
  }
  assert_int_equal(fixture.tap.count, 0);
  fixture_close(&fixture);
}

static void test_steps_are_bounded(void **state)
{
  struct fixture fixture;
  struct lb_verify verify;
  struct lb_partition slot;
  int result = LB_MORE;
  uint32_t steps = 0;

  (void)state;
  fixture_open_ovms(&fixture);
  fixture_put_made(&fixture, "ota_0", 1, 200000);
  slot = fixture_partition(&fixture, "ota_0");
  assert_result(lb_verify_start(&verify, &fixture.device, &slot), LB_OK);
  while (result == LB_MORE) {
    uint64_t before = fixture.tap.bytes_read;

    result = lb_verify_step(&verify);
    assert_true(fixture.tap.bytes_read - before <= LB_VERIFY_STEP);
    steps++;
  }
  assert_result(result, LB_OK);
  assert_in_range(steps, 200000 / LB_VERIFY_STEP, 200000 / LB_VERIFY_STEP + 2);
  assert_true(fixture.tap.bytes_read < 200000 + LB_VERIFY_STEP);
  fixture_close(&fixture);
}

static void test_bad_images(void **state)
{
  struct fixture fixture;
  struct lb_verify verify;
  struct unit_random random;
  uint8_t *slot;

  (void)state;
  unit_random_seed(&random, "verify", 11);
  fixture_open_miniature(&fixture, true, 2);
  assert_result(verify_label(&fixture, "ota_0", &verify), LB_ERR_IMAGE_MAGIC); /* blank */
  fixture_put_made(&fixture, "ota_0", 1, 6000);
  slot = fixture_bytes(&fixture) + 0x20000;
  for (int turn = 0; turn < 500; turn++) {
    uint32_t bit = unit_random_below(&random, 6000 * 8);

    slot[bit / 8] ^= (uint8_t)(1U << bit % 8);
    assert_true(verify_label(&fixture, "ota_0", &verify) < 0);
    slot[bit / 8] ^= (uint8_t)(1U << bit % 8);
  }
  assert_result(verify_label(&fixture, "ota_0", &verify), LB_OK);
  memset(slot + 3000, 0xFF, 3000); /* half written */
  assert_true(verify_label(&fixture, "ota_0", &verify) < 0);
  fixture_close(&fixture);
}

/* What a header claims is bounded by the slot before a byte is read or hashed for it. */
static void test_never_reads_outside(void **state)
{
  static const uint32_t lengths[] = {102U << 20, 0xFFFFFC, 0x4000, 0x3FF0, 0x3FE0, 0xFFFFFFFC};
  struct fixture fixture;
  struct lb_verify verify;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    fixture_put_made(&fixture, "ota_0", 1, 0x4000);
    lb_store_le32(fixture_bytes(&fixture) + 0x20000 + 28, lengths[i]);
    flash_tap_clear(&fixture.tap);
    assert_true(verify_label(&fixture, "ota_0", &verify) < 0);
    assert_true(fixture.tap.read_end <= 0x24000);
    assert_true(fixture.tap.bytes_read <= 0x4000);
  }
  fixture_close(&fixture);
}

static void test_wrong_slot_offset(void **state)
{
  struct fixture fixture;
  struct lb_verify verify;
  struct lb_partition shifted;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  fixture_put_made(&fixture, "ota_0", 1, 2000 / 16 * 16);
  shifted = fixture_partition(&fixture, "ota_0");
  shifted.offset += 0x200;
  memmove(fixture_bytes(&fixture) + shifted.offset, fixture_bytes(&fixture) + shifted.offset - 0x200, 2000);
  assert_result(lb_verify_partition(&verify, &fixture.device, &shifted), LB_ERR_IMAGE_SEGMENT_MAPPING);
  fixture_close(&fixture);
}

static void test_failures(void **state)
{
  struct fixture fixture;
  struct lb_verify verify;
  struct failing_hash failing;
  struct lb_partition outside = {.offset = 0xFFFFF000U, .size = 0x2000};

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  fixture_put_made(&fixture, "ota_0", 1, 8000);
  assert_result(lb_verify_start(&verify, &fixture.device, &outside), LB_ERR_FLASH_BOUNDS);
  assert_result(lb_verify_partition(&verify, &fixture.device, &outside), LB_ERR_FLASH_BOUNDS);
  fixture.tap.fail_read_at = 1;
  assert_result(verify_label(&fixture, "ota_0", &verify), LB_ERR_FLASH_READ);
  failing_hash_start(&failing, unit_sha256());
  failing.fail_start = true;
  fixture.device.sha256 = &failing.hash;
  assert_result(verify_label(&fixture, "ota_0", &verify), LB_ERR_HASH);
  failing.fail_start = false;
  failing.fail_finish = true;
  assert_result(verify_label(&fixture, "ota_0", &verify), LB_ERR_HASH);
  fixture_close(&fixture);
}

/* A good image in one slot, its end in the next: the slot's size is the image's bound. */
static void test_image_across_the_end(void **state)
{
  struct fixture fixture;
  struct lb_verify verify;
  struct lb_partition small;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  fixture_put_made(&fixture, "ota_0", 1, 8000);
  small = fixture_partition(&fixture, "ota_0");
  for (small.size = 0; small.size < 8000; small.size += 499) {
    flash_tap_clear(&fixture.tap);
    assert_true(lb_verify_partition(&verify, &fixture.device, &small) < 0);
    assert_true(fixture.tap.read_end <= small.offset + small.size);
  }
  small.size = 8000;
  assert_result(lb_verify_partition(&verify, &fixture.device, &small), LB_OK);
  fixture_close(&fixture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_good_image),           cmocka_unit_test(test_steps_are_bounded),
      cmocka_unit_test(test_bad_images),           cmocka_unit_test(test_never_reads_outside),
      cmocka_unit_test(test_wrong_slot_offset),    cmocka_unit_test(test_failures),
      cmocka_unit_test(test_image_across_the_end),
  };

  return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
