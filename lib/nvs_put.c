// SPDX-License-Identifier: MIT
/*
 * Settings in the flash: writing an item and marking one erased.
 *
 * The order is ESP-IDF's: the header, its mark, the data, the marks of the data. So whoever finds an item without all
 * of its marks, we or ESP-IDF, knows how far its data may reach, and never takes data for a header. In erasing, the
 * header's mark goes last for the same reason.
 */
#include <string.h>

#include "lib/common.h"
#include "lib/nvs_parts.h"
#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"

#define CRC_START 0xFFFFFFFFU

int nvs_room(const struct lb_nvs *nvs, uint32_t *entries)
{
  uint8_t bitmap[NVS_BITMAP];
  *entries = 0;
  if (nvs->active == nvs->page_count) {
    return LB_OK;
  }
  int err = nvs_bitmap_read(nvs, nvs->active, bitmap);
  if (err == LB_OK) {
    *entries = NVS_ENTRIES - nvs_bitmap_tail(bitmap);
  }
  return err;
}

/* Where the next item goes: on the active page, behind all others. */
static int find_place(const struct lb_nvs *nvs, uint32_t span, struct nvs_item *item)
{
  uint32_t room = 0;
  int err = nvs_room(nvs, &room);
  if (err) {
    return err;
  }
  item->page = nvs->active;
  item->index = NVS_ENTRIES - room;
  item->span = span;
  item->whole = true;
  return span <= room ? LB_OK : LB_ERR_NVS_NOT_ENOUGH_SPACE;
}

static void seal(uint8_t bytes[NVS_ENTRY])
{
  uint32_t crc = lb_crc32(CRC_START, bytes, 4);
  lb_store_le32(bytes + 4, lb_crc32(crc, bytes + 8, NVS_ENTRY - 8U));
}

static void fill_header(const struct nvs_header *header, const void *data, uint32_t length, struct nvs_item *item)
{
  uint8_t *bytes = item->bytes;
  memset(bytes, 0xFF, NVS_ENTRY);
  bytes[0] = header->space;
  bytes[1] = header->type;
  bytes[2] = (uint8_t)item->span;
  bytes[3] = header->chunk;
  memset(bytes + 8, 0, LB_NVS_NAME_SIZE);
  for (uint32_t i = 0; i < LB_NVS_NAME_SIZE - 1U && header->key[i] != '\0'; i++) {
    bytes[8U + i] = (uint8_t)header->key[i];
  }
  memcpy(bytes + NVS_VALUE, header->value, sizeof(header->value));
  if (nvs_item_has_data(header->type)) {
    lb_store_le16(bytes + NVS_VALUE, (uint16_t)length);
    lb_store_le16(bytes + 26, 0xFFFF);
    lb_store_le32(bytes + 28, lb_crc32(CRC_START, data, length));
  }
  seal(bytes);
}

static int write_header(struct lb_nvs *nvs, const struct nvs_item *item)
{
  int err = nvs_program(nvs, nvs_entry_address(nvs, item->page, item->index), item->bytes, NVS_ENTRY);
  if (err) {
    return err;
  }
  return nvs_bitmap_written(nvs, item->page, item->index, item->index + 1U);
}

static int mark_data(struct lb_nvs *nvs, const struct nvs_item *item)
{
  return nvs_bitmap_written(nvs, item->page, item->index + 1U, item->index + item->span);
}

int nvs_put(struct lb_nvs *nvs, const struct nvs_header *header, const void *data, uint32_t length,
            struct nvs_item *item)
{
  int err = find_place(nvs, nvs_span_of(length), item);
  if (err) {
    return err;
  }
  fill_header(header, data, length, item);
  err = write_header(nvs, item);
  if (err == LB_OK && length > 0) {
    err = nvs_program(nvs, nvs_entry_address(nvs, item->page, item->index + 1U), data, length);
  }
  return err ? err : mark_data(nvs, item);
}

