// SPDX-License-Identifier: MIT
/* The partition table: the OVMS layout to the byte, every rule broken once, the copy, looking things up. */
#include "lifeboat/partition.h"

#include <mbedtls/md.h>

#include "lifeboat/bytes.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/unit.h"

#define FLASH_SIZE 0x1000000U

static void build(struct lb_table *table, const struct lb_partition *rows, uint32_t count)
{
  lb_table_start(table);
  for (uint32_t i = 0; i < count; i++) {
    assert_result(lb_table_add(table, &rows[i]), LB_OK);
  }
  assert_result(lb_table_finish(table, FLASH_SIZE, unit_md5()), LB_OK);
}

static void build_ovms(struct lb_table *table)
{
  uint32_t count;
  const struct lb_partition *rows = layout_ovms(&count);

  build(table, rows, count);
}

static int parse(struct lb_table *table, const uint8_t *bytes)
{
  return lb_table_parse(table, bytes, LB_TABLE_SIZE, FLASH_SIZE, unit_md5());
}

/* ---- the OVMS layout ---- */

static void test_ovms_layout(void **state)
{
  static const uint8_t md5[] = {0xcf, 0xe3, 0x67, 0x65, 0xa6, 0xbf, 0xe1, 0xb8,
                                0x02, 0xa2, 0xab, 0xd4, 0xec, 0x9f, 0x68, 0x51};
  struct lb_table table;
  struct lb_table parsed;

  (void)state;
  build_ovms(&table);
  assert_int_equal(table.count, 7);
  assert_true(table.has_md5);
  assert_memory_equal(table.bytes + 7 * 32 + 16, md5, 16);
  assert_string_equal(unit_sha256_text(table.bytes, LB_TABLE_SIZE),
                      "5d00bd9531cff25f16312358cc7927b9d955b47cd161f2b32b4b296484a14808");
  assert_result(parse(&parsed, table.bytes), LB_OK);
  assert_int_equal(parsed.count, 7);
  assert_true(parsed.has_md5);
  assert_memory_equal(parsed.bytes, table.bytes, LB_TABLE_SIZE);
}

static void test_round_trip(void **state)
{
  uint32_t count;
  const struct lb_partition *rows = layout_7m(&count);
  struct lb_partition row;
  struct lb_table table;
  struct lb_table parsed;

  (void)state;
  build(&table, rows, count);
  assert_result(lb_table_parse(&parsed, table.bytes, LB_TABLE_SIZE + 0x400, FLASH_SIZE, unit_md5()), LB_OK);
  for (uint32_t i = 0; i < count; i++) {
    assert_result(lb_table_get(&parsed, i, &row), LB_OK);
    assert_memory_equal(&row.offset, &rows[i].offset, 4);
    assert_int_equal(row.size, rows[i].size);
    assert_int_equal(row.type, rows[i].type);
    assert_int_equal(row.subtype, rows[i].subtype);
    assert_string_equal(row.label, rows[i].label);
    assert_int_equal(row.flags, 0);
  }
  assert_result(lb_table_get(&parsed, count, &row), LB_ERR_NOT_FOUND);
  assert_result(lb_table_get(&parsed, 0xFFFFFFFFU, &row), LB_ERR_NOT_FOUND);
}

static void test_long_label_and_flags(void **state)
{
  const struct lb_partition rows[] = {{0x9000, 0x1000, 3, 1, 0x83, "0123456789abcdef"},
                                      {0xa000, 0x1000, 1, 1, 0x83, "0123456789abcde"}};
  struct lb_partition found;
  struct lb_table built;
  struct lb_table table;

  (void)state;
  build(&built, rows, 2);
  assert_result(parse(&table, built.bytes), LB_OK);
  assert_result(lb_table_find_label(&table, "0123456789abcdef", &found), LB_OK);
  assert_string_equal(found.label, "0123456789abcdef");
  assert_int_equal(found.flags, 3);
  assert_result(lb_table_find_label(&table, "0123456789abcde", &found), LB_OK);
  assert_int_equal(found.offset, 0xa000);
  assert_result(lb_table_find_label(&table, "0123456789abcdefg", &found), LB_ERR_NOT_FOUND);
  assert_result(lb_table_find_label(&table, "0123456789abcd", &found), LB_ERR_NOT_FOUND);
  assert_result(lb_table_find_label(&table, "", &found), LB_ERR_NOT_FOUND);
}

