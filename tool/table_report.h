// SPDX-License-Identifier: MIT
/* What is told about a partition table, for people and for programs. */
#ifndef TOOL_TABLE_REPORT_H
#define TOOL_TABLE_REPORT_H

#include "lifeboat/partition.h"
#include "tool/report.h"

/* Prints a table; `file` is the file that it is alone in, NULL for one on a flash. */
void table_print(const struct lb_table *table, const char *file);

/* {"error", "address", "is_copy", "first_error", "md5", "partitions"}; only "error" if there is one. */
cJSON *table_json(const struct lb_table *table, int error);

/* The MD5 that the table states, if table->has_md5: LB_MD5_SIZE bytes. */
const uint8_t *table_md5(const struct lb_table *table);

/* A label as a JSON string. */
cJSON *partition_label_json(const struct lb_partition *partition);

#endif
