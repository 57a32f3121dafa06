// SPDX-License-Identifier: MIT
/* What reading and building a partition table share; no part of the public interface. */
#ifndef LIB_TABLE_RULES_H
#define LIB_TABLE_RULES_H

#include "lifeboat/partition.h"

#define LB_TABLE_ROW_MAGIC   0x50AAU
#define LB_MD5_ROW_MARK_SIZE 16U

/* Checks the rows that table->count says there are, for a flash of that size: alignment, names, overlap, bounds. */
int lb_table_check_rules(const struct lb_table *table, uint32_t flash_size);

/* Writes the MD5 row behind the last row. LB_ERR_HASH. */
int lb_table_write_md5(struct lb_table *table, const struct lb_hash *md5);

/* Are these the same label? At most the 16 bytes that the flash keeps count. */
bool lb_label_equals(const char *a, const char *b);

#endif
