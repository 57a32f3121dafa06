// SPDX-License-Identifier: MIT
/* Settings in the flash: items, what their headers say, and how they are found. */
#include <string.h>

#include "lib/common.h"
#include "lib/nvs_parts.h"
#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"

/* A header. */
#define SPACE     0U
#define TYPE      1U
#define SPAN      2U
#define CHUNK     3U
#define CRC       4U
#define KEY       8U
#define DATA_CRC  28U /* of an item with data; its size is at NVS_VALUE */
#define COUNT     28U /* of a blob index; its size is at NVS_VALUE */
#define START     29U

#define NO_SPACE  0xFFU
#define CRC_START 0xFFFFFFFFU

uint8_t nvs_item_space(const struct nvs_item *item)
{
  return item->bytes[SPACE];
}

uint8_t nvs_item_type(const struct nvs_item *item)
{
  return item->bytes[TYPE];
}

uint8_t nvs_item_chunk(const struct nvs_item *item)
{
  return item->bytes[CHUNK];
}

const char *nvs_item_key(const struct nvs_item *item)
{
  return (const char *)item->bytes + KEY;
}

uint32_t nvs_item_size(const struct nvs_item *item)
{
  return nvs_item_type(item) == NVS_BLOB_INDEX ? lb_load_le32(item->bytes + NVS_VALUE)
                                               : lb_load_le16(item->bytes + NVS_VALUE);
}

uint8_t nvs_index_count(const struct nvs_item *item)
{
  return item->bytes[COUNT];
}

uint8_t nvs_index_start(const struct nvs_item *item)
{
  return item->bytes[START];
}

bool nvs_item_is_chunk(const struct nvs_item *item)
{
  return nvs_item_type(item) == NVS_BLOB_DATA;
}

bool nvs_item_has_data(uint8_t type)
{
  return type == LB_NVS_STRING || type == NVS_BLOB_OLD || type == NVS_BLOB_DATA;
}

bool nvs_index_covers(const struct nvs_item *index, uint8_t chunk)
{
  return nvs_item_type(index) == NVS_BLOB_INDEX && chunk >= nvs_index_start(index) &&
         chunk - nvs_index_start(index) < nvs_index_count(index);
}

uint32_t nvs_span_of(uint32_t length)
{
  return 1U + length / NVS_ENTRY + (length % NVS_ENTRY != 0 ? 1U : 0U);
}

/* ---- is it one? ---- */

bool nvs_type_is_integer(uint32_t type)
{
  switch (type) {
  case LB_NVS_U8:
  case LB_NVS_U16:
  case LB_NVS_U32:
  case LB_NVS_U64:
  case LB_NVS_I8:
  case LB_NVS_I16:
  case LB_NVS_I32:
  case LB_NVS_I64:
    return true;
  default:
    return false;
  }
}

static bool has_crc(const uint8_t bytes[NVS_ENTRY])
{
  uint32_t crc = lb_crc32(CRC_START, bytes, CRC);
  return lb_load_le32(bytes + CRC) == lb_crc32(crc, bytes + KEY, NVS_ENTRY - KEY);
}

/* A span is believed only if it is what the type and the size say, and ends on the page. */
static bool is_item(const struct nvs_item *item)
{
  const uint8_t *bytes = item->bytes;
  uint8_t type = bytes[TYPE];
  uint32_t span = nvs_item_has_data(type) ? nvs_span_of(lb_load_le16(bytes + NVS_VALUE)) : 1U;
  return bytes[SPACE] != NO_SPACE && (nvs_item_has_data(type) || nvs_type_is_integer(type) || type == NVS_BLOB_INDEX) &&
         bytes[SPAN] == span && span <= NVS_ENTRIES - item->index && bytes[KEY] != '\0' &&
         bytes[KEY + LB_NVS_NAME_SIZE - 1U] == '\0' && has_crc(bytes);
}

/* ---- one after the other ---- */

