// SPDX-License-Identifier: MIT
/* Settings that others wrote: all types, both versions, what a cut left, and what is not believed. */
#include "tests/unit/support/nvs_pages.h"
#include "tests/unit/support/unit.h"

#define PAGES 4U

struct world {
  struct nvs_flash flash;
  uint8_t *page[PAGES];
  uint8_t *before;
};

static void open_world(struct world *world)
{
  nvs_flash_open(&world->flash, PAGES, true);
  for (uint32_t i = 0; i < PAGES; i++) {
    world->page[i] = nvs_flash_bytes(&world->flash) + (size_t)i * LB_NVS_PAGE_SIZE;
  }
  world->before = NULL;
}

/* Opens for reading: nothing may be written from here on. */
static void open_settings(struct world *world, struct lb_nvs *nvs)
{
  world->before = unit_copy(nvs_flash_bytes(&world->flash), nvs_flash_size(&world->flash));
  nvs_flash_settings(&world->flash, nvs, false);
}

static void close_world(struct world *world)
{
  if (world->before != NULL) {
    assert_memory_equal(world->before, nvs_flash_bytes(&world->flash), nvs_flash_size(&world->flash));
    assert_int_equal(world->flash.tap.programs + world->flash.tap.erases, 0);
  }
  free(world->before);
  nvs_flash_close(&world->flash);
}

static void assert_string(const struct lb_nvs *nvs, const char *space, const char *key, const char *expected)
{
  char buffer[LB_NVS_STRING_MAX];
  uint32_t length = 0;

  assert_result(lb_nvs_get_string(nvs, space, key, buffer, sizeof(buffer), &length), LB_OK);
  assert_string_equal(buffer, expected);
  assert_int_equal(length, strlen(expected) + 1);
}

static const struct {
  const char *key;
  enum lb_nvs_type type;
  uint64_t bits;
} integers[] = {
    {"u8", LB_NVS_U8, 0},
    {"u8max", LB_NVS_U8, 255},
    {"i8", LB_NVS_I8, 127},
    {"i8min", LB_NVS_I8, (uint64_t)INT8_MIN},
    {"u16", LB_NVS_U16, 0xFEDC},
    {"i16", LB_NVS_I16, (uint64_t)INT16_MIN},
    {"u32", LB_NVS_U32, 0xFFFFFFFFU},
    {"i32", LB_NVS_I32, (uint64_t)INT32_MIN},
    {"i32m", LB_NVS_I32, (uint64_t)-1},
    {"u64", LB_NVS_U64, UINT64_MAX},
    {"i64", LB_NVS_I64, (uint64_t)INT64_MIN},
};

#define INTEGERS (sizeof(integers) / sizeof(integers[0]))

static void test_integers(void **state)
{
  struct world world;
  struct lb_nvs nvs;
  uint32_t at;

  (void)state;
  open_world(&world);
  nvs_page_begin(world.page[0], NVS_PAGE_ACTIVE_WORD, 0, 0xFE);
  at = nvs_page_integer(world.page[0], 0, 0, "numbers", LB_NVS_U8, 1);
  for (size_t i = 0; i < INTEGERS; i++) {
    at = nvs_page_integer(world.page[0], at, 1, integers[i].key, (uint8_t)integers[i].type, integers[i].bits);
  }
  open_settings(&world, &nvs);
  for (size_t i = 0; i < INTEGERS; i++) {
    uint64_t bits = 42;
    enum lb_nvs_type other = integers[i].type == LB_NVS_U8 ? LB_NVS_I8 : LB_NVS_U8;

    assert_result(lb_nvs_get_integer(&nvs, "numbers", integers[i].key, integers[i].type, &bits), LB_OK);
    assert_true(bits == integers[i].bits);
    assert_result(lb_nvs_get_integer(&nvs, "numbers", integers[i].key, other, &bits), LB_ERR_NVS_TYPE_MISMATCH);
  }
  close_world(&world);
}

