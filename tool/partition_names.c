// SPDX-License-Identifier: MIT
#include "tool/partition_names.h"

#include <stdio.h>
#include <strings.h>

#include "lifeboat/otadata.h"

struct name {
  uint8_t value;
  const char *name;
};

static const struct name types[] = {{LB_TYPE_APP, "app"},
                                    {LB_TYPE_DATA, "data"},
                                    {LB_TYPE_BOOTLOADER, "bootloader"},
                                    {LB_TYPE_TABLE, "partition_table"}};
static const struct name app_subtypes[] = {{0x00, "factory"}, {0x10, "ota_0"},  {0x11, "ota_1"},  {0x12, "ota_2"},
                                           {0x13, "ota_3"},   {0x14, "ota_4"},  {0x15, "ota_5"},  {0x16, "ota_6"},
                                           {0x17, "ota_7"},   {0x18, "ota_8"},  {0x19, "ota_9"},  {0x1A, "ota_10"},
                                           {0x1B, "ota_11"},  {0x1C, "ota_12"}, {0x1D, "ota_13"}, {0x1E, "ota_14"},
                                           {0x1F, "ota_15"},  {0x20, "test"},   {0x30, "tee_0"},  {0x31, "tee_1"}};
static const struct name data_subtypes[] = {
    {0x00, "ota"},       {0x01, "phy"},      {0x02, "nvs"}, {0x03, "coredump"}, {0x04, "nvs_keys"}, {0x05, "efuse"},
    {0x06, "undefined"}, {0x80, "esphttpd"}, {0x81, "fat"}, {0x82, "spiffs"},   {0x83, "littlefs"}, {0x90, "tee_ota"}};
static const struct name bootloader_subtypes[] = {{0x00, "primary"}, {0x01, "ota"}, {0x02, "recovery"}};
static const struct name table_subtypes[] = {{0x00, "primary"}, {0x01, "ota"}};

struct name_list {
  const struct name *names;
  size_t count;
};

#define LIST(names)                                                                                                    \
  {                                                                                                                    \
    names, sizeof(names) / sizeof(names[0])                                                                            \
  }

static const struct name_list type_list = LIST(types);
static const struct name_list subtype_lists[] = {[LB_TYPE_APP] = LIST(app_subtypes),
                                                 [LB_TYPE_DATA] = LIST(data_subtypes),
                                                 [LB_TYPE_BOOTLOADER] = LIST(bootloader_subtypes),
                                                 [LB_TYPE_TABLE] = LIST(table_subtypes)};

static const struct name_list *subtypes_of(uint8_t type)
{
  static const struct name_list none = {NULL, 0};
  return type < sizeof(subtype_lists) / sizeof(subtype_lists[0]) ? &subtype_lists[type] : &none;
}

static void put_name(const struct name_list *list, uint8_t value, bool decimal, char *text)
{
  for (size_t i = 0; i < list->count; i++) {
    if (list->names[i].value == value) {
      (void)snprintf(text, PARTITION_NAME_SIZE, "%s", list->names[i].name);
      return;
    }
  }
  (void)snprintf(text, PARTITION_NAME_SIZE, decimal ? "%u" : "0x%02x", (unsigned)value);
}

static bool find_name(const struct name_list *list, const char *name, uint8_t *value)
{
  for (size_t i = 0; i < list->count; i++) {
    if (strcasecmp(list->names[i].name, name) == 0) {
      *value = list->names[i].value;
      return true;
    }
  }
  return false;
}

void partition_type_name(const struct lb_partition *partition, char *text)
{
  put_name(&type_list, partition->type, false, text);
}

void partition_subtype_name(const struct lb_partition *partition, char *text)
{
  put_name(subtypes_of(partition->type), partition->subtype, false, text);
}

void partition_type_csv(const struct lb_partition *partition, char *text)
{
  put_name(&type_list, partition->type, true, text);
}

void partition_subtype_csv(const struct lb_partition *partition, char *text)
{
  put_name(subtypes_of(partition->type), partition->subtype, true, text);
}

bool partition_type_by_name(const char *name, uint8_t *type)
{
  return find_name(&type_list, name, type);
}

bool partition_subtype_by_name(uint8_t type, const char *name, uint8_t *subtype)
{
  return find_name(subtypes_of(type), name, subtype);
}

const char *otadata_state_name(uint32_t state)
{
  switch (state) {
  case LB_OTADATA_NEW:
    return "NEW";
  case LB_OTADATA_PENDING_VERIFY:
    return "PENDING_VERIFY";
  case LB_OTADATA_VALID:
    return "VALID";
  case LB_OTADATA_INVALID:
    return "INVALID";
  case LB_OTADATA_ABORTED:
    return "ABORTED";
  case LB_OTADATA_UNDEFINED:
    return "UNDEFINED";
  default:
    return "unknown";
  }
}
