// SPDX-License-Identifier: MIT
/* Settings in the flash: getting values, and going through all of them. */
#include <string.h>

#include "lib/nvs_parts.h"

/* ---- integers ---- */

static uint64_t integer_of(const struct nvs_item *item)
{
  uint8_t type = nvs_item_type(item);
  uint32_t size = type & NVS_TYPE_SIZE;
  uint64_t bits = 0;
  for (uint32_t i = size; i > 0; i--) {
    bits = bits << 8 | item->bytes[NVS_VALUE + i - 1U];
  }
  if ((type & NVS_TYPE_SIGNED) != 0 && size > 0 && size < 8U && (bits >> (8U * size - 1U)) != 0) {
    bits |= UINT64_MAX << (8U * size);
  }
  return bits;
}

int lb_nvs_get_integer(const struct lb_nvs *nvs, const char *namespace_name, const char *key, enum lb_nvs_type type,
                       uint64_t *bits)
{
  struct nvs_item item;
  int err = nvs_find_value(nvs, namespace_name, key, &item);
  if (err) {
    return err;
  }
  if (!nvs_type_is_integer(type) || nvs_item_type(&item) != type) {
    return LB_ERR_NVS_TYPE_MISMATCH;
  }
  *bits = integer_of(&item);
  return LB_OK;
}

/* ---- strings and blobs ---- */

/* The data of one item, which goes to `data` if it is good. */
static int read_data(const struct lb_nvs *nvs, const struct nvs_item *item, uint8_t *data)
{
  bool same = false;
  int err = nvs_item_check_data(nvs, item, NULL, &same);
  if (err) {
    return err;
  }
  return lb_flash_read(nvs->flash, nvs_entry_address(nvs, item->page, item->index + 1U), data, nvs_item_size(item));
}

int lb_nvs_get_string(const struct lb_nvs *nvs, const char *namespace_name, const char *key, char *buffer,
                      uint32_t capacity, uint32_t *length)
{
  struct nvs_item item;
  int err = nvs_find_value(nvs, namespace_name, key, &item);
  if (err) {
    return err;
  }
  if (nvs_item_type(&item) != LB_NVS_STRING) {
    return LB_ERR_NVS_TYPE_MISMATCH;
  }
  *length = nvs_item_size(&item);
  if (*length == 0) {
    return LB_ERR_NVS_DAMAGED;
  }
  if (*length > capacity) {
    return LB_ERR_NVS_INVALID_LENGTH;
  }
  err = read_data(nvs, &item, (uint8_t *)buffer);
  return err == LB_OK && buffer[*length - 1U] != '\0' ? LB_ERR_NVS_DAMAGED : err;
}

static int find_chunk(const struct lb_nvs *nvs, const struct nvs_item *index, uint32_t number, struct nvs_item *chunk)
{
  uint32_t wanted = (uint32_t)nvs_index_start(index) + number;
  if (wanted >= NVS_NO_CHUNK) {
    return LB_ERR_NVS_DAMAGED;
  }
  struct nvs_identity identity = nvs_identity_chunk(nvs_item_space(index), nvs_item_key(index), (uint8_t)wanted);
  int err = nvs_find(nvs, &identity, chunk);
  return err == LB_ERR_NVS_NOT_FOUND ? LB_ERR_NVS_DAMAGED : err;
}

/* An index is believed only if its chunks are all there and have its size. */
static int check_index(const struct lb_nvs *nvs, const struct nvs_item *index)
{
  struct nvs_item chunk;
  uint32_t size = 0;
  for (uint32_t i = 0; i < nvs_index_count(index); i++) {
    int err = find_chunk(nvs, index, i, &chunk);
    if (err) {
      return err;
    }
    size += nvs_item_size(&chunk);
  }
  return size == nvs_item_size(index) ? LB_OK : LB_ERR_NVS_DAMAGED;
}

static int read_chunks(const struct lb_nvs *nvs, const struct nvs_item *index, uint8_t *data)
{
  struct nvs_item chunk;
  uint32_t at = 0;
  for (uint32_t i = 0; i < nvs_index_count(index); i++) {
    int err = find_chunk(nvs, index, i, &chunk);
    if (err == LB_OK && nvs_item_size(&chunk) > 0) {
      err = read_data(nvs, &chunk, data + at);
    }
    if (err) {
      return err;
    }
    at += nvs_item_size(&chunk);
  }
  return LB_OK;
}

