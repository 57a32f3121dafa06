// SPDX-License-Identifier: MIT
/* Where a row of the CSV lies, and the rules of gen_esp32part that tell whether it may. */
#include <string.h>

#include "lifeboat/otadata.h"
#include "tool/table_csv_parts.h"

#define APP_ALIGNMENT       0x10000U
#define DATA_ALIGNMENT      0x1000U
#define APP_SIZE_ALIGNMENT  0x1000U
#define NVS_LEAST           0x3000U /* that can be written to */
#define SUBTYPE_COREDUMP    0x03U
#define SUBTYPE_TEE_OTADATA 0x90U
#define BOOTLOADER_ESP32    0x1000U
#define SUBTYPE_PRIMARY     0x00U

static bool is_bootloader(const struct csv_row *row)
{
  return row->partition.type == LB_TYPE_BOOTLOADER;
}

static bool is_table(const struct csv_row *row)
{
  return row->partition.type == LB_TYPE_TABLE;
}

bool csv_row_is_primary(const struct csv_row *row)
{
  return (is_bootloader(row) || is_table(row)) && row->partition.subtype == SUBTYPE_PRIMARY;
}

static uint32_t alignment_of(const struct lb_partition *partition)
{
  return partition->type == LB_TYPE_APP ? APP_ALIGNMENT : DATA_ALIGNMENT;
}

/* ---- placing ---- */

/* The primary bootloader and table are where they are; only the bootloader's own offset differs from chip to chip. */
static bool place_primary(struct csv_row *row, struct table_csv_problem *problem)
{
  if (!row->has_offset) {
    row->offset = is_table(row) ? LB_TABLE_ADDRESS : BOOTLOADER_ESP32;
  }
  if (is_table(row) ? row->offset != LB_TABLE_ADDRESS : row->offset < 0 || row->offset >= LB_TABLE_ADDRESS) {
    return csv_problem(problem, row->line, "the %s",
                       is_table(row) ? "partition table is at 0x8000, leave its offset blank"
                                     : "bootloader lies below the partition table at 0x8000");
  }
  return true;
}

/* Sizes that follow from what the partition is. */
static bool default_size(struct csv_row *row, struct table_csv_problem *problem)
{
  int64_t fixed = is_table(row) ? LB_TABLE_SECTOR : LB_TABLE_ADDRESS - BOOTLOADER_ESP32;
  if (is_bootloader(row) && csv_row_is_primary(row)) {
    fixed = LB_TABLE_ADDRESS - row->offset;
  }
  bool follows = is_table(row) || is_bootloader(row);
  if (!row->has_size && !follows) {
    return csv_problem(problem, row->line, "the size is missing");
  }
  if (!row->has_size) {
    row->size = fixed;
  }
  if ((is_table(row) || csv_row_is_primary(row)) && row->size != fixed) {
    return csv_problem(problem, row->line, "its size is 0x%llx, leave it blank", (unsigned long long)fixed);
  }
  return true;
}

static bool place_in_order(const struct csv_table *csv, struct csv_row *row, struct table_csv_problem *problem)
{
  uint32_t alignment = alignment_of(&row->partition);
  if (!row->has_offset) {
    row->offset = (int64_t)((csv->end + alignment - 1U) / alignment * alignment);
    return true;
  }
  if (row->offset < 0) {
    return csv_problem(problem, row->line, "the offset is negative");
  }
  if ((uint64_t)row->offset >= csv->end) {
    return true;
  }
  if (csv->last[0] == '\0') {
    return csv_problem(problem, row->line, "offset 0x%llx lies below 0x%llx, the end of the partition table",
                       (unsigned long long)row->offset, (unsigned long long)csv->end);
  }
  return csv_problem(problem, row->line,
                     "offset 0x%llx lies below 0x%llx, the end of %s in line %u: partitions do not "
                     "overlap and stand in the order of their offsets",
                     (unsigned long long)row->offset, (unsigned long long)csv->end, csv->last, csv->last_line);
}

