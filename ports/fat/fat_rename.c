// SPDX-License-Identifier: MIT
/* Another name for a file, in an order of writes that never loses it: fat.h has it. */
#include <string.h>

#include "ports/fat/fat_parts.h"

#define NAME_MOST 255U

/* Some entries of the directory side by side. */
struct run {
  uint32_t first;
  uint32_t last;
};

struct change {
  struct fat_volume *volume;
  uint32_t directory; /* the cluster at which it begins */
  struct run old;
  struct run new;
  uint8_t entry[FAT_ENTRY_SIZE]; /* the new short name with all the rest of the old one's entry */
  const char *name;
};

static bool is_allowed(const char *name)
{
  static const char refused[] = "\"*/:<>?\\|";
  const uint32_t length = fat_length(name);
  if (length == 0 || length > NAME_MOST || name[0] == ' ' || name[length - 1] == ' ' || name[length - 1] == '.') {
    return false;
  }
  for (uint32_t i = 0; i < length; i++) {
    bool found = false;
    for (uint32_t j = 0; refused[j] != '\0'; j++) {
      found |= refused[j] == name[i];
    }
    if (found || name[i] < ' ' || name[i] > '~') {
      return false;
    }
  }
  return true;
}

/* PORT_ERR_FILE_EXISTS if the directory has that name; `entry` is only room for what is read. */
static int check_is_new(const struct change *change, struct fat_entry *entry)
{
  const uint32_t length = fat_length(change->name);
  struct fat_directory directory;
  int result = fat_directory_at(change->volume, &directory, change->directory);
  if (result) {
    return result;
  }
  while ((result = fat_directory_any(change->volume, &directory, entry)) == LB_MORE) {
    if (fat_same_name(change->name, length, entry->name) || fat_same_name(change->name, length, entry->short_name)) {
      return PORT_ERR_FILE_EXISTS;
    }
  }
  return result;
}

/* ---- room ---- */

/*
 * The search for free entries side by side, one entry at a time. Room behind the mark of the end has to begin at the
 * mark, or before it, and something has to mark the end anew.
 */
struct search {
  uint32_t needed;
  uint32_t group;  /* the sector of the directory in which the last one should be */
  uint32_t length; /* of the free ones before here */
  uint32_t end;    /* number of the entry with the mark of the end, once it is seen */
  bool has_end;
  bool is_waiting; /* for the mark behind room that was found */
  bool found;
  bool is_best;
  uint32_t last;
};

static void offer(struct search *search, uint32_t last)
{
  const bool is_best = last / FAT_SECTOR_ENTRIES == search->group;
  if (!search->found || (is_best && !search->is_best)) {
    search->last = last;
    search->is_best = is_best;
  }
  search->found = true;
}

static void look_at(struct search *search, uint32_t index, uint8_t mark)
{
  if (search->is_waiting && mark == FAT_MARK_END) {
    offer(search, index - 1);
  }
  if (mark == FAT_MARK_END && !search->has_end) {
    search->has_end = true;
    search->end = index;
  }
  const bool is_free = mark == FAT_MARK_END || (mark == FAT_MARK_DELETED && !search->has_end);
  search->length = is_free ? search->length + 1 : 0;
  const bool fits = search->length >= search->needed;
  search->is_waiting = fits && search->has_end && index + 1 - search->needed <= search->end;
  if (fits && !search->has_end) {
    offer(search, index);
  }
}

static int find_room(struct change *change, uint32_t needed)
{
  struct search search = {.needed = needed, .group = change->old.last / FAT_SECTOR_ENTRIES};
  struct fat_directory directory;
  uint8_t *raw = NULL;
  int result = fat_directory_at(change->volume, &directory, change->directory);
  if (result) {
    return result;
  }
  while ((result = fat_directory_raw(change->volume, &directory, &raw)) == LB_MORE) {
    look_at(&search, directory.index - 1, raw[0]);
  }
  if (result) {
    return result;
  }
  if (search.is_waiting) { /* the directory ends right behind, without a mark */
    offer(&search, directory.index - 1);
  }
  change->new = (struct run){.first = search.last + 1 - needed, .last = search.last};
  return search.found ? LB_OK : PORT_ERR_FILE_NO_ROOM;
}

/* ---- writing ---- */

