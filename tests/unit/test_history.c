// SPDX-License-Identifier: MIT
/* The history of updates in nvs: what comes back, what is left out, and what a cut or a full partition leaves. */
#include "lifeboat/history.h"
#include "tests/unit/support/nvs_pages.h"
#include "tests/unit/support/unit.h"

#define CALLS_MAX    60
#define TORN         4U /* of each operation so many are torn, each in another way */
#define CUT_STEPS    60U
#define SPACE        "lifeboat"
#define BLOB_ROOM    400U
#define FIXED_LENGTH 98U /* of a blob, before its strings (docs/SPEC.md) */

struct world {
  struct nvs_flash flash;
  struct lb_nvs nvs;
  struct lb_history history;
};

static struct world *open_world(uint32_t pages, bool tapped)
{
  struct world *world = unit_allocate(sizeof(*world));

  nvs_flash_open(&world->flash, pages, tapped);
  nvs_flash_settings(&world->flash, &world->nvs, true);
  assert_result(lb_history_open(&world->history, &world->nvs), LB_OK);
  return world;
}

static void close_world(struct world *world)
{
  nvs_flash_close(&world->flash);
  free(world);
}

static void reopen(struct world *world)
{
  nvs_flash_settings(&world->flash, &world->nvs, true);
  assert_result(lb_history_open(&world->history, &world->nvs), LB_OK);
}

/* An update that nothing else in the test resembles. */
static struct lb_history_entry make(uint32_t seed)
{
  struct unit_random random = {seed};
  struct lb_history_entry entry;

  memset(&entry, 0, sizeof(entry));
  entry.result = (enum lb_history_result)(seed % 7);
  entry.cause = -(int32_t)seed;
  entry.begun = 1795000000 + seed;
  entry.ended = 1795000060 + seed;
  entry.size = 3653024 + seed;
  entry.transferred = 100001 * seed;
  (void)snprintf(entry.source, sizeof(entry.source), "http://depot.test/firmware/%u/ota.bin", seed);
  (void)snprintf(entry.slot, sizeof(entry.slot), "ota_%u", seed % 2);
  (void)snprintf(entry.from_slot, sizeof(entry.from_slot), "ota_%u", (seed + 1) % 2);
  (void)snprintf(entry.version, sizeof(entry.version), "3.3.%03u", seed);
  (void)snprintf(entry.from_version, sizeof(entry.from_version), "3.2.%03u", seed);
  (void)snprintf(entry.patch_base, sizeof(entry.patch_base), "%s", seed % 3 == 0 ? "" : seed % 3 == 1 ? "-" : "ota_0");
  unit_random_fill(&random, entry.digest, sizeof(entry.digest));
  unit_random_fill(&random, entry.elf_sha256, sizeof(entry.elf_sha256));
  return entry;
}

static int put(struct lb_history *history, struct lb_history_entry *entry)
{
  for (int i = 0; i < CALLS_MAX; i++) {
    int result = lb_history_put(history, entry);

    if (result != LB_MORE) {
      return result;
    }
  }
  fail_here("LB_MORE without end");
  return LB_MORE;
}

static uint32_t put_made(struct world *world, uint32_t seed)
{
  struct lb_history_entry entry = make(seed);

  assert_result(put(&world->history, &entry), LB_OK);
  return entry.number;
}

static void assert_same(const struct lb_history_entry *actual, const struct lb_history_entry *expected)
{
  assert_int_equal(actual->number, expected->number);
  assert_int_equal(actual->result, expected->result);
  assert_int_equal(actual->cause, expected->cause);
  assert_true(actual->begun == expected->begun);
  assert_true(actual->ended == expected->ended);
  assert_int_equal(actual->size, expected->size);
  assert_int_equal(actual->transferred, expected->transferred);
  assert_string_equal(actual->source, expected->source);
  assert_string_equal(actual->slot, expected->slot);
  assert_string_equal(actual->from_slot, expected->from_slot);
  assert_string_equal(actual->version, expected->version);
  assert_string_equal(actual->from_version, expected->from_version);
  assert_string_equal(actual->patch_base, expected->patch_base);
  assert_memory_equal(actual->digest, expected->digest, sizeof(actual->digest));
  assert_memory_equal(actual->elf_sha256, expected->elf_sha256, sizeof(actual->elf_sha256));
}

/* The entry at an index is the one made from that seed, with that number. */
static void assert_entry(const struct lb_history *history, uint32_t index, uint32_t number, uint32_t seed)
{
  struct lb_history_entry expected = make(seed);
  struct lb_history_entry entry;

  expected.number = number;
  assert_result(lb_history_get(history, index, &entry), LB_OK);
  assert_same(&entry, &expected);
}

/* ---- what comes back ---- */

