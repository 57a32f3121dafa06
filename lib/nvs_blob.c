// SPDX-License-Identifier: MIT
/*
 * Settings in the flash: setting a blob, in chunks on as many pages as it takes, and then its index.
 *
 * The chunks of the new value have other numbers than those of the old one (from 0, from 0x80), so both can be there.
 * Where a call has to stop, the next one finds by their content which chunks are written already.
 */
#include <string.h>

#include "lib/common.h"
#include "lib/nvs_parts.h"
#include "lifeboat/bytes.h"

struct blob {
  uint8_t space;
  const char *key;
  const uint8_t *data;
  uint32_t length;
  uint8_t start;  /* number of its first chunk */
  uint32_t count; /* chunks that are written */
  uint32_t at;    /* bytes in them */
};

/* ---- what is there ---- */

/* The index that counts now, or `*found` is false. Its value may be of another type. */
static int find_index(const struct lb_nvs *nvs, const struct blob *blob, struct nvs_item *index, bool *found)
{
  struct nvs_identity identity = nvs_identity_value(blob->space, blob->key);
  int err = nvs_find(nvs, &identity, index);
  *found = err == LB_OK && nvs_item_type(index) == NVS_BLOB_INDEX;
  return err == LB_ERR_NVS_NOT_FOUND ? LB_OK : err;
}

/* Moves on over the chunks that are there and are these bytes. The first one that is not is told in `*other`. */
static int skip_written(const struct lb_nvs *nvs, struct blob *blob, bool *other)
{
  *other = false;
  while (blob->at < blob->length || blob->count == 0) {
    struct nvs_identity identity = nvs_identity_chunk(blob->space, blob->key, (uint8_t)(blob->start + blob->count));
    struct nvs_item chunk;
    bool same = false;
    int err = blob->count < NVS_CHUNKS_MAX ? nvs_find(nvs, &identity, &chunk) : LB_ERR_NVS_NOT_FOUND;
    if (err) {
      return err == LB_ERR_NVS_NOT_FOUND ? LB_OK : err;
    }
    uint32_t size = nvs_item_size(&chunk);
    if (size <= blob->length - blob->at && (size > 0 || blob->length == 0)) {
      err = nvs_item_check_data(nvs, &chunk, blob->data + blob->at, &same);
    }
    if (err && err != LB_ERR_NVS_DAMAGED) {
      return err;
    }
    if (err || !same) {
      *other = true;
      return LB_OK;
    }
    blob->at += size;
    blob->count++;
  }
  return LB_OK;
}

/* Is the blob that counts this one? */
static int is_there(const struct lb_nvs *nvs, const char *namespace_name, struct blob *blob, bool *same)
{
  struct nvs_item item;
  bool other = false;
  *same = false;
  int err = nvs_find_value(nvs, namespace_name, blob->key, &item);
  if (err) {
    return err == LB_ERR_NVS_NOT_FOUND ? LB_OK : err;
  }
  if (nvs_item_type(&item) == NVS_BLOB_OLD && nvs_item_size(&item) == blob->length) {
    err = nvs_item_check_data(nvs, &item, blob->data, same);
    *same = *same && err == LB_OK;
    return err == LB_ERR_NVS_DAMAGED ? LB_OK : err;
  }
  if (nvs_item_type(&item) != NVS_BLOB_INDEX || nvs_item_size(&item) != blob->length) {
    return LB_OK;
  }
  struct blob there = *blob;
  there.space = nvs_item_space(&item);
  there.start = nvs_index_start(&item);
  err = skip_written(nvs, &there, &other);
  *same = err == LB_OK && !other && there.at == there.length && there.count == nvs_index_count(&item);
  return err;
}

/* ---- writing it ---- */

/* Decides which numbers to use, and how much of it an earlier call has written. */
static int resume(struct lb_nvs *nvs, struct blob *blob)
{
  struct nvs_item index;
  bool found = false;
  bool other = false;
  int err = find_index(nvs, blob, &index, &found);
  if (err) {
    return err;
  }
  blob->start = found && nvs_index_start(&index) < NVS_SECOND_RUN ? NVS_SECOND_RUN : 0;
  err = skip_written(nvs, blob, &other);
  if (err == LB_OK && other) {
    blob->count = 0;
    blob->at = 0;
    err = nvs_erase_chunks(nvs, blob->space, blob->key, found ? &index : NULL);
  }
  return err;
}

