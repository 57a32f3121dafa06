// SPDX-License-Identifier: MIT
#include "tool/table_report.h"

#include <stdio.h>

#include "tool/partition_names.h"

const uint8_t *table_md5(const struct lb_table *table)
{
  return table->bytes + table->count * LB_TABLE_ROW + LB_TABLE_ROW - LB_MD5_SIZE;
}

/* ---- for people ---- */

static void print_partition(const struct lb_partition *partition)
{
  char label[LB_LABEL_SIZE];
  char type[PARTITION_NAME_SIZE];
  char subtype[PARTITION_NAME_SIZE];
  report_printable(partition->label, label, sizeof(label));
  partition_type_name(partition, type);
  partition_subtype_name(partition, subtype);
  printf("  %-16s %-15s %-9s 0x%08x 0x%08x%s%s\n", label, type, subtype, partition->offset, partition->size,
         (partition->flags & LB_FLAG_ENCRYPTED) != 0 ? " encrypted" : "",
         (partition->flags & LB_FLAG_READ_ONLY) != 0 ? " read-only" : "");
}

void table_print(const struct lb_table *table, const char *file)
{
  struct lb_partition partition;
  if (file != NULL) {
    printf("Partition table:   %s, ", file);
  } else {
    printf("Partition table:   at 0x%x, ", table->address);
  }
  if (table->has_md5) {
    char md5[2 * LB_MD5_SIZE + 1];
    report_hex(table_md5(table), LB_MD5_SIZE, md5);
    printf("MD5 %s\n", md5);
  } else {
    puts("without MD5");
  }
  if (table->first_error != LB_OK) {
    printf("                   this is the copy; the first at 0x%x is bad: %s\n", LB_TABLE_ADDRESS,
           lb_error_info(table->first_error)->cause);
  }
  puts("  label            type            subtype   offset     size");
  for (uint32_t i = 0; lb_table_get(table, i, &partition) == LB_OK; i++) {
    print_partition(&partition);
  }
}

/* ---- for programs ---- */

cJSON *partition_label_json(const struct lb_partition *partition)
{
  char label[LB_LABEL_SIZE];
  report_printable(partition->label, label, sizeof(label));
  return cJSON_CreateString(label);
}

static cJSON *partition_json(const struct lb_partition *partition)
{
  char type[PARTITION_NAME_SIZE];
  char subtype[PARTITION_NAME_SIZE];
  cJSON *json = cJSON_CreateObject();
  partition_type_name(partition, type);
  partition_subtype_name(partition, subtype);
  cJSON_AddItemToObject(json, "label", partition_label_json(partition));
  cJSON_AddStringToObject(json, "type", type);
  cJSON_AddStringToObject(json, "subtype", subtype);
  cJSON_AddNumberToObject(json, "offset", partition->offset);
  cJSON_AddNumberToObject(json, "size", partition->size);
  cJSON_AddBoolToObject(json, "encrypted", (partition->flags & LB_FLAG_ENCRYPTED) != 0);
  cJSON_AddBoolToObject(json, "read_only", (partition->flags & LB_FLAG_READ_ONLY) != 0);
  return json;
}

static cJSON *problem_json(int code)
{
  return report_json_problem(code == LB_OK ? NULL : lb_error_info(code));
}

cJSON *table_json(const struct lb_table *table, int error)
{
  cJSON *json = cJSON_CreateObject();
  cJSON_AddItemToObject(json, "error", problem_json(error));
  if (error != LB_OK) {
    return json;
  }
  cJSON_AddNumberToObject(json, "address", table->address);
  cJSON_AddBoolToObject(json, "is_copy", table->address == LB_TABLE_COPY_ADDRESS);
  cJSON_AddItemToObject(json, "first_error", problem_json(table->first_error));
  if (table->has_md5) {
    char md5[2 * LB_MD5_SIZE + 1];
    report_hex(table_md5(table), LB_MD5_SIZE, md5);
    cJSON_AddStringToObject(json, "md5", md5);
  } else {
    cJSON_AddNullToObject(json, "md5");
  }
  cJSON *list = cJSON_AddArrayToObject(json, "partitions");
  struct lb_partition partition;
  for (uint32_t i = 0; lb_table_get(table, i, &partition) == LB_OK; i++) {
    cJSON_AddItemToArray(list, partition_json(&partition));
  }
  return json;
}