static void test_none(void **state)
{
  struct world *world = open_world(4, true);
  struct lb_history_entry entry;
  uint8_t digest[LB_SHA256_SIZE] = {1};
  struct lb_image_info info;

  (void)state;
  memset(&info, 1, sizeof(info));
  info.description.version[32] = '\0';
  assert_int_equal(world->history.count, 0);
  assert_result(lb_history_get(&world->history, 0, &entry), LB_ERR_ARGUMENT);
  assert_result(lb_history_find(&world->history, digest, &entry), LB_ERR_NOT_FOUND);
  assert_result(lb_history_find_failed(&world->history, &info, true, &entry), LB_ERR_NOT_FOUND);
  assert_result(lb_history_forget_oldest(&world->history), LB_ERR_NOT_FOUND);
  assert_int_equal(world->flash.tap.programs + world->flash.tap.erases, 0);
  close_world(world);
}

static void test_all_fields(void **state)
{
  struct world *world = open_world(4, false);
  struct lb_history_entry longest = make(1);
  struct lb_history_entry empty;
  struct lb_history_entry entry;

  (void)state;
  longest.cause = INT32_MIN;
  longest.begun = INT64_MAX;
  longest.ended = INT64_MIN;
  longest.size = UINT32_MAX;
  longest.transferred = UINT32_MAX;
  memset(longest.source, 's', sizeof(longest.source) - 1);
  memset(longest.slot, 't', sizeof(longest.slot) - 1);
  memset(longest.from_slot, 'f', sizeof(longest.from_slot) - 1);
  memset(longest.version, 'v', sizeof(longest.version) - 1);
  memset(longest.from_version, 'w', sizeof(longest.from_version) - 1);
  memset(longest.patch_base, 'b', sizeof(longest.patch_base) - 1);
  memset(&empty, 0, sizeof(empty));
  assert_result(put(&world->history, &longest), LB_OK);
  assert_result(put(&world->history, &empty), LB_OK);
  assert_int_equal(longest.number, 1);
  assert_int_equal(empty.number, 2);
  reopen(world);
  assert_int_equal(world->history.count, 2);
  assert_result(lb_history_get(&world->history, 0, &entry), LB_OK);
  assert_same(&entry, &empty);
  assert_result(lb_history_get(&world->history, 1, &entry), LB_OK);
  assert_same(&entry, &longest);
  close_world(world);
}

static void test_order_and_wrap(void **state)
{
  struct world *world = open_world(4, false);

  (void)state;
  for (uint32_t i = 1; i <= 40; i++) {
    uint32_t count = i < LB_HISTORY_ENTRIES ? i : LB_HISTORY_ENTRIES;

    assert_int_equal(put_made(world, i), i);
    if (i % 3 == 0) {
      reopen(world);
    }
    assert_int_equal(world->history.count, count);
    for (uint32_t index = 0; index < count; index++) {
      assert_entry(&world->history, index, i - index, i - index);
    }
    assert_result(lb_history_get(&world->history, count, &(struct lb_history_entry){0}), LB_ERR_ARGUMENT);
  }
  close_world(world);
}

static void test_replace(void **state)
{
  struct world *world = open_world(4, false);
  struct lb_history_entry entry;

  (void)state;
  for (uint32_t i = 1; i <= 18; i++) {
    put_made(world, i);
  }
  entry = make(100);
  entry.number = 9;
  assert_result(put(&world->history, &entry), LB_OK);
  assert_int_equal(entry.number, 9);
  for (uint32_t pass = 0; pass < 2; pass++) {
    assert_int_equal(world->history.count, 16);
    for (uint32_t index = 0; index < 16; index++) {
      uint32_t number = 18 - index;

      assert_entry(&world->history, index, number, number == 9 ? 100 : number);
    }
    reopen(world);
  }
  entry.number = 2; /* overwritten meanwhile */
  assert_result(put(&world->history, &entry), LB_ERR_NOT_FOUND);
  assert_int_equal(entry.number, 2);
  entry.number = 20; /* there never was one */
  assert_result(put(&world->history, &entry), LB_ERR_NOT_FOUND);
  assert_int_equal(put_made(world, 19), 19);
  close_world(world);
}

static void test_source_keeps_its_end(void **state)
{
  struct lb_history_entry entry = make(1);
  char text[300];

  (void)state;
  memset(text, 0, sizeof(text));
  for (uint32_t length = 0; length < sizeof(text); length++) {
    memset(entry.source, '#', sizeof(entry.source));
    lb_history_set_source(&entry, text);
    if (length < LB_HISTORY_SOURCE_SIZE) {
      assert_string_equal(entry.source, text);
    } else {
      assert_int_equal(strlen(entry.source), LB_HISTORY_SOURCE_SIZE - 1);
      assert_memory_equal(entry.source, "...", 3);
      assert_string_equal(entry.source + 3, text + length - (LB_HISTORY_SOURCE_SIZE - 4));
    }
    if (length + 1 < sizeof(text)) {
      text[length] = (char)('a' + length % 26);
    }
  }
}

