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

static bool is_begun(const uint8_t *marks, const struct nvs_item *item)
{
  for (uint32_t i = 0; i < item->span; i++) {
    const enum nvs_entry_state state = nvs_bitmap_get(marks, item->index + i);
    if (state != NVS_ENTRY_EMPTY && state != NVS_ENTRY_WRITTEN) {
      return false;
    }
  }
  return true;
}

/* The item behind which nothing was ever used, if its marks are not complete. */
static int find_unfinished(const struct lb_nvs *nvs, const uint8_t *marks, struct nvs_item *last, bool *found)
{
  struct nvs_cursor cursor;
  struct nvs_item item;
  const uint32_t tail = nvs_bitmap_tail(marks);
  *found = false;
  if (tail == 0 || tail == NVS_ENTRIES) {
    return LB_OK;
  }
  start_active(nvs, &cursor, marks);
  cursor.bitmap[tail / 4U] &= (uint8_t) ~(1U << (tail % 4U * 2U)); /* there may be a header without its mark, too */
  int result = LB_OK;
  while ((result = nvs_cursor_next(nvs, &cursor, &item)) == LB_OK) {
    const uint32_t end = item.index + item.span;
    *last = item;
    *found = end >= tail && end < NVS_ENTRIES && (!item.whole || item.index == tail) && is_begun(marks, &item);
  }
  return result == LB_ERR_NVS_NOT_FOUND ? LB_OK : result;
}

/*
 * An item that is there, and of which only marks are missing, is completed: to take it back would leave marks of which
 * either bit may be weak. That it is taken back is told by the entry behind it, which is marked first: from then on it
 * is never completed, however it reads. `marks` follow.
 */
static int complete_last(struct lb_nvs *nvs, uint8_t *marks)
{
  struct nvs_item last;
  bool found = false;
  int err = find_unfinished(nvs, marks, &last, &found);
  if (err == LB_OK && found) {
    err = nvs_put_again(nvs, &last, &found);
  }
  for (uint32_t i = 0; err == LB_OK && found && i < last.span; i++) {
    marks[(last.index + i) / 4U] &= (uint8_t) ~(1U << ((last.index + i) % 4U * 2U));
  }
  return err;
}

/* Its header tells how far it reaches: it is marked for good first, so that it can be seen until all of it is erased.
 */
static int erase_visibly(struct lb_nvs *nvs, const struct nvs_item *item, const uint8_t *marks)
{
  const uint32_t end = item->index + item->span;
  int err = LB_OK;
  if (item->page == nvs->active && end < NVS_ENTRIES && nvs_bitmap_get(marks, end) == NVS_ENTRY_EMPTY) {
    err = nvs_bitmap_erased(nvs, item->page, end, end + 1U);
  }
  err = err ? err : nvs_bitmap_written(nvs, item->page, item->index, item->index + 1U);
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
    int err = item.whole ? LB_OK : erase_visibly(nvs, &item, marks);
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

/*
 * Entries that were programmed, but not marked, cannot be used: they become erased ones, and the one behind them, the
 * last ones first.
 */
static int bury_unmarked(struct lb_nvs *nvs, const uint8_t *marks)
{
  const uint32_t tail = nvs_bitmap_tail(marks);
  uint32_t end = 0;
  int err = find_end(nvs, tail, &end);
  end += end > tail && end < NVS_ENTRIES ? 1U : 0U;
  for (uint32_t i = end; err == LB_OK && i > 0; i--) {
    if ((nvs_bitmap_get(marks, i - 1U) & 1U) != 0) { /* empty, or on its way from there */
      err = nvs_bitmap_erased(nvs, nvs->active, i - 1U, i);
    }
  }
  return err;
}

static int read_marks(const struct lb_nvs *nvs, uint8_t marks[NVS_BITMAP])
{
  memset(marks, 0xFF, NVS_BITMAP);
  return nvs->active < nvs->page_count ? nvs_bitmap_read(nvs, nvs->active, marks) : LB_OK;
}

static int take_back_items(struct lb_nvs *nvs, uint8_t *marks)
{
  int err = nvs->active < nvs->page_count ? complete_last(nvs, marks) : LB_OK;
  err = err ? err : erase_incomplete(nvs, marks);
  return err || nvs->active == nvs->page_count ? err : bury_unmarked(nvs, marks);
}

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

/* On the active page: what does not count by these marks never will, and what does always will. */
static int settle_items(struct lb_nvs *nvs, uint8_t *marks)
{
  struct nvs_item last;
  bool found = false;
  int err = take_back_items(nvs, marks);
  err = err ? err : find_last(nvs, marks, &last, &found);
  return err == LB_OK && found ? mark_again(nvs, &last) : err;
}

int nvs_settle(struct lb_nvs *nvs)
{
  uint8_t marks[NVS_BITMAP];
  if (!nvs->unsettled) {
    return LB_OK;
  }
  int err = read_marks(nvs, marks);
  if (err == LB_OK && nvs->active < nvs->page_count && nvs_bitmap_count(marks, NVS_ENTRY_WRITTEN) == 0) {
    err = nvs_page_retire(nvs, nvs->active); /* its header may be weak itself, and nothing is lost with it */
    nvs->unsettled = err != LB_OK;
    return err;
  }
  err = err ? err : settle_items(nvs, marks); /* what was whole when it was opened may not be any more */
  nvs->unsettled = err != LB_OK;
  return err;
}

/* ---- the page again ---- */

/*
 * The copy is begun anew, since a torn item on it may have taken the room that is needed. But if all is on the copy, or
 * more than on the page itself (ESP-IDF was cut while it erased that, and it is no longer what it was), it is finished.
 * What counts on it must not be gone tomorrow, when the page itself is.
 */
static int recover_page(struct lb_nvs *nvs)
{
  uint32_t source = 0;
  bool finished = false;
  bool subset = false;
  uint8_t marks[NVS_BITMAP];
  int err = find_freeing(nvs, &source);
  if (err || source == nvs->page_count) {
    return err;
  }
  uint32_t target = nvs->active;
  err = nvs_page_mark(nvs, source, NVS_PAGE_FREEING); /* once more: it may have been in flight */
  err = err ? err : read_marks(nvs, marks);
  if (err) {
    return err;
  }
  if (target < nvs->page_count) {
    err = settle_items(nvs, marks);
    err = err ? err : is_copied(nvs, source, &finished);
    err = err ? err : is_subset(nvs, target, source, &subset);
    if (err == LB_OK && (finished || !subset)) {
      return nvs_page_retire(nvs, source);
    }
    err = err ? err : nvs_page_retire(nvs, target);
  }
  return err ? err : nvs_compact(nvs, source);
}

/* ---- values that are there twice, chunks without an index ---- */

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
