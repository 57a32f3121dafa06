// SPDX-License-Identifier: MIT
/*
 * Sorting without a heap: the directory is read, and of the names that were not told yet as many of the first ones as
 * there is room for are kept, sorted; they are told, and the directory is read again until all are.
 */
#include "ports/fat/fat_files_list.h"

#include <string.h>

#include "lifeboat/bytes.h"
#include "ports/fat/fat_parts.h"

/* A name that is kept: the record is RECORD_NAME bytes and the name with its NUL. */
#define RECORD_LENGTH    0U /* of the record */
#define RECORD_INDEX     4U
#define RECORD_SIZE      8U
#define RECORD_DIRECTORY 12U
#define RECORD_MODIFIED  16U /* 0 to 2107: fits into 33 bits */
#define RECORD_NAME      24U

/* By name; names that are there twice by where they are. */
static bool is_before(const char *name, uint32_t index, const char *other, uint32_t other_index)
{
  uint32_t at = 0;
  while (name[at] == other[at] && name[at] != '\0') {
    at++;
  }
  const uint8_t left = (uint8_t)name[at];
  const uint8_t right = (uint8_t)other[at];
  return left != right ? left < right : index < other_index;
}

static void write_record(uint8_t *record, uint32_t length, const struct fat_entry *entry)
{
  lb_store_le32(record + RECORD_LENGTH, length);
  lb_store_le32(record + RECORD_INDEX, entry->last);
  lb_store_le32(record + RECORD_SIZE, entry->size);
  lb_store_le32(record + RECORD_DIRECTORY, entry->is_directory ? 1 : 0);
  lb_store_le32(record + RECORD_MODIFIED, (uint32_t)entry->modified);
  lb_store_le32(record + RECORD_MODIFIED + 4, (uint32_t)((uint64_t)entry->modified >> 32));
  memcpy(record + RECORD_NAME, entry->name, length - RECORD_NAME);
}

static bool record_is_before(const uint8_t *record, const struct fat_entry *entry)
{
  return is_before((const char *)record + RECORD_NAME, lb_load_le32(record + RECORD_INDEX), entry->name, entry->last);
}

/*
 * Keeps a name if it comes before one that is kept, or if none was left out yet. The last ones are left out until there
 * is room: so all that are kept come before all that are not.
 */
static void keep(struct fat_listing *listing, const struct fat_entry *entry)
{
  uint8_t *records = listing->records;
  const uint32_t length = RECORD_NAME + fat_length(entry->name) + 1;
  uint32_t at = 0;
  while (at < listing->used && record_is_before(records + at, entry)) {
    at += lb_load_le32(records + at + RECORD_LENGTH);
  }
  if (at + length > FAT_FILES_LIST_SIZE || (listing->is_full && at == listing->used)) {
    listing->used = at; /* whatever stood behind it comes later still */
    listing->is_full = true;
    return;
  }
  uint32_t end = at;
  while (end < listing->used && end + lb_load_le32(records + end + RECORD_LENGTH) + length <= FAT_FILES_LIST_SIZE) {
    end += lb_load_le32(records + end + RECORD_LENGTH);
  }
  listing->is_full |= end < listing->used;
  for (uint32_t i = end; i > at; i--) {
    records[i - 1 + length] = records[i - 1];
  }
  write_record(records + at, length, entry);
  listing->used = end + length;
}

static int gather(struct fat_files *files, const struct fat_directory *start)
{
  struct fat_listing *listing = &files->listing;
  struct fat_directory directory = *start;
  int result = LB_OK;
  listing->used = 0;
  listing->is_full = false;
  while ((result = fat_directory_next(&files->volume, &directory, &files->entry)) == LB_MORE) {
    const struct fat_entry *entry = &files->entry;
    if (!listing->has_begun || is_before(listing->last_name, listing->last_index, entry->name, entry->last)) {
      keep(listing, entry);
    }
  }
  return result;
}

static void tell(struct fat_listing *listing)
{
  for (uint32_t at = 0; at < listing->used; at += lb_load_le32(listing->records + at + RECORD_LENGTH)) {
    const uint8_t *record = listing->records + at;
    const char *name = (const char *)record + RECORD_NAME;
    const uint64_t high = lb_load_le32(record + RECORD_MODIFIED + 4);
    const struct port_file_info info = {
        .size = lb_load_le32(record + RECORD_SIZE),
        .modified = (int64_t)(high << 32 | lb_load_le32(record + RECORD_MODIFIED)),
        .is_directory = lb_load_le32(record + RECORD_DIRECTORY) != 0,
    };
    memcpy(listing->last_name, name, fat_length(name) + 1);
    listing->last_index = lb_load_le32(record + RECORD_INDEX);
    listing->has_begun = true;
    listing->entry(listing->context, name, &info);
  }
}

int fat_files_list(struct fat_files *files)
{
  struct fat_directory start;
  int err = fat_directory_open(&files->volume, &start, &files->entry);
  do {
    err = err ? err : gather(files, &start);
    if (err == LB_OK) {
      tell(&files->listing);
    }
  } while (err == LB_OK && files->listing.is_full);
  return err;
}