static void test_forget_oldest(void **state)
{
  struct world *world = open_world(4, false);

  (void)state;
  for (uint32_t i = 1; i <= 20; i++) {
    put_made(world, i);
  }
  for (uint32_t left = 16; left-- > 0;) {
    assert_result(lb_history_forget_oldest(&world->history), LB_OK);
    reopen(world);
    assert_int_equal(world->history.count, left);
    for (uint32_t index = 0; index < left; index++) {
      assert_entry(&world->history, index, 20 - index, 20 - index);
    }
  }
  assert_result(lb_history_forget_oldest(&world->history), LB_ERR_NOT_FOUND);
  close_world(world);
}

/* ---- its bytes ---- */

static uint32_t crc_of(const uint8_t *bytes, uint32_t length)
{
  uint32_t crc = 0xFFFFFFFFU;

  for (uint32_t i = 0; i < length; i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) {
      crc = (crc & 1U) != 0 ? crc >> 1 ^ 0xEDB88320U : crc >> 1;
    }
  }
  return ~crc;
}

static uint32_t add_number(uint8_t *bytes, uint32_t at, uint64_t value, uint32_t count)
{
  for (uint32_t i = 0; i < count; i++) {
    bytes[at + i] = (uint8_t)(value >> (8 * i));
  }
  return at + count;
}

static uint32_t add_text(uint8_t *bytes, uint32_t at, const char *text)
{
  uint32_t length = (uint32_t)strlen(text);

  bytes[at] = (uint8_t)length;
  memcpy(bytes + at + 1, text, length);
  return at + 1 + length;
}

static uint32_t seal(uint8_t *bytes, uint32_t at)
{
  return add_number(bytes, at, crc_of(bytes, at), 4);
}

/* The bytes of an entry of a version as docs/SPEC.md has them, but for the CRC. */
static uint32_t bytes_of_version(const struct lb_history_entry *entry, uint32_t version, uint8_t bytes[BLOB_ROOM])
{
  uint32_t at = add_number(bytes, 0, version, 1);

  at = add_number(bytes, at, (uint64_t)entry->result, 1);
  at = add_number(bytes, at, entry->number, 4);
  at = add_number(bytes, at, (uint32_t)entry->cause, 4);
  at = add_number(bytes, at, (uint64_t)entry->begun, 8);
  at = add_number(bytes, at, (uint64_t)entry->ended, 8);
  at = add_number(bytes, at, entry->size, 4);
  memcpy(bytes + at, entry->digest, 32);
  memcpy(bytes + at + 32, entry->elf_sha256, 32);
  at += 64;
  if (version > 1) {
    at = add_number(bytes, at, entry->transferred, 4);
    assert_int_equal(at, FIXED_LENGTH);
  }
  at = add_text(bytes, at, entry->source);
  at = add_text(bytes, at, entry->slot);
  at = add_text(bytes, at, entry->from_slot);
  at = add_text(bytes, at, entry->version);
  at = add_text(bytes, at, entry->from_version);
  return version > 1 ? add_text(bytes, at, entry->patch_base) : at;
}

static uint32_t expected_bytes(const struct lb_history_entry *entry, uint8_t bytes[BLOB_ROOM])
{
  return bytes_of_version(entry, 2, bytes);
}

static void set_bytes(struct world *world, const char *key, const uint8_t *bytes, uint32_t length)
{
  int result;

  do {
    result = lb_nvs_set_blob(&world->nvs, SPACE, key, bytes, length);
  } while (result == LB_MORE);
  assert_result(result, LB_OK);
}

static void test_bytes(void **state)
{
  struct world *world = open_world(4, false);
  uint8_t expected[BLOB_ROOM];
  uint8_t bytes[BLOB_ROOM];
  uint32_t length = 0;
  char key[16];

  (void)state;
  for (uint32_t i = 1; i <= 16; i++) {
    struct lb_history_entry entry = make(i);
    uint32_t wanted;

    assert_result(put(&world->history, &entry), LB_OK);
    wanted = seal(expected, expected_bytes(&entry, expected));
    (void)snprintf(key, sizeof(key), "update.%u", i - 1);
    assert_result(lb_nvs_get_blob(&world->nvs, SPACE, key, bytes, sizeof(bytes), &length), LB_OK);
    assert_int_equal(length, wanted);
    assert_memory_equal(bytes, expected, wanted);
  }
  close_world(world);
}

