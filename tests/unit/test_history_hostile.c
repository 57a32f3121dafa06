// SPDX-License-Identifier: MIT
/* Entries of the history that nobody of ours wrote, though their CRC is right: made from docs/SPEC.md alone. */
#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "lifeboat/history.h"
#include "tests/unit/support/nvs_pages.h"
#include "tests/unit/support/unit.h"

#define STRINGS 6U /* of version 2; version 1 has not the last of them */

static const uint32_t longest[STRINGS] = {96, 16, 16, 32, 32, 16};

struct blob {
  uint8_t bytes[1024];
  uint32_t length;
};

/* What they have before their strings, and how many of these. */
static uint32_t fixed(uint32_t version)
{
  return version == 1 ? 94 : 98;
}

static uint32_t strings(uint32_t version)
{
  return version == 1 ? STRINGS - 1 : STRINGS;
}

/* An entry of that version, whose strings have these lengths. */
static void make_blob(struct blob *blob, uint32_t version, const uint32_t lengths[STRINGS])
{
  memset(blob->bytes, 0, sizeof(blob->bytes));
  blob->bytes[0] = (uint8_t)version;
  blob->bytes[1] = LB_HISTORY_FLASHED;
  lb_store_le32(blob->bytes + 2, 7);
  blob->length = fixed(version);
  for (uint32_t i = 0; i < strings(version); i++) {
    blob->bytes[blob->length++] = (uint8_t)lengths[i];
    memset(blob->bytes + blob->length, 'a' + (int)i, lengths[i]);
    blob->length += lengths[i];
  }
}

static void seal(struct blob *blob)
{
  lb_store_le32(blob->bytes + blob->length, lb_crc32(0, blob->bytes, blob->length));
  blob->length += 4;
}

static uint32_t entries_with(const struct blob *blob, struct lb_history_entry *entry)
{
  struct nvs_flash flash;
  struct lb_nvs nvs;
  struct lb_history history;
  int result;

  nvs_flash_open(&flash, 4, false);
  nvs_flash_settings(&flash, &nvs, true);
  do {
    result = lb_nvs_set_blob(&nvs, "lifeboat", "update.3", blob->bytes, blob->length);
  } while (result == LB_MORE);
  assert_result(result, LB_OK);
  assert_result(lb_history_open(&history, &nvs), LB_OK);
  if (history.count > 0) {
    assert_result(lb_history_get(&history, 0, entry), LB_OK);
  }
  nvs_flash_close(&flash);
  return history.count;
}

static void test_longest_strings(void **state)
{
  struct lb_history_entry entry;
  struct blob blob;

  (void)state;
  for (uint32_t version = 1; version <= 2; version++) {
    make_blob(&blob, version, longest);
    seal(&blob);
    assert_int_equal(entries_with(&blob, &entry), 1);
    assert_int_equal(strlen(entry.source), 96);
    assert_int_equal(strlen(entry.slot), 16);
    assert_int_equal(strlen(entry.from_slot), 16);
    assert_int_equal(strlen(entry.version), 32);
    assert_int_equal(strlen(entry.from_version), 32);
    assert_int_equal(strlen(entry.patch_base), version == 1 ? 0 : 16);
    assert_int_equal(entry.from_slot[0], 'c');
  }
}

/* Each string one byte too long, the others as short as can be. */
static void test_too_long_string(void **state)
{
  struct lb_history_entry entry;
  struct blob blob;

  (void)state;
  for (uint32_t version = 1; version <= 2; version++) {
    for (uint32_t i = 0; i < strings(version); i++) {
      uint32_t lengths[STRINGS] = {0};
      lengths[i] = longest[i];
      make_blob(&blob, version, lengths);
      seal(&blob);
      assert_int_equal(entries_with(&blob, &entry), 1);
      lengths[i]++;
      make_blob(&blob, version, lengths);
      seal(&blob);
      assert_int_equal(entries_with(&blob, &entry), 0);
    }
  }
}

/* A string that is longer than what is left, and bytes that belong to nothing. */
static void test_lengths_that_lie(void **state)
{
  struct lb_history_entry entry;
  struct blob blob;
  uint32_t lengths[STRINGS] = {4, 4, 4, 4, 4, 4};

  (void)state;
  for (uint32_t version = 1; version <= 2; version++) {
    make_blob(&blob, version, lengths);
    blob.bytes[blob.length - 5]++;
    seal(&blob);
    assert_int_equal(entries_with(&blob, &entry), 0);
    make_blob(&blob, version, lengths);
    blob.bytes[blob.length - 5]--;
    seal(&blob);
    assert_int_equal(entries_with(&blob, &entry), 0);
    make_blob(&blob, version, lengths);
    blob.length = fixed(version) + 2;
    seal(&blob);
    assert_int_equal(entries_with(&blob, &entry), 0);
  }
}

/* Every length of an entry that is too short for its strings, or has none: nothing behind its end is looked at. */
static void test_short(void **state)
{
  struct lb_history_entry entry;
  struct blob blob;
  uint32_t lengths[STRINGS] = {0};

  (void)state;
  for (uint32_t version = 1; version <= 2; version++) {
    for (uint32_t length = 0; length < fixed(version) + strings(version); length++) {
      make_blob(&blob, version, lengths);
      blob.length = length;
      seal(&blob);
      assert_int_equal(entries_with(&blob, &entry), 0);
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_longest_strings),
      cmocka_unit_test(test_too_long_string),
      cmocka_unit_test(test_lengths_that_lie),
      cmocka_unit_test(test_short),
  };

  return cmocka_run_group_tests_name("history_hostile", tests, NULL, NULL);
}
