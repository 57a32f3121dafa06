// SPDX-License-Identifier: MIT
/* `ota partitions list`: the table that this module lives by. */
#include "module/partitions.h"

#include <stddef.h>

#include "module/console.h"
#include "module/print.h"

struct name {
  uint8_t type;
  uint8_t subtype;
  const char *name;
};

static const struct name subtypes[] = {
    {LB_TYPE_APP, LB_SUBTYPE_FACTORY, "factory"},
    {LB_TYPE_APP, LB_SUBTYPE_TEST, "test"},
    {LB_TYPE_DATA, LB_SUBTYPE_OTADATA, "ota"},
    {LB_TYPE_DATA, LB_SUBTYPE_PHY, "phy"},
    {LB_TYPE_DATA, LB_SUBTYPE_NVS, "nvs"},
    {LB_TYPE_DATA, 0x03, "coredump"},
    {LB_TYPE_DATA, 0x04, "nvs_keys"},
    {LB_TYPE_DATA, 0x05, "efuse"},
    {LB_TYPE_DATA, 0x06, "undefined"},
    {LB_TYPE_DATA, LB_SUBTYPE_FAT, "fat"},
    {LB_TYPE_DATA, 0x82, "spiffs"},
    {LB_TYPE_DATA, 0x83, "littlefs"},
};

static const char *type_name(uint8_t type)
{
  static const char *const names[] = {"app", "data", "bootloader", "table"};
  return type < sizeof names / sizeof names[0] ? names[type] : "other";
}

static void print_subtype(struct console *console, const struct lb_partition *partition)
{
  char text[8];
  const char *name = text;
  print_text(text, sizeof text, "0x%02x", (unsigned)partition->subtype);
  if (lb_partition_is_ota(partition)) {
    print_text(text, sizeof text, "ota_%u", (unsigned)(partition->subtype - LB_SUBTYPE_OTA_0));
  }
  for (size_t i = 0; i < sizeof subtypes / sizeof subtypes[0]; i++) {
    if (subtypes[i].type == partition->type && subtypes[i].subtype == partition->subtype) {
      name = subtypes[i].name;
    }
  }
  console_print(console, "%-10s ", name);
}

void partitions_print_origin(struct console *console)
{
  const struct lb_table *table = console->module->table;
  const uint8_t *digest = table->bytes + (table->count + 1) * LB_TABLE_ROW - LB_MD5_SIZE;
  if (table->first_error != LB_OK) {
    console_print(console, "copy at 0x%04x, not the one at 0x%04x (FAIL: %s); ", (unsigned)table->address,
                  (unsigned)LB_TABLE_ADDRESS, lb_error_info(table->first_error)->cause);
  } else {
    console_print(console, "at 0x%04x, ", (unsigned)table->address);
  }
  if (!table->has_md5) {
    console_print(console, "no MD5\n");
    return;
  }
  console_print(console, "MD5 ");
  for (uint32_t i = 0; i < LB_MD5_SIZE; i++) {
    console_print(console, "%02x", (unsigned)digest[i]);
  }
  console_print(console, " (pass)\n"); /* a table with another MD5 is not used */
}

int ota_partitions_start(struct console *console, int argc, char **argv)
{
  const struct lb_table *table = console->module->table;
  struct lb_partition partition;
  (void)argc;
  (void)argv;
  console_print(console, "Partition table: ");
  partitions_print_origin(console);
  console_print(console, "%-16s %-10s %-10s %-10s %s\n", "Label", "Type", "Subtype", "Address", "Size");
  for (uint32_t i = 0; lb_table_get(table, i, &partition) == LB_OK; i++) {
    console_print(console, "%-16s %-10s ", partition.label, type_name(partition.type));
    print_subtype(console, &partition);
    console_print(console, "0x%08x 0x%08x\n", (unsigned)partition.offset, (unsigned)partition.size);
  }
  return LB_OK;
}