/* What older firmware wrote: nothing is known of bytes and patches, and it is written anew as the others are. */
static void test_version_1(void **state)
{
  struct world *world = open_world(4, false);
  struct lb_history_entry old = make(5);
  struct lb_history_entry entry;
  uint8_t expected[BLOB_ROOM];
  uint8_t bytes[BLOB_ROOM];
  uint32_t length = 0;

  (void)state;
  old.number = 5;
  set_bytes(world, "update.3", bytes, seal(bytes, bytes_of_version(&old, 1, bytes)));
  reopen(world);
  old.transferred = 0;
  memset(old.patch_base, 0, sizeof(old.patch_base));
  assert_result(lb_history_get(&world->history, 0, &entry), LB_OK);
  assert_memory_equal(&entry, &old, sizeof(entry));
  assert_result(lb_history_find(&world->history, old.digest, &entry), LB_OK);
  assert_int_equal(put_made(world, 6), 6);
  entry.result = LB_HISTORY_CONFIRMED;
  assert_result(put(&world->history, &entry), LB_OK);
  reopen(world);
  assert_int_equal(world->history.count, 2);
  assert_entry(&world->history, 0, 6, 6);
  assert_result(lb_nvs_get_blob(&world->nvs, SPACE, "update.3", bytes, sizeof(bytes), &length), LB_OK);
  assert_int_equal(length, seal(expected, expected_bytes(&entry, expected)));
  assert_memory_equal(bytes, expected, length);
  close_world(world);
}

/* ---- what is left out ---- */

/* Three entries; the middle one, at place 1, becomes these bytes: it is left out, and its place is the next one. */
static void check_left_out(const uint8_t *bytes, uint32_t length, const char *what)
{
  struct world *world = open_world(4, false);

  for (uint32_t i = 1; i <= 3; i++) {
    put_made(world, i);
  }
  set_bytes(world, "update.1", bytes, length);
  reopen(world);
  if (world->history.count != 2) {
    fail_here("%s: %u entries", what, world->history.count);
  }
  assert_entry(&world->history, 0, 3, 3);
  assert_entry(&world->history, 1, 1, 1);
  assert_int_equal(put_made(world, 4), 4);
  reopen(world);
  assert_int_equal(world->history.count, 3);
  assert_int_equal(world->history.places[0], 1);
  assert_entry(&world->history, 0, 4, 4);
  assert_entry(&world->history, 1, 3, 3);
  close_world(world);
}

static void check_damaged(uint32_t version)
{
  struct lb_history_entry entry = make(2);
  uint8_t good[BLOB_ROOM];
  uint8_t bytes[BLOB_ROOM];
  uint32_t length;

  entry.number = 2;
  length = seal(good, bytes_of_version(&entry, version, good));
  for (uint32_t i = 0; i < length; i++) { /* a bit of each byte */
    memcpy(bytes, good, sizeof(bytes));
    bytes[i] ^= (uint8_t)(1U << i % 8);
    check_left_out(bytes, length, "a bit");
  }
  for (uint32_t shorter = 0; shorter < length; shorter++) {
    check_left_out(good, shorter, "cut off");
  }
  memset(bytes, 0, sizeof(bytes));
  check_left_out(bytes, length, "zeros");
  check_left_out(bytes, sizeof(bytes), "longer than any");
}

static void test_damaged(void **state)
{
  (void)state;
  check_damaged(1);
  check_damaged(2);
}

/* Whole, but not what this library writes. */
static void test_foreign(void **state)
{
  static const struct {
    uint32_t at;
    uint8_t value;
    const char *what;
  } cases[] = {
      {0, 3, "version 3"},
      {0, 1, "version 1, with what that does not have"},
      {0, 0, "version 0"},
      {1, 7, "result 7"},
      {2, 0, "number 0"},
      {5, 0x80, "number 2^31"},
      {FIXED_LENGTH, 97, "source of 97 bytes"},
      {FIXED_LENGTH, 0, "source of 0 bytes, so that the next strings are others"},
      {FIXED_LENGTH, 96, "source beyond the end"},
  };
  struct lb_history_entry entry = make(2);
  uint8_t bytes[BLOB_ROOM];

  (void)state;
  entry.number = 2;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint32_t at = expected_bytes(&entry, bytes);

    bytes[cases[i].at] = cases[i].value;
    check_left_out(bytes, seal(bytes, at), cases[i].what);
  }
  uint32_t at = expected_bytes(&entry, bytes);
  bytes[at++] = 0;
  check_left_out(bytes, seal(bytes, at), "a seventh string");
  at = bytes_of_version(&entry, 1, bytes);
  bytes[at++] = 0;
  check_left_out(bytes, seal(bytes, at), "a sixth string in version 1");
  at = bytes_of_version(&entry, 1, bytes);
  bytes[0] = 2;
  check_left_out(bytes, seal(bytes, at), "version 2, without what that has");
  at = FIXED_LENGTH; /* six strings, the last of which would reach into the CRC */
  for (uint32_t i = 0; i < 5; i++) {
    at = add_text(bytes, at, "");
  }
  bytes[at++] = 1;
  check_left_out(bytes, seal(bytes, at), "a string in the CRC");
  at = FIXED_LENGTH;
  for (uint32_t i = 0; i < 3; i++) {
    at = add_text(bytes, at, i == 0 ? "source" : "");
  }
  check_left_out(bytes, seal(bytes, at), "three strings");
}