static void test_names(void **state)
{
  struct world world;
  struct lb_nvs nvs;
  uint64_t bits = 0;
  uint32_t at;

  (void)state;
  open_world(&world);
  nvs_page_begin(world.page[2], NVS_PAGE_ACTIVE_WORD, 7, 0xFF);
  at = nvs_page_integer(world.page[2], 0, 0, "one", LB_NVS_U8, 1);
  at = nvs_page_integer(world.page[2], at, 1, "same", LB_NVS_U8, 11);
  at = nvs_page_integer(world.page[2], at, 0, "fifteen-bytes-x", LB_NVS_U8, 254);
  at = nvs_page_integer(world.page[2], at, 254, "same", LB_NVS_U8, 22);
  at = nvs_page_integer(world.page[2], at, 254, "fifteen-bytes-k", LB_NVS_U8, 33);
  nvs_page_integer(world.page[2], at, 9, "unreachable", LB_NVS_U8, 44);
  open_settings(&world, &nvs);
  assert_result(lb_nvs_get_integer(&nvs, "one", "same", LB_NVS_U8, &bits), LB_OK);
  assert_int_equal(bits, 11);
  assert_result(lb_nvs_get_integer(&nvs, "fifteen-bytes-x", "same", LB_NVS_U8, &bits), LB_OK);
  assert_int_equal(bits, 22);
  assert_result(lb_nvs_get_integer(&nvs, "fifteen-bytes-x", "fifteen-bytes-k", LB_NVS_U8, &bits), LB_OK);
  assert_int_equal(bits, 33);
  assert_result(lb_nvs_get_integer(&nvs, "one", "fifteen-bytes-k", LB_NVS_U8, &bits), LB_ERR_NVS_NOT_FOUND);
  assert_result(lb_nvs_get_integer(&nvs, "two", "same", LB_NVS_U8, &bits), LB_ERR_NVS_NOT_FOUND);
  assert_result(lb_nvs_get_integer(&nvs, "one", "", LB_NVS_U8, &bits), LB_ERR_NVS_INVALID_NAME);
  assert_result(lb_nvs_get_integer(&nvs, NULL, "same", LB_NVS_U8, &bits), LB_ERR_NVS_INVALID_NAME);
  assert_result(lb_nvs_get_integer(&nvs, "one", "sixteen-bytes-kk", LB_NVS_U8, &bits), LB_ERR_NVS_KEY_TOO_LONG);
  assert_result(lb_nvs_get_integer(&nvs, "sixteen-bytes-kk", "same", LB_NVS_U8, &bits), LB_ERR_NVS_KEY_TOO_LONG);
  close_world(&world);
}

static void test_strings(void **state)
{
  struct world world;
  struct lb_nvs nvs;
  char longest[LB_NVS_STRING_MAX];
  char buffer[8];
  uint32_t length = 0;
  uint32_t at;

  (void)state;
  memset(longest, 'x', sizeof(longest));
  longest[sizeof(longest) - 1] = '\0';
  open_world(&world);
  nvs_page_begin(world.page[0], NVS_PAGE_FULL_WORD, 0, 0xFE);
  nvs_page_string(world.page[0], 0, 1, "longest", longest);
  nvs_page_begin(world.page[1], NVS_PAGE_ACTIVE_WORD, 1, 0xFE);
  at = nvs_page_integer(world.page[1], 0, 0, "s", LB_NVS_U8, 1);
  at = nvs_page_string(world.page[1], at, 1, "empty", "");
  at = nvs_page_string(world.page[1], at, 1, "exact", "0123456789012345678901234567890");
  at = nvs_page_string(world.page[1], at, 1, "seven", "sevenis");
  at = nvs_page_data(world.page[1], at, 1, "no-nul", 0x21, 0xFF, "abcd", 4);
  nvs_page_data(world.page[1], at, 1, "nothing", 0x21, 0xFF, "", 0);
  open_settings(&world, &nvs);
  assert_string(&nvs, "s", "longest", longest);
  assert_string(&nvs, "s", "empty", "");
  assert_string(&nvs, "s", "exact", "0123456789012345678901234567890");
  assert_result(lb_nvs_get_string(&nvs, "s", "seven", buffer, 8, &length), LB_OK);
  assert_result(lb_nvs_get_string(&nvs, "s", "seven", buffer, 7, &length), LB_ERR_NVS_INVALID_LENGTH);
  assert_result(lb_nvs_get_string(&nvs, "s", "longest", NULL, 0, &length), LB_ERR_NVS_INVALID_LENGTH);
  assert_int_equal(length, LB_NVS_STRING_MAX);
  assert_result(lb_nvs_get_string(&nvs, "s", "no-nul", buffer, 8, &length), LB_ERR_NVS_DAMAGED);
  assert_result(lb_nvs_get_string(&nvs, "s", "nothing", buffer, 8, &length), LB_ERR_NVS_DAMAGED);
  assert_result(lb_nvs_get_blob(&nvs, "s", "seven", buffer, 8, &length), LB_ERR_NVS_TYPE_MISMATCH);
  close_world(&world);
}

