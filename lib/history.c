// SPDX-License-Identifier: MIT
/*
 * The history of updates, in nvs (docs/SPEC.md, "History"): a blob an entry, at one of 16 places. A new entry takes a
 * free place, else that of the oldest one; nvs sees to it that a cut leaves what was there or what was to be there.
 */
#include "lifeboat/history.h"

#include <stddef.h>
#include <string.h>

#include "lib/common.h"
#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"

#define VERSION     2U          /* that is written */
#define VERSION_1   1U          /* has neither transferred nor patch_base; entries of older firmware */
#define NUMBER_MAX  0x7FFFFFFFU /* far more than the flash can take; what is greater is foreign */
#define CUT_MARK    "..."
#define CUT_LENGTH  3U
#define NO_PLACE    LB_HISTORY_ENTRIES
#define STRINGS     6U
#define STRINGS_1   5U
#define CRC_SIZE    4U
#define STRINGS_MAX (LB_HISTORY_SOURCE_SIZE + 3U * LB_LABEL_SIZE + 2U * 33U) /* a length byte for each NUL */

/* Where the fields are in a blob; behind the strings, each with its length before it, the CRC-32 of all that. */
enum {
  AT_VERSION = 0,
  AT_RESULT = 1,
  AT_NUMBER = 2,
  AT_CAUSE = 6,
  AT_BEGUN = 10,
  AT_ENDED = 18,
  AT_SIZE = 26,
  AT_DIGEST = 30,
  AT_ELF_SHA256 = 62,
  AT_STRINGS_1 = 94, /* of version 1 */
  AT_TRANSFERRED = 94,
  AT_STRINGS = 98
};

#define BLOB_MAX (AT_STRINGS + STRINGS_MAX + CRC_SIZE)

struct blob {
  uint32_t length; /* with the CRC */
  uint8_t bytes[BLOB_MAX];
};

/* ---- strings ---- */

struct text {
  size_t offset; /* in the entry */
  uint32_t size; /* with its NUL */
};

static const struct text texts[STRINGS] = {
    {offsetof(struct lb_history_entry, source), LB_HISTORY_SOURCE_SIZE},
    {offsetof(struct lb_history_entry, slot), LB_LABEL_SIZE},
    {offsetof(struct lb_history_entry, from_slot), LB_LABEL_SIZE},
    {offsetof(struct lb_history_entry, version), sizeof(((struct lb_history_entry *)0)->version)},
    {offsetof(struct lb_history_entry, from_version), sizeof(((struct lb_history_entry *)0)->from_version)},
    {offsetof(struct lb_history_entry, patch_base), LB_LABEL_SIZE}, /* the only one that version 1 does not have */
};

static uint32_t length_below(const char *text, uint32_t size)
{
  uint32_t length = 0;
  while (length < size - 1U && text[length] != '\0') {
    length++;
  }
  return length;
}

void lb_history_set_source(struct lb_history_entry *entry, const char *source)
{
  size_t length = 0;
  while (source[length] != '\0') {
    length++;
  }
  memset(entry->source, 0, sizeof(entry->source));
  if (length < LB_HISTORY_SOURCE_SIZE) {
    memcpy(entry->source, source, length);
    return;
  }
  const size_t kept = LB_HISTORY_SOURCE_SIZE - 1U - CUT_LENGTH;
  memcpy(entry->source, CUT_MARK, CUT_LENGTH);
  memcpy(entry->source + CUT_LENGTH, source + length - kept, kept);
}

/* ---- a blob ---- */

static void store_le64(uint8_t *bytes, int64_t value)
{
  lb_store_le32(bytes, (uint32_t)(uint64_t)value);
  lb_store_le32(bytes + 4, (uint32_t)((uint64_t)value >> 32));
}

static int64_t load_le64(const uint8_t *bytes)
{
  return (int64_t)((uint64_t)lb_load_le32(bytes + 4) << 32 | lb_load_le32(bytes));
}