/* A setting of another type at a place, and an entry that is there twice. */
static void test_strange_keys(void **state)
{
  struct world *world = open_world(4, false);
  struct lb_history_entry entry = make(2);
  uint8_t bytes[BLOB_ROOM];

  (void)state;
  put_made(world, 1);
  put_made(world, 2);
  entry.number = 2;
  set_bytes(world, "update.5", bytes, seal(bytes, expected_bytes(&entry, bytes)));
  assert_result(lb_nvs_set_string(&world->nvs, SPACE, "update.2", "no blob"), LB_OK);
  assert_result(lb_nvs_set_integer(&world->nvs, SPACE, "update.3", LB_NVS_U8, 3), LB_OK);
  assert_result(lb_nvs_set_integer(&world->nvs, SPACE, "update.16", LB_NVS_U8, 3), LB_OK);
  reopen(world);
  assert_int_equal(world->history.count, 2);
  for (uint32_t i = 3; i <= 20; i++) {
    assert_int_equal(put_made(world, i), i);
  }
  reopen(world);
  assert_int_equal(world->history.count, 16);
  assert_entry(&world->history, 0, 20, 20);
  assert_entry(&world->history, 15, 5, 5);
  close_world(world);
}

/* An entry that lost its bytes after it was opened is told, and passed over where one is looked for. */
static void test_lost_meanwhile(void **state)
{
  struct world *world = open_world(4, false);
  struct lb_history_entry entry = make(1);
  struct lb_image_info info;

  (void)state;
  memset(&info, 0, sizeof(info));
  memcpy(info.digest, entry.digest, sizeof(info.digest));
  entry.result = LB_HISTORY_REJECTED;
  assert_result(put(&world->history, &entry), LB_OK);
  put_made(world, 2);
  put_made(world, 3);
  set_bytes(world, "update.1", (const uint8_t *)"foreign", 7);
  assert_result(lb_nvs_erase_key(&world->nvs, SPACE, "update.2"), LB_OK);
  assert_result(lb_history_get(&world->history, 0, &entry), LB_ERR_NVS_NOT_FOUND);
  assert_result(lb_history_get(&world->history, 1, &entry), LB_ERR_NVS_DAMAGED);
  assert_result(lb_history_find(&world->history, info.digest, &entry), LB_OK);
  assert_int_equal(entry.number, 1);
  assert_result(lb_history_find_failed(&world->history, &info, true, &entry), LB_OK);
  assert_int_equal(entry.number, 1);
  for (uint32_t i = 0; i < 3; i++) { /* forgetting does not stumble over it either */
    assert_result(lb_history_forget_oldest(&world->history), LB_OK);
  }
  close_world(world);
}

/* ---- looking for an image ---- */

enum { A, B, C, NOBODY }; /* images; B has A's ELF and version, but another digest */

static struct lb_image_info image(int which)
{
  struct lb_image_info info;

  memset(&info, 0, sizeof(info));
  if (which == NOBODY) {
    return info;
  }
  memset(info.digest, 1 + which, sizeof(info.digest));
  memset(info.description.elf_sha256, which == C ? 12 : 11, sizeof(info.description.elf_sha256));
  (void)snprintf(info.description.version, sizeof(info.description.version), "%s", which == C ? "2" : "1");
  info.description.present = true;
  return info;
}

static uint32_t happened(struct world *world, int which, enum lb_history_result result)
{
  struct lb_history_entry entry = make(50);
  struct lb_image_info info = image(which);

  memcpy(entry.digest, info.digest, sizeof(entry.digest));
  memcpy(entry.elf_sha256, info.description.elf_sha256, sizeof(entry.elf_sha256));
  memcpy(entry.version, info.description.version, sizeof(entry.version));
  entry.result = result;
  assert_result(put(&world->history, &entry), LB_OK);
  return entry.number;
}

/* The number of the entry that says that it failed, 0 without. */
static uint32_t failed(const struct world *world, const struct lb_image_info *info, bool complete)
{
  struct lb_history_entry entry;
  int result = lb_history_find_failed(&world->history, info, complete, &entry);

  assert_true(result == LB_OK || result == LB_ERR_NOT_FOUND);
  return result == LB_OK ? entry.number : 0;
}

static void assert_failed(const struct world *world, int which, uint32_t by_digest, uint32_t by_head)
{
  struct lb_image_info info = image(which);

  assert_int_equal(failed(world, &info, true), by_digest);
  memset(info.digest, 0, sizeof(info.digest)); /* unknown as yet */
  assert_int_equal(failed(world, &info, false), by_head);
}

static void test_find(void **state)
{
  struct world *world = open_world(4, false);
  struct lb_image_info a = image(A);
  struct lb_image_info c = image(C);
  struct lb_image_info nobody = image(NOBODY);
  struct lb_history_entry entry;

  (void)state;
  happened(world, A, LB_HISTORY_FAILED);
  happened(world, C, LB_HISTORY_CONFIRMED);
  happened(world, A, LB_HISTORY_FLASHED);
  happened(world, B, LB_HISTORY_REJECTED);
  happened(world, NOBODY, LB_HISTORY_INTERRUPTED);
  assert_result(lb_history_find(&world->history, a.digest, &entry), LB_OK);
  assert_int_equal(entry.number, 3);
  assert_int_equal(entry.result, LB_HISTORY_FLASHED);
  assert_result(lb_history_find(&world->history, c.digest, &entry), LB_OK);
  assert_int_equal(entry.number, 2);
  assert_result(lb_history_find(&world->history, nobody.digest, &entry), LB_ERR_NOT_FOUND);
  close_world(world);
}