/* ---- one rule broken at a time ---- */

/* A table of rows as they are, with a right MD5 row unless `md5` is false. */
static void raw_table(uint8_t *bytes, const struct lb_partition *rows, uint32_t count, bool md5)
{
  memset(bytes, 0xFF, LB_TABLE_SIZE);
  for (uint32_t i = 0; i < count; i++) {
    uint8_t *row = bytes + i * 32;

    lb_store_le16(row, 0x50AA);
    row[2] = rows[i].type;
    row[3] = rows[i].subtype;
    lb_store_le32(row + 4, rows[i].offset);
    lb_store_le32(row + 8, rows[i].size);
    memset(row + 12, 0, 16);
    memcpy(row + 12, rows[i].label, strlen(rows[i].label));
    lb_store_le32(row + 28, rows[i].flags);
  }
  if (md5) {
    memset(bytes + count * 32, 0xEB, 2);
    assert_int_equal(mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_MD5), bytes, count * 32, bytes + count * 32 + 16),
                     0);
  }
}

/* The error must be the same whether the table is parsed, or built row by row. */
static void assert_rows(const struct lb_partition *rows, uint32_t count, int expected)
{
  uint8_t bytes[LB_TABLE_SIZE];
  struct lb_table table;
  int result = LB_OK;

  for (int md5 = 0; md5 < 2; md5++) {
    raw_table(bytes, rows, count, md5 == 1);
    assert_result(parse(&table, bytes), expected);
    assert_int_equal(table.count, expected == LB_OK ? count : 0);
  }
  lb_table_start(&table);
  for (uint32_t i = 0; i < count && result == LB_OK; i++) {
    result = lb_table_add(&table, &rows[i]);
  }
  if (result == LB_OK) {
    result = lb_table_finish(&table, FLASH_SIZE, unit_md5());
  }
  assert_result(result, expected);
}

#define NVS                                                                                                            \
  {                                                                                                                    \
    0x9000, 0x4000, 0, 1, 2, "nvs"                                                                                     \
  }
#define OTADATA                                                                                                        \
  {                                                                                                                    \
    0xd000, 0x2000, 0, 1, 0, "otadata"                                                                                 \
  }

