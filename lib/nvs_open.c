// SPDX-License-Identifier: MIT
/* Settings in the flash: opening, counting. */
#include <string.h>

#include "lib/nvs_parts.h"

/* Can pages of this partition be erased one by one? */
static bool has_pages(const struct lb_flash *flash, const struct lb_partition *partition)
{
  uint32_t pages = partition->size / LB_NVS_PAGE_SIZE;
  bool erasable = false;
  for (uint32_t i = 0; i < LB_FLASH_ERASE_SIZES; i++) {
    erasable = erasable || flash->erase_sizes[i] == LB_NVS_PAGE_SIZE;
  }
  return erasable && pages >= LB_NVS_PAGES_MIN && pages <= LB_NVS_PAGES_MAX &&
         partition->size % LB_NVS_PAGE_SIZE == 0 && partition->offset % LB_NVS_PAGE_SIZE == 0 &&
         partition->size <= flash->size && partition->offset <= flash->size - partition->size;
}

/*
 * With its encryption ESP-IDF leaves headers of pages and bitmaps as they are, and no item verifies. The marks are read
 * once for both questions: one that a cut left weak may be there now and gone a moment later.
 */
static int check_readable(const struct lb_nvs *nvs)
{
  struct nvs_cursor cursor;
  struct nvs_item item;
  bool written = false;
  for (uint32_t page = 0; page < nvs->page_count; page++) {
    if (nvs->pages[page].state == NVS_PAGE_FREE) {
      continue;
    }
    nvs_cursor_start_page(&cursor, page);
    int err = nvs_bitmap_read(nvs, page, cursor.bitmap);
    if (err) {
      return err;
    }
    cursor.loaded = true;
    written = written || nvs_bitmap_count(cursor.bitmap, NVS_ENTRY_WRITTEN) > 0;
    err = nvs_cursor_next(nvs, &cursor, &item);
    if (err != LB_ERR_NVS_NOT_FOUND) {
      return err;
    }
  }
  return written ? LB_ERR_NVS_ENCRYPTED : LB_OK;
}

int lb_nvs_open(struct lb_nvs *nvs, const struct lb_flash *flash, const struct lb_partition *partition, bool writable)
{
  memset(nvs, 0, sizeof(*nvs));
  nvs->flash = flash;
  nvs->offset = partition->offset;
  nvs->failed = true; /* until it is open */
  if (!has_pages(flash, partition)) {
    return LB_ERR_NVS_SIZE;
  }
  if ((partition->flags & LB_FLAG_ENCRYPTED) != 0) {
    return LB_ERR_NVS_ENCRYPTED;
  }
  if (writable && (partition->flags & LB_FLAG_READ_ONLY) != 0) {
    return LB_ERR_NVS_READ_ONLY;
  }
  nvs->page_count = partition->size / LB_NVS_PAGE_SIZE;
  nvs->active = nvs->page_count;
  int err = nvs_pages_load(nvs);
  err = err ? err : check_readable(nvs);
  if (err) {
    return err;
  }
  nvs->failed = false;
  nvs->writable = writable;
  nvs->unsettled = writable;
  nvs->erases_left = 1;
  nvs->copies_left = 1;
  err = writable ? nvs_recover(nvs) : LB_OK;
  nvs->failed = nvs->failed || err;
  return err;
}

static bool is_namespace(const struct nvs_item *item)
{
  return item->whole && nvs_item_space(item) == 0 && nvs_item_type(item) == LB_NVS_U8;
}

int lb_nvs_statistics(const struct lb_nvs *nvs, struct lb_nvs_statistics *statistics)
{
  struct nvs_cursor cursor;
  struct nvs_item item;
  uint8_t bitmap[NVS_BITMAP];
  memset(statistics, 0, sizeof(*statistics));
  statistics->pages = nvs->page_count;
  statistics->pages_free = nvs_pages_count(nvs, NVS_PAGE_FREE);
  statistics->entries = nvs->page_count * NVS_ENTRIES;
  for (uint32_t page = 0; page < nvs->page_count; page++) {
    if (nvs->pages[page].state == NVS_PAGE_FREE) {
      continue;
    }
    int err = nvs_bitmap_read(nvs, page, bitmap);
    if (err) {
      return err;
    }
    statistics->entries_used += nvs_bitmap_count(bitmap, NVS_ENTRY_WRITTEN);
    statistics->entries_erased +=
        nvs_bitmap_count(bitmap, NVS_ENTRY_ERASED) + nvs_bitmap_count(bitmap, NVS_ENTRY_ILLEGAL);
  }
  nvs_cursor_start(&cursor);
  int result = LB_OK;
  while ((result = nvs_cursor_next(nvs, &cursor, &item)) == LB_OK) {
    statistics->namespaces += is_namespace(&item) ? 1U : 0U;
  }
  return result == LB_ERR_NVS_NOT_FOUND ? LB_OK : result;
}