static void test_find_failed(void **state)
{
  struct world *world = open_world(4, false);
  struct lb_image_info other = image(A);

  (void)state;
  for (int result = LB_HISTORY_BEGUN; result <= LB_HISTORY_SUPERSEDED; result++) {
    if (result != LB_HISTORY_REJECTED) {
      happened(world, A, (enum lb_history_result)result);
    }
  }
  assert_failed(world, A, 0, 0);
  assert_int_equal(happened(world, A, LB_HISTORY_REJECTED), 7);
  assert_failed(world, A, 7, 7);
  assert_failed(world, B, 0, 7); /* nobody can tell it from A by its head */
  assert_failed(world, C, 0, 0);
  assert_failed(world, NOBODY, 0, 0);
  (void)snprintf(other.description.version, sizeof(other.description.version), "1-dirty");
  assert_int_equal(failed(world, &other, false), 0);
  happened(world, C, LB_HISTORY_CONFIRMED); /* another's word does not count */
  happened(world, B, LB_HISTORY_CONFIRMED);
  happened(world, A, LB_HISTORY_FLASHED);
  assert_failed(world, A, 7, 7);
  happened(world, A, LB_HISTORY_CONFIRMED);
  assert_failed(world, A, 0, 0);
  assert_int_equal(happened(world, A, LB_HISTORY_REJECTED), 12);
  assert_failed(world, A, 12, 12);
  assert_int_equal(happened(world, B, LB_HISTORY_REJECTED), 13);
  assert_failed(world, A, 12, 13);
  happened(world, B, LB_HISTORY_CONFIRMED);
  assert_failed(world, A, 12, 12);
  assert_failed(world, B, 0, 12);
  close_world(world);
}

/* An image without description, and an entry whose digest never became known, are like no other. */
static void test_zero_never_matches(void **state)
{
  struct world *world = open_world(4, false);

  (void)state;
  happened(world, NOBODY, LB_HISTORY_REJECTED);
  assert_failed(world, NOBODY, 0, 0);
  assert_failed(world, A, 0, 0);
  close_world(world);
}

/* ---- cuts ---- */

static void check_setting(const struct lb_nvs *nvs)
{
  char text[64];
  uint32_t length = 0;
  uint64_t bits = 0;

  assert_result(lb_nvs_get_string(nvs, "ota", "server", text, sizeof(text), &length), LB_OK);
  assert_string_equal(text, "https://depot.test/firmware");
  assert_result(lb_nvs_get_integer(nvs, "vfs", "auto", LB_NVS_I16, &bits), LB_OK);
  assert_int_equal((int64_t)bits, -3);
}

static void add_settings(struct world *world)
{
  assert_result(lb_nvs_set_string(&world->nvs, "ota", "server", "https://depot.test/firmware"), LB_OK);
  assert_result(lb_nvs_set_integer(&world->nvs, "vfs", "auto", LB_NVS_I16, (uint64_t)-3), LB_OK);
}

/* What the history has to say before a step, and after it. */
struct record {
  uint32_t count;
  struct lb_history_entry entries[LB_HISTORY_ENTRIES];
};

static void record(const struct lb_history *history, struct record *to)
{
  to->count = history->count;
  for (uint32_t i = 0; i < history->count; i++) {
    assert_result(lb_history_get(history, i, &to->entries[i]), LB_OK);
  }
}

static bool is_record(const struct lb_history *history, const struct record *expected)
{
  struct lb_history_entry entry;

  if (history->count != expected->count) {
    return false;
  }
  for (uint32_t i = 0; i < history->count; i++) {
    assert_result(lb_history_get(history, i, &entry), LB_OK);
    if (memcmp(&entry, &expected->entries[i], sizeof(entry)) != 0) {
      return false;
    }
  }
  return true;
}

struct cuts {
  struct world *world;
  uint8_t *before;
  struct record old;
  struct record new;
  struct lb_history_entry change;
  uint64_t fired;
};

static void restore(struct cuts *cuts, const uint8_t *bytes)
{
  struct nvs_flash *flash = &cuts->world->flash;

  sim_flash_power_on(&flash->flash);
  sim_flash_cut_at(&flash->flash, 0, SIM_CUT_BEFORE);
  memcpy(nvs_flash_bytes(flash), bytes, nvs_flash_size(flash));
  reopen(cuts->world);
}

