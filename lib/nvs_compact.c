// SPDX-License-Identifier: MIT
/* Settings in the flash: pages take turns. One is always free; what counts on a page is copied there to gain the rest.
 */
#include <stddef.h>

#include "lib/nvs_parts.h"

/* ---- one page ---- */

/* What is younger somewhere else, or has lost its data, is left behind. */
static int counts(const struct lb_nvs *nvs, const struct nvs_item *item, bool *yes)
{
  bool superseded = false;
  bool same = false;
  *yes = false;
  if (!item->whole) {
    return LB_OK;
  }
  int err = nvs_item_is_superseded(nvs, item, &superseded);
  if (err || superseded) {
    return err;
  }
  if (nvs_item_has_data(nvs_item_type(item))) {
    err = nvs_item_check_data(nvs, item, NULL, &same);
  }
  *yes = err == LB_OK;
  return err == LB_ERR_NVS_DAMAGED ? LB_OK : err;
}

static int copy_page(struct lb_nvs *nvs, uint32_t source)
{
  struct nvs_cursor cursor;
  struct nvs_item item;
  nvs_cursor_start_page(&cursor, source);
  int result = LB_OK;
  while ((result = nvs_cursor_next(nvs, &cursor, &item)) == LB_OK) {
    bool yes = false;
    int err = counts(nvs, &item, &yes);
    if (err == LB_OK && yes) {
      err = nvs_put_copy(nvs, &item);
    }
    if (err) {
      return err;
    }
  }
  return result == LB_ERR_NVS_NOT_FOUND ? LB_OK : result;
}

int nvs_compact(struct lb_nvs *nvs, uint32_t source)
{
  uint32_t target = nvs_page_next_free(nvs);
  if (target == nvs->page_count) {
    return LB_ERR_NVS_NO_FREE_PAGES;
  }
  if (nvs->copies_left == 0) {
    return LB_MORE;
  }
  nvs->copies_left--;
  int err = nvs_page_activate(nvs, target);
  err = err ? err : copy_page(nvs, source);
  return err ? err : nvs_page_retire(nvs, source);
}

/* ---- which one ---- */

/* The page with the most to gain: erased entries, and those at its end that nothing fitted into. */
static int choose(const struct lb_nvs *nvs, uint32_t *chosen, uint32_t *gain)
{
  uint8_t bitmap[NVS_BITMAP];
  *chosen = nvs->page_count;
  *gain = 0;
  for (uint32_t page = 0; page < nvs->page_count; page++) {
    if (nvs->pages[page].state == NVS_PAGE_FREE) {
      continue;
    }
    int err = nvs_bitmap_read(nvs, page, bitmap);
    if (err) {
      return err;
    }
    uint32_t of_page = NVS_ENTRIES - nvs_bitmap_count(bitmap, NVS_ENTRY_WRITTEN);
    bool older = *chosen < nvs->page_count && nvs_page_is_newer(nvs, *chosen, page);
    if (of_page > *gain || (of_page == *gain && older)) {
      *chosen = page;
      *gain = of_page;
    }
  }
  return LB_OK;
}

static int close_active(struct lb_nvs *nvs)
{
  return nvs->active < nvs->page_count ? nvs_page_mark(nvs, nvs->active, NVS_PAGE_FULL) : LB_OK;
}

static int gain_room(struct lb_nvs *nvs, uint32_t entries)
{
  uint32_t source = 0;
  uint32_t gain = 0;
  int err = choose(nvs, &source, &gain);
  if (err) {
    return err;
  }
  if (gain < entries) {
    return LB_ERR_NVS_NOT_ENOUGH_SPACE;
  }
  if (nvs->copies_left == 0) {
    return LB_MORE;
  }
  err = nvs_page_prepare(nvs, nvs_page_next_free(nvs)); /* before the first mark: it may have to wait for a call */
  err = err ? err : close_active(nvs);
  err = err ? err : nvs_page_mark(nvs, source, NVS_PAGE_FREEING);
  return err ? err : nvs_compact(nvs, source);
}

int nvs_make_room(struct lb_nvs *nvs, uint32_t entries)
{
  uint32_t room = 0;
  int err = nvs_room(nvs, &room);
  if (err || room >= entries) {
    return err;
  }
  uint32_t free_pages = nvs_pages_count(nvs, NVS_PAGE_FREE);
  if (free_pages == 0) {
    return LB_ERR_NVS_NO_FREE_PAGES;
  }
  uint32_t newest = nvs_page_newest(nvs);
  if (newest < nvs->page_count && nvs->pages[newest].sequence == UINT32_MAX) {
    return LB_ERR_NVS_INVALID_STATE; /* no page could be begun any more: so none is given up either */
  }
  if (free_pages == 1) {
    return gain_room(nvs, entries);
  }
  uint32_t page = nvs_page_next_free(nvs);
  err = nvs_page_prepare(nvs, page);
  err = err ? err : close_active(nvs);
  return err ? err : nvs_page_activate(nvs, page);
}

int nvs_capacity(const struct lb_nvs *nvs, uint32_t *entries)
{
  uint8_t bitmap[NVS_BITMAP];
  uint32_t free_pages = nvs_pages_count(nvs, NVS_PAGE_FREE);
  *entries = free_pages > 1 ? (free_pages - 1U) * (NVS_ENTRIES - 1U) : 0;
  for (uint32_t page = 0; page < nvs->page_count; page++) {
    if (nvs->pages[page].state == NVS_PAGE_FREE) {
      continue;
    }
    int err = nvs_bitmap_read(nvs, page, bitmap);
    if (err) {
      return err;
    }
    uint32_t gain = NVS_ENTRIES - nvs_bitmap_count(bitmap, NVS_ENTRY_WRITTEN);
    *entries += gain > 0 ? gain - 1U : 0;
  }
  return LB_OK;
}