static void test_blobs(void **state)
{
  struct world world;
  struct lb_nvs nvs;
  uint8_t data[5000];
  uint8_t got[5000];
  struct unit_random random = {7};
  uint32_t length = 0;
  uint32_t at;

  (void)state;
  unit_random_fill(&random, data, sizeof(data));
  open_world(&world);
  nvs_page_begin(world.page[3], NVS_PAGE_FULL_WORD, 4, 0xFE);
  at = nvs_page_integer(world.page[3], 0, 0, "b", LB_NVS_U8, 3);
  nvs_page_data(world.page[3], at, 3, "big", 0x42, 0x80, data, 3000);
  nvs_page_begin(world.page[0], NVS_PAGE_ACTIVE_WORD, 5, 0xFE);
  at = nvs_page_data(world.page[0], 0, 3, "big", 0x42, 0x81, data + 3000, 2000);
  at = nvs_page_index(world.page[0], at, 3, "big", 5000, 2, 0x80);
  at = nvs_page_data(world.page[0], at, 3, "old", 0x41, 0xFF, data, 33);
  at = nvs_page_data(world.page[0], at, 3, "none", 0x42, 0, data, 0);
  at = nvs_page_index(world.page[0], at, 3, "none", 0, 1, 0);
  at = nvs_page_index(world.page[0], at, 3, "lost", 10, 1, 0);
  at = nvs_page_data(world.page[0], at, 3, "short", 0x42, 0, data, 9);
  at = nvs_page_index(world.page[0], at, 3, "short", 10, 1, 0);
  nvs_page_index(world.page[0], at, 3, "wrap", 0, 200, 0x80);
  open_settings(&world, &nvs);
  assert_result(lb_nvs_get_blob(&nvs, "b", "big", got, 5000, &length), LB_OK);
  assert_int_equal(length, 5000);
  assert_memory_equal(got, data, 5000);
  assert_result(lb_nvs_get_blob(&nvs, "b", "big", got, 4999, &length), LB_ERR_NVS_INVALID_LENGTH);
  assert_int_equal(length, 5000);
  assert_result(lb_nvs_get_blob(&nvs, "b", "old", got, 33, &length), LB_OK);
  assert_int_equal(length, 33);
  assert_memory_equal(got, data, 33);
  assert_result(lb_nvs_get_blob(&nvs, "b", "none", NULL, 0, &length), LB_OK);
  assert_int_equal(length, 0);
  assert_result(lb_nvs_get_blob(&nvs, "b", "lost", got, 5000, &length), LB_ERR_NVS_DAMAGED);
  assert_result(lb_nvs_get_blob(&nvs, "b", "short", got, 5000, &length), LB_ERR_NVS_DAMAGED);
  assert_result(lb_nvs_get_blob(&nvs, "b", "wrap", got, 5000, &length), LB_ERR_NVS_DAMAGED);
  close_world(&world);
}

