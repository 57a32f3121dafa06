// SPDX-License-Identifier: MIT
/* The rules that ESP-IDF's gen_esp32part verifies, one function each. */
#include "lib/table_rules.h"

#include "lifeboat/error.h"
#include "lifeboat/otadata.h"

#define APP_ALIGNMENT  0x10000U /* the chip maps flash in pages of 64 KB */
#define DATA_ALIGNMENT 0x1000U

bool lb_label_equals(const char *a, const char *b)
{
  for (unsigned i = 0; i < LB_LABEL_SIZE - 1; i++) {
    if (a[i] != b[i]) {
      return false;
    }
    if (a[i] == '\0') {
      return true;
    }
  }
  return b[LB_LABEL_SIZE - 1] == '\0';
}

/* Does the partition describe what lies below and in the table itself, instead of what comes behind it? */
static bool is_boot_region(const struct lb_partition *partition)
{
  return partition->type == LB_TYPE_BOOTLOADER || partition->type == LB_TYPE_TABLE;
}

static bool is_otadata(const struct lb_partition *partition)
{
  return partition->type == LB_TYPE_DATA && partition->subtype == LB_SUBTYPE_OTADATA;
}

static bool overlap(const struct lb_partition *a, const struct lb_partition *b)
{
  return a->offset < b->offset + b->size && b->offset < a->offset + a->size;
}

static int check_row(const struct lb_partition *partition, uint32_t flash_size)
{
  uint32_t alignment = partition->type == LB_TYPE_APP ? APP_ALIGNMENT : DATA_ALIGNMENT;
  if (partition->offset > flash_size || partition->size > flash_size - partition->offset) {
    return LB_ERR_TABLE_BOUNDS;
  }
  if (!is_boot_region(partition) && partition->offset < LB_TABLE_ADDRESS + LB_TABLE_SECTOR) {
    return LB_ERR_TABLE_LOW;
  }
  if ((partition->offset & (alignment - 1U)) != 0 || partition->size == 0) {
    return LB_ERR_TABLE_ALIGNMENT;
  }
  if (partition->label[0] == '\0') {
    return LB_ERR_TABLE_NAME;
  }
  if (is_otadata(partition) && partition->size != LB_OTADATA_SIZE) {
    return LB_ERR_TABLE_OTADATA;
  }
  return LB_OK;
}

static int check_pair(const struct lb_partition *a, const struct lb_partition *b)
{
  if (lb_label_equals(a->label, b->label)) {
    return LB_ERR_TABLE_NAME;
  }
  if (is_otadata(a) && is_otadata(b)) {
    return LB_ERR_TABLE_OTADATA;
  }
  return overlap(a, b) ? LB_ERR_TABLE_OVERLAP : LB_OK;
}

int lb_table_check_rules(const struct lb_table *table, uint32_t flash_size)
{
  struct lb_partition row;
  struct lb_partition earlier;
  for (uint32_t i = 0; lb_table_get(table, i, &row) == LB_OK; i++) {
    int err = check_row(&row, flash_size);
    for (uint32_t j = 0; err == LB_OK && j < i && lb_table_get(table, j, &earlier) == LB_OK; j++) {
      err = check_pair(&earlier, &row);
    }
    if (err) {
      return err;
    }
  }
  return LB_OK;
}
