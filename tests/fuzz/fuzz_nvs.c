// SPDX-License-Identifier: MIT
/*
 * Pages of settings. The first byte: bits 0-2 put the CRCs of page headers, item headers and data right; then how many
 * changes are tried and four bytes for each; then up to three pages. Opened for reading nothing is written; whatever is
 * said to be set is there, also when opened anew; what was there and was not touched stays; nothing beside the
 * partition is touched; every call ends.
 */
#include <stdlib.h>

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/support/nvs_model.h"
#include "tests/unit/support/nvs_pages.h"

#define PAGES      3U
#define SEAL_PAGES 1U
#define SEAL_ITEMS 2U
#define SEAL_DATA  4U
#define CHANGES    8U
#define KEYS       6U

static struct nvs_flash flash;
static struct lb_nvs nvs;
static const char *const spaces[] = {"ota", "vfs", "new"};
static const char *const keys[KEYS] = {"tag", "blob", "old", "number", "mru", "orphan"};

static void seal_item(uint8_t *page, uint32_t index, uint8_t mode)
{
  uint8_t *entry = nvs_page_entry(page, index);
  uint32_t length = lb_load_le16(entry + 24);
  bool has_data = entry[1] == 0x21 || entry[1] == 0x41 || entry[1] == 0x42;

  if ((mode & SEAL_DATA) != 0 && has_data && length <= (125 - index) * 32) {
    lb_store_le32(entry + 28, lb_crc32(0xFFFFFFFFU, entry + 32, length));
  }
  if ((mode & SEAL_ITEMS) != 0) {
    nvs_item_seal(entry);
  }
}

static void seal(uint8_t *page, uint8_t mode)
{
  if ((mode & SEAL_PAGES) != 0) {
    nvs_page_seal(page);
  }
  for (uint32_t index = 0; index < 126;) {
    uint32_t state = (uint32_t)page[32 + index / 4] >> index % 4 * 2 & 3U;
    uint32_t span = nvs_page_entry(page, index)[2];
    if (state == 2) {
      seal_item(page, index, mode);
    }
    index += state == 2 && span > 0 ? span : 1;
  }
}

/* ---- reading ---- */

static void get_one(const struct lb_nvs_entry *entry)
{
  const char *space = entry->namespace_name;
  uint32_t length = 0;
  uint64_t bits = 0;

  if (entry->type != LB_NVS_STRING && entry->type != LB_NVS_BLOB) {
    FUZZ_REQUIRE(lb_nvs_get_integer(&nvs, space, entry->key, entry->type, &bits) == LB_OK);
    return;
  }
  bool is_string = entry->type == LB_NVS_STRING;
  int result = is_string ? lb_nvs_get_string(&nvs, space, entry->key, NULL, 0, &length)
                         : lb_nvs_get_blob(&nvs, space, entry->key, NULL, 0, &length);
  FUZZ_REQUIRE(result == LB_ERR_NVS_INVALID_LENGTH || result == LB_ERR_NVS_DAMAGED || (result == LB_OK && length == 0));
  if (result != LB_ERR_NVS_INVALID_LENGTH) {
    return;
  }
  FUZZ_REQUIRE(length > 0 && length <= PAGES * LB_NVS_PAGE_SIZE);
  char *buffer = fuzz_allocate(length);
  result = is_string ? lb_nvs_get_string(&nvs, space, entry->key, buffer, length, &length)
                     : lb_nvs_get_blob(&nvs, space, entry->key, buffer, length, &length);
  FUZZ_REQUIRE(result == LB_OK || result == LB_ERR_NVS_DAMAGED);
  FUZZ_REQUIRE(result != LB_OK || !is_string || buffer[length - 1] == '\0');
  free(buffer);
}

static void look_around(void)
{
  struct lb_nvs_statistics statistics;
  struct lb_nvs_entry entry;
  uint32_t count = 0;
  int result;

  for (result = lb_nvs_first(&nvs, &entry); result == LB_OK; result = lb_nvs_next(&nvs, &entry)) {
    get_one(&entry);
    count++;
    FUZZ_REQUIRE(count <= PAGES * 126);
  }
  FUZZ_REQUIRE(result == LB_ERR_NVS_NOT_FOUND);
  FUZZ_REQUIRE(lb_nvs_statistics(&nvs, &statistics) == LB_OK);
  FUZZ_REQUIRE(statistics.entries_used + statistics.entries_erased <= statistics.entries);
}

static bool open_settings(bool writable)
{
  int result = lb_nvs_open(&nvs, nvs_flash_driver(&flash), &flash.partition, writable);

  FUZZ_REQUIRE(result == LB_OK || (result <= LB_ERR_NVS_NOT_FOUND && result >= LB_ERR_NVS_SIZE));
  return result == LB_OK;
}

/* ---- changing ---- */

