// SPDX-License-Identifier: MIT
/*
 * Found by fuzz_image: where a part of the image reached behind the capacity, the inspector said something else of the
 * bytes when they came at once (too long) than when they came singly (no image). It must not matter how they come.
 */
#include "lifeboat/device.h"
#include "lifeboat/image.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/image_builder.h"
#include "tests/unit/support/unit.h"

static int inspect(const uint8_t *bytes, uint32_t length, uint32_t capacity, uint32_t piece, uint32_t *used)
{
  const struct lb_image_rules rules = {.revision = LB_REVISION_ANY, .capacity = capacity};
  struct lb_image image;
  int result = LB_MORE;

  *used = 0;
  assert_result(lb_image_start(&image, &rules, unit_sha256()), LB_OK);
  for (uint32_t at = 0; at < length && result == LB_MORE; at += piece) {
    uint32_t taken = 0;
    result = lb_image_write(&image, bytes + at, piece < length - at ? piece : length - at, &taken);
    *used += taken;
  }
  return lb_image_finish(&image);
}

static void test_every_capacity(void **state)
{
  static const uint8_t others[64] = {0x55};
  struct built_image built;
  uint32_t at_once;
  uint32_t singly;

  (void)state;
  image_make(&built, 9, 1024, "1.0");
  for (uint32_t capacity = 0; capacity <= 400; capacity++) {
    int result = inspect(built.bytes, built.length, capacity, built.length, &at_once);
    assert_result(result, LB_ERR_IMAGE_TOO_LONG);
    assert_result(inspect(built.bytes, built.length, capacity, 1, &singly), result);
    assert_int_equal(singly, at_once);
    assert_true(at_once <= capacity);
    result = inspect(others, sizeof(others), capacity, sizeof(others), &at_once);
    assert_result(result, capacity > 0 ? LB_ERR_IMAGE_MAGIC : LB_ERR_IMAGE_TOO_LONG);
    assert_result(inspect(others, sizeof(others), capacity, 1, &singly), result);
    assert_int_equal(singly, at_once);
  }
  image_free(&built);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_capacity)};

  return cmocka_run_group_tests(tests, NULL, NULL);
}