/* A reader that changes nothing, and the module after its recovery: both see the old history or the new one. */
static void check_after_cut(struct cuts *cuts)
{
  struct world *world = cuts->world;
  struct lb_history_entry entry = cuts->change;
  struct lb_history history;
  struct lb_nvs nvs;

  nvs_flash_settings(&world->flash, &nvs, false);
  assert_result(lb_history_open(&history, &nvs), LB_OK);
  check_setting(&nvs);
  if (!is_record(&history, &cuts->old) && !is_record(&history, &cuts->new)) {
    fail_here("the history is neither the old nor the new one");
  }
  reopen(world);
  check_setting(&world->nvs);
  if (is_record(&world->history, &cuts->new)) {
    return;
  }
  assert_true(is_record(&world->history, &cuts->old));
  assert_result(put(&world->history, &entry), LB_OK);
  assert_true(is_record(&world->history, &cuts->new));
  check_setting(&world->nvs);
}

static void cut_at(struct cuts *cuts, uint64_t operation, enum sim_cut kind, uint64_t seed)
{
  struct lb_history_entry entry = cuts->change;

  restore(cuts, cuts->before);
  sim_flash_seed(&cuts->world->flash.flash, seed);
  sim_flash_cut_at(&cuts->world->flash.flash, operation, kind);
  assert_true(put(&cuts->world->history, &entry) < 0);
  assert_true(sim_flash_cut_fired(&cuts->world->flash.flash));
  assert_int_equal(entry.number, cuts->change.number); /* a new one has no number again */
  sim_flash_power_on(&cuts->world->flash.flash);
  cuts->fired++;
  check_after_cut(cuts);
}

/* One entry: without a cut, then cut at each of its operations; afterwards the flash has it. */
static void cut_step(struct cuts *cuts, uint64_t seed)
{
  struct nvs_flash *flash = &cuts->world->flash;
  const struct sim_flash_counters *counters = sim_flash_counters(&flash->flash);
  struct lb_history_entry entry = cuts->change;
  uint8_t *after;
  uint64_t operations;

  memcpy(cuts->before, nvs_flash_bytes(flash), nvs_flash_size(flash));
  record(&cuts->world->history, &cuts->old);
  sim_flash_clear_counters(&flash->flash);
  assert_result(put(&cuts->world->history, &entry), LB_OK);
  operations = counters->programs + counters->erases;
  record(&cuts->world->history, &cuts->new);
  after = unit_copy(nvs_flash_bytes(flash), nvs_flash_size(flash));
  for (uint64_t at = 1; at <= operations; at++) {
    cut_at(cuts, at, SIM_CUT_BEFORE, 0);
    for (uint32_t i = 0; i < TORN; i++) {
      cut_at(cuts, at, SIM_CUT_TORN, seed + at * TORN + i);
    }
  }
  restore(cuts, after);
  free(after);
}

static void test_cuts(void **state)
{
  struct cuts *cuts = unit_allocate(sizeof(*cuts));
  uint32_t last = 0;

  (void)state;
  memset(cuts, 0, sizeof(*cuts));
  cuts->world = open_world(4, false);
  cuts->before = unit_allocate(nvs_flash_size(&cuts->world->flash));
  add_settings(cuts->world);
  for (uint32_t step = 0; step < CUT_STEPS; step++) {
    cuts->change = make(step);
    cuts->change.number = step % 3 == 2 ? last - step % 2 : 0; /* each third replaces an earlier one */
    cut_step(cuts, step * 100003ULL);
    last = cuts->world->history.numbers[0];
  }
  assert_int_equal(cuts->world->history.count, LB_HISTORY_ENTRIES);
  assert_true(sim_flash_wear_total(&cuts->world->flash.flash) > 0);
  print_message("%llu cuts, all fired\n", (unsigned long long)cuts->fired);
  close_world(cuts->world);
  free(cuts->before);
  free(cuts);
}

/* ---- a full partition ---- */

/* Fills what nvs has left with a setting, the largest that fits. */
static void fill(struct world *world)
{
  static uint8_t bytes[32768];
  uint32_t length = sizeof(bytes);
  int result;

  memset(bytes, 0x55, sizeof(bytes));
  do {
    length -= 32;
    do {
      result = lb_nvs_set_blob(&world->nvs, "filler", "large", bytes, length);
    } while (result == LB_MORE);
  } while (result == LB_ERR_NVS_NOT_ENOUGH_SPACE || result == LB_ERR_NVS_VALUE_TOO_LONG);
  assert_result(result, LB_OK);
  assert_true(length > 0);
}

/* The oldest are forgotten, one after the other, until the new one fits; what is not history stays. */
static void test_full(void **state)
{
  struct world *world = open_world(3, false);
  uint32_t count;

  (void)state;
  add_settings(world);
  for (uint32_t i = 1; i <= 6; i++) {
    put_made(world, i);
  }
  fill(world);
  for (uint32_t i = 7; i <= 30; i++) {
    assert_int_equal(put_made(world, i), i);
    count = world->history.count;
    assert_true(count >= 1 && count < 7);
    reopen(world);
    assert_int_equal(world->history.count, count);
    for (uint32_t index = 0; index < count; index++) {
      assert_entry(&world->history, index, i - index, i - index);
    }
    check_setting(&world->nvs);
  }
  close_world(world);
}