/* Has a sector of the directory in volume->bytes. */
static int load_group(const struct change *change, uint32_t group)
{
  struct fat_volume *volume = change->volume;
  const uint32_t in_cluster = volume->sectors_in_cluster * FAT_SECTOR_ENTRIES;
  const uint32_t index = group * FAT_SECTOR_ENTRIES;
  struct fat_directory directory;
  uint8_t *raw = NULL;
  int result = fat_directory_at(volume, &directory, change->directory);
  for (directory.index = in_cluster; result == LB_OK && directory.start != 0 && directory.index < index;
       directory.index += in_cluster) {
    result = fat_next_cluster(volume, directory.cluster, &directory.cluster);
  }
  if (result) {
    return result;
  }
  if (directory.start != 0 && !fat_is_cluster(volume, directory.cluster)) {
    return PORT_ERR_FILE_IO;
  }
  directory.index = index; /* fat_directory_raw goes on to the next cluster itself if this is its first entry */
  result = fat_directory_raw(volume, &directory, &raw);
  return result == LB_MORE ? LB_OK : result ? result : PORT_ERR_FILE_IO;
}

static void put_part(const struct change *change, uint8_t *entry, uint32_t order)
{
  const uint32_t parts = change->new.last - change->new.first;
  memset(entry, 0, FAT_ENTRY_SIZE);
  entry[FAT_LONG_ORDER] = (uint8_t)(order | (order == parts ? FAT_LONG_LAST : 0));
  entry[FAT_ENTRY_ATTRIBUTES] = FAT_ATTRIBUTE_LONG;
  entry[FAT_LONG_CHECKSUM] = fat_checksum(change->entry);
  fat_long_put(entry, change->name, fat_length(change->name), (order - 1) * FAT_PART_UNITS);
}

/* Writes the sector `group` with the new entries or without the old ones, or both. */
static int write_group(const struct change *change, uint32_t group, bool put_new, bool delete_old)
{
  const int err = load_group(change, group);
  if (err) {
    return err;
  }
  for (uint32_t i = 0; i < FAT_SECTOR_ENTRIES; i++) {
    uint8_t *entry = change->volume->bytes + (size_t)i * FAT_ENTRY_SIZE;
    const uint32_t index = group * FAT_SECTOR_ENTRIES + i;
    if (put_new && index == change->new.last) {
      memcpy(entry, change->entry, FAT_ENTRY_SIZE);
    } else if (put_new && index >= change->new.first &&index < change->new.last) {
      put_part(change, entry, change->new.last - index);
    } else if (delete_old && index >= change->old.first && index <= change->old.last) {
      entry[0] = FAT_MARK_DELETED;
    }
  }
  return fat_store(change->volume);
}

static int write_all(const struct change *change)
{
  const uint32_t new_last = change->new.last / FAT_SECTOR_ENTRIES;
  const uint32_t old_first = change->old.first / FAT_SECTOR_ENTRIES;
  const uint32_t old_last = change->old.last / FAT_SECTOR_ENTRIES;
  int err = LB_OK;
  for (uint32_t group = change->new.first / FAT_SECTOR_ENTRIES; !err &&group <= new_last; group++) {
    err = write_group(change, group, true, group == new_last && group == old_last);
  }
  if (!err && old_last != new_last) {
    err = write_group(change, old_last, false, true);
  }
  for (uint32_t group = old_last; !err && group > old_first; group--) {
    err = write_group(change, group - 1, false, true);
  }
  return err;
}

/* ---- all of it ---- */

/* Takes the old directory entry and gives it a new short name. */
static int make_entry(struct change *change)
{
  uint8_t alias[FAT_RAW_NAME];
  int err = fat_alias(change->volume, change->directory, change->name, alias);
  err = err ? err : load_group(change, change->old.last / FAT_SECTOR_ENTRIES);
  if (err) {
    return err;
  }
  const size_t at = (size_t)(change->old.last % FAT_SECTOR_ENTRIES) * FAT_ENTRY_SIZE;
  memcpy(change->entry, change->volume->bytes + at, FAT_ENTRY_SIZE);
  memcpy(change->entry + FAT_ENTRY_NAME, alias, FAT_RAW_NAME);
  change->entry[FAT_ENTRY_CASE] &= (uint8_t) ~(FAT_CASE_BASE | FAT_CASE_EXTENSION);
  return LB_OK;
}

int fat_rename(struct fat_volume *volume, const char *path, const char *name)
{
  struct fat_entry entry;
  if (!is_allowed(name)) {
    return PORT_ERR_FILE_NAME;
  }
  int err = volume->device->write ? fat_find(volume, path, &entry) : PORT_ERR_FILE_READ_ONLY;
  if (err) {
    return err;
  }
  if (entry.is_directory) {
    return PORT_ERR_FILE_IS_DIRECTORY;
  }
  struct change change = {
      .volume = volume,
      .directory = entry.directory,
      .old = {.first = entry.first, .last = entry.last},
      .name = name,
  };
  err = check_is_new(&change, &entry);
  err = err ? err : make_entry(&change);
  err = err ? err : find_room(&change, (fat_length(name) + FAT_PART_UNITS - 1) / FAT_PART_UNITS + 1);
  return err ? err : write_all(&change);
}
