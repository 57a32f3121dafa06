// SPDX-License-Identifier: MIT
/* Where the volume is, and what its boot sector says. */
#include <string.h>

#include "lifeboat/bytes.h"
#include "ports/fat/fat_parts.h"

/* A boot sector: offsets of its fields. */
#define BOOT_JUMP               0U
#define BOOT_SECTOR_SIZE        11U
#define BOOT_SECTORS_IN_CLUSTER 13U
#define BOOT_RESERVED           14U
#define BOOT_TABLES             16U
#define BOOT_ROOT_ENTRIES       17U
#define BOOT_SECTORS_16         19U
#define BOOT_TABLE_SECTORS_16   22U
#define BOOT_SECTORS_32         32U
#define BOOT_TABLE_SECTORS_32   36U /* from here on: FAT32 */
#define BOOT_FLAGS              40U
#define BOOT_VERSION            42U
#define BOOT_ROOT_CLUSTER       44U
#define SIGNATURE               510U
#define SIGNATURE_VALUE         0xAA55U

#define FLAG_ONE_TABLE          0x80U /* only one table is kept up to date; its number is in the lowest bits */
#define FLAG_TABLE              0x0FU
#define CLUSTERS_LEAST16        4085U /* fewer: FAT12 */
#define CLUSTERS_LEAST32        65525U
#define CLUSTERS_MOST32         0x0FFFFFF5U

/* A partition table. */
#define PARTITIONS              446U
#define PARTITION_COUNT         4U
#define PARTITION_SIZE          16U
#define PARTITION_TYPE          4U
#define PARTITION_START         8U

/* Sizes of the areas, in sectors, which follow one another. */
struct areas {
  uint32_t reserved;
  uint32_t tables;
  uint32_t table;
  uint32_t root;
};

static int choose_table(struct fat_volume *volume, const uint8_t *boot, const struct areas *areas)
{
  uint32_t flags = volume->table_bits == 32 ? lb_load_le16(boot + BOOT_FLAGS) : 0;
  uint32_t number = (flags & FLAG_ONE_TABLE) != 0 ? flags & FLAG_TABLE : 0;
  volume->table_sector = areas->reserved + number * areas->table;
  return number < areas->tables ? LB_OK : PORT_ERR_FILE_SYSTEM;
}

/* Which FAT it is follows from the number of clusters; FAT32 also from where the size of a table stands. */
static int choose_bits(struct fat_volume *volume, const uint8_t *boot, const struct areas *areas)
{
  volume->root_cluster = 0;
  if (lb_load_le16(boot + BOOT_TABLE_SECTORS_16) == 0) {
    volume->table_bits = 32;
    volume->root_cluster = lb_load_le32(boot + BOOT_ROOT_CLUSTER);
    bool possible = volume->root_entries == 0 && lb_load_le16(boot + BOOT_VERSION) == 0 &&
                    volume->clusters <= CLUSTERS_MOST32 && fat_is_cluster(volume, volume->root_cluster);
    if (!possible) {
      return PORT_ERR_FILE_SYSTEM;
    }
  } else {
    volume->table_bits = volume->clusters < CLUSTERS_LEAST16 ? 12 : 16;
    if (volume->clusters >= CLUSTERS_LEAST32 || volume->root_entries == 0) {
      return PORT_ERR_FILE_SYSTEM;
    }
  }
  uint64_t bits = (uint64_t)(volume->clusters + FAT_CLUSTER_FIRST) * volume->table_bits;
  return bits <= (uint64_t)areas->table * BLOCK_SIZE * 8 ? LB_OK : PORT_ERR_FILE_SYSTEM;
}

/* Sets root_sector, data_sector and clusters. */
static int lay_out(struct fat_volume *volume, const struct areas *areas)
{
  uint64_t root = areas->reserved + (uint64_t)areas->tables * areas->table;
  uint64_t data = root + areas->root;
  if (data >= volume->sectors) {
    return PORT_ERR_FILE_SYSTEM;
  }
  volume->root_sector = (uint32_t)root;
  volume->data_sector = (uint32_t)data;
  volume->clusters = (volume->sectors - volume->data_sector) / volume->sectors_in_cluster;
  return volume->clusters > 0 ? LB_OK : PORT_ERR_FILE_SYSTEM;
}

