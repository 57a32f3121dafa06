// SPDX-License-Identifier: MIT
/*
 * Settings in the flash: what a cut left half done is finished or taken back when they are opened.
 *
 * It may have been in the middle of copying a page, of writing an item (its marks are missing), between a new value and
 * the erasure of the old one (both are there), between the chunks of a blob and its index (nothing refers to them).
 */
#include "lib/nvs_parts.h"

#include <string.h>

/* ---- a page that was being copied ---- */

static int find_freeing(const struct lb_nvs *nvs, uint32_t *page)
{
  *page = nvs->page_count;
  for (uint32_t i = 0; i < nvs->page_count; i++) {
    if (nvs->pages[i].state == NVS_PAGE_FREEING) {
      *page = i;
    }
  }
  return nvs_pages_count(nvs, NVS_PAGE_FREEING) > 1 ? LB_ERR_NVS_INVALID_STATE : LB_OK;
}

/* Is all that counts on `source` somewhere else by now? */
static int is_copied(const struct lb_nvs *nvs, uint32_t source, bool *copied)
{
  struct nvs_cursor cursor;
  struct nvs_item item;
  nvs_cursor_start_page(&cursor, source);
  *copied = true;
  int result = LB_OK;
  while (*copied && (result = nvs_cursor_next(nvs, &cursor, &item)) == LB_OK) {
    bool same = false;
    int err = LB_OK;
    if (item.whole && nvs_item_has_data(nvs_item_type(&item))) {
      err = nvs_item_check_data(nvs, &item, NULL, &same);
    }
    if (item.whole && err == LB_OK) {
      err = nvs_item_is_superseded(nvs, &item, copied);
    }
    if (err && err != LB_ERR_NVS_DAMAGED) {
      return err;
    }
  }
  return result == LB_ERR_NVS_NOT_FOUND ? LB_OK : result;
}

static int has_header(const struct lb_nvs *nvs, uint32_t page, const struct nvs_item *wanted, bool *has)
{
  struct nvs_cursor cursor;
  struct nvs_item item;
  nvs_cursor_start_page(&cursor, page);
  *has = false;
  int result = LB_OK;
  while (!*has && (result = nvs_cursor_next(nvs, &cursor, &item)) == LB_OK) {
    *has = item.whole && memcmp(item.bytes, wanted->bytes, NVS_ENTRY) == 0;
  }
  return result == LB_ERR_NVS_NOT_FOUND ? LB_OK : result;
}

/* Is all that is on `target` on `source`, too? */
static int is_subset(const struct lb_nvs *nvs, uint32_t target, uint32_t source, bool *subset)
{
  struct nvs_cursor cursor;
  struct nvs_item item;
  nvs_cursor_start_page(&cursor, target);
  *subset = true;
  int result = LB_OK;
  while (*subset && (result = nvs_cursor_next(nvs, &cursor, &item)) == LB_OK) {
    int err = item.whole ? has_header(nvs, source, &item, subset) : LB_OK;
    if (err) {
      return err;
    }
  }
  return result == LB_ERR_NVS_NOT_FOUND ? LB_OK : result;
}

/*
 * The copy is begun anew, since a torn item on it may have taken the room that is needed. But if all is on the copy, or
 * more than on the page itself (ESP-IDF was cut while it erased that, and it is no longer what it was), it is finished.
 */
static int recover_page(struct lb_nvs *nvs)
{
  uint32_t source = 0;
  bool finished = false;
  bool subset = false;
  int err = find_freeing(nvs, &source);
  if (err || source == nvs->page_count) {
    return err;
  }
  uint32_t target = nvs->active;
  err = nvs_page_mark(nvs, source, NVS_PAGE_FREEING); /* once more: it may have been in flight */
  if (err) {
    return err;
  }
  if (target < nvs->page_count) {
    err = is_copied(nvs, source, &finished);
    err = err ? err : is_subset(nvs, target, source, &subset);
    if (err == LB_OK && (finished || !subset)) {
      return nvs_page_retire(nvs, source);
    }
    err = err ? err : nvs_page_retire(nvs, target);
  }
  return err ? err : nvs_compact(nvs, source);
}