static void test_rules(void **state)
{
  static const struct {
    struct lb_partition rows[3];
    int expected;
  } cases[] = {
      {{NVS, OTADATA, {0x10000, 0x100000, 0, 0, 0, "factory"}}, LB_OK},
      /* bounds */
      {{NVS, OTADATA, {0x1000000, 0x1000, 0, 1, 6, "x"}}, LB_ERR_TABLE_BOUNDS},
      {{NVS, OTADATA, {0x1010000, 0, 0, 1, 6, "x"}}, LB_ERR_TABLE_BOUNDS},
      {{NVS, OTADATA, {0xFF0000, 0x11000, 0, 0, 0, "x"}}, LB_ERR_TABLE_BOUNDS},
      {{NVS, OTADATA, {0xFF0000, 0x10000, 0, 0, 0, "x"}}, LB_OK},
      {{NVS, OTADATA, {0xFFFF0000, 0x10000, 0, 0, 0, "x"}}, LB_ERR_TABLE_BOUNDS},
      {{NVS, OTADATA, {0xFFFF0000, 0x20000, 0, 0, 0, "x"}}, LB_ERR_TABLE_BOUNDS},
      {{NVS, OTADATA, {0x10000, 0xFFFFF000, 0, 0, 0, "x"}}, LB_ERR_TABLE_BOUNDS},
      {{NVS, OTADATA, {0x10000, 0xFFFF0000, 0, 0, 0, "x"}}, LB_ERR_TABLE_BOUNDS},
      {{NVS, OTADATA, {0xFFFFF000, 0xFFFFF000, 0, 1, 6, "x"}}, LB_ERR_TABLE_BOUNDS},
      /* alignment: 64 KB for app, 4 KB for data */
      {{NVS, OTADATA, {0x11000, 0x100000, 0, 0, 0, "x"}}, LB_ERR_TABLE_ALIGNMENT},
      {{NVS, OTADATA, {0x18000, 0x100000, 0, 0, 0x10, "x"}}, LB_ERR_TABLE_ALIGNMENT},
      {{NVS, OTADATA, {0x10800, 0x1000, 0, 1, 6, "x"}}, LB_ERR_TABLE_ALIGNMENT},
      {{NVS, OTADATA, {0x11000, 0x1000, 0, 1, 6, "x"}}, LB_OK},
      {{NVS, OTADATA, {0x11000, 0, 0, 1, 6, "x"}}, LB_ERR_TABLE_ALIGNMENT},
      /* names */
      {{NVS, OTADATA, {0x10000, 0x100000, 0, 0, 0, "nvs"}}, LB_ERR_TABLE_NAME},
      {{NVS, OTADATA, {0x10000, 0x100000, 0, 0, 0, "NVS"}}, LB_OK},
      {{NVS, OTADATA, {0x10000, 0x100000, 0, 0, 0, ""}}, LB_ERR_TABLE_NAME},
      /* overlap: by a byte's worth of sector, one inside the other, the same */
      {{NVS, OTADATA, {0xe000, 0x1000, 0, 1, 6, "x"}}, LB_ERR_TABLE_OVERLAP},
      {{NVS, OTADATA, {0xa000, 0x1000, 0, 1, 6, "x"}}, LB_ERR_TABLE_OVERLAP},
      {{NVS, OTADATA, {0x9000, 0x4000, 0, 1, 6, "x"}}, LB_ERR_TABLE_OVERLAP},
      {{NVS, OTADATA, {0x9000, 0x100000, 0, 1, 6, "x"}}, LB_ERR_TABLE_OVERLAP},
      {{NVS, {0x20000, 0x100000, 0, 0, 0, "x"}, {0x10000, 0x11000, 0, 0, 0x10, "y"}}, LB_ERR_TABLE_OVERLAP},
      {{NVS, {0x20000, 0x100000, 0, 0, 0, "x"}, {0x10000, 0x10000, 0, 0, 0x10, "y"}}, LB_OK},
      /* below the end of the table */
      {{NVS, OTADATA, {0x8000, 0x1000, 0, 1, 6, "x"}}, LB_ERR_TABLE_LOW},
      {{NVS, OTADATA, {0x0, 0x1000, 0, 1, 6, "x"}}, LB_ERR_TABLE_LOW},
      {{NVS, OTADATA, {0x0, 0x1000, 0, 0, 0, "x"}}, LB_ERR_TABLE_LOW},
      {{NVS, OTADATA, {0x7000, 0x1000, 0, 1, 6, "x"}}, LB_ERR_TABLE_LOW},
      /* but the bootloader and the table themselves may be named */
      {{NVS, {0x1000, 0x7000, 0, 2, 0, "boot"}, {0x8000, 0x1000, 0, 3, 0, "table"}}, LB_OK},
      /* otadata */
      {{NVS, OTADATA, {0x10000, 0x2000, 0, 1, 0, "x"}}, LB_ERR_TABLE_OTADATA},
      {{NVS, {0xd000, 0x1000, 0, 1, 0, "otadata"}, {0x10000, 0x10000, 0, 0, 0, "x"}}, LB_ERR_TABLE_OTADATA},
      {{NVS, {0xd000, 0x3000, 0, 1, 0, "otadata"}, {0x10000, 0x10000, 0, 0, 0, "x"}}, LB_ERR_TABLE_OTADATA},
  };

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    assert_rows(cases[i].rows, 3, cases[i].expected);
  }
}

static void test_magic(void **state)
{
  uint8_t bytes[LB_TABLE_SIZE];
  struct lb_table table;
  uint32_t count;
  const struct lb_partition *rows = layout_ovms(&count);

  (void)state;
  for (uint32_t row = 0; row < count; row++) {
    for (uint32_t byte = 0; byte < 2; byte++) {
      raw_table(bytes, rows, count, false);
      bytes[row * 32 + byte] ^= 0x01;
      assert_result(parse(&table, bytes), LB_ERR_TABLE_MAGIC);
    }
  }
  memset(bytes, 0, sizeof(bytes));
  assert_result(parse(&table, bytes), LB_ERR_TABLE_MAGIC);
  raw_table(bytes, rows, count, true);
  bytes[(count + 1) * 32 + 5] = 0xFE; /* neither a row nor the end */
  assert_result(parse(&table, bytes), LB_ERR_TABLE_MAGIC);
  raw_table(bytes, rows, count, false);
  bytes[count * 32] = 0xE9; /* an image's mark in place of the end */
  assert_result(parse(&table, bytes), LB_ERR_TABLE_MAGIC);
}

