// SPDX-License-Identifier: MIT
#include "tool/partition_names.h"

#include <stdio.h>

#include "lifeboat/otadata.h"

struct name {
  uint8_t value;
  const char *name;
};

static const struct name types[] = {{LB_TYPE_APP, "app"},
                                    {LB_TYPE_DATA, "data"},
                                    {LB_TYPE_BOOTLOADER, "bootloader"},
                                    {LB_TYPE_TABLE, "partition_table"}};
static const struct name app_subtypes[] = {{LB_SUBTYPE_FACTORY, "factory"}, {LB_SUBTYPE_TEST, "test"}};
static const struct name data_subtypes[] = {
    {0x00, "ota"},   {0x01, "phy"},       {0x02, "nvs"}, {0x03, "coredump"}, {0x04, "nvs_keys"},
    {0x05, "efuse"}, {0x06, "undefined"}, {0x81, "fat"}, {0x82, "spiffs"},   {0x83, "littlefs"}};

static void put_name(const struct name *names, size_t count, uint8_t value, char *text)
{
  for (size_t i = 0; i < count; i++) {
    if (names[i].value == value) {
      (void)snprintf(text, PARTITION_NAME_SIZE, "%s", names[i].name);
      return;
    }
  }
  (void)snprintf(text, PARTITION_NAME_SIZE, "0x%02x", value);
}

void partition_type_name(const struct lb_partition *partition, char *text)
{
  put_name(types, sizeof(types) / sizeof(types[0]), partition->type, text);
}

void partition_subtype_name(const struct lb_partition *partition, char *text)
{
  if (lb_partition_is_ota(partition)) {
    (void)snprintf(text, PARTITION_NAME_SIZE, "ota_%u", (unsigned)(partition->subtype - LB_SUBTYPE_OTA_0));
  } else if (partition->type == LB_TYPE_APP) {
    put_name(app_subtypes, sizeof(app_subtypes) / sizeof(app_subtypes[0]), partition->subtype, text);
  } else if (partition->type == LB_TYPE_DATA) {
    put_name(data_subtypes, sizeof(data_subtypes) / sizeof(data_subtypes[0]), partition->subtype, text);
  } else {
    put_name(NULL, 0, partition->subtype, text);
  }
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
