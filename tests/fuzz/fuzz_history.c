// SPDX-License-Identifier: MIT
/*
 * Entries of the history: the first byte: bit 0 puts their CRCs right; then for each a byte that says at which of the
 * 16 places, one for its length, and so many bytes. Whatever they are, the list is in order, each entry can be read,
 * has its strings ended, and a new one can be written, is the newest, and replaces no other than the oldest.
 */
#include <stdio.h>
#include <string.h>

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "lifeboat/history.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/support/nvs_pages.h"

#define PAGES      4U
#define CALLS      200U
#define FIX_CRC    1U
#define BLOB_MAX   512U

#define NUMBER_MAX 0x7FFFFFFFU /* the greatest number that an entry may have */

static struct nvs_flash flash;
static struct lb_nvs nvs;

static void put_blob(uint32_t place, const uint8_t *bytes, uint32_t length)
{
  char key[LB_NVS_NAME_SIZE];
  int result;
  uint32_t calls = 0;

  snprintf(key, sizeof(key), "update.%u", (unsigned)place);
  do {
    result = lb_nvs_set_blob(&nvs, "lifeboat", key, bytes, length);
    FUZZ_REQUIRE(calls++ < CALLS);
  } while (result == LB_MORE);
  FUZZ_REQUIRE(result == LB_OK || result == LB_ERR_NVS_NOT_ENOUGH_SPACE);
}

static void put_blobs(struct fuzz_input *input)
{
  bool fix = (fuzz_take_byte(input) & FIX_CRC) != 0;
  uint8_t bytes[BLOB_MAX];

  for (uint32_t count = 0; input->length > 0 && count < 32; count++) {
    uint32_t place = fuzz_take_below(input, LB_HISTORY_ENTRIES);
    uint32_t length = fuzz_take_byte(input) * 2U;
    length = length < input->length ? length : (uint32_t)input->length;
    fuzz_take_bytes(input, bytes, length, 0);
    if (fix && length >= 4) {
      lb_store_le32(bytes + length - 4, lb_crc32(0, bytes, length - 4));
    }
    put_blob(place, bytes, length);
  }
}

#define REQUIRE_ENDED(text) FUZZ_REQUIRE(memchr((text), '\0', sizeof(text)) != NULL)

static void check_entry(const struct lb_history_entry *entry)
{
  FUZZ_REQUIRE(entry->number > 0 && entry->result <= LB_HISTORY_SUPERSEDED);
  REQUIRE_ENDED(entry->source);
  REQUIRE_ENDED(entry->slot);
  REQUIRE_ENDED(entry->from_slot);
  REQUIRE_ENDED(entry->version);
  REQUIRE_ENDED(entry->from_version);
  REQUIRE_ENDED(entry->patch_base);
}

static void check_history(struct lb_history *history)
{
  struct lb_history_entry entry;
  struct lb_history_entry found;
  uint32_t last = 0;

  FUZZ_REQUIRE(lb_history_open(history, &nvs) == LB_OK);
  FUZZ_REQUIRE(history->count <= LB_HISTORY_ENTRIES);
  for (uint32_t i = 0; i < history->count; i++) {
    FUZZ_REQUIRE(lb_history_get(history, i, &entry) == LB_OK);
    check_entry(&entry);
    FUZZ_REQUIRE(i == 0 || entry.number < last);
    last = entry.number;
    int result = lb_history_find(history, entry.digest, &found);
    FUZZ_REQUIRE(result == LB_ERR_NOT_FOUND || memcmp(found.digest, entry.digest, LB_SHA256_SIZE) == 0);
  }
  FUZZ_REQUIRE(lb_history_get(history, history->count, &entry) == LB_ERR_ARGUMENT);
}

static void check_failed(const struct lb_history *history, const struct lb_history_entry *like)
{
  struct lb_history_entry found;
  struct lb_image_info info = {0};

  memcpy(info.digest, like->digest, LB_SHA256_SIZE);
  memcpy(info.description.elf_sha256, like->elf_sha256, LB_SHA256_SIZE);
  memcpy(info.description.version, like->version, sizeof(info.description.version));
  for (int complete = 0; complete < 2; complete++) {
    int result = lb_history_find_failed(history, &info, complete == 1, &found);
    FUZZ_REQUIRE(result == LB_OK || result == LB_ERR_NOT_FOUND);
    FUZZ_REQUIRE(result != LB_OK || found.result == LB_HISTORY_REJECTED);
  }
}

static void put_new(struct lb_history *history)
{
  struct lb_history_entry entry = {.result = LB_HISTORY_FAILED, .source = "somewhere", .slot = "ota_1"};
  struct lb_history_entry again;
  uint32_t before = history->count;
  uint32_t calls = 0;
  int result;

  do {
    result = lb_history_put(history, &entry);
    FUZZ_REQUIRE(calls++ < CALLS);
  } while (result == LB_MORE);
  FUZZ_REQUIRE(result == LB_OK);
  FUZZ_REQUIRE(lb_history_open(history, &nvs) == LB_OK && history->count > 0 && history->count <= before + 1);
  FUZZ_REQUIRE(lb_history_get(history, 0, &again) == LB_OK);
  FUZZ_REQUIRE(again.number == entry.number && memcmp(again.source, entry.source, sizeof(entry.source)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  struct lb_history history;
  struct lb_history_entry entry;

  if (!flash.flash.bytes) {
    nvs_flash_open(&flash, PAGES, false);
  }
  memset(nvs_flash_bytes(&flash), 0xFF, nvs_flash_size(&flash));
  FUZZ_REQUIRE(lb_nvs_open(&nvs, nvs_flash_driver(&flash), &flash.partition, true) == LB_OK);
  put_blobs(&input);
  check_history(&history);
  for (uint32_t i = 0; i < history.count; i++) {
    FUZZ_REQUIRE(lb_history_get(&history, i, &entry) == LB_OK);
    check_failed(&history, &entry);
  }
  if (history.next_number <= NUMBER_MAX) { /* else the count is used up, after 2,147,483,647 updates */
    put_new(&history);
  }
  return 0;
}