/* Returns the length. */
static uint32_t encode(const struct lb_history_entry *entry, uint8_t bytes[BLOB_MAX])
{
  uint32_t at = AT_STRINGS;
  bytes[AT_VERSION] = VERSION;
  bytes[AT_RESULT] = (uint8_t)entry->result;
  lb_store_le32(bytes + AT_NUMBER, entry->number);
  lb_store_le32(bytes + AT_CAUSE, (uint32_t)entry->cause);
  store_le64(bytes + AT_BEGUN, entry->begun);
  store_le64(bytes + AT_ENDED, entry->ended);
  lb_store_le32(bytes + AT_SIZE, entry->size);
  memcpy(bytes + AT_DIGEST, entry->digest, LB_SHA256_SIZE);
  memcpy(bytes + AT_ELF_SHA256, entry->elf_sha256, LB_SHA256_SIZE);
  lb_store_le32(bytes + AT_TRANSFERRED, entry->transferred);
  for (uint32_t i = 0; i < STRINGS; i++) {
    const char *text = (const char *)entry + texts[i].offset;
    uint32_t length = length_below(text, texts[i].size);
    bytes[at] = (uint8_t)length;
    memcpy(bytes + at + 1U, text, length);
    at += 1U + length;
  }
  lb_store_le32(bytes + at, lb_crc32(0, bytes, at));
  return at + CRC_SIZE;
}

static uint32_t first_string(const uint8_t *bytes)
{
  return bytes[AT_VERSION] == VERSION_1 ? AT_STRINGS_1 : AT_STRINGS;
}

static uint32_t string_count(const uint8_t *bytes)
{
  return bytes[AT_VERSION] == VERSION_1 ? STRINGS_1 : STRINGS;
}

/* Is it whole, and one of ours? From then on its strings can be walked without looking at the end. */
static bool is_entry(const struct blob *blob)
{
  const uint8_t *bytes = blob->bytes;
  if (blob->length < AT_STRINGS_1 + STRINGS_1 + CRC_SIZE) {
    return false;
  }
  const uint32_t end = blob->length - CRC_SIZE;
  if (lb_crc32(0, bytes, end) != lb_load_le32(bytes + end) || bytes[AT_VERSION] < VERSION_1 ||
      bytes[AT_VERSION] > VERSION || bytes[AT_RESULT] > LB_HISTORY_SUPERSEDED) {
    return false;
  }
  uint32_t at = first_string(bytes); /* perhaps behind the end */
  for (uint32_t i = 0; i < string_count(bytes); i++) {
    if (at >= end || bytes[at] >= texts[i].size || bytes[at] > end - at - 1U) {
      return false;
    }
    at += 1U + bytes[at];
  }
  const uint32_t number = lb_load_le32(bytes + AT_NUMBER);
  return at == end && number > 0 && number <= NUMBER_MAX;
}

static void decode(const struct blob *blob, struct lb_history_entry *entry)
{
  const uint8_t *bytes = blob->bytes;
  uint32_t at = first_string(bytes);
  memset(entry, 0, sizeof(*entry));
  entry->number = lb_load_le32(bytes + AT_NUMBER);
  entry->result = (enum lb_history_result)bytes[AT_RESULT];
  entry->cause = (int32_t)lb_load_le32(bytes + AT_CAUSE);
  entry->begun = load_le64(bytes + AT_BEGUN);
  entry->ended = load_le64(bytes + AT_ENDED);
  entry->size = lb_load_le32(bytes + AT_SIZE);
  memcpy(entry->digest, bytes + AT_DIGEST, LB_SHA256_SIZE);
  memcpy(entry->elf_sha256, bytes + AT_ELF_SHA256, LB_SHA256_SIZE);
  entry->transferred = bytes[AT_VERSION] == VERSION_1 ? 0 : lb_load_le32(bytes + AT_TRANSFERRED);
  for (uint32_t i = 0; i < string_count(bytes); i++) {
    memcpy((char *)entry + texts[i].offset, bytes + at + 1U, bytes[at]);
    at += 1U + bytes[at];
  }
}

/* ---- places ---- */

static void key_of(uint32_t place, char key[LB_NVS_NAME_SIZE])
{
  static const char name[] = "update.";
  uint32_t at = sizeof(name) - 1U;
  memset(key, 0, LB_NVS_NAME_SIZE);
  memcpy(key, name, sizeof(name) - 1U);
  if (place >= 10U) {
    key[at++] = '1';
  }
  key[at] = (char)('0' + place % 10U);
}