static void test_md5(void **state)
{
  uint8_t bytes[LB_TABLE_SIZE];
  struct lb_table table;
  uint32_t count;
  const struct lb_partition *rows = layout_ovms(&count);

  (void)state;
  for (uint32_t at = 0; at < 16; at++) {
    raw_table(bytes, rows, count, true);
    bytes[count * 32 + 16 + at] ^= 0x80;
    assert_result(parse(&table, bytes), LB_ERR_TABLE_MD5);
  }
  raw_table(bytes, rows, count, true);
  bytes[2 * 32 + 13] ^= 1; /* in a label: no rule but the MD5 sees it */
  assert_result(parse(&table, bytes), LB_ERR_TABLE_MD5);
  raw_table(bytes, rows, count, true);
  memcpy(bytes + (count + 1) * 32, bytes + count * 32, 32);
  assert_result(parse(&table, bytes), LB_ERR_TABLE_MD5_TWICE);
}

static void test_row_behind_md5(void **state)
{
  uint8_t bytes[LB_TABLE_SIZE];
  struct lb_table table;
  uint32_t count;
  const struct lb_partition *rows = layout_ovms(&count);

  (void)state;
  raw_table(bytes, rows, count, true);
  memcpy(bytes + (count + 1) * 32, bytes, 32);
  lb_store_le32(bytes + (count + 1) * 32 + 4, 0xd10000);
  bytes[(count + 1) * 32 + 12] = 'x';
  assert_true(parse(&table, bytes) < 0); /* the MD5 would not cover it */
}

static void test_without_md5(void **state)
{
  uint8_t bytes[LB_TABLE_SIZE];
  struct lb_table table;
  uint32_t count;
  const struct lb_partition *rows = layout_ovms(&count);

  (void)state;
  raw_table(bytes, rows, count, false);
  assert_result(parse(&table, bytes), LB_OK);
  assert_false(table.has_md5);
  assert_int_equal(table.count, count);
}

/* ---- the end of the table ---- */

static void many_rows(struct lb_partition *rows, uint32_t count)
{
  for (uint32_t i = 0; i < count; i++) {
    rows[i] = (struct lb_partition){0x9000 + i * 0x1000, 0x1000, 0, 1, 6, ""};
    snprintf(rows[i].label, sizeof(rows[i].label), "row%u", (unsigned)i);
  }
}

static void test_full(void **state)
{
  struct lb_partition rows[96];
  uint8_t bytes[LB_TABLE_SIZE];
  struct lb_table parsed;
  struct lb_table table;

  (void)state;
  many_rows(rows, 96);
  lb_table_start(&table);
  for (uint32_t i = 0; i < 94; i++) {
    assert_result(lb_table_add(&table, &rows[i]), LB_OK);
  }
  assert_result(lb_table_add(&table, &rows[94]), LB_ERR_TABLE_FULL);
  assert_result(lb_table_finish(&table, FLASH_SIZE, unit_md5()), LB_OK);
  assert_int_equal(table.count, 94);
  assert_result(parse(&parsed, table.bytes), LB_OK);
  assert_int_equal(parsed.count, 94);
  assert_true(parsed.has_md5);

  raw_table(bytes, rows, 95, false);
  assert_result(parse(&table, bytes), LB_OK);
  assert_int_equal(table.count, LB_TABLE_ROWS_MAX);
}

static void test_unterminated(void **state)
{
  struct lb_partition rows[96];
  uint8_t bytes[LB_TABLE_SIZE];
  struct lb_table table;

  (void)state;
  many_rows(rows, 96);
  raw_table(bytes, rows, 96, false);
  assert_result(parse(&table, bytes), LB_ERR_TABLE_UNTERMINATED);
  raw_table(bytes, rows, 95, true);
  assert_result(parse(&table, bytes), LB_ERR_TABLE_UNTERMINATED);
}