/* Takes what is said of a setting, for comparing later. */
static void remember(struct model_value *value, const char *space, const char *key)
{
  uint32_t length = 0;
  int result = LB_ERR_NVS_TYPE_MISMATCH;

  memset(value, 0, offsetof(struct model_value, data));
  for (int type = LB_NVS_U8; type <= LB_NVS_I64 && result == LB_ERR_NVS_TYPE_MISMATCH; type++) {
    if ((type & 15) != 0 && ((type & 15) & ((type & 15) - 1)) == 0) {
      value->type = (enum lb_nvs_type)type;
      result = lb_nvs_get_integer(&nvs, space, key, value->type, &value->bits);
    }
  }
  if (result == LB_ERR_NVS_TYPE_MISMATCH) {
    value->type = LB_NVS_STRING;
    result = lb_nvs_get_string(&nvs, space, key, (char *)value->data, MODEL_DATA_MAX, &length);
  }
  if (result == LB_ERR_NVS_TYPE_MISMATCH) {
    value->type = LB_NVS_BLOB;
    result = lb_nvs_get_blob(&nvs, space, key, value->data, MODEL_DATA_MAX, &length);
  }
  value->present = result == LB_OK;
  value->length = length;
}

static void choose(struct model_value *value, struct fuzz_input *input)
{
  uint32_t kind = fuzz_take_below(input, 5);
  uint32_t number = fuzz_take_byte(input);

  if (kind == 0) {
    nvs_model_string(value, number * 15, number);
  } else if (kind == 1) {
    nvs_model_blob(value, number * 36, number);
  } else if (kind == 2) {
    memset(value, 0, offsetof(struct model_value, data));
  } else {
    nvs_model_integer(value, LB_NVS_U16, number * 257);
  }
}

static bool same_value(const struct model_value *a, const struct model_value *b)
{
  return a->present == b->present && (!a->present || (a->type == b->type && a->bits == b->bits &&
                                                      a->length == b->length && !memcmp(a->data, b->data, a->length)));
}

static void require_others_same(const struct model_value *before, uint32_t but)
{
  static struct model_value now;

  for (uint32_t i = 0; i < 3 * KEYS; i++) {
    remember(&now, spaces[i / KEYS], keys[i % KEYS]);
    FUZZ_REQUIRE(i == but || !before[i].present || same_value(&before[i], &now));
  }
}

static void change_one(struct fuzz_input *input)
{
  static struct model_value before[3 * KEYS];
  static struct model_value value;
  struct model_setting setting = {.space = ""};
  uint32_t space = fuzz_take_below(input, 3);
  uint32_t key = fuzz_take_below(input, KEYS);

  snprintf(setting.space, sizeof(setting.space), "%s", spaces[space]);
  snprintf(setting.key, sizeof(setting.key), "%s", keys[key]);
  choose(&value, input);
  for (uint32_t i = 0; i < 3 * KEYS; i++) {
    remember(&before[i], spaces[i / KEYS], keys[i % KEYS]);
  }
  int result = nvs_model_set(&nvs, &setting, &value);
  FUZZ_REQUIRE(result == LB_OK || result == LB_ERR_NVS_NOT_ENOUGH_SPACE || result == LB_ERR_NVS_NOT_FOUND ||
               result == LB_ERR_NVS_VALUE_TOO_LONG || result == LB_ERR_NVS_INVALID_STATE);
  require_others_same(before, result == LB_OK ? space * KEYS + key : 3 * KEYS);
  if (result == LB_OK) {
    FUZZ_REQUIRE(nvs_model_holds(&nvs, &setting, &value));
    FUZZ_REQUIRE(open_settings(false) && nvs_model_holds(&nvs, &setting, &value));
    FUZZ_REQUIRE(open_settings(true) && nvs_model_holds(&nvs, &setting, &value));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static uint8_t pages[PAGES * LB_NVS_PAGE_SIZE];
  struct fuzz_input input = {data, size};
  uint8_t mode = fuzz_take_byte(&input);
  uint32_t changes = fuzz_take_below(&input, CHANGES);
  uint8_t how[4 * CHANGES];
  struct fuzz_input changing = {how, 4U * changes};

  if (!flash.flash.bytes) {
    nvs_flash_open(&flash, PAGES, false);
  }
  fuzz_take_bytes(&input, how, changing.length, 0);
  fuzz_take_bytes(&input, pages, sizeof(pages), 0xFF);
  for (uint32_t page = 0; page < PAGES; page++) {
    seal(pages + page * LB_NVS_PAGE_SIZE, mode);
  }
  memcpy(nvs_flash_bytes(&flash), pages, sizeof(pages));
  if (open_settings(false)) {
    look_around();
  }
  FUZZ_REQUIRE(memcmp(nvs_flash_bytes(&flash), pages, sizeof(pages)) == 0);
  if (open_settings(true)) {
    look_around();
    for (; changes > 0; changes--) {
      change_one(&changing);
    }
    look_around();
  }
  nvs_flash_check_guards(&flash);
  return 0;
}
