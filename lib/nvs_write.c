// SPDX-License-Identifier: MIT
/* Settings in the flash: setting integers and strings, and erasing keys. */
#include <string.h>

#include "lib/nvs_parts.h"

int nvs_begin(struct lb_nvs *nvs, const char *namespace_name, const char *key)
{
  if (nvs->failed) {
    return LB_ERR_STATE;
  }
  if (!nvs->writable) {
    return LB_ERR_NVS_READ_ONLY;
  }
  nvs->erases_left = 1;
  nvs->copies_left = 1;
  int err = nvs_check_name(namespace_name);
  err = err ? err : nvs_check_name(key);
  return err ? err : nvs_settle(nvs);
}

/* ---- namespaces ---- */

#define NUMBERS 256U

/* The least number that no namespace has, and that nothing is left of. LB_ERR_NVS_NOT_ENOUGH_SPACE. */
static int find_number(const struct lb_nvs *nvs, uint8_t *number)
{
  bool used[NUMBERS] = {[0] = true};
  struct nvs_cursor cursor;
  struct nvs_item item;
  nvs_cursor_start(&cursor);
  int result = LB_OK;
  while ((result = nvs_cursor_next(nvs, &cursor, &item)) == LB_OK) {
    used[nvs_item_space(&item)] = true;
    if (nvs_item_space(&item) == 0) {
      used[item.bytes[NVS_VALUE]] = true;
    }
  }
  if (result != LB_ERR_NVS_NOT_FOUND) {
    return result;
  }
  for (uint32_t i = 1; i <= LB_NVS_NAMESPACES; i++) {
    if (!used[i]) {
      *number = (uint8_t)i;
      return LB_OK;
    }
  }
  return LB_ERR_NVS_NOT_ENOUGH_SPACE;
}

int nvs_make_space(struct lb_nvs *nvs, const char *name, uint32_t entries, uint8_t *space)
{
  struct nvs_header header = {.type = LB_NVS_U8, .chunk = NVS_NO_CHUNK, .key = name};
  struct nvs_item item;
  int err = nvs_find_space(nvs, name, space);
  if (err != LB_ERR_NVS_NOT_FOUND) {
    return err;
  }
  err = find_number(nvs, space);
  err = err ? err : nvs_make_room(nvs, entries < NVS_ENTRIES ? entries + 1U : 1U);
  if (err) {
    return err;
  }
  memset(header.value, 0xFF, sizeof(header.value));
  header.value[0] = *space;
  err = nvs_put(nvs, &header, NULL, 0, &item);
  return err ? err : nvs_erase_others(nvs, &item); /* one of that name, but without a number, in a strange partition */
}

/* ---- values of one item ---- */

static int put_value(struct lb_nvs *nvs, const char *namespace_name, struct nvs_header *header, const void *data,
                     uint32_t length)
{
  struct nvs_item item;
  uint32_t span = nvs_span_of(length);
  int err = nvs_make_space(nvs, namespace_name, span, &header->space);
  err = err ? err : nvs_make_room(nvs, span);
  err = err ? err : nvs_put(nvs, header, data, length, &item);
  return err ? err : nvs_erase_others(nvs, &item);
}

static bool fits(uint8_t type, uint64_t bits)
{
  uint32_t width = 8U * (type & NVS_TYPE_SIZE);
  if (width == 64U) {
    return true;
  }
  uint64_t above = (type & NVS_TYPE_SIGNED) != 0 ? bits >> (width - 1U) : bits >> width;
  return above == 0 || ((type & NVS_TYPE_SIGNED) != 0 && above == UINT64_MAX >> (width - 1U));
}

int lb_nvs_set_integer(struct lb_nvs *nvs, const char *namespace_name, const char *key, enum lb_nvs_type type,
                       uint64_t bits)
{
  struct nvs_header header = {.type = (uint8_t)type, .chunk = NVS_NO_CHUNK, .key = key};
  uint64_t now = 0;
  if (!nvs_type_is_integer(type) || !fits((uint8_t)type, bits)) {
    return LB_ERR_ARGUMENT;
  }
  int err = nvs_begin(nvs, namespace_name, key);
  if (err) {
    return err;
  }
  err = lb_nvs_get_integer(nvs, namespace_name, key, type, &now);
  if (err == LB_OK && now == bits) {
    return LB_OK;
  }
  if (err && err != LB_ERR_NVS_NOT_FOUND && err != LB_ERR_NVS_TYPE_MISMATCH) {
    return err;
  }
  memset(header.value, 0xFF, sizeof(header.value));
  for (uint32_t i = 0; i < ((uint32_t)type & NVS_TYPE_SIZE); i++) {
    header.value[i] = (uint8_t)(bits >> (8U * i));
  }
  return put_value(nvs, namespace_name, &header, NULL, 0);
}

/* LB_NVS_STRING_MAX + 1 if it is longer. */
static uint32_t length_of(const char *text)
{
  uint32_t length = 0;
  while (length < LB_NVS_STRING_MAX && text[length] != '\0') {
    length++;
  }
  return length + 1U;
}

/* Is that what is there? */
static int has_string(const struct lb_nvs *nvs, const char *namespace_name, const char *key, const char *text,
                      uint32_t length, bool *same)
{
  struct nvs_item item;
  *same = false;
  int err = nvs_find_value(nvs, namespace_name, key, &item);
  if (err) {
    return err == LB_ERR_NVS_NOT_FOUND ? LB_OK : err;
  }
  if (nvs_item_type(&item) != LB_NVS_STRING || nvs_item_size(&item) != length) {
    return LB_OK;
  }
  err = nvs_item_check_data(nvs, &item, text, same);
  if (err == LB_ERR_NVS_DAMAGED) {
    *same = false;
    return LB_OK;
  }
  return err;
}

int lb_nvs_set_string(struct lb_nvs *nvs, const char *namespace_name, const char *key, const char *text)
{
  struct nvs_header header = {.type = LB_NVS_STRING, .chunk = NVS_NO_CHUNK, .key = key};
  uint32_t length = length_of(text);
  bool same = false;
  int err = nvs_begin(nvs, namespace_name, key);
  if (err) {
    return err;
  }
  if (length > LB_NVS_STRING_MAX) {
    return LB_ERR_NVS_VALUE_TOO_LONG;
  }
  err = has_string(nvs, namespace_name, key, text, length, &same);
  return err || same ? err : put_value(nvs, namespace_name, &header, text, length);
}

/* ---- erasing ---- */

int lb_nvs_erase_key(struct lb_nvs *nvs, const char *namespace_name, const char *key)
{
  struct nvs_item item;
  int err = nvs_begin(nvs, namespace_name, key);
  err = err ? err : nvs_find_value(nvs, namespace_name, key, &item);
  /* what is older goes first: with a cut in between it would be back */
  err = err ? err : nvs_erase_others(nvs, &item);
  err = err ? err : nvs_item_erase(nvs, &item);
  return err ? err : nvs_erase_chunks(nvs, nvs_item_space(&item), nvs_item_key(&item), NULL);
}