/* Replacing an entry forgets others for it, the oldest first, never itself. */
static void test_full_replace(void **state)
{
  struct world *world = open_world(3, false);
  struct lb_history_entry entry = make(1);

  (void)state;
  add_settings(world);
  for (uint32_t i = 1; i <= 6; i++) {
    put_made(world, i);
  }
  fill(world);
  entry.number = 1; /* the oldest */
  memset(entry.source, 's', sizeof(entry.source) - 1);
  assert_result(put(&world->history, &entry), LB_OK);
  reopen(world);
  assert_true(world->history.count < 6);
  assert_entry(&world->history, 0, 6, 6);
  assert_result(lb_history_get(&world->history, world->history.count - 1, &entry), LB_OK);
  assert_int_equal(entry.number, 1);
  assert_int_equal(entry.source[0], 's');
  check_setting(&world->nvs);
  close_world(world);
}

static void test_full_without_history(void **state)
{
  struct world *world = open_world(3, false);
  struct lb_history_entry entry = make(1);

  (void)state;
  add_settings(world);
  fill(world);
  assert_result(put(&world->history, &entry), LB_ERR_NVS_NOT_ENOUGH_SPACE);
  assert_int_equal(entry.number, 0);
  assert_int_equal(world->history.count, 0);
  reopen(world);
  assert_int_equal(world->history.count, 0);
  check_setting(&world->nvs);
  close_world(world);
}

/* ---- a flash that fails ---- */

/* What a call returns when its read of that number fails; 0 reads were enough if it is no flash error. */
static int with_failing_read(struct world *world, uint32_t at, int which)
{
  struct lb_history_entry entry = make(60);
  struct lb_image_info info = image(A);
  struct lb_history history = world->history;
  int result = LB_OK;

  flash_tap_clear(&world->flash.tap);
  world->flash.tap.fail_read_at = at;
  switch (which) {
  case 0:
    result = lb_history_open(&history, &world->nvs);
    break;
  case 1:
    result = lb_history_get(&history, 2, &entry);
    break;
  case 2:
    result = lb_history_find(&history, info.digest, &entry);
    break;
  default:
    result = lb_history_find_failed(&history, &info, true, &entry);
    break;
  }
  world->flash.tap.fail_read_at = TAP_NEVER;
  return result;
}

static void test_failing_reads(void **state)
{
  struct world *world = open_world(4, true);

  (void)state;
  happened(world, A, LB_HISTORY_REJECTED);
  put_made(world, 2);
  happened(world, B, LB_HISTORY_CONFIRMED);
  for (int which = 0; which < 4; which++) {
    uint32_t at = 0;
    int result;

    while ((result = with_failing_read(world, at, which)) == LB_ERR_FLASH_READ) {
      at++;
    }
    assert_result(result, LB_OK);
    assert_true(at > 4);
  }
  close_world(world);
}

/* A write that failed says so; opened again, everything goes on. */
static void test_failing_program(void **state)
{
  struct world *world = open_world(4, true);
  struct lb_history_entry entry = make(2);

  (void)state;
  put_made(world, 1);
  flash_tap_clear(&world->flash.tap);
  world->flash.tap.fail_program_at = 2;
  assert_result(put(&world->history, &entry), LB_ERR_FLASH_PROGRAM);
  assert_int_equal(entry.number, 0);
  assert_result(put(&world->history, &entry), LB_ERR_STATE);
  assert_result(lb_history_forget_oldest(&world->history), LB_ERR_STATE);
  assert_int_equal(world->history.count, 1);
  flash_tap_clear(&world->flash.tap);
  reopen(world);
  assert_int_equal(put_made(world, 2), 2);
  assert_entry(&world->history, 1, 1, 1);
  close_world(world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_none),
      cmocka_unit_test(test_all_fields),
      cmocka_unit_test(test_order_and_wrap),
      cmocka_unit_test(test_replace),
      cmocka_unit_test(test_source_keeps_its_end),
      cmocka_unit_test(test_forget_oldest),
      cmocka_unit_test(test_bytes),
      cmocka_unit_test(test_version_1),
      cmocka_unit_test(test_damaged),
      cmocka_unit_test(test_foreign),
      cmocka_unit_test(test_strange_keys),
      cmocka_unit_test(test_lost_meanwhile),
      cmocka_unit_test(test_find),
      cmocka_unit_test(test_find_failed),
      cmocka_unit_test(test_zero_never_matches),
      cmocka_unit_test(test_cuts),
      cmocka_unit_test(test_full),
      cmocka_unit_test(test_full_replace),
      cmocka_unit_test(test_full_without_history),
      cmocka_unit_test(test_failing_reads),
      cmocka_unit_test(test_failing_program),
  };

  return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