/* The newer page counts, whatever its place; on one page the later entry. */
static void test_newer_counts(void **state)
{
  struct world world;
  struct lb_nvs nvs;
  struct lb_nvs_entry entry;
  uint32_t found = 0;
  uint32_t at;

  (void)state;
  open_world(&world);
  nvs_page_begin(world.page[0], NVS_PAGE_ACTIVE_WORD, 9, 0xFE);
  at = nvs_page_string(world.page[0], 0, 1, "page", "new");
  at = nvs_page_string(world.page[0], at, 1, "place", "old");
  nvs_page_string(world.page[0], at, 1, "place", "new");
  nvs_page_begin(world.page[1], NVS_PAGE_FULL_WORD, 8, 0xFE);
  at = nvs_page_integer(world.page[1], 0, 0, "n", LB_NVS_U8, 1);
  at = nvs_page_string(world.page[1], at, 1, "page", "old");
  nvs_page_integer(world.page[1], at, 1, "place", LB_NVS_U8, 3);
  open_settings(&world, &nvs);
  assert_string(&nvs, "n", "page", "new");
  assert_string(&nvs, "n", "place", "new");
  for (int result = lb_nvs_first(&nvs, &entry); result != LB_ERR_NVS_NOT_FOUND; result = lb_nvs_next(&nvs, &entry)) {
    assert_result(result, LB_OK);
    assert_string_equal(entry.namespace_name, "n");
    assert_int_equal(entry.type, LB_NVS_STRING);
    found++;
  }
  assert_int_equal(found, 2);
  close_world(&world);
}

/* What is marked as erased, or only in part as written, or not believable, is not there; what lies around it is. */
static void test_what_is_not_believed(void **state)
{
  struct world world;
  struct lb_nvs nvs;
  char buffer[100];
  uint32_t length = 0;
  uint64_t bits = 0;
  uint32_t at;

  (void)state;
  open_world(&world);
  nvs_page_begin(world.page[0], NVS_PAGE_ACTIVE_WORD, 1, 0xFE);
  at = nvs_page_integer(world.page[0], 0, 0, "n", LB_NVS_U8, 1);
  nvs_page_set_state(world.page[0], at, 0);
  at = nvs_page_string(world.page[0], at, 1, "part", "a text of more than thirty-two bytes");
  nvs_page_set_state(world.page[0], at - 1, 3);
  nvs_page_integer(world.page[0], at, 1, "crc", LB_NVS_U8, 1);
  nvs_page_entry(world.page[0], at)[24] = 2;
  at++;
  at = nvs_page_integer(world.page[0], at, 1, "span", LB_NVS_U8, 1);
  nvs_page_entry(world.page[0], at - 1)[2] = 2;
  nvs_item_seal(nvs_page_entry(world.page[0], at - 1));
  at = nvs_page_integer(world.page[0], at, 1, "type", 0x03, 1);
  at = nvs_page_string(world.page[0], at, 1, "data", "damaged");
  nvs_page_entry(world.page[0], at - 1)[0] = 'D';
  at = nvs_page_integer(world.page[0], at, 1, "erased", LB_NVS_U8, 1);
  nvs_page_set_state(world.page[0], at - 1, 0);
  at = nvs_page_integer(world.page[0], at, 1, "illegal", LB_NVS_U8, 1);
  nvs_page_set_state(world.page[0], at - 1, 1);
  at = nvs_page_integer(world.page[0], at, 1, "good", LB_NVS_U8, 5);
  nvs_page_integer(world.page[0], 125, 1, "end", LB_NVS_STRING, 1); /* its data would be behind the page */
  nvs_page_entry(world.page[0], 125)[2] = 2;
  memset(nvs_page_entry(world.page[0], 125) + 24, 0, 2);
  nvs_page_entry(world.page[0], 125)[24] = 30;
  nvs_item_seal(nvs_page_entry(world.page[0], 125));
  nvs_page_begin(world.page[1], NVS_PAGE_FULL_WORD, 2, 0xFE);
  nvs_page_integer(world.page[1], 0, 1, "good", LB_NVS_U8, 6);
  world.page[1][5] ^= 1; /* a header without its CRC: the page is nothing */
  open_settings(&world, &nvs);
  assert_result(lb_nvs_get_integer(&nvs, "n", "good", LB_NVS_U8, &bits), LB_OK);
  assert_int_equal(bits, 5);
  assert_result(lb_nvs_get_string(&nvs, "n", "part", buffer, 100, &length), LB_ERR_NVS_NOT_FOUND);
  assert_result(lb_nvs_get_string(&nvs, "n", "data", buffer, 100, &length), LB_ERR_NVS_DAMAGED);
  assert_result(lb_nvs_get_string(&nvs, "n", "end", buffer, 100, &length), LB_ERR_NVS_NOT_FOUND);
  for (size_t i = 0; i < 5; i++) {
    static const char *const keys[] = {"crc", "span", "type", "erased", "illegal"};

    assert_result(lb_nvs_get_integer(&nvs, "n", keys[i], LB_NVS_U8, &bits), LB_ERR_NVS_NOT_FOUND);
  }
  close_world(&world);
}

