// SPDX-License-Identifier: MIT
/* The header of a patch, field by field, and its CRC. */
#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "lifeboat/patch.h"

#include "tests/unit/support/unit.h"

/* docs/patch-format.md, in its own numbers. */
static void fill(uint8_t *header)
{
  memset(header, 0, LB_PATCH_HEADER_SIZE);
  memcpy(header, "LBP\x01\x11\x90", 6); /* Xtensa, default profile; base sealed, tail of 16 */
  lb_store_le32(header + 6, 0x12345678);
  lb_store_le32(header + 10, 3659184);
  lb_store_le32(header + 14, 3672672);
  for (uint8_t i = 0; i < 48; i++) {
    header[18 + i] = (uint8_t)(i + 1);
  }
}

static void test_fields(void **state)
{
  uint8_t header[LB_PATCH_HEADER_SIZE];
  uint8_t stored[LB_PATCH_HEADER_SIZE];
  struct lb_patch_info info;

  (void)state;
  assert_int_equal(LB_PATCH_HEADER_SIZE, 66);
  fill(header);
  assert_result(lb_patch_read_header(&info, header), LB_OK);
  assert_int_equal(info.walker, LB_PATCH_WALKER_XTENSA);
  assert_int_equal(info.profile, LB_PATCH_PROFILE_DEFAULT);
  assert_int_equal(info.tail, 16);
  assert_true(info.base_sealed);
  assert_int_equal(info.crc, 0x12345678);
  assert_int_equal(info.base_length, 3659184);
  assert_int_equal(info.result_length, 3672672);
  assert_memory_equal(info.base_digest, header + 18, 16);
  assert_memory_equal(info.result_digest, header + 34, 32);
  lb_patch_store_header(&info, stored);
  assert_memory_equal(stored, header, sizeof(header));

  memcpy(header, "LBP\x01\x22\x00", 6);
  assert_result(lb_patch_read_header(&info, header), LB_OK);
  assert_int_equal(info.walker, LB_PATCH_WALKER_RISCV);
  assert_int_equal(info.profile, LB_PATCH_PROFILE_SMALL);
  assert_int_equal(info.tail, 0);
  assert_false(info.base_sealed);
  lb_patch_store_header(&info, stored);
  assert_memory_equal(stored, header, sizeof(header));
}

static void test_each_byte(void **state)
{
  uint8_t header[LB_PATCH_HEADER_SIZE];
  struct lb_patch_info info;

  (void)state;
  for (unsigned at = 0; at < 6; at++) {
    for (unsigned value = 0; value < 256; value++) {
      unsigned low = value & 15U;
      unsigned tail = value & 31U;
      int expected = LB_OK;
      fill(header);
      if (header[at] == value) {
        continue;
      }
      header[at] = (uint8_t)value;
      if (at < 3) {
        expected = LB_ERR_PATCH_MAGIC;
      } else if (at == 3) {
        expected = LB_ERR_PATCH_VERSION;
      } else if (at == 4) {
        expected = (low == 1 || low == 2) && value >> 4 <= 2 ? LB_OK : LB_ERR_PATCH_HEADER;
      } else {
        expected = (value & 0x60U) == 0 && tail <= 16 ? LB_OK : LB_ERR_PATCH_HEADER;
      }
      assert_result(lb_patch_read_header(&info, header), expected);
    }
  }
}

static void test_lengths(void **state)
{
  static const struct {
    uint8_t tail;
    uint32_t base;
    uint32_t result;
    int expected;
  } cases[] = {
      {0x00, 0, 0, LB_OK},
      {0x00, 0x1000000, 0x1000000, LB_OK},
      {0x00, 0x1000001, 0x1000000, LB_ERR_PATCH_HEADER},
      {0x00, 0x1000000, 0x1000001, LB_ERR_PATCH_HEADER},
      {0x00, 0xFFFFFFFF, 0, LB_ERR_PATCH_HEADER},
      {0x00, 0, 0xFFFFFFFF, LB_ERR_PATCH_HEADER},
      {0x80, 32, 0, LB_OK},
      {0x80, 31, 0, LB_ERR_PATCH_HEADER},
      {0x80, 0, 0, LB_ERR_PATCH_HEADER},
      {0x01, 0, 33, LB_OK},
      {0x01, 0, 32, LB_ERR_PATCH_HEADER},
      {0x10, 0, 48, LB_OK},
      {0x10, 0, 47, LB_ERR_PATCH_HEADER},
      {0x10, 0, 0, LB_ERR_PATCH_HEADER},
  };
  uint8_t header[LB_PATCH_HEADER_SIZE];
  struct lb_patch_info info;

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    fill(header);
    header[5] = cases[i].tail;
    lb_store_le32(header + 10, cases[i].base);
    lb_store_le32(header + 14, cases[i].result);
    if (lb_patch_read_header(&info, header) != cases[i].expected) {
      fail_here("case %zu", i);
    }
  }
}

static void test_crc_in_pieces(void **state)
{
  struct unit_random random;
  uint8_t bytes[300];
  uint8_t without[300];

  (void)state;
  unit_random_seed(&random, "patch crc", 66);
  unit_random_fill(&random, bytes, sizeof(bytes));
  for (int turn = 0; turn < 500; turn++) {
    uint32_t length = unit_random_below(&random, turn < 100 ? 16U : sizeof(bytes) + 1U);
    uint32_t crc = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < length; i++) {
      if (i < 6 || i >= 10) {
        without[kept++] = bytes[i];
      }
    }
    for (uint32_t offset = 0; offset < length;) {
      uint32_t piece = unit_random_below(&random, 13);
      piece = piece > length - offset ? length - offset : piece;
      crc = lb_patch_crc(crc, offset, bytes + offset, piece);
      offset += piece;
    }
    assert_int_equal(crc, lb_crc32(0, without, kept));
    assert_int_equal(lb_patch_crc(0, 0, bytes, length), crc);
  }
}

static void test_memory(void **state)
{
  (void)state;
  assert_int_equal(lb_patch_memory(LB_PATCH_PROFILE_DEFAULT), sizeof(struct lb_patch_default));
  assert_int_equal(lb_patch_memory(LB_PATCH_PROFILE_SMALL), sizeof(struct lb_patch_small));
  assert_true(sizeof(struct lb_patch_default) <= 10240 && sizeof(struct lb_patch_small) <= 2560);
  assert_int_equal(lb_patch_memory(0), 0);
  assert_int_equal(lb_patch_memory(3), 0);
  assert_int_equal(lb_patch_memory(255), 0);
}

static void test_errors_of_patches(void **state)
{
  (void)state;
  for (int code = LB_ERR_PATCH_TOO_LONG; code <= LB_ERR_PATCH_MAGIC; code++) {
    assert_true(lb_error_is_of_patch(code));
    assert_false(lb_error_is_of_image(code));
  }
  assert_false(lb_error_is_of_patch(LB_ERR_NO_STAGE) || lb_error_is_of_patch(LB_ERR_STAGE_ROOM));
  assert_false(lb_error_is_of_patch(LB_ERR_PATCH_MAGIC + 1) || lb_error_is_of_patch(LB_OK));
  assert_false(lb_error_is_of_patch(LB_ERR_IMAGE_DIGEST));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fields),        cmocka_unit_test(test_each_byte), cmocka_unit_test(test_lengths),
      cmocka_unit_test(test_crc_in_pieces), cmocka_unit_test(test_memory),    cmocka_unit_test(test_errors_of_patches),
  };

  return cmocka_run_group_tests_name("patch_header", tests, NULL, NULL);
}