static int copy_data(struct lb_nvs *nvs, const struct nvs_item *from, const struct nvs_item *to)
{
  uint8_t piece[NVS_PIECE];
  uint32_t source = nvs_entry_address(nvs, from->page, from->index + 1U);
  uint32_t target = nvs_entry_address(nvs, to->page, to->index + 1U);
  uint32_t size = (from->span - 1U) * NVS_ENTRY;
  for (uint32_t at = 0; at < size; at += NVS_PIECE) {
    uint32_t length = lb_smaller(size - at, NVS_PIECE);
    int err = lb_flash_read(nvs->flash, source + at, piece, length);
    err = err ? err : nvs_program(nvs, target + at, piece, length);
    if (err) {
      return err;
    }
  }
  return LB_OK;
}

int nvs_put_copy(struct lb_nvs *nvs, const struct nvs_item *from)
{
  struct nvs_item to;
  int err = find_place(nvs, from->span, &to);
  if (err) {
    return err;
  }
  memcpy(to.bytes, from->bytes, NVS_ENTRY);
  err = write_header(nvs, &to);
  err = err ? err : copy_data(nvs, from, &to);
  return err ? err : mark_data(nvs, &to);
}

/* ---- erasing ---- */

int nvs_item_erase(struct lb_nvs *nvs, const struct nvs_item *item)
{
  int err = nvs_bitmap_erased(nvs, item->page, item->index + 1U, item->index + item->span);
  return err ? err : nvs_bitmap_erased(nvs, item->page, item->index, item->index + 1U);
}

static bool is_same_place(const struct nvs_item *a, const struct nvs_item *b)
{
  return a->page == b->page && a->index == b->index;
}

int nvs_has_others(const struct lb_nvs *nvs, const struct nvs_item *kept, bool *has)
{
  struct nvs_identity identity = nvs_identity_value(nvs_item_space(kept), nvs_item_key(kept));
  struct nvs_cursor cursor;
  struct nvs_item item;
  nvs_cursor_start(&cursor);
  *has = false;
  int result = LB_OK;
  while (!*has && (result = nvs_cursor_next(nvs, &cursor, &item)) == LB_OK) {
    bool chunk = nvs_item_is_chunk(&item) && nvs_item_space(&item) == nvs_item_space(kept) &&
                 lb_same_text(nvs_item_key(&item), nvs_item_key(kept)) &&
                 !nvs_index_covers(kept, nvs_item_chunk(&item));
    *has = chunk || (nvs_identity_matches(&identity, &item) && !is_same_place(&item, kept));
  }
  return result == LB_ERR_NVS_NOT_FOUND ? LB_OK : result;
}

static int erase_values(struct lb_nvs *nvs, const struct nvs_item *kept)
{
  struct nvs_identity identity = nvs_identity_value(nvs_item_space(kept), nvs_item_key(kept));
  struct nvs_cursor cursor;
  struct nvs_item item;
  nvs_cursor_start(&cursor);
  int result = LB_OK;
  while ((result = nvs_cursor_next(nvs, &cursor, &item)) == LB_OK) {
    if (nvs_identity_matches(&identity, &item) && !is_same_place(&item, kept)) {
      int err = nvs_item_erase(nvs, &item);
      if (err) {
        return err;
      }
    }
  }
  return result == LB_ERR_NVS_NOT_FOUND ? LB_OK : result;
}

int nvs_erase_chunks(struct lb_nvs *nvs, uint8_t space, const char *key, const struct nvs_item *index)
{
  struct nvs_cursor cursor;
  struct nvs_item item;
  nvs_cursor_start(&cursor);
  int result = LB_OK;
  while ((result = nvs_cursor_next(nvs, &cursor, &item)) == LB_OK) {
    if (nvs_item_is_chunk(&item) && nvs_item_space(&item) == space && lb_same_text(nvs_item_key(&item), key) &&
        (index == NULL || !nvs_index_covers(index, nvs_item_chunk(&item)))) {
      int err = nvs_item_erase(nvs, &item);
      if (err) {
        return err;
      }
    }
  }
  return result == LB_ERR_NVS_NOT_FOUND ? LB_OK : result;
}

/* The chunks go last: an index without its chunks is damage, chunks without an index are nothing. */
int nvs_erase_others(struct lb_nvs *nvs, const struct nvs_item *kept)
{
  int err = erase_values(nvs, kept);
  return err ? err : nvs_erase_chunks(nvs, nvs_item_space(kept), nvs_item_key(kept), kept);
}