/* What is kept at a place. LB_ERR_NVS_DAMAGED if that is no entry, LB_ERR_NVS_NOT_FOUND if nothing is. */
static int read_place(const struct lb_nvs *nvs, uint32_t place, struct blob *blob)
{
  char key[LB_NVS_NAME_SIZE];
  key_of(place, key);
  int err = lb_nvs_get_blob(nvs, LB_HISTORY_NAMESPACE, key, blob->bytes, sizeof(blob->bytes), &blob->length);
  if (err == LB_ERR_NVS_TYPE_MISMATCH || err == LB_ERR_NVS_INVALID_LENGTH) {
    return LB_ERR_NVS_DAMAGED;
  }
  return err == LB_OK && !is_entry(blob) ? LB_ERR_NVS_DAMAGED : err;
}

/* A place that has no entry; NO_PLACE if all have. */
static uint32_t free_place(const struct lb_history *history)
{
  bool taken[LB_HISTORY_ENTRIES] = {false};
  for (uint32_t i = 0; i < history->count; i++) {
    taken[history->places[i]] = true;
  }
  uint32_t place = 0;
  while (place < LB_HISTORY_ENTRIES && taken[place]) {
    place++;
  }
  return place;
}

/* Takes an entry into the list, where its number belongs. One of a number that is there already is left out. */
static void list_add(struct lb_history *history, uint32_t number, uint32_t place)
{
  uint32_t index = 0;
  while (index < history->count && history->numbers[index] > number) {
    index++;
  }
  if (index < history->count && history->numbers[index] == number) {
    return;
  }
  for (uint32_t i = history->count; i > index; i--) {
    history->numbers[i] = history->numbers[i - 1U];
    history->places[i] = history->places[i - 1U];
  }
  history->numbers[index] = number;
  history->places[index] = (uint8_t)place;
  history->count++;
  if (number >= history->next_number) {
    history->next_number = number + 1U;
  }
}

static void list_remove(struct lb_history *history, uint32_t index)
{
  history->count--;
  for (uint32_t i = index; i < history->count; i++) {
    history->numbers[i] = history->numbers[i + 1U];
    history->places[i] = history->places[i + 1U];
  }
}

/* history->count if there is none. */
static uint32_t list_find(const struct lb_history *history, uint32_t number)
{
  uint32_t index = 0;
  while (index < history->count && history->numbers[index] != number) {
    index++;
  }
  return index;
}

int lb_history_open(struct lb_history *history, struct lb_nvs *nvs)
{
  struct blob blob;
  memset(history, 0, sizeof(*history));
  history->nvs = nvs;
  history->next_number = 1;
  for (uint32_t place = 0; place < LB_HISTORY_ENTRIES; place++) {
    int err = read_place(nvs, place, &blob);
    if (err == LB_OK) {
      list_add(history, lb_load_le32(blob.bytes + AT_NUMBER), place);
    } else if (err != LB_ERR_NVS_NOT_FOUND && err != LB_ERR_NVS_DAMAGED) {
      return err;
    }
  }
  return LB_OK;
}

/* ---- reading ---- */

int lb_history_get(const struct lb_history *history, uint32_t index, struct lb_history_entry *entry)
{
  struct blob blob;
  if (index >= history->count) {
    return LB_ERR_ARGUMENT;
  }
  int err = read_place(history->nvs, history->places[index], &blob);
  if (err == LB_OK) {
    decode(&blob, entry);
  }
  return err;
}

static bool is_zero(const uint8_t digest[LB_SHA256_SIZE])
{
  for (uint32_t i = 0; i < LB_SHA256_SIZE; i++) {
    if (digest[i] != 0) {
      return false;
    }
  }
  return true;
}

static bool same_digest(const uint8_t *a, const uint8_t *b)
{
  return memcmp(a, b, LB_SHA256_SIZE) == 0;
}

/*
 * The newest entry below `end` with that digest, and with `result` if that is no negative number: its index in
 * `*index`. One that became unreadable since is passed over.
 */
static int find_digest(const struct lb_history *history, const uint8_t *digest, int result, uint32_t end,
                       uint32_t *index)
{
  struct blob blob;
  for (*index = 0; *index < end && !is_zero(digest); (*index)++) {
    int err = read_place(history->nvs, history->places[*index], &blob);
    if (err == LB_OK && same_digest(blob.bytes + AT_DIGEST, digest) &&
        (result < 0 || blob.bytes[AT_RESULT] == result)) {
      return LB_OK;
    }
    if (err && err != LB_ERR_NVS_NOT_FOUND && err != LB_ERR_NVS_DAMAGED) {
      return err;
    }
  }
  return LB_ERR_NOT_FOUND;
}