/* ---- items that were being written or erased ---- */

/*
 * The marks of the active page are read once for all that is done about them: a mark that a cut left weak must not be
 * there for one and missing for the other.
 */
static void start_active(const struct lb_nvs *nvs, struct nvs_cursor *cursor, const uint8_t *marks)
{
  nvs_cursor_start_page(cursor, nvs->active);
  memcpy(cursor->bitmap, marks, NVS_BITMAP);
  cursor->loaded = true;
}

/* Its header tells how far it reaches: it is marked for good first, so that it can be seen until all of it is erased.
 */
static int erase_visibly(struct lb_nvs *nvs, const struct nvs_item *item)
{
  int err = nvs_bitmap_written(nvs, item->page, item->index, item->index + 1U);
  return err ? err : nvs_item_erase(nvs, item);
}

static int erase_incomplete_on(struct lb_nvs *nvs, uint32_t page, const uint8_t *marks)
{
  struct nvs_cursor cursor;
  struct nvs_item item;
  nvs_cursor_start_page(&cursor, page);
  if (page == nvs->active) {
    start_active(nvs, &cursor, marks);
  }
  int result = LB_OK;
  while ((result = nvs_cursor_next(nvs, &cursor, &item)) == LB_OK) {
    int err = item.whole ? LB_OK : erase_visibly(nvs, &item);
    if (err) {
      return err;
    }
  }
  return result == LB_ERR_NVS_NOT_FOUND ? LB_OK : result;
}

static int erase_incomplete(struct lb_nvs *nvs, const uint8_t *marks)
{
  for (uint32_t page = 0; page < nvs->page_count; page++) {
    int err = nvs->pages[page].state == NVS_PAGE_FREE ? LB_OK : erase_incomplete_on(nvs, page, marks);
    if (err) {
      return err;
    }
  }
  return LB_OK;
}

/* Behind the last entry of the active page that is not blank. */
static int find_end(const struct lb_nvs *nvs, uint32_t tail, uint32_t *end)
{
  *end = NVS_ENTRIES;
  while (*end > tail) {
    bool blank = false;
    int err = lb_flash_is_blank(nvs->flash, nvs_entry_address(nvs, nvs->active, *end - 1U), NVS_ENTRY, &blank);
    if (err || !blank) {
      return err;
    }
    (*end)--;
  }
  return LB_OK;
}

/* Entries that were programmed, but not marked, cannot be used: they become erased ones. */
static int bury_unmarked(struct lb_nvs *nvs, const uint8_t *marks)
{
  uint32_t end = 0;
  int err = find_end(nvs, nvs_bitmap_tail(marks), &end);
  for (uint32_t begin = 0; err == LB_OK && begin < end; begin++) {
    uint32_t behind = begin;
    while (behind < end && (nvs_bitmap_get(marks, behind) & 1U) != 0) { /* empty, or on its way from there */
      behind++;
    }
    if (behind > begin) {
      err = nvs_bitmap_erased(nvs, nvs->active, begin, behind);
      begin = behind;
    }
  }
  return err;
}

static int read_marks(const struct lb_nvs *nvs, uint8_t marks[NVS_BITMAP])
{
  memset(marks, 0xFF, NVS_BITMAP);
  return nvs->active < nvs->page_count ? nvs_bitmap_read(nvs, nvs->active, marks) : LB_OK;
}

static int take_back_items(struct lb_nvs *nvs, const uint8_t *marks)
{
  int err = erase_incomplete(nvs, marks);
  return err || nvs->active == nvs->page_count ? err : bury_unmarked(nvs, marks);
}

/* ---- values that are there twice, chunks without an index ---- */