/* The data of a string may look like an item, even where the string is not whole: it is never taken for one. */
static void test_data_that_looks_like_an_item(void **state)
{
  struct world world;
  struct lb_nvs nvs;
  uint8_t other[LB_NVS_PAGE_SIZE];
  uint64_t bits = 0;
  uint32_t at;

  (void)state;
  nvs_page_begin(other, NVS_PAGE_ACTIVE_WORD, 0, 0xFE);
  nvs_page_integer(other, 0, 1, "forged", LB_NVS_U8, 1);
  nvs_page_integer(other, 1, 1, "forged", LB_NVS_U8, 2);
  open_world(&world);
  nvs_page_begin(world.page[0], NVS_PAGE_ACTIVE_WORD, 1, 0xFE);
  at = nvs_page_integer(world.page[0], 0, 0, "n", LB_NVS_U8, 1);
  at = nvs_page_data(world.page[0], at, 1, "blob", 0x41, 0xFF, other + 64, 64);
  at = nvs_page_data(world.page[0], at, 1, "torn", 0x41, 0xFF, other + 64, 64);
  nvs_page_set_state(world.page[0], at - 1, 3);
  open_settings(&world, &nvs);
  assert_result(lb_nvs_get_integer(&nvs, "n", "forged", LB_NVS_U8, &bits), LB_ERR_NVS_NOT_FOUND);
  close_world(&world);
}

static void test_all_are_listed(void **state)
{
  struct world world;
  struct lb_nvs nvs;
  struct lb_nvs_entry entry;
  struct lb_nvs_statistics statistics;
  uint32_t at;

  (void)state;
  open_world(&world);
  nvs_page_begin(world.page[0], NVS_PAGE_FULL_WORD, 1, 0xFE);
  at = nvs_page_integer(world.page[0], 0, 0, "first", LB_NVS_U8, 1);
  at = nvs_page_data(world.page[0], at, 1, "blob", 0x42, 0, "0123456789", 10);
  nvs_page_integer(world.page[0], at, 77, "lost", LB_NVS_U8, 1);
  nvs_page_set_state(world.page[0], 100, 0);
  nvs_page_begin(world.page[1], NVS_PAGE_ACTIVE_WORD, 2, 0xFE);
  at = nvs_page_index(world.page[1], 0, 1, "blob", 10, 1, 0);
  at = nvs_page_integer(world.page[1], at, 0, "second", LB_NVS_U8, 2);
  nvs_page_integer(world.page[1], at, 2, "number", LB_NVS_I32, 1);
  open_settings(&world, &nvs);
  assert_result(lb_nvs_first(&nvs, &entry), LB_OK);
  assert_string_equal(entry.namespace_name, "first");
  assert_string_equal(entry.key, "blob");
  assert_int_equal(entry.type, LB_NVS_BLOB);
  assert_int_equal(entry.size, 10);
  assert_result(lb_nvs_next(&nvs, &entry), LB_OK);
  assert_string_equal(entry.namespace_name, "second");
  assert_string_equal(entry.key, "number");
  assert_int_equal(entry.type, LB_NVS_I32);
  assert_int_equal(entry.size, 4);
  assert_result(lb_nvs_next(&nvs, &entry), LB_ERR_NVS_NOT_FOUND);
  assert_result(lb_nvs_statistics(&nvs, &statistics), LB_OK);
  assert_int_equal(statistics.pages, PAGES);
  assert_int_equal(statistics.pages_free, 2);
  assert_int_equal(statistics.namespaces, 2);
  assert_int_equal(statistics.entries, PAGES * 126);
  assert_int_equal(statistics.entries_used, 4 + 3);
  assert_int_equal(statistics.entries_erased, 1);
  close_world(&world);
}

