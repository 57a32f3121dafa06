// SPDX-License-Identifier: MIT
/* Directories: their entries one by one, with the long names put together. */
#include <string.h>

#include "lifeboat/bytes.h"
#include "ports/fat/fat_parts.h"

/* Parts of a long name as they come: the last part first. */
struct parts {
  uint32_t wanted; /* the part that has to come next; 0: all are there */
  uint32_t count;  /* of parts that the name has; 0: there is no name */
  uint32_t first;  /* the number of the entry of the first that came */
  uint8_t checksum;
};

int fat_directory_at(const struct fat_volume *volume, struct fat_directory *directory, uint32_t cluster)
{
  const bool is_fixed = cluster == 0 && volume->root_entries > 0;
  cluster = cluster == 0 ? volume->root_cluster : cluster;
  *directory = (struct fat_directory){.start = cluster, .cluster = cluster};
  return is_fixed || fat_is_cluster(volume, cluster) ? LB_OK : PORT_ERR_FILE_IO;
}

/* LB_MORE: the sector that holds entry `directory->index`. */
static int find_sector(struct fat_volume *volume, struct fat_directory *directory, uint32_t *sector)
{
  const uint32_t in_cluster = volume->sectors_in_cluster * FAT_SECTOR_ENTRIES;
  const uint32_t within = directory->index % in_cluster;
  if (directory->start == 0) {
    *sector = volume->root_sector + directory->index / FAT_SECTOR_ENTRIES;
    return directory->index < volume->root_entries ? LB_MORE : LB_OK;
  }
  if (within == 0 && directory->index > 0) {
    uint32_t next = 0;
    const int err = fat_next_cluster(volume, directory->cluster, &next);
    if (err || next == 0) {
      return err;
    }
    if (directory->index >= FAT_DIRECTORY_ENTRIES) { /* its chain is a loop, most likely */
      return PORT_ERR_FILE_IO;
    }
    directory->cluster = next;
  }
  *sector = fat_cluster_sector(volume, directory->cluster) + within / FAT_SECTOR_ENTRIES;
  return LB_MORE;
}

int fat_directory_raw(struct fat_volume *volume, struct fat_directory *directory, uint8_t **raw)
{
  struct fat_directory at = *directory;
  uint32_t sector = 0;
  const int result = find_sector(volume, &at, &sector);
  if (result != LB_MORE) {
    return result;
  }
  *raw = volume->bytes + (size_t)(at.index % FAT_SECTOR_ENTRIES) * FAT_ENTRY_SIZE;
  const int err = fat_load(volume, sector);
  if (err) {
    return err;
  }
  at.index++;
  *directory = at;
  return LB_MORE;
}

/* ---- long names ---- */

/* Anything but the next part of the same name makes those that came before orphans, which are ignored. */
static void take_part(struct fat_volume *volume, struct parts *parts, const uint8_t *raw, uint32_t index)
{
  const uint32_t order = raw[FAT_LONG_ORDER] & ~FAT_LONG_LAST;
  if ((raw[FAT_LONG_ORDER] & FAT_LONG_LAST) != 0) {
    *parts = (struct parts){.wanted = order, .count = order, .first = index, .checksum = raw[FAT_LONG_CHECKSUM]};
  }
  if (order == 0 || order > FAT_LONG_PARTS || order != parts->wanted || raw[FAT_LONG_CHECKSUM] != parts->checksum) {
    *parts = (struct parts){0};
    return;
  }
  parts->wanted = order - 1;
  fat_long_take(raw, &volume->units[(size_t)(order - 1) * FAT_PART_UNITS]);
}

/* ---- entries ---- */

/* Days since 1970 of a date from 1980 to 2107. */
static uint32_t days_of(uint32_t year, uint32_t month, uint32_t day)
{
  static const uint16_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  const bool is_leap = year % 4 == 0 && year != 2100;
  const uint32_t leaps = (year - 1 - 1968) / 4 - (year > 2100 ? 1 : 0); /* in years before this one */
  return (year - 1970) * 365 + leaps + before[month - 1] + (is_leap && month > 2 ? 1 : 0) + day - 1;
}

