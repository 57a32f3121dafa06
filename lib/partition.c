// SPDX-License-Identifier: MIT
/* Reading a table: decoding rows, finding the end, the MD5, and looking partitions up. */
#include "lifeboat/partition.h"

#include <string.h>

#include "lib/common.h"
#include "lib/table_rules.h"
#include "lifeboat/bytes.h"
#include "lifeboat/error.h"

static const uint8_t md5_mark[LB_MD5_ROW_MARK_SIZE] = {0xEB, 0xEB, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                                       0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

static bool is_md5_row(const uint8_t *row)
{
  return memcmp(row, md5_mark, sizeof md5_mark) == 0;
}

static void decode(const uint8_t *row, struct lb_partition *partition)
{
  partition->type = row[2];
  partition->subtype = row[3];
  partition->offset = lb_load_le32(row + 4);
  partition->size = lb_load_le32(row + 8);
  memcpy(partition->label, row + 12, LB_LABEL_SIZE - 1);
  partition->label[LB_LABEL_SIZE - 1] = '\0';
  partition->flags = lb_load_le32(row + 28);
}

static int digest_rows(const struct lb_table *table, uint32_t rows, const struct lb_hash *md5, uint8_t *digest)
{
  if (md5->start(md5->context) != 0 || md5->update(md5->context, table->bytes, rows * LB_TABLE_ROW) != 0 ||
      md5->finish(md5->context, digest) != 0) {
    return LB_ERR_HASH;
  }
  return LB_OK;
}

static int check_md5(const struct lb_table *table, uint32_t rows, const struct lb_hash *md5)
{
  uint8_t digest[LB_MD5_SIZE];
  int err = digest_rows(table, rows, md5, digest);
  if (err) {
    return err;
  }
  const uint8_t *stated = table->bytes + rows * LB_TABLE_ROW + LB_MD5_ROW_MARK_SIZE;
  return memcmp(digest, stated, sizeof digest) == 0 ? LB_OK : LB_ERR_TABLE_MD5;
}

/* Finds the rows of table->bytes: sets count and has_md5. */
static int find_rows(struct lb_table *table, const struct lb_hash *md5)
{
  table->count = 0;
  table->has_md5 = false;
  for (uint32_t at = 0; at < LB_TABLE_SIZE; at += LB_TABLE_ROW) {
    const uint8_t *row = table->bytes + at;
    if (lb_is_blank(row, LB_TABLE_ROW)) {
      return table->count > 0 ? LB_OK : LB_ERR_TABLE_EMPTY;
    }
    if (is_md5_row(row)) {
      if (table->has_md5) {
        return LB_ERR_TABLE_MD5_TWICE;
      }
      int err = check_md5(table, table->count, md5);
      if (err) {
        return err;
      }
      table->has_md5 = true;
    } else if (lb_load_le16(row) != LB_TABLE_ROW_MAGIC || table->has_md5) {
      return LB_ERR_TABLE_MAGIC;
    } else {
      table->count++;
    }
  }
  return LB_ERR_TABLE_UNTERMINATED;
}

static int check(struct lb_table *table, uint32_t flash_size, const struct lb_hash *md5)
{
  int err = find_rows(table, md5);
  if (err == LB_OK) {
    err = lb_table_check_rules(table, flash_size);
  }
  if (err) {
    table->count = 0;
  }
  return err;
}

int lb_table_parse(struct lb_table *table, const void *bytes, uint32_t length, uint32_t flash_size,
                   const struct lb_hash *md5)
{
  uint32_t take = length < LB_TABLE_SIZE ? length : LB_TABLE_SIZE;
  table->address = LB_TABLE_ADDRESS;
  table->first_error = LB_OK;
  memset(table->bytes, 0, sizeof table->bytes); /* missing rows are neither rows nor the end */
  memcpy(table->bytes, bytes, take);
  return check(table, flash_size, md5);
}

static int read_at(struct lb_table *table, const struct lb_flash *flash, uint32_t address, const struct lb_hash *md5)
{
  table->address = address;
  table->count = 0;
  int err = lb_flash_read(flash, address, table->bytes, LB_TABLE_SIZE);
  return err ? err : check(table, flash->size, md5);
}

int lb_table_read(struct lb_table *table, const struct lb_flash *flash, const struct lb_hash *md5)
{
  int first = read_at(table, flash, LB_TABLE_ADDRESS, md5);
  table->first_error = first;
  if (first == LB_OK) {
    return LB_OK;
  }
  if (read_at(table, flash, LB_TABLE_COPY_ADDRESS, md5) == LB_OK && table->has_md5) {
    return LB_OK;
  }
  table->count = 0;
  return first;
}

int lb_table_write_md5(struct lb_table *table, const struct lb_hash *md5)
{
  uint8_t *row = table->bytes + table->count * LB_TABLE_ROW;
  memcpy(row, md5_mark, sizeof md5_mark);
  return digest_rows(table, table->count, md5, row + LB_MD5_ROW_MARK_SIZE);
}

int lb_table_get(const struct lb_table *table, uint32_t index, struct lb_partition *partition)
{
  if (index >= table->count) {
    return LB_ERR_NOT_FOUND;
  }
  decode(table->bytes + index * LB_TABLE_ROW, partition);
  return LB_OK;
}

int lb_table_find_label(const struct lb_table *table, const char *label, struct lb_partition *partition)
{
  struct lb_partition row;
  for (uint32_t i = 0; lb_table_get(table, i, &row) == LB_OK; i++) {
    if (lb_label_equals(row.label, label)) {
      *partition = row;
      return LB_OK;
    }
  }
  return LB_ERR_NOT_FOUND;
}

int lb_table_find(const struct lb_table *table, uint8_t type, uint8_t subtype, struct lb_partition *partition)
{
  struct lb_partition row;
  for (uint32_t i = 0; lb_table_get(table, i, &row) == LB_OK; i++) {
    if (row.type == type && row.subtype == subtype) {
      *partition = row;
      return LB_OK;
    }
  }
  return LB_ERR_NOT_FOUND;
}

uint32_t lb_table_ota_count(const struct lb_table *table)
{
  struct lb_partition slot;
  unsigned subtype = LB_SUBTYPE_OTA_0;
  while (subtype <= LB_SUBTYPE_OTA_15 && lb_table_find(table, LB_TYPE_APP, (uint8_t)subtype, &slot) == LB_OK) {
    subtype++;
  }
  return subtype - LB_SUBTYPE_OTA_0;
}

int lb_table_ota_slot(const struct lb_table *table, uint32_t number, struct lb_partition *slot)
{
  if (number >= lb_table_ota_count(table)) { /* what lies behind a gap cannot be selected by otadata */
    return LB_ERR_NOT_FOUND;
  }
  return lb_table_find(table, LB_TYPE_APP, (uint8_t)(LB_SUBTYPE_OTA_0 + number), slot);
}

int lb_table_app_slot(const struct lb_table *table, uint32_t index, struct lb_partition *slot)
{
  /* Subtypes ascend in the order in which a bootloader falls back: factory 0x00, ota 0x10 to 0x1F, test 0x20. */
  for (unsigned subtype = LB_SUBTYPE_FACTORY; subtype <= LB_SUBTYPE_TEST; subtype++) {
    if (lb_table_find(table, LB_TYPE_APP, (uint8_t)subtype, slot) == LB_OK && index-- == 0) {
      return LB_OK;
    }
  }
  return LB_ERR_NOT_FOUND;
}

bool lb_partition_is_ota(const struct lb_partition *partition)
{
  return partition->type == LB_TYPE_APP && partition->subtype >= LB_SUBTYPE_OTA_0 &&
         partition->subtype <= LB_SUBTYPE_OTA_15;
}

bool lb_partition_same(const struct lb_partition *a, const struct lb_partition *b)
{
  return a->offset == b->offset && a->size == b->size;
}
