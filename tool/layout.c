// SPDX-License-Identifier: MIT
#include "tool/layout.h"

#include <stddef.h>
#include <string.h>

#include "lifeboat/error.h"

struct layout {
  const char *name;
  uint32_t count;
  struct lb_partition partitions[8];
};

#define DATA(name, kind, start, bytes)                                                                                 \
  {                                                                                                                    \
    .label = name, .type = LB_TYPE_DATA, .subtype = (kind), .offset = (start), .size = (bytes)                         \
  }
#define APP(name, kind, start, bytes)                                                                                  \
  {                                                                                                                    \
    .label = name, .type = LB_TYPE_APP, .subtype = (kind), .offset = (start), .size = (bytes)                          \
  }

/* What both layouts begin with. */
#define COMMON                                                                                                         \
  DATA("nvs", LB_SUBTYPE_NVS, 0x9000, 0x4000), DATA("otadata", LB_SUBTYPE_OTADATA, 0xd000, 0x2000),                    \
      DATA("phy_init", LB_SUBTYPE_PHY, 0xf000, 0x1000)

static const struct layout layouts[] = {
    {"ovms",
     7,
     {COMMON, APP("factory", LB_SUBTYPE_FACTORY, 0x10000, 0x400000), APP("ota_0", LB_SUBTYPE_OTA_0, 0x410000, 0x400000),
      APP("ota_1", LB_SUBTYPE_OTA_0 + 1, 0x810000, 0x400000), DATA("store", LB_SUBTYPE_FAT, 0xc10000, 0x100000)}},
    {"7m",
     6,
     {COMMON, APP("ota_0", LB_SUBTYPE_OTA_0, 0x10000, 0x700000), APP("ota_1", LB_SUBTYPE_OTA_0 + 1, 0x710000, 0x700000),
      DATA("store", LB_SUBTYPE_FAT, 0xe10000, 0x1f0000)}},
};

const struct layout *layout_find(const char *name)
{
  for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
    if (strcmp(layouts[i].name, name) == 0) {
      return &layouts[i];
    }
  }
  return NULL;
}

int layout_table(const struct layout *layout, uint32_t flash_size, const struct lb_hash *md5, struct lb_table *table)
{
  lb_table_start(table);
  for (uint32_t i = 0; i < layout->count; i++) {
    int err = lb_table_add(table, &layout->partitions[i]);
    if (err) {
      return err;
    }
  }
  return lb_table_finish(table, flash_size, md5);
}

uint32_t layout_bootloader_address(const struct lb_chip *chip)
{
  static const char *const late[] = {"esp32", "esp32s2", "sifive_u"};
  for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++) {
    if (strcmp(chip->name, late[i]) == 0) {
      return 0x1000;
    }
  }
  return 0;
}