static uint32_t month_days(uint32_t year, uint32_t month)
{
  const bool is_short = month == 4 || month == 6 || month == 9 || month == 11;
  const uint32_t february = year % 4 == 0 && year != 2100 ? 29 : 28;
  return month == 2 ? february : is_short ? 30 : 31;
}

static int64_t read_time(const uint8_t *raw)
{
  const uint32_t date = lb_load_le16(raw + FAT_ENTRY_DATE);
  const uint32_t time = lb_load_le16(raw + FAT_ENTRY_TIME);
  const uint32_t year = 1980 + (date >> 9);
  const uint32_t month = date >> 5 & 15;
  const uint32_t day = date & 31;
  const uint32_t hour = time >> 11;
  const uint32_t minute = time >> 5 & 63;
  const uint32_t second = (time & 31) * 2;
  if (month < 1 || month > 12 || day < 1 || day > month_days(year, month) || hour > 23 || minute > 59 || second > 59) {
    return 0;
  }
  return (int64_t)days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
}

static void take_entry(struct fat_volume *volume, const struct parts *parts, const uint8_t *raw, uint32_t index,
                       struct fat_entry *entry)
{
  const bool is_whole = parts->count > 0 && parts->wanted == 0 && parts->checksum == fat_checksum(raw);
  const uint32_t high = volume->table_bits == 32 ? lb_load_le16(raw + FAT_ENTRY_CLUSTER_HIGH) : 0;
  entry->is_directory = (raw[FAT_ENTRY_ATTRIBUTES] & FAT_ATTRIBUTE_DIRECTORY) != 0;
  entry->size = entry->is_directory ? 0 : lb_load_le32(raw + FAT_ENTRY_SIZE_FIELD);
  entry->cluster = high << 16 | lb_load_le16(raw + FAT_ENTRY_CLUSTER);
  entry->modified = read_time(raw);
  entry->last = index;
  entry->first = is_whole ? parts->first : index;
  fat_short_text(raw, 0, entry->short_name);
  if (!is_whole || !fat_long_text(volume->units, parts->count * FAT_PART_UNITS, entry->name)) {
    fat_short_text(raw, raw[FAT_ENTRY_CASE], entry->name);
  }
}

int fat_directory_any(struct fat_volume *volume, struct fat_directory *directory, struct fat_entry *entry)
{
  struct parts parts = {0};
  struct fat_directory before = *directory;
  uint8_t *raw = NULL;
  int result = LB_OK;
  while ((result = fat_directory_raw(volume, directory, &raw)) == LB_MORE && raw[0] != FAT_MARK_END) {
    before = *directory;
    const uint32_t attributes = raw[FAT_ENTRY_ATTRIBUTES];
    const bool is_deleted = raw[0] == FAT_MARK_DELETED;
    if (!is_deleted && (attributes & FAT_ATTRIBUTE_LONG_MASK) == FAT_ATTRIBUTE_LONG) {
      take_part(volume, &parts, raw, directory->index - 1);
    } else if (is_deleted || (attributes & FAT_ATTRIBUTE_VOLUME) != 0) { /* the volume's own name */
      parts = (struct parts){0};
    } else {
      take_entry(volume, &parts, raw, directory->index - 1, entry);
      entry->directory = directory->start;
      return LB_MORE;
    }
  }
  if (result == LB_MORE) {
    *directory = before; /* asked again, the mark of the end is there again */
    result = LB_OK;
  }
  return result;
}

int fat_directory_open(const struct fat_volume *volume, struct fat_directory *directory, const struct fat_entry *entry)
{
  if (!entry->is_directory) {
    return PORT_ERR_FILE_NOT_DIRECTORY;
  }
  if (entry->cluster == 0 && entry->name[0] != '\0') { /* that is where the root is */
    return PORT_ERR_FILE_IO;
  }
  return fat_directory_at(volume, directory, entry->cluster);
}

int fat_directory_next(struct fat_volume *volume, struct fat_directory *directory, struct fat_entry *entry)
{
  int result = LB_OK;
  do {
    result = fat_directory_any(volume, directory, entry);
  } while (result == LB_MORE && (fat_same_name(".", 1, entry->name) || fat_same_name("..", 2, entry->name)));
  return result;
}
