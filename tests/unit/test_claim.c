// SPDX-License-Identifier: MIT
/* What a slot claims to hold, told by its headers. */
#include "lifeboat/claim.h"

#include "lifeboat/bytes.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/unit.h"

static int read_claim(struct fixture *fixture, struct lb_claim *claim)
{
  const struct lb_partition slot = fixture_partition(fixture, "ota_0");

  return lb_claim_read(claim, &fixture->tap.flash, &slot);
}

static void test_image(void **state)
{
  struct fixture fixture;
  struct built_image image;
  struct lb_claim claim;

  (void)state;
  fixture_open_miniature(&fixture, true, 1);
  for (uint32_t length = 1024; length <= 0x4000; length += 1024) { /* up to one that fills the slot */
    image_make(&image, length, length, "3.3.001");
    fixture_put_image(&fixture, "ota_0", &image);
    assert_result(read_claim(&fixture, &claim), LB_OK);
    assert_int_equal(claim.length, length);
    assert_memory_equal(claim.digest, image.bytes + length - LB_SHA256_SIZE, LB_SHA256_SIZE);
    image_free(&image);
  }
  fixture_close(&fixture);
}

/* Nothing is verified: a claim is what is said, not what is so. */
static void test_broken_image(void **state)
{
  struct fixture fixture;
  struct lb_claim claim;

  (void)state;
  fixture_open_miniature(&fixture, true, 1);
  fixture_put_made(&fixture, "ota_0", 4, 2048);
  fixture_bytes(&fixture)[fixture_partition(&fixture, "ota_0").offset + 1000] ^= 1U;
  assert_result(read_claim(&fixture, &claim), LB_OK);
  assert_int_equal(claim.length, 2048);
  fixture_close(&fixture);
}

static void test_no_image(void **state)
{
  struct fixture fixture;
  struct lb_claim claim;

  (void)state;
  fixture_open_miniature(&fixture, true, 1);
  const struct lb_partition slot = fixture_partition(&fixture, "ota_0");
  uint8_t *bytes = fixture_bytes(&fixture) + slot.offset;
  assert_result(read_claim(&fixture, &claim), LB_ERR_NOT_FOUND); /* blank */
  memset(bytes, 0, 64);
  bytes[0] = LB_IMAGE_MAGIC;
  bytes[1] = 1;
  for (uint32_t beyond = 0; beyond < 64; beyond++) { /* a segment up to the slot's end, less that many bytes */
    lb_store_le32(bytes + 28, slot.size - 32U - beyond);
    bool fits = ((slot.size - beyond) & ~15U) + 16U + LB_SHA256_SIZE <= slot.size;
    assert_result(read_claim(&fixture, &claim), fits ? LB_OK : LB_ERR_NOT_FOUND);
  }
  lb_store_le32(bytes + 28, 0xFFFFFFF0U);
  assert_result(read_claim(&fixture, &claim), LB_ERR_NOT_FOUND);
  fixture_close(&fixture);
}

static void test_read_fails(void **state)
{
  struct fixture fixture;
  struct lb_claim claim;
  int result = LB_ERR_FLASH_READ;

  (void)state;
  fixture_open_miniature(&fixture, true, 1);
  fixture_put_made(&fixture, "ota_0", 4, 2048);
  for (uint32_t number = 0; result != LB_OK; number++) {
    flash_tap_clear(&fixture.tap);
    fixture.tap.fail_read_at = number;
    result = read_claim(&fixture, &claim);
    assert_true(result == LB_ERR_FLASH_READ || (result == LB_OK && number >= 6)); /* header, segments, digest */
  }
  fixture_close(&fixture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_image),
      cmocka_unit_test(test_broken_image),
      cmocka_unit_test(test_no_image),
      cmocka_unit_test(test_read_fails),
  };

  return cmocka_run_group_tests_name("claim", tests, NULL, NULL);
}