/* Bytes that are missing are no end row. The copy on the heap lets ASan see a read behind them. */
static void test_short_input(void **state)
{
  uint8_t bytes[LB_TABLE_SIZE];
  struct lb_table table;
  uint32_t count;
  const struct lb_partition *rows = layout_ovms(&count);

  (void)state;
  raw_table(bytes, rows, count, true);
  for (uint32_t length = 0; length < LB_TABLE_SIZE; length++) {
    uint8_t *copy = unit_copy(bytes, length);
    int result = lb_table_parse(&table, copy, length, FLASH_SIZE, unit_md5());

    if ((result == LB_OK) != (length >= (count + 2) * 32)) {
      fail_here("%u bytes of a table: %s", (unsigned)length, unit_result_name(result));
    }
    free(copy);
  }
}

static void test_blank(void **state)
{
  uint8_t bytes[LB_TABLE_SIZE];
  struct lb_table table;

  (void)state;
  raw_table(bytes, NULL, 0, false);
  assert_result(parse(&table, bytes), LB_ERR_TABLE_EMPTY);
  raw_table(bytes, NULL, 0, true);
  assert_result(parse(&table, bytes), LB_ERR_TABLE_EMPTY);
  table.has_md5 = true;
  lb_table_start(&table);
  assert_false(table.has_md5);
  assert_int_equal(table.count, 0);
  assert_result(lb_table_finish(&table, FLASH_SIZE, unit_md5()), LB_ERR_TABLE_EMPTY);
}

static void test_garbage(void **state)
{
  struct unit_random random;
  uint8_t bytes[LB_TABLE_SIZE];
  struct lb_table table;

  (void)state;
  unit_random_seed(&random, "table garbage", 8);
  for (int turn = 0; turn < 2000; turn++) {
    unit_random_fill(&random, bytes, sizeof(bytes));
    for (uint32_t at = 0; turn % 2 && at < LB_TABLE_SIZE; at += 32) {
      lb_store_le16(bytes + at, 0x50AA);
    }
    assert_true(parse(&table, bytes) < 0);
  }
}

static void test_hash_failures(void **state)
{
  struct failing_hash failing;
  struct lb_table table;
  uint32_t count;
  const struct lb_partition *rows = layout_ovms(&count);

  (void)state;
  build_ovms(&table);
  for (int kind = 0; kind < 3; kind++) {
    struct lb_table other;

    failing_hash_start(&failing, unit_md5());
    failing.fail_start = kind == 0;
    failing.fail_update_at = kind == 1 ? 0 : 0xFFFFFFFF;
    failing.fail_finish = kind == 2;
    assert_result(lb_table_parse(&other, table.bytes, LB_TABLE_SIZE, FLASH_SIZE, &failing.hash), LB_ERR_HASH);
    failing.updates = 0;
    lb_table_start(&other);
    assert_result(lb_table_add(&other, &rows[0]), LB_OK);
    assert_result(lb_table_finish(&other, FLASH_SIZE, &failing.hash), LB_ERR_HASH);
  }
}

/* ---- the table on the flash, and its copy ---- */

static void test_read_uses_the_copy(void **state)
{
  struct fixture fixture;
  struct lb_table table;

  (void)state;
  fixture_open_ovms(&fixture);
  assert_result(lb_table_read(&table, &fixture.tap.flash, unit_md5()), LB_OK);
  assert_int_equal(table.address, LB_TABLE_ADDRESS);
  for (uint32_t at = 0; at < 9 * 32; at++) { /* seven rows, the MD5 row and the end */
    fixture_bytes(&fixture)[LB_TABLE_ADDRESS + at] ^= 0x04;
    assert_result(lb_table_read(&table, &fixture.tap.flash, unit_md5()), LB_OK);
    assert_int_equal(table.address, LB_TABLE_COPY_ADDRESS);
    assert_int_equal(table.count, 7);
    assert_memory_equal(table.bytes, fixture.table.bytes, LB_TABLE_SIZE);
    fixture_bytes(&fixture)[LB_TABLE_ADDRESS + at] ^= 0x04;
  }
  assert_result(lb_table_read(&table, &fixture.tap.flash, unit_md5()), LB_OK);
  assert_int_equal(table.address, LB_TABLE_ADDRESS);
  assert_int_equal(fixture.tap.count, 0);
  fixture_close(&fixture);
}

