// SPDX-License-Identifier: MIT
/* Building a table row by row. */
#include <string.h>

#include "lib/table_rules.h"
#include "lifeboat/bytes.h"
#include "lifeboat/error.h"
#include "lifeboat/partition.h"

void lb_table_start(struct lb_table *table)
{
  table->count = 0;
  table->address = LB_TABLE_ADDRESS;
  table->first_error = LB_OK;
  table->has_md5 = false;
  memset(table->bytes, 0xFF, sizeof table->bytes);
}

int lb_table_add(struct lb_table *table, const struct lb_partition *partition)
{
  /* One row is kept for the MD5, one for the end. */
  if ((table->count + 2) * LB_TABLE_ROW >= LB_TABLE_SIZE) {
    return LB_ERR_TABLE_FULL;
  }
  if (partition->label[0] == '\0') {
    return LB_ERR_TABLE_NAME;
  }
  uint8_t *row = table->bytes + table->count * LB_TABLE_ROW;
  memset(row, 0, LB_TABLE_ROW);
  lb_store_le16(row, LB_TABLE_ROW_MAGIC);
  row[2] = partition->type;
  row[3] = partition->subtype;
  lb_store_le32(row + 4, partition->offset);
  lb_store_le32(row + 8, partition->size);
  for (unsigned i = 0; i < LB_LABEL_SIZE - 1 && partition->label[i] != '\0'; i++) {
    row[12 + i] = (uint8_t)partition->label[i];
  }
  lb_store_le32(row + 28, partition->flags);
  table->count++;
  return LB_OK;
}

int lb_table_finish(struct lb_table *table, uint32_t flash_size, const struct lb_hash *md5)
{
  if (table->count == 0) {
    return LB_ERR_TABLE_EMPTY;
  }
  int err = lb_table_write_md5(table, md5);
  if (err) {
    return err;
  }
  table->has_md5 = true;
  return lb_table_check_rules(table, flash_size);
}