/* The whole item that was written last, if the active page has one. */
static int find_last(const struct lb_nvs *nvs, const uint8_t *marks, struct nvs_item *last, bool *found)
{
  struct nvs_cursor cursor;
  struct nvs_item item;
  *found = false;
  if (nvs->active == nvs->page_count) {
    return LB_OK;
  }
  start_active(nvs, &cursor, marks);
  int result = LB_OK;
  while ((result = nvs_cursor_next(nvs, &cursor, &item)) == LB_OK) {
    if (item.whole) {
      *last = item;
      *found = true;
    }
  }
  return result == LB_ERR_NVS_NOT_FOUND ? LB_OK : result;
}

/* An item that reads as if it were whole is so from now on. */
static int mark_again(struct lb_nvs *nvs, const struct nvs_item *item)
{
  return nvs_bitmap_written(nvs, item->page, item->index, item->index + item->span);
}

int nvs_settle(struct lb_nvs *nvs)
{
  uint8_t marks[NVS_BITMAP];
  struct nvs_item last;
  bool found = false;
  if (!nvs->unsettled) {
    return LB_OK;
  }
  int err = read_marks(nvs, marks);
  if (err == LB_OK && nvs->active < nvs->page_count && nvs_bitmap_tail(marks) == 0) {
    err = nvs_page_retire(nvs, nvs->active); /* its header may be weak itself, and nothing is lost with it */
    nvs->unsettled = err != LB_OK;
    return err;
  }
  err = err ? err : take_back_items(nvs, marks); /* what was whole when it was opened may not be any more */
  err = err ? err : find_last(nvs, marks, &last, &found);
  if (err == LB_OK && found) {
    err = mark_again(nvs, &last);
  }
  nvs->unsettled = err != LB_OK;
  return err;
}

/* Only the value that was written last can have an older one beside it. */
static int erase_old_value(struct lb_nvs *nvs, const uint8_t *marks)
{
  struct nvs_item last;
  bool found = false;
  bool others = false;
  int err = find_last(nvs, marks, &last, &found);
  if (err || !found || nvs_item_is_chunk(&last)) {
    return err;
  }
  err = nvs_has_others(nvs, &last, &others);
  if (err || !others) {
    return err;
  }
  err = mark_again(nvs, &last); /* before the old value goes the new one has to be there for good */
  return err ? err : nvs_erase_others(nvs, &last);
}

static int is_orphan(const struct lb_nvs *nvs, const struct nvs_item *chunk, bool *orphan)
{
  struct nvs_identity identity = nvs_identity_value(nvs_item_space(chunk), nvs_item_key(chunk));
  struct nvs_item index;
  int err = nvs_find(nvs, &identity, &index);
  *orphan = err == LB_ERR_NVS_NOT_FOUND || (err == LB_OK && !nvs_index_covers(&index, nvs_item_chunk(chunk)));
  return err == LB_ERR_NVS_NOT_FOUND ? LB_OK : err;
}

static int erase_orphans(struct lb_nvs *nvs)
{
  struct nvs_cursor cursor;
  struct nvs_item item;
  nvs_cursor_start(&cursor);
  int result = LB_OK;
  while ((result = nvs_cursor_next(nvs, &cursor, &item)) == LB_OK) {
    bool orphan = false;
    int err = nvs_item_is_chunk(&item) ? is_orphan(nvs, &item, &orphan) : LB_OK;
    if (err == LB_OK && orphan) {
      err = nvs_item_erase(nvs, &item);
    }
    if (err) {
      return err;
    }
  }
  return result == LB_ERR_NVS_NOT_FOUND ? LB_OK : result;
}

int nvs_recover(struct lb_nvs *nvs)
{
  uint8_t marks[NVS_BITMAP];
  int err = recover_page(nvs);
  if (err == LB_OK && nvs_pages_count(nvs, NVS_PAGE_FREE) == 0) {
    err = LB_ERR_NVS_NO_FREE_PAGES;
  }
  err = err ? err : read_marks(nvs, marks);
  err = err ? err : take_back_items(nvs, marks);
  err = err ? err : erase_old_value(nvs, marks);
  return err ? err : erase_orphans(nvs);
}