static void test_read_both_bad(void **state)
{
  struct fixture fixture;
  struct lb_table table;

  (void)state;
  fixture_open_ovms(&fixture);
  fixture_bytes(&fixture)[LB_TABLE_ADDRESS] = 0;            /* magic */
  fixture_bytes(&fixture)[LB_TABLE_COPY_ADDRESS + 40] ^= 1; /* MD5 */
  assert_result(lb_table_read(&table, &fixture.tap.flash, unit_md5()), LB_ERR_TABLE_MAGIC);
  assert_int_equal(table.count, 0);
  memset(fixture_bytes(&fixture) + LB_TABLE_ADDRESS, 0xFF, LB_TABLE_SECTOR);
  assert_result(lb_table_read(&table, &fixture.tap.flash, unit_md5()), LB_ERR_TABLE_EMPTY);
  fixture_close(&fixture);
}

static void test_copy_needs_md5(void **state)
{
  struct fixture fixture;
  struct lb_table table;
  uint32_t count;
  const struct lb_partition *rows = layout_ovms(&count);

  (void)state;
  fixture_open_ovms(&fixture);
  raw_table(fixture_bytes(&fixture) + LB_TABLE_ADDRESS, rows, count, false);
  assert_result(lb_table_read(&table, &fixture.tap.flash, unit_md5()), LB_OK);
  assert_int_equal(table.address, LB_TABLE_ADDRESS);
  raw_table(fixture_bytes(&fixture) + LB_TABLE_COPY_ADDRESS, rows, count, false);
  fixture_bytes(&fixture)[LB_TABLE_ADDRESS] = 0;
  assert_result(lb_table_read(&table, &fixture.tap.flash, unit_md5()), LB_ERR_TABLE_MAGIC);
  assert_int_equal(table.count, 0);
  fixture_close(&fixture);
}

static void test_read_failures(void **state)
{
  struct fixture fixture;
  struct lb_table table;

  (void)state;
  fixture_open_ovms(&fixture);
  fixture.tap.fail_read_at = 0;
  assert_result(lb_table_read(&table, &fixture.tap.flash, unit_md5()), LB_OK); /* the copy can be read */
  assert_int_equal(table.address, LB_TABLE_COPY_ADDRESS);
  flash_tap_clear(&fixture.tap);
  fixture.tap.fail_read_at = 1;
  fixture_bytes(&fixture)[LB_TABLE_ADDRESS] = 0;
  assert_result(lb_table_read(&table, &fixture.tap.flash, unit_md5()), LB_ERR_TABLE_MAGIC);
  fixture_close(&fixture);
}

/* ---- looking up ---- */

static void test_find(void **state)
{
  struct lb_partition found;
  struct lb_table table;

  (void)state;
  build_ovms(&table);
  assert_result(lb_table_find(&table, LB_TYPE_DATA, LB_SUBTYPE_FAT, &found), LB_OK);
  assert_string_equal(found.label, "store");
  assert_result(lb_table_find(&table, LB_TYPE_APP, LB_SUBTYPE_TEST, &found), LB_ERR_NOT_FOUND);
  assert_result(lb_table_find_label(&table, "ota_1", &found), LB_OK);
  assert_int_equal(found.offset, 0x810000);
  assert_true(lb_partition_is_ota(&found));
  assert_result(lb_table_find_label(&table, "factory", &found), LB_OK);
  assert_false(lb_partition_is_ota(&found));
  assert_result(lb_table_find_label(&table, "phy_init", &found), LB_OK);
  assert_false(lb_partition_is_ota(&found));
  assert_result(lb_table_find_label(&table, "ota", &found), LB_ERR_NOT_FOUND);
}

static void test_is_ota(void **state)
{
  struct lb_partition partition = {.type = LB_TYPE_APP};

  (void)state;
  for (unsigned subtype = 0; subtype < 256; subtype++) {
    partition.subtype = (uint8_t)subtype;
    partition.type = LB_TYPE_APP;
    assert_int_equal(lb_partition_is_ota(&partition), subtype >= 0x10 && subtype <= 0x1F);
    partition.type = LB_TYPE_DATA;
    assert_false(lb_partition_is_ota(&partition));
  }
}

static void app_table(struct lb_table *table, const uint8_t *subtypes, uint32_t count)
{
  struct lb_partition rows[20];

  for (uint32_t i = 0; i < count; i++) {
    rows[i] = (struct lb_partition){0x10000 * (i + 1), 0x10000, 0, 0, subtypes[i], ""};
    snprintf(rows[i].label, sizeof(rows[i].label), "app%x", subtypes[i]);
  }
  build(table, rows, count);
}

