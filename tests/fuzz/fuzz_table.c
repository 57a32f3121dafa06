// SPDX-License-Identifier: MIT
/*
 * Partition tables. The first byte: bits 0-1 the size of the flash, bit 2 makes the MD5 right, so that the rules behind
 * it are reached. What parses obeys every rule of docs/SPEC.md, checked here without the library's code.
 */
#include <stdlib.h>
#include <string.h>

#include "lifeboat/partition.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/support/hashes.h"

#define FIX_MD5 4U

/* The first row that begins like an MD5 row gets the MD5 of the rows before it. */
static void fix_md5(uint8_t *bytes, size_t length)
{
  const struct lb_hash *md5 = unit_md5();

  for (size_t at = 0; at + 32 <= length; at += 32) {
    if (bytes[at] == 0xEB && bytes[at + 1] == 0xEB) {
      memset(bytes + at + 2, 0xFF, 14);
      FUZZ_REQUIRE(md5->start(md5->context) == 0);
      FUZZ_REQUIRE(md5->update(md5->context, bytes, (uint32_t)at) == 0);
      FUZZ_REQUIRE(md5->finish(md5->context, bytes + at + 16) == 0);
      return;
    }
  }
}

static void check_row(const struct lb_partition *row, uint32_t flash_size)
{
  uint64_t end = (uint64_t)row->offset + row->size;
  uint32_t alignment = row->type == LB_TYPE_APP ? 0x10000 : 0x1000;

  FUZZ_REQUIRE(end <= flash_size);
  FUZZ_REQUIRE(row->size > 0);
  FUZZ_REQUIRE(row->offset % alignment == 0);
  FUZZ_REQUIRE(row->offset >= 0x9000 || row->type == 2 || row->type == 3);
  FUZZ_REQUIRE(row->label[0] != '\0' && memchr(row->label, '\0', sizeof(row->label)) != NULL);
  FUZZ_REQUIRE(row->type != 1 || row->subtype != 0 || row->size == 0x2000);
}

static void check_rows(const struct lb_table *table, uint32_t flash_size)
{
  struct lb_partition rows[LB_TABLE_ROWS_MAX];
  struct lb_partition found;

  FUZZ_REQUIRE(table->count >= 1 && table->count <= LB_TABLE_ROWS_MAX - (table->has_md5 ? 1U : 0U));
  for (uint32_t i = 0; i < table->count; i++) {
    FUZZ_REQUIRE(lb_table_get(table, i, &rows[i]) == LB_OK);
    check_row(&rows[i], flash_size);
    for (uint32_t j = 0; j < i; j++) {
      FUZZ_REQUIRE(strcmp(rows[i].label, rows[j].label) != 0);
      FUZZ_REQUIRE(rows[i].offset >= rows[j].offset + rows[j].size || rows[j].offset >= rows[i].offset + rows[i].size);
    }
    FUZZ_REQUIRE(lb_table_find_label(table, rows[i].label, &found) == LB_OK && found.offset == rows[i].offset);
  }
  FUZZ_REQUIRE(lb_table_get(table, table->count, &found) == LB_ERR_NOT_FOUND);
}

static void check_slots(const struct lb_table *table)
{
  struct lb_partition slot;
  uint32_t slots = lb_table_ota_count(table);
  uint32_t apps = 0;

  FUZZ_REQUIRE(slots <= 16);
  for (uint32_t i = 0; i < slots; i++) {
    FUZZ_REQUIRE(lb_table_ota_slot(table, i, &slot) == LB_OK);
    FUZZ_REQUIRE(slot.type == LB_TYPE_APP && slot.subtype == 0x10 + i && lb_partition_is_ota(&slot));
  }
  FUZZ_REQUIRE(lb_table_ota_slot(table, slots, &slot) == LB_ERR_NOT_FOUND);
  while (lb_table_app_slot(table, apps, &slot) == LB_OK) {
    FUZZ_REQUIRE(slot.type == LB_TYPE_APP);
    apps++;
    FUZZ_REQUIRE(apps <= 18);
  }
  FUZZ_REQUIRE(apps >= slots);
}

/* Built anew from its rows it is the same table, with an MD5 row. */
static void check_rebuilt(const struct lb_table *table, uint32_t flash_size)
{
  struct lb_table built;
  struct lb_partition row;

  lb_table_start(&built);
  for (uint32_t i = 0; lb_table_get(table, i, &row) == LB_OK; i++) {
    int result = lb_table_add(&built, &row);
    if (table->count == LB_TABLE_ROWS_MAX && result == LB_ERR_TABLE_FULL) {
      return; /* without room for an MD5 row */
    }
    FUZZ_REQUIRE(result == LB_OK);
  }
  FUZZ_REQUIRE(lb_table_finish(&built, flash_size, unit_md5()) == LB_OK);
  FUZZ_REQUIRE(built.count == table->count && built.has_md5);
  for (uint32_t i = 0; i < built.count; i++) {
    struct lb_partition copy;
    FUZZ_REQUIRE(lb_table_get(table, i, &row) == LB_OK && lb_table_get(&built, i, &copy) == LB_OK);
    FUZZ_REQUIRE(row.offset == copy.offset && row.size == copy.size && row.flags == copy.flags);
    FUZZ_REQUIRE(row.type == copy.type && row.subtype == copy.subtype && strcmp(row.label, copy.label) == 0);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  uint8_t mode = fuzz_take_byte(&input);
  uint32_t flash_size = 0x400000U << (mode & 3U);
  size_t length = input.length < 0x2000 ? input.length : 0x2000;
  uint8_t *bytes = fuzz_allocate(length);
  struct lb_table table;
  struct lb_table again;

  fuzz_take_bytes(&input, bytes, length, 0);
  if ((mode & FIX_MD5) != 0) {
    fix_md5(bytes, length);
  }
  int result = lb_table_parse(&table, bytes, (uint32_t)length, flash_size, unit_md5());
  FUZZ_REQUIRE(result == LB_OK || (result <= LB_ERR_TABLE_MAGIC && result >= LB_ERR_TABLE_EMPTY));
  if (result == LB_OK) {
    check_rows(&table, flash_size);
    check_slots(&table);
    check_rebuilt(&table, flash_size);
    FUZZ_REQUIRE(lb_table_parse(&again, table.bytes, LB_TABLE_SIZE, flash_size, unit_md5()) == LB_OK);
    FUZZ_REQUIRE(again.count == table.count && again.has_md5 == table.has_md5);
  } else {
    FUZZ_REQUIRE(table.count == 0);
  }
  free(bytes);
  return 0;
}