void nvs_cursor_start(struct nvs_cursor *cursor)
{
  memset(cursor, 0, sizeof(*cursor));
}

void nvs_cursor_start_page(struct nvs_cursor *cursor, uint32_t page)
{
  nvs_cursor_start(cursor);
  cursor->page = page;
  cursor->one_page = true;
}

static bool is_whole(const uint8_t bitmap[NVS_BITMAP], uint32_t index, uint32_t span)
{
  for (uint32_t i = 0; i < span; i++) {
    if (nvs_bitmap_get(bitmap, index + i) != NVS_ENTRY_WRITTEN) {
      return false;
    }
  }
  return true;
}

/*
 * What is written at the cursor, if it is an item. The cursor moves behind it, over all that it spans, since its data
 * may look like anything; over one entry if it is none.
 */
static int take(const struct lb_nvs *nvs, struct nvs_cursor *cursor, struct nvs_item *item, bool *found)
{
  item->page = cursor->page;
  item->index = cursor->index;
  *found = false;
  int err = lb_flash_read(nvs->flash, nvs_entry_address(nvs, cursor->page, cursor->index), item->bytes, NVS_ENTRY);
  if (err) {
    return err;
  }
  *found = is_item(item);
  item->span = *found ? item->bytes[SPAN] : 1U;
  item->whole = is_whole(cursor->bitmap, item->index, item->span);
  cursor->index += item->span;
  return LB_OK;
}

/* On the page of the cursor. LB_ERR_NVS_NOT_FOUND at its end. */
static int next_on_page(const struct lb_nvs *nvs, struct nvs_cursor *cursor, struct nvs_item *item)
{
  if (!cursor->loaded) {
    int err = nvs_bitmap_read(nvs, cursor->page, cursor->bitmap);
    if (err) {
      return err;
    }
    cursor->loaded = true;
  }
  while (cursor->index < NVS_ENTRIES) {
    bool found = false;
    if (nvs_bitmap_get(cursor->bitmap, cursor->index) != NVS_ENTRY_WRITTEN) {
      cursor->index++;
      continue;
    }
    int err = take(nvs, cursor, item, &found);
    if (err || found) {
      return err;
    }
  }
  return LB_ERR_NVS_NOT_FOUND;
}

int nvs_cursor_next(const struct lb_nvs *nvs, struct nvs_cursor *cursor, struct nvs_item *item)
{
  while (cursor->page < nvs->page_count) {
    if (nvs->pages[cursor->page].state != NVS_PAGE_FREE) {
      int err = next_on_page(nvs, cursor, item);
      if (err != LB_ERR_NVS_NOT_FOUND) {
        return err;
      }
    }
    if (cursor->one_page) {
      return LB_ERR_NVS_NOT_FOUND;
    }
    cursor->page++;
    cursor->index = 0;
    cursor->loaded = false;
  }
  return LB_ERR_NVS_NOT_FOUND;
}

/* ---- finding ---- */

bool nvs_item_is_newer(const struct lb_nvs *nvs, const struct nvs_item *a, const struct nvs_item *b)
{
  return a->page == b->page ? a->index > b->index : nvs_page_is_newer(nvs, a->page, b->page);
}

struct nvs_identity nvs_identity_value(uint8_t space, const char *key)
{
  return (struct nvs_identity){.space = space, .key = key, .is_chunk = false, .chunk = NVS_NO_CHUNK};
}

struct nvs_identity nvs_identity_chunk(uint8_t space, const char *key, uint8_t chunk)
{
  return (struct nvs_identity){.space = space, .key = key, .is_chunk = true, .chunk = chunk};
}

struct nvs_identity nvs_identity_of(const struct nvs_item *item)
{
  return nvs_item_is_chunk(item) ? nvs_identity_chunk(nvs_item_space(item), nvs_item_key(item), nvs_item_chunk(item))
                                 : nvs_identity_value(nvs_item_space(item), nvs_item_key(item));
}