/* Before the first byte: can all of it fit, with its index and one more header where the active page is split? */
static int check_capacity(const struct lb_nvs *nvs, const struct blob *blob)
{
  uint32_t capacity = 0;
  int err = nvs_capacity(nvs, &capacity);
  if (err) {
    return err;
  }
  return nvs_span_of(blob->length - blob->at) + 1U <= capacity ? LB_OK : LB_ERR_NVS_NOT_ENOUGH_SPACE;
}

static int put_chunk(struct lb_nvs *nvs, struct blob *blob)
{
  struct nvs_header header = {.space = blob->space, .type = NVS_BLOB_DATA, .key = blob->key};
  struct nvs_item item;
  uint32_t room = 0;
  uint32_t left = blob->length - blob->at;
  if (blob->count == NVS_CHUNKS_MAX) {
    return LB_ERR_NVS_NOT_ENOUGH_SPACE;
  }
  int err = nvs_make_room(nvs, left > 0 ? 2U : 1U);
  err = err ? err : nvs_room(nvs, &room);
  if (err) {
    return err;
  }
  uint32_t most = (room - 1U) * NVS_ENTRY;
  uint32_t size = lb_smaller(left, most);
  header.chunk = (uint8_t)(blob->start + blob->count);
  err = nvs_put(nvs, &header, blob->data + blob->at, size, &item);
  if (err == LB_OK) {
    blob->at += size;
    blob->count++;
  }
  return err;
}

static int put_index(struct lb_nvs *nvs, const struct blob *blob)
{
  struct nvs_header header = {.space = blob->space, .type = NVS_BLOB_INDEX, .chunk = NVS_NO_CHUNK, .key = blob->key};
  struct nvs_item item;
  int err = nvs_make_room(nvs, 1);
  if (err) {
    return err;
  }
  memset(header.value, 0xFF, sizeof(header.value));
  lb_store_le32(header.value, blob->length);
  header.value[4] = (uint8_t)blob->count;
  header.value[5] = blob->start;
  err = nvs_put(nvs, &header, NULL, 0, &item);
  return err ? err : nvs_erase_others(nvs, &item);
}

static int write_all(struct lb_nvs *nvs, struct blob *blob)
{
  int err = check_capacity(nvs, blob);
  while (err == LB_OK && (blob->at < blob->length || blob->count == 0)) {
    err = put_chunk(nvs, blob);
  }
  return err ? err : put_index(nvs, blob);
}

/* Without room the chunks that are there already are of no use. */
static int give_up(struct lb_nvs *nvs, const struct blob *blob)
{
  struct nvs_item index;
  bool found = false;
  int err = find_index(nvs, blob, &index, &found);
  err = err ? err : nvs_erase_chunks(nvs, blob->space, blob->key, found ? &index : NULL);
  return err ? err : LB_ERR_NVS_NOT_ENOUGH_SPACE;
}

int lb_nvs_set_blob(struct lb_nvs *nvs, const char *namespace_name, const char *key, const void *data, uint32_t length)
{
  static const uint8_t nothing[1] = {0};
  struct blob blob = {.key = key, .data = length > 0 ? data : nothing, .length = length};
  bool same = false;
  int err = nvs_begin(nvs, namespace_name, key);
  if (err) {
    return err;
  }
  if (length > (nvs->page_count - 1U) * (NVS_ENTRIES - 1U) * NVS_ENTRY) {
    return LB_ERR_NVS_VALUE_TOO_LONG;
  }
  err = is_there(nvs, namespace_name, &blob, &same);
  if (err || same) {
    return err;
  }
  err = nvs_make_space(nvs, namespace_name, 2, &blob.space);
  err = err ? err : resume(nvs, &blob);
  err = err ? err : write_all(nvs, &blob);
  return err == LB_ERR_NVS_NOT_ENOUGH_SPACE && blob.space != 0 ? give_up(nvs, &blob) : err;
}