bool csv_row_place(const struct csv_table *csv, struct csv_row *row, struct table_csv_problem *problem)
{
  bool placed = csv_row_is_primary(row) ? place_primary(row, problem) : place_in_order(csv, row, problem);
  if (!placed || !default_size(row, problem)) {
    return false;
  }
  if (row->size < 0 && -row->size <= row->offset) {
    return csv_problem(problem, row->line, "it would end at 0x%llx (a negative size is the end), but begins at 0x%llx",
                       (unsigned long long)-row->size, (unsigned long long)row->offset);
  }
  if (row->size < 0) {
    row->size = -row->size - row->offset;
  }
  if (row->size == 0) {
    return csv_problem(problem, row->line, "the size is 0");
  }
  uint64_t end = (uint64_t)row->offset + (uint64_t)row->size;
  if (end > csv->flash_size) {
    return csv_problem(problem, row->line, "it would end at 0x%llx, but the flash ends at 0x%x (--flash-size)",
                       (unsigned long long)end, csv->flash_size);
  }
  row->partition.offset = (uint32_t)row->offset;
  row->partition.size = (uint32_t)row->size;
  return true;
}

/* ---- rules ---- */

static bool is_data(const struct lb_partition *partition, uint8_t subtype)
{
  return partition->type == LB_TYPE_DATA && partition->subtype == subtype;
}

static bool check_alignment(const struct csv_row *row, struct table_csv_problem *problem)
{
  const struct lb_partition *partition = &row->partition;
  uint32_t alignment = alignment_of(partition);
  if (partition->offset % alignment != 0) {
    return csv_problem(problem, row->line, "offset 0x%x is no multiple of 0x%x%s", partition->offset, alignment,
                       partition->type == LB_TYPE_APP ? ", as an app's has to be" : "");
  }
  if (partition->type == LB_TYPE_APP && partition->size % APP_SIZE_ALIGNMENT != 0) {
    return csv_problem(problem, row->line, "size 0x%x is no multiple of 0x%x, as an app's has to be", partition->size,
                       APP_SIZE_ALIGNMENT);
  }
  return true;
}

static bool check_use(const struct csv_row *row, struct table_csv_problem *problem)
{
  const struct lb_partition *partition = &row->partition;
  bool read_only = (partition->flags & LB_FLAG_READ_ONLY) != 0;
  bool otadata = is_data(partition, LB_SUBTYPE_OTADATA);
  if (read_only && (otadata || is_data(partition, SUBTYPE_COREDUMP))) {
    return csv_problem(problem, row->line, "%s is written to, it cannot be readonly", otadata ? "otadata" : "coredump");
  }
  if (!read_only && is_data(partition, LB_SUBTYPE_NVS) && partition->size < NVS_LEAST) {
    return csv_problem(problem, row->line, "nvs of 0x%x bytes can only be readonly: to be written to it needs 0x%x",
                       partition->size, NVS_LEAST);
  }
  if ((otadata || is_data(partition, SUBTYPE_TEE_OTADATA)) && partition->size != LB_OTADATA_SIZE) {
    return csv_problem(problem, row->line, "%s is 0x%x bytes, it has to be 0x%x", otadata ? "otadata" : "tee_ota",
                       partition->size, LB_OTADATA_SIZE);
  }
  return true;
}

static bool check_pair(const struct csv_row *row, const struct lb_partition *earlier, unsigned line,
                       struct table_csv_problem *problem)
{
  const struct lb_partition *partition = &row->partition;
  if (strcmp(partition->label, earlier->label) == 0) {
    return csv_problem(problem, row->line, "the name %s is taken already, in line %u", partition->label, line);
  }
  bool twice = is_data(partition, LB_SUBTYPE_OTADATA) || is_data(partition, SUBTYPE_TEE_OTADATA);
  if (twice && is_data(earlier, partition->subtype)) {
    return csv_problem(problem, row->line, "there is %s in line %u already, and only one can be",
                       partition->subtype == LB_SUBTYPE_OTADATA ? "otadata (data, ota)" : "tee_ota", line);
  }
  if (partition->offset < earlier->offset + earlier->size && earlier->offset < partition->offset + partition->size) {
    return csv_problem(problem, row->line, "it overlaps %s in line %u", earlier->label, line);
  }
  return true;
}

bool csv_row_check(const struct csv_table *csv, const struct csv_row *row, struct table_csv_problem *problem)
{
  struct lb_partition earlier;
  bool good = check_alignment(row, problem) && check_use(row, problem);
  for (uint32_t i = 0; good && lb_table_get(csv->table, i, &earlier) == LB_OK; i++) {
    good = check_pair(row, &earlier, csv->lines[i], problem);
  }
  return good;
}