static int take_boot_sector(struct fat_volume *volume, const uint8_t *boot)
{
  uint32_t in_cluster = boot[BOOT_SECTORS_IN_CLUSTER];
  uint32_t sectors = lb_load_le16(boot + BOOT_SECTORS_16);
  uint32_t table = lb_load_le16(boot + BOOT_TABLE_SECTORS_16);
  uint32_t root_entries = lb_load_le16(boot + BOOT_ROOT_ENTRIES);
  const struct areas areas = {
      .reserved = lb_load_le16(boot + BOOT_RESERVED),
      .tables = boot[BOOT_TABLES],
      .table = table != 0 ? table : lb_load_le32(boot + BOOT_TABLE_SECTORS_32),
      .root = root_entries / FAT_SECTOR_ENTRIES,
  };
  bool is_boot = (boot[BOOT_JUMP] == 0xEB || boot[BOOT_JUMP] == 0xE9) &&
                 lb_load_le16(boot + SIGNATURE) == SIGNATURE_VALUE &&
                 lb_load_le16(boot + BOOT_SECTOR_SIZE) == BLOCK_SIZE;
  bool possible = in_cluster > 0 && in_cluster <= 128 && (in_cluster & (in_cluster - 1)) == 0 && areas.reserved > 0 &&
                  (areas.tables == 1 || areas.tables == 2) && root_entries % FAT_SECTOR_ENTRIES == 0;
  if (!is_boot || !possible) {
    return PORT_ERR_FILE_SYSTEM;
  }
  volume->sectors = sectors != 0 ? sectors : lb_load_le32(boot + BOOT_SECTORS_32);
  volume->sectors_in_cluster = in_cluster;
  volume->root_entries = root_entries;
  int err = lay_out(volume, &areas);
  err = err ? err : choose_bits(volume, boot, &areas);
  return err ? err : choose_table(volume, boot, &areas);
}

/* PORT_ERR_FILE_SYSTEM unless a volume begins at a sector of the device. */
static int mount_at(struct fat_volume *volume, uint64_t sector)
{
  fat_forget(volume);
  volume->first_sector = sector;
  volume->sectors = 1; /* until its boot sector tells */
  if (sector >= volume->device->sectors) {
    return PORT_ERR_FILE_SYSTEM;
  }
  int err = fat_load(volume, 0);
  return err ? err : take_boot_sector(volume, volume->bytes);
}

static bool is_fat_type(uint8_t type)
{
  static const uint8_t types[] = {0x01, 0x04, 0x06, 0x0B, 0x0C, 0x0E};
  bool found = false;
  for (size_t i = 0; i < sizeof types; i++) {
    found |= types[i] == type;
  }
  return found;
}

/* Where the partitions begin that are said to be FAT; 0 for others. */
static int read_partitions(struct fat_volume *volume, uint32_t starts[PARTITION_COUNT])
{
  fat_forget(volume);
  volume->first_sector = 0;
  volume->sectors = 1;
  int err = fat_load(volume, 0);
  if (err) {
    return volume->device->sectors == 0 ? PORT_ERR_FILE_NO_MOUNT : err;
  }
  bool is_table = lb_load_le16(volume->bytes + SIGNATURE) == SIGNATURE_VALUE;
  for (uint32_t i = 0; i < PARTITION_COUNT; i++) {
    const uint8_t *partition = volume->bytes + PARTITIONS + (size_t)i * PARTITION_SIZE;
    bool is_fat = is_table && is_fat_type(partition[PARTITION_TYPE]);
    starts[i] = is_fat ? lb_load_le32(partition + PARTITION_START) : 0;
  }
  return LB_OK;
}

/*
 * A partition comes before what sector 0 itself may be: a card that was formatted as a whole and partitioned later may
 * still have the old volume's fields there.
 */
int fat_mount(struct fat_volume *volume, const struct block_device *device)
{
  uint32_t starts[PARTITION_COUNT];
  memset(volume, 0, sizeof *volume);
  volume->device = device;
  int err = read_partitions(volume, starts);
  if (err) {
    return err;
  }
  err = PORT_ERR_FILE_SYSTEM;
  for (uint32_t i = 0; i < PARTITION_COUNT && err == PORT_ERR_FILE_SYSTEM; i++) {
    err = starts[i] > 0 ? mount_at(volume, starts[i]) : PORT_ERR_FILE_SYSTEM;
  }
  return err == PORT_ERR_FILE_SYSTEM ? mount_at(volume, 0) : err;
}