static void test_app_order(void **state)
{
  static const uint8_t shuffled[] = {0x20, 0x12, 0x10, 0x11, 0x00};
  static const uint8_t order[] = {0x00, 0x10, 0x11, 0x12, 0x20};
  struct lb_partition slot;
  struct lb_table table;

  (void)state;
  app_table(&table, shuffled, 5);
  for (uint32_t i = 0; i < 5; i++) {
    assert_result(lb_table_app_slot(&table, i, &slot), LB_OK);
    assert_int_equal(slot.subtype, order[i]);
  }
  assert_result(lb_table_app_slot(&table, 5, &slot), LB_ERR_NOT_FOUND);
  assert_result(lb_table_app_slot(&table, 0xFFFFFFFFU, &slot), LB_ERR_NOT_FOUND);
}

static void test_sixteen_slots(void **state)
{
  uint8_t subtypes[18];
  struct lb_partition slot;
  struct lb_table table;

  (void)state;
  for (uint8_t i = 0; i < 16; i++) {
    subtypes[i] = (uint8_t)(0x1F - i);
  }
  subtypes[16] = 0;
  subtypes[17] = 0x20;
  app_table(&table, subtypes, 18);
  assert_int_equal(lb_table_ota_count(&table), 16);
  for (uint32_t i = 0; i < 16; i++) {
    assert_result(lb_table_ota_slot(&table, i, &slot), LB_OK);
    assert_int_equal(slot.subtype, 0x10 + i);
  }
  assert_result(lb_table_ota_slot(&table, 16, &slot), LB_ERR_NOT_FOUND); /* subtype 0x20 is test */
  assert_result(lb_table_ota_slot(&table, 0xFFFFFFFFU, &slot), LB_ERR_NOT_FOUND);
}

static void test_gap(void **state)
{
  static const uint8_t gap_at_2[] = {0x10, 0x11, 0x13, 0x14};
  static const uint8_t gap_at_0[] = {0x11, 0x12};
  struct lb_partition slot;
  struct lb_table table;

  (void)state;
  app_table(&table, gap_at_2, 4);
  assert_int_equal(lb_table_ota_count(&table), 2);
  assert_result(lb_table_ota_slot(&table, 1, &slot), LB_OK);
  assert_result(lb_table_ota_slot(&table, 2, &slot), LB_ERR_NOT_FOUND);
  app_table(&table, gap_at_0, 2);
  assert_int_equal(lb_table_ota_count(&table), 0);
  assert_result(lb_table_ota_slot(&table, 0, &slot), LB_ERR_NOT_FOUND);
}

/* lb_table_ota_slot is for numbers below lb_table_ota_count: what lies behind a gap can never be selected. */
static void test_behind_the_gap(void **state)
{
  static const uint8_t gap_at_2[] = {0x10, 0x11, 0x13};
  struct lb_partition slot;
  struct lb_table table;

  (void)state;
  app_table(&table, gap_at_2, 3);
  assert_result(lb_table_ota_slot(&table, 3, &slot), LB_ERR_NOT_FOUND);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ovms_layout),
      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_long_label_and_flags),
      cmocka_unit_test(test_rules),
      cmocka_unit_test(test_magic),
      cmocka_unit_test(test_md5),
      cmocka_unit_test(test_row_behind_md5),
      cmocka_unit_test(test_without_md5),
      cmocka_unit_test(test_full),
      cmocka_unit_test(test_unterminated),
      cmocka_unit_test(test_short_input),
      cmocka_unit_test(test_blank),
      cmocka_unit_test(test_garbage),
      cmocka_unit_test(test_hash_failures),
      cmocka_unit_test(test_read_uses_the_copy),
      cmocka_unit_test(test_read_both_bad),
      cmocka_unit_test(test_copy_needs_md5),
      cmocka_unit_test(test_read_failures),
      cmocka_unit_test(test_find),
      cmocka_unit_test(test_is_ota),
      cmocka_unit_test(test_app_order),
      cmocka_unit_test(test_sixteen_slots),
      cmocka_unit_test(test_gap),
      cmocka_unit_test(test_behind_the_gap),
  };

  return cmocka_run_group_tests_name("partition", tests, NULL, NULL);
}
