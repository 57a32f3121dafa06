// SPDX-License-Identifier: MIT
/* How far a writer goes, how far it compares, and where it begins. */
#include "lifeboat/writer.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/unit.h"

#define SECTOR 512U
#define BLOCK  2048U

static uint8_t content[0x4000 + 1];

static void open_slot(struct fixture *fixture, struct lb_partition *slot, struct lb_writer *writer)
{
  struct unit_random random = {7};

  fixture_open_miniature(fixture, true, 1);
  *slot = fixture_partition(fixture, "ota_0");
  assert_int_equal(slot->size, sizeof(content) - 1);
  unit_random_fill(&random, content, sizeof(content));
  memcpy(fixture_bytes(fixture) + slot->offset, content, slot->size);
  assert_result(lb_writer_start(writer, &fixture->tap.flash, slot, fixture->sector), LB_OK);
}

static void write_all(struct lb_writer *writer, uint32_t from, uint32_t length)
{
  int result;

  for (uint32_t at = 0; at < length;) {
    uint32_t used;
    assert_result(lb_writer_write(writer, content + from + at, length - at, &used), LB_OK);
    at += used;
  }
  do {
    result = lb_writer_flush(writer);
  } while (result == LB_MORE);
  assert_result(result, LB_OK);
}

/* Equal sectors are kept behind the first block and before compare_end, and nowhere else. */
static void test_compare_end(void **state)
{
  struct fixture fixture;
  struct lb_partition slot;
  struct lb_writer writer;

  (void)state;
  for (uint32_t blocks = 0; blocks <= 4; blocks++) {
    open_slot(&fixture, &slot, &writer);
    writer.compare_end = slot.offset + blocks * BLOCK;
    write_all(&writer, 0, 4 * BLOCK);
    uint32_t kept = blocks > 0 ? blocks - 1 : 0;
    assert_int_equal(writer.sectors_kept, kept * BLOCK / SECTOR);
    assert_int_equal(writer.bytes_erased, (4 - kept) * BLOCK);
    assert_memory_equal(fixture_bytes(&fixture) + slot.offset, content, 4 * BLOCK);
    fixture_close(&fixture);
  }
}

/* A block in the middle is not trusted, whatever it holds. */
static void test_distrusted(void **state)
{
  struct fixture fixture;
  struct lb_partition slot;
  struct lb_writer writer;

  (void)state;
  open_slot(&fixture, &slot, &writer);
  writer.distrusted = slot.offset + 2 * BLOCK;
  writer.distrust_end = slot.offset + 3 * BLOCK;
  write_all(&writer, 0, 4 * BLOCK);
  assert_int_equal(writer.sectors_kept, 2 * BLOCK / SECTOR);
  assert_int_equal(fixture.tap.erases, 2);
  assert_int_equal(fixture.tap.log[fixture.tap.count - 1].address / BLOCK, writer.distrusted / BLOCK);
  fixture_close(&fixture);
}

/* Gathered bytes count: one byte more than there is room for is refused, in one piece or in two. */
static void test_end(void **state)
{
  struct fixture fixture;
  struct lb_partition slot;
  struct lb_writer writer;
  uint32_t used;

  (void)state;
  open_slot(&fixture, &slot, &writer);
  assert_result(lb_writer_write(&writer, content, slot.size + 1, &used), LB_ERR_IMAGE_TOO_LONG);
  assert_result(lb_writer_write(&writer, content, 100, &used), LB_OK);
  assert_int_equal(used, 100);
  assert_result(lb_writer_write(&writer, content + 100, slot.size - 100 + 1, &used), LB_ERR_IMAGE_TOO_LONG);
  assert_int_equal(used, 0);
  write_all(&writer, 100, slot.size - 100);
  assert_memory_equal(fixture_bytes(&fixture) + slot.offset, content, slot.size);
  assert_result(lb_writer_write(&writer, content, 1, &used), LB_ERR_IMAGE_TOO_LONG);
  fixture_close(&fixture);
}

/* The last sector is left to somebody else. */
static void test_limit(void **state)
{
  struct fixture fixture;
  struct lb_partition slot;
  struct lb_writer writer;
  uint32_t used;

  (void)state;
  open_slot(&fixture, &slot, &writer);
  assert_result(lb_writer_limit(&writer, slot.offset + slot.size + SECTOR), LB_ERR_ARGUMENT);
  assert_result(lb_writer_limit(&writer, slot.offset + slot.size - 1), LB_ERR_ARGUMENT);
  assert_result(lb_writer_limit(&writer, slot.offset + slot.size - SECTOR), LB_OK);
  content[slot.size - SECTOR - 1] ^= 1; /* so that the last block is erased, as far as it is ours */
  write_all(&writer, 0, slot.size - SECTOR);
  assert_memory_equal(fixture_bytes(&fixture) + slot.offset, content, slot.size);
  assert_result(lb_writer_write(&writer, content, 1, &used), LB_ERR_IMAGE_TOO_LONG);
  assert_result(lb_writer_limit(&writer, slot.offset + slot.size - SECTOR), LB_ERR_ARGUMENT); /* too late */
  fixture_close(&fixture);
}

static void test_seek(void **state)
{
  struct fixture fixture;
  struct lb_partition slot;
  struct lb_writer writer;

  (void)state;
  open_slot(&fixture, &slot, &writer);
  assert_result(lb_writer_seek(&writer, slot.offset + 1), LB_ERR_ARGUMENT);
  assert_result(lb_writer_seek(&writer, slot.offset - SECTOR), LB_ERR_ARGUMENT);
  assert_result(lb_writer_seek(&writer, slot.offset + slot.size + SECTOR), LB_ERR_ARGUMENT);
  assert_result(lb_writer_seek(&writer, slot.offset + 2 * BLOCK), LB_OK);
  memset(fixture_bytes(&fixture) + slot.offset + 2 * BLOCK, 0xA5, 2 * BLOCK);
  write_all(&writer, 2 * BLOCK, 2 * BLOCK);
  assert_int_equal(writer.bytes_erased, 2 * BLOCK);
  assert_memory_equal(fixture_bytes(&fixture) + slot.offset, content, slot.size);
  assert_result(lb_writer_seek(&writer, slot.offset), LB_ERR_ARGUMENT); /* too late */
  fixture_close(&fixture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_compare_end), cmocka_unit_test(test_distrusted), cmocka_unit_test(test_end),
      cmocka_unit_test(test_limit),       cmocka_unit_test(test_seek),
  };

  return cmocka_run_group_tests_name("writer_limits", tests, NULL, NULL);
}
