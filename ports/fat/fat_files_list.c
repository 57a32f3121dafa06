// SPDX-License-Identifier: MIT
/*
 * Sorting without a heap, and with the directory read only once, however many names it has: names are kept, sorted,
 * until there is no room for another one; then they are told, and the next group begins.
 */
#include "ports/fat/fat_files_list.h"

#include <string.h>

#include "lifeboat/bytes.h"
#include "ports/fat/fat_parts.h"

/* A name that is kept: the record is RECORD_NAME bytes and the name with its NUL. */
#define RECORD_SIZE      0U
#define RECORD_DIRECTORY 4U
#define RECORD_MODIFIED  8U /* 0 to 2107: fits into 33 bits */
#define RECORD_NAME      16U

_Static_assert(RECORD_NAME + FAT_NAME_SIZE <= FAT_FILES_LIST_SIZE, "every name has room");
_Static_assert(FAT_FILES_LIST_SIZE <= UINT16_MAX, "fat_listing.order");

static bool is_before(const char *name, const char *other)
{
  uint32_t at = 0;
  while (name[at] == other[at] && name[at] != '\0') {
    at++;
  }
  return (uint8_t)name[at] < (uint8_t)other[at];
}

static const char *name_of(const struct fat_listing *listing, uint32_t number)
{
  return (const char *)listing->records + listing->order[number] + RECORD_NAME;
}

/* How many of the names that are kept come before `name`, or are the same. */
static uint32_t find_place(const struct fat_listing *listing, const char *name)
{
  uint32_t low = 0;
  uint32_t high = listing->count;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (is_before(name, name_of(listing, middle))) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

static uint32_t record_length(const struct fat_entry *entry)
{
  return RECORD_NAME + fat_length(entry->name) + 1;
}

static bool has_room(const struct fat_listing *listing, const struct fat_entry *entry)
{
  return listing->count < FAT_FILES_LIST_NAMES && record_length(entry) <= FAT_FILES_LIST_SIZE - listing->used;
}

static void keep(struct fat_listing *listing, const struct fat_entry *entry)
{
  uint8_t *record = listing->records + listing->used;
  const uint32_t length = record_length(entry);
  const uint32_t place = find_place(listing, entry->name);
  lb_store_le32(record + RECORD_SIZE, entry->size);
  lb_store_le32(record + RECORD_DIRECTORY, entry->is_directory ? 1 : 0);
  lb_store_le32(record + RECORD_MODIFIED, (uint32_t)entry->modified);
  lb_store_le32(record + RECORD_MODIFIED + 4, (uint32_t)((uint64_t)entry->modified >> 32));
  memcpy(record + RECORD_NAME, entry->name, length - RECORD_NAME);
  for (uint32_t i = listing->count; i > place; i--) {
    listing->order[i] = listing->order[i - 1];
  }
  listing->order[place] = (uint16_t)listing->used;
  listing->count++;
  listing->used += length;
}

/* Tells the group, and forgets it. */
static void tell(struct fat_listing *listing)
{
  for (uint32_t i = 0; i < listing->count; i++) {
    const uint8_t *record = listing->records + listing->order[i];
    const uint64_t high = lb_load_le32(record + RECORD_MODIFIED + 4);
    const struct port_file_info info = {
        .size = lb_load_le32(record + RECORD_SIZE),
        .modified = (int64_t)(high << 32 | lb_load_le32(record + RECORD_MODIFIED)),
        .is_directory = lb_load_le32(record + RECORD_DIRECTORY) != 0,
    };
    listing->has_begun = true;
    listing->entry(listing->context, name_of(listing, i), &info);
  }
  listing->count = 0;
  listing->used = 0;
}

int fat_files_list(struct fat_files *files)
{
  struct fat_listing *listing = &files->listing;
  struct fat_directory directory;
  int result = fat_directory_open(&files->volume, &directory, &files->entry);
  if (result) {
    return result;
  }
  listing->count = 0;
  listing->used = 0;
  while ((result = fat_directory_next(&files->volume, &directory, &files->entry)) == LB_MORE) {
    if (!has_room(listing, &files->entry)) {
      tell(listing);
    }
    keep(listing, &files->entry);
  }
  if (result == LB_OK) {
    tell(listing);
  }
  return result;
}