static void test_partitions_that_are_refused(void **state)
{
  static const struct {
    uint32_t offset;
    uint32_t size;
    uint32_t flags;
    bool writable;
    int result;
  } cases[] = {
      {0x1000, 0x3000, 0, true, LB_OK},
      {0x1000, 0x2000, 0, false, LB_ERR_NVS_SIZE},
      {0x1000, 0x3800, 0, false, LB_ERR_NVS_SIZE},
      {0x1800, 0x3000, 0, false, LB_ERR_NVS_SIZE},
      {0x4000, 0x3000, 0, false, LB_ERR_NVS_SIZE}, /* behind the chip */
      {0xFFFFF000, 0x3000, 0, false, LB_ERR_NVS_SIZE},
      {0x1000, 0xFFFFF000, 0, false, LB_ERR_NVS_SIZE},
      {0x1000, 0x3000, LB_FLAG_ENCRYPTED, false, LB_ERR_NVS_ENCRYPTED},
      {0x1000, 0x3000, LB_FLAG_READ_ONLY, true, LB_ERR_NVS_READ_ONLY},
      {0x1000, 0x3000, LB_FLAG_READ_ONLY, false, LB_OK},
  };
  struct world world;
  struct lb_nvs nvs;

  (void)state;
  open_world(&world);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct lb_partition partition = {.offset = cases[i].offset, .size = cases[i].size, .flags = cases[i].flags};

    assert_result(lb_nvs_open(&nvs, &world.flash.tap.flash, &partition, cases[i].writable), cases[i].result);
  }
  world.flash.tap.flash.erase_sizes[0] = 2048;
  assert_result(lb_nvs_open(&nvs, &world.flash.tap.flash, &world.flash.partition, false), LB_ERR_NVS_SIZE);
  close_world(&world);
}

static void test_too_many_pages(void **state)
{
  struct nvs_flash flash;
  struct lb_nvs nvs;

  (void)state;
  nvs_flash_open(&flash, 65, false);
  assert_result(lb_nvs_open(&nvs, nvs_flash_driver(&flash), &flash.partition, true), LB_ERR_NVS_SIZE);
  flash.partition.size = 64 * LB_NVS_PAGE_SIZE;
  assert_result(lb_nvs_open(&nvs, nvs_flash_driver(&flash), &flash.partition, true), LB_OK);
  flash.partition.size = 65 * LB_NVS_PAGE_SIZE;
  nvs_flash_close(&flash);
}

static void test_states_that_are_refused(void **state)
{
  struct world world;
  struct lb_nvs nvs;
  const struct lb_flash *flash;

  (void)state;
  open_world(&world);
  flash = nvs_flash_driver(&world.flash);
  nvs_page_begin(world.page[0], NVS_PAGE_ACTIVE_WORD, 1, 0xFD);
  assert_result(lb_nvs_open(&nvs, flash, &world.flash.partition, false), LB_ERR_NVS_NEW_VERSION);
  assert_result(lb_nvs_open(&nvs, flash, &world.flash.partition, true), LB_ERR_NVS_NEW_VERSION);
  nvs_page_begin(world.page[0], NVS_PAGE_ACTIVE_WORD, 1, 0xFE); /* as if it were encrypted */
  for (uint32_t i = 0; i < 5; i++) {
    nvs_page_set_state(world.page[0], i, 2);
    memset(nvs_page_entry(world.page[0], i), (int)(0x11 * i), 32);
  }
  assert_result(lb_nvs_open(&nvs, flash, &world.flash.partition, false), LB_ERR_NVS_ENCRYPTED);
  assert_result(lb_nvs_open(&nvs, flash, &world.flash.partition, true), LB_ERR_NVS_ENCRYPTED);
  for (uint32_t i = 0; i < PAGES; i++) { /* no page is free */
    nvs_page_begin(world.page[i], i == 0 ? NVS_PAGE_ACTIVE_WORD : NVS_PAGE_FULL_WORD, 10 - i, 0xFE);
  }
  assert_result(lb_nvs_open(&nvs, flash, &world.flash.partition, false), LB_OK);
  assert_result(lb_nvs_open(&nvs, flash, &world.flash.partition, true), LB_ERR_NVS_NO_FREE_PAGES);
  nvs_page_begin(world.page[0], NVS_PAGE_FREEING_WORD, 1, 0xFE);
  nvs_page_begin(world.page[1], NVS_PAGE_FREEING_WORD, 2, 0xFE);
  memset(world.page[2], 0xFF, LB_NVS_PAGE_SIZE);
  assert_result(lb_nvs_open(&nvs, flash, &world.flash.partition, false), LB_OK);
  assert_result(lb_nvs_open(&nvs, flash, &world.flash.partition, true), LB_ERR_NVS_INVALID_STATE);
  assert_result(lb_nvs_set_string(&nvs, "a", "b", "c"), LB_ERR_STATE);
  assert_int_equal(world.flash.tap.programs + world.flash.tap.erases, 0);
  close_world(&world);
}