int lb_history_find(const struct lb_history *history, const uint8_t digest[LB_SHA256_SIZE],
                    struct lb_history_entry *entry)
{
  uint32_t index = 0;
  int err = find_digest(history, digest, -1, history->count, &index);
  return err ? err : lb_history_get(history, index, entry);
}

static bool is_of_image(const struct lb_history_entry *entry, const struct lb_image_info *info, bool complete)
{
  const struct lb_image_description *description = &info->description;
  if (complete) {
    return !is_zero(info->digest) && same_digest(entry->digest, info->digest);
  }
  return !is_zero(description->elf_sha256) && same_digest(entry->elf_sha256, description->elf_sha256) &&
         lb_same_text(entry->version, description->version);
}

int lb_history_find_failed(const struct lb_history *history, const struct lb_image_info *info, bool complete,
                           struct lb_history_entry *entry)
{
  for (uint32_t i = 0; i < history->count; i++) {
    uint32_t later = 0;
    int err = lb_history_get(history, i, entry);
    if (err == LB_ERR_NVS_NOT_FOUND || err == LB_ERR_NVS_DAMAGED) {
      continue;
    }
    if (err) {
      return err;
    }
    if (entry->result != LB_HISTORY_REJECTED || !is_of_image(entry, info, complete)) {
      continue;
    }
    err = find_digest(history, entry->digest, LB_HISTORY_CONFIRMED, i, &later);
    if (err) {
      return err == LB_ERR_NOT_FOUND ? LB_OK : err;
    }
  }
  return LB_ERR_NOT_FOUND;
}

/* ---- writing ---- */

static int forget(struct lb_history *history, uint32_t index)
{
  char key[LB_NVS_NAME_SIZE];
  key_of(history->places[index], key);
  int err = lb_nvs_erase_key(history->nvs, LB_HISTORY_NAMESPACE, key);
  if (err && err != LB_ERR_NVS_NOT_FOUND) {
    return err;
  }
  list_remove(history, index);
  return LB_OK;
}

int lb_history_forget_oldest(struct lb_history *history)
{
  return history->count > 0 ? forget(history, history->count - 1U) : LB_ERR_NOT_FOUND;
}

/* Without room: the oldest entry goes, but not the one that is to be written. LB_MORE: try again. */
static int gain_room(struct lb_history *history, uint32_t number)
{
  uint32_t index = history->count;
  while (index > 0 && history->numbers[index - 1U] == number) {
    index--;
  }
  if (index == 0) {
    return LB_ERR_NVS_NOT_ENOUGH_SPACE;
  }
  int err = forget(history, index - 1U);
  return err ? err : LB_MORE;
}

static int put(struct lb_history *history, const struct lb_history_entry *entry, uint32_t place)
{
  uint8_t bytes[BLOB_MAX];
  char key[LB_NVS_NAME_SIZE];
  key_of(place, key);
  const uint32_t length = encode(entry, bytes);
  return lb_nvs_set_blob(history->nvs, LB_HISTORY_NAMESPACE, key, bytes, length);
}

int lb_history_put(struct lb_history *history, struct lb_history_entry *entry)
{
  if (entry->number == 0) {
    entry->number = history->next_number;
  }
  const bool is_new = entry->number == history->next_number; /* then perhaps begun by an earlier call */
  const uint32_t index = list_find(history, entry->number);
  if (!is_new && index == history->count) {
    return LB_ERR_NOT_FOUND;
  }
  uint32_t place = is_new ? free_place(history) : history->places[index];
  const bool replaces_oldest = place == NO_PLACE;
  if (replaces_oldest) {
    place = history->places[history->count - 1U];
  }
  int err = put(history, entry, place);
  if (err == LB_ERR_NVS_NOT_ENOUGH_SPACE) {
    err = gain_room(history, entry->number);
  }
  if (err == LB_OK && replaces_oldest) {
    list_remove(history, history->count - 1U);
  }
  if (err == LB_OK && is_new) {
    list_add(history, entry->number, place);
  } else if (err < 0 && is_new) {
    entry->number = 0;
  }
  return err;
}