int lb_nvs_get_blob(const struct lb_nvs *nvs, const char *namespace_name, const char *key, void *data,
                    uint32_t capacity, uint32_t *length)
{
  struct nvs_item item;
  int err = nvs_find_value(nvs, namespace_name, key, &item);
  if (err) {
    return err;
  }
  bool chunked = nvs_item_type(&item) == NVS_BLOB_INDEX;
  if (!chunked && nvs_item_type(&item) != NVS_BLOB_OLD) {
    return LB_ERR_NVS_TYPE_MISMATCH;
  }
  err = chunked ? check_index(nvs, &item) : LB_OK;
  if (err) {
    return err;
  }
  *length = nvs_item_size(&item);
  if (*length > capacity) {
    return LB_ERR_NVS_INVALID_LENGTH;
  }
  if (*length == 0) {
    return LB_OK;
  }
  return chunked ? read_chunks(nvs, &item, data) : read_data(nvs, &item, data);
}

/* ---- all of them ---- */

/* The name of a namespace, if it has one that leads to it. LB_ERR_NVS_NOT_FOUND. */
static int name_of(const struct lb_nvs *nvs, uint8_t space, char name[LB_NVS_NAME_SIZE])
{
  struct nvs_cursor cursor;
  struct nvs_item item;
  nvs_cursor_start(&cursor);
  int result = LB_OK;
  while ((result = nvs_cursor_next(nvs, &cursor, &item)) == LB_OK) {
    uint8_t number = 0;
    if (!item.whole || nvs_item_space(&item) != 0 || nvs_item_type(&item) != LB_NVS_U8 ||
        item.bytes[NVS_VALUE] != space) {
      continue;
    }
    int err = nvs_find_space(nvs, nvs_item_key(&item), &number);
    if (err == LB_OK && number == space) {
      memcpy(name, nvs_item_key(&item), LB_NVS_NAME_SIZE);
      return LB_OK;
    }
    if (err && err != LB_ERR_NVS_NOT_FOUND) {
      return err;
    }
  }
  return result;
}

static void describe(const struct nvs_item *item, struct lb_nvs_entry *entry)
{
  uint8_t type = nvs_item_type(item);
  bool blob = type == NVS_BLOB_OLD || type == NVS_BLOB_INDEX;
  memcpy(entry->key, nvs_item_key(item), LB_NVS_NAME_SIZE);
  entry->type = blob ? LB_NVS_BLOB : (enum lb_nvs_type)type;
  entry->size = blob || type == LB_NVS_STRING ? nvs_item_size(item) : type & NVS_TYPE_SIZE;
}

/* Is this item a setting, and the one that counts? */
static int is_setting(const struct lb_nvs *nvs, const struct nvs_item *item, bool *yes)
{
  bool superseded = false;
  *yes = false;
  if (!item->whole || nvs_item_space(item) == 0 || nvs_item_is_chunk(item)) {
    return LB_OK;
  }
  int err = nvs_item_is_superseded(nvs, item, &superseded);
  *yes = err == LB_OK && !superseded;
  return err;
}

int lb_nvs_next(const struct lb_nvs *nvs, struct lb_nvs_entry *entry)
{
  struct nvs_cursor cursor;
  struct nvs_item item;
  nvs_cursor_start(&cursor);
  cursor.page = entry->page;
  cursor.index = entry->place;
  int result = LB_OK;
  while ((result = nvs_cursor_next(nvs, &cursor, &item)) == LB_OK) {
    bool yes = false;
    int err = is_setting(nvs, &item, &yes);
    if (err == LB_OK && yes) {
      err = name_of(nvs, nvs_item_space(&item), entry->namespace_name);
    }
    if (err && err != LB_ERR_NVS_NOT_FOUND) {
      return err;
    }
    if (yes && err == LB_OK) {
      describe(&item, entry);
      entry->page = cursor.page;
      entry->place = cursor.index;
      return LB_OK;
    }
  }
  return result;
}

int lb_nvs_first(const struct lb_nvs *nvs, struct lb_nvs_entry *entry)
{
  memset(entry, 0, sizeof(*entry));
  return lb_nvs_next(nvs, entry);
}