static void test_read_errors_are_told(void **state)
{
  struct world world;
  struct lb_nvs nvs;
  struct lb_nvs_entry entry;
  struct lb_nvs_statistics statistics;
  uint8_t data[16];
  uint32_t length = 0;
  uint64_t bits = 0;
  uint32_t at;

  (void)state;
  open_world(&world);
  nvs_page_begin(world.page[0], NVS_PAGE_ACTIVE_WORD, 1, 0xFE);
  at = nvs_page_integer(world.page[0], 0, 0, "n", LB_NVS_U8, 1);
  at = nvs_page_data(world.page[0], at, 1, "blob", 0x42, 0, "0123456789", 10);
  at = nvs_page_index(world.page[0], at, 1, "blob", 10, 1, 0);
  at = nvs_page_string(world.page[0], at, 1, "text", "text");
  nvs_page_integer(world.page[0], at, 1, "number", LB_NVS_U8, 1);
  for (int call = 0; call < 6; call++) {
    int result = LB_ERR_FLASH_READ;

    for (uint32_t failing = 0; result == LB_ERR_FLASH_READ; failing++) {
      flash_tap_clear(&world.flash.tap);
      world.flash.tap.fail_read_at = call == 0 ? failing : TAP_NEVER;
      result = lb_nvs_open(&nvs, &world.flash.tap.flash, &world.flash.partition, false);
      if (call > 0) {
        assert_result(result, LB_OK);
        flash_tap_clear(&world.flash.tap);
        world.flash.tap.fail_read_at = failing;
      }
      result = call == 1   ? lb_nvs_get_integer(&nvs, "n", "number", LB_NVS_U8, &bits)
               : call == 2 ? lb_nvs_get_string(&nvs, "n", "text", (char *)data, sizeof(data), &length)
               : call == 3 ? lb_nvs_get_blob(&nvs, "n", "blob", data, sizeof(data), &length)
               : call == 4 ? lb_nvs_first(&nvs, &entry)
               : call == 5 ? lb_nvs_statistics(&nvs, &statistics)
                           : result;
      if (result == LB_OK && world.flash.tap.reads > world.flash.tap.fail_read_at) {
        fail_here("call %d: read %u failed, and nobody was told", call, failing);
      }
      assert_true(failing < 200);
    }
    assert_result(result, LB_OK);
  }
  close_world(&world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_integers),
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_strings),
      cmocka_unit_test(test_blobs),
      cmocka_unit_test(test_newer_counts),
      cmocka_unit_test(test_what_is_not_believed),
      cmocka_unit_test(test_data_that_looks_like_an_item),
      cmocka_unit_test(test_all_are_listed),
      cmocka_unit_test(test_partitions_that_are_refused),
      cmocka_unit_test(test_too_many_pages),
      cmocka_unit_test(test_states_that_are_refused),
      cmocka_unit_test(test_read_errors_are_told),
  };

  assert_true(sizeof(struct lb_nvs) <= 1536);
  return cmocka_run_group_tests_name("nvs_read", tests, NULL, NULL);
}