bool nvs_identity_matches(const struct nvs_identity *identity, const struct nvs_item *item)
{
  return nvs_item_space(item) == identity->space && nvs_item_is_chunk(item) == identity->is_chunk &&
         (!identity->is_chunk || nvs_item_chunk(item) == identity->chunk) &&
         lb_same_text(nvs_item_key(item), identity->key);
}

int nvs_find(const struct lb_nvs *nvs, const struct nvs_identity *identity, struct nvs_item *item)
{
  struct nvs_cursor cursor;
  struct nvs_item candidate;
  bool found = false;
  memset(item, 0, sizeof(*item));
  nvs_cursor_start(&cursor);
  int result = LB_OK;
  while ((result = nvs_cursor_next(nvs, &cursor, &candidate)) == LB_OK) {
    if (candidate.whole && nvs_identity_matches(identity, &candidate) &&
        (!found || nvs_item_is_newer(nvs, &candidate, item))) {
      *item = candidate;
      found = true;
    }
  }
  return result == LB_ERR_NVS_NOT_FOUND && found ? LB_OK : result;
}

int nvs_item_is_superseded(const struct lb_nvs *nvs, const struct nvs_item *item, bool *superseded)
{
  struct nvs_identity identity = nvs_identity_of(item);
  struct nvs_item newest;
  int err = nvs_find(nvs, &identity, &newest);
  *superseded = err == LB_OK && nvs_item_is_newer(nvs, &newest, item);
  return err == LB_ERR_NVS_NOT_FOUND ? LB_OK : err;
}

int nvs_check_name(const char *name)
{
  if (name == NULL || name[0] == '\0') {
    return LB_ERR_NVS_INVALID_NAME;
  }
  for (uint32_t i = 0; i < LB_NVS_NAME_SIZE; i++) {
    if (name[i] == '\0') {
      return LB_OK;
    }
  }
  return LB_ERR_NVS_KEY_TOO_LONG;
}

int nvs_find_space(const struct lb_nvs *nvs, const char *name, uint8_t *space)
{
  struct nvs_identity identity = nvs_identity_value(0, name);
  struct nvs_item item;
  int err = nvs_find(nvs, &identity, &item);
  if (err) {
    return err;
  }
  *space = item.bytes[NVS_VALUE];
  bool usable = nvs_item_type(&item) == LB_NVS_U8 && *space != 0 && *space != NO_SPACE;
  return usable ? LB_OK : LB_ERR_NVS_NOT_FOUND;
}

int nvs_find_value(const struct lb_nvs *nvs, const char *namespace_name, const char *key, struct nvs_item *item)
{
  uint8_t space = 0;
  int err = nvs_check_name(namespace_name);
  err = err ? err : nvs_check_name(key);
  err = err ? err : nvs_find_space(nvs, namespace_name, &space);
  if (err) {
    return err;
  }
  struct nvs_identity identity = nvs_identity_value(space, key);
  return nvs_find(nvs, &identity, item);
}

/* ---- data ---- */

int nvs_item_check_data(const struct lb_nvs *nvs, const struct nvs_item *item, const void *data, bool *same)
{
  const uint8_t *wanted = data;
  uint8_t piece[NVS_PIECE];
  uint32_t size = nvs_item_size(item); /* within the page, see is_item */
  uint32_t address = nvs_entry_address(nvs, item->page, item->index + 1U);
  uint32_t crc = CRC_START;
  *same = true;
  for (uint32_t at = 0; at < size; at += NVS_PIECE) {
    uint32_t length = lb_smaller(size - at, NVS_PIECE);
    int err = lb_flash_read(nvs->flash, address + at, piece, length);
    if (err) {
      return err;
    }
    crc = lb_crc32(crc, piece, length);
    *same = *same && (wanted == NULL || memcmp(piece, wanted + at, length) == 0);
  }
  return crc == lb_load_le32(item->bytes + DATA_CRC) ? LB_OK : LB_ERR_NVS_DAMAGED;
}
