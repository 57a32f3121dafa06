// SPDX-License-Identifier: MIT
/*
 * Partitions that nobody wrote: noise, flipped bits, headers that lie with a right CRC. Whatever they are, nothing is
 * read or written beside the partition and the buffers (the sanitizers watch), every call ends, and what is reported as
 * set is there.
 */
#include "tests/unit/support/nvs_model.h"
#include "tests/unit/support/nvs_pages.h"

#define CASES     100000U
#define PAGES     3U
#define READS_MAX 60000U /* of the driver, for all that is done in a case */
#define BLOB_MAX  9000U

struct world {
  struct nvs_flash flash;
  uint8_t base[PAGES * LB_NVS_PAGE_SIZE];
  struct unit_random random;
  struct lb_nvs nvs;
  uint64_t most_reads;
  uint32_t opened;
  uint32_t set;
};

static uint32_t below(struct world *world, uint32_t bound)
{
  return unit_random_below(&world->random, bound);
}

static uint8_t *page_of(struct world *world, uint32_t page)
{
  return nvs_flash_bytes(&world->flash) + (size_t)page * LB_NVS_PAGE_SIZE;
}

/* ---- what is damaged: a partition with all there is ---- */

static void make_base(uint8_t *base)
{
  uint8_t data[700];
  uint32_t at;

  for (uint32_t i = 0; i < sizeof(data); i++) {
    data[i] = (uint8_t)(i * 7);
  }
  memset(base, 0xFF, PAGES * LB_NVS_PAGE_SIZE);
  nvs_page_begin(base, NVS_PAGE_FULL_WORD, 3, 0xFE);
  at = nvs_page_integer(base, 0, 0, "ota", LB_NVS_U8, 1);
  at = nvs_page_integer(base, at, 0, "vfs", LB_NVS_U8, 2);
  at = nvs_page_string(base, at, 1, "tag", "main");
  at = nvs_page_data(base, at, 1, "blob", 0x42, 0, data, 700);
  at = nvs_page_data(base, at, 1, "old", 0x41, 0xFF, data, 90);
  at = nvs_page_integer(base, at, 1, "number", LB_NVS_I32, 4);
  at = nvs_page_string(base, at, 2, "mru", "/sd/one");
  nvs_page_set_state(base, at - 1, 0);
  nvs_page_data(base, at, 1, "orphan", 0x42, 0x80, data, 64);
  nvs_page_begin(base + 4096, NVS_PAGE_ACTIVE_WORD, 4, 0xFE);
  at = nvs_page_data(base + 4096, 0, 1, "blob", 0x42, 1, data, 100);
  at = nvs_page_index(base + 4096, at, 1, "blob", 800, 2, 0);
  at = nvs_page_string(base + 4096, at, 2, "mru", "/sd/a-file-with-a-longer-name.bin");
  at = nvs_page_integer(base + 4096, at, 1, "number", LB_NVS_I32, 5);
  nvs_page_string(base + 4096, at, 1, "tag", "edge");
}

/* ---- ways of damage ---- */

static void flip_bits(struct world *world)
{
  for (uint32_t count = 1 + below(world, 40); count > 0; count--) {
    nvs_flash_bytes(&world->flash)[below(world, nvs_flash_size(&world->flash))] ^= (uint8_t)(1U << below(world, 8));
  }
}

static void fill_noise(struct world *world)
{
  uint32_t size = nvs_flash_size(&world->flash);
  uint32_t begin = below(world, size);
  uint32_t length = below(world, size - begin) + 1;

  unit_random_fill(&world->random, nvs_flash_bytes(&world->flash) + begin, length);
}

/* A header whose CRC is right, in a place that is marked as written, with fields of all kinds. */
static void lie(struct world *world)
{
  static const uint8_t types[] = {0x01, 0x02, 0x04, 0x08, 0x11, 0x14, 0x18, 0x21, 0x41, 0x42, 0x48, 0x43, 0xFF};
  static const char *const keys[] = {"ota", "vfs", "tag", "blob", "old", "number", "mru", "orphan", "x"};
  uint8_t *page = page_of(world, below(world, 2));
  uint32_t index = below(world, 126);
  uint8_t *entry = nvs_page_entry(page, index);
  const char *key = keys[below(world, 9)];

  entry[0] = (uint8_t)below(world, 4);
  entry[1] = types[below(world, sizeof(types))];
  entry[2] = (uint8_t)(below(world, 3) == 0 ? below(world, 256) : 1 + below(world, 6));
  entry[3] = (uint8_t)(below(world, 2) == 0 ? below(world, 256) : below(world, 3));
  memset(entry + 8, 0, 16);
  memcpy(entry + 8, key, strlen(key));
  unit_random_fill(&world->random, entry + 24, 8);
  if (below(world, 2) == 0) {
    entry[24] = (uint8_t)(below(world, 2) == 0 ? (entry[2] - 1) * 32 : 1);
    entry[25] = (uint8_t)((entry[2] - 1) * 32 >> 8);
  }
  if (below(world, 2) == 0) { /* the index of a blob: of so many bytes, and so many chunks from there on */
    memset(entry + 26, 0, 2);
    entry[28] = (uint8_t)below(world, 256);
    entry[29] = (uint8_t)(below(world, 2) == 0 ? below(world, 256) : 0);
  }
  nvs_item_seal(entry);
  for (uint32_t i = 0; i < entry[2] && index + i < 126; i++) {
    nvs_page_set_state(page, index + i, 2);
  }
}

/* An item of the partition that lies about one thing. */
static void lie_a_little(struct world *world)
{
  static const uint8_t fields[] = {0, 1, 2, 3, 8, 23, 24, 25, 27, 28, 29};
  uint8_t *entry = nvs_page_entry(page_of(world, below(world, 2)), below(world, 40));

  entry[fields[below(world, sizeof(fields))]] = (uint8_t)below(world, 256);
  nvs_item_seal(entry);
}

static void change_page(struct world *world)
{
  static const uint32_t words[] = {0xFFFFFFFFU, 0xFFFFFFFEU, 0xFFFFFFFCU, 0xFFFFFFF8U, 0xFFFFFFF0U, 0};
  static const uint32_t sequences[] = {0, 3, 4, 5, 0xFFFFFFFEU, 0xFFFFFFFFU};
  uint8_t *page = page_of(world, below(world, PAGES));
  uint32_t word = words[below(world, 6)];
  uint32_t sequence = sequences[below(world, 6)];

  for (uint32_t i = 0; i < 4; i++) {
    page[i] = (uint8_t)(word >> (8 * i));
    page[4 + i] = (uint8_t)(sequence >> (8 * i));
  }
  page[8] = (uint8_t)(0xFE + below(world, 2));
  nvs_page_seal(page);
}

static void mark_noise(struct world *world)
{
  unit_random_fill(&world->random, page_of(world, below(world, PAGES)) + 32, 32);
}

/* The whole of a page on another one. */
static void copy_page(struct world *world)
{
  memcpy(page_of(world, 2), page_of(world, below(world, 2)), LB_NVS_PAGE_SIZE);
}

static void (*const damages[])(struct world *world) = {flip_bits,   fill_noise, lie,       lie, lie_a_little,
                                                       change_page, mark_noise, copy_page, lie};

static void damage(struct world *world)
{
  uint32_t size = nvs_flash_size(&world->flash);

  if (below(world, 50) == 0) {
    unit_random_fill(&world->random, nvs_flash_bytes(&world->flash), size);
  } else {
    memcpy(nvs_flash_bytes(&world->flash), world->base, size);
  }
  for (uint32_t count = 1 + below(world, 5); count > 0; count--) {
    damages[below(world, sizeof(damages) / sizeof(damages[0]))](world);
  }
}

/* ---- what is done with it ---- */

/* Gets a value into a buffer that is exactly as long as asked for. */
static void get_one(const struct lb_nvs *nvs, const struct lb_nvs_entry *entry)
{
  const char *space = entry->namespace_name;
  uint32_t length = 0;
  uint64_t bits = 0;
  int result;
  char *buffer;

  if (entry->type != LB_NVS_STRING && entry->type != LB_NVS_BLOB) {
    assert_result(lb_nvs_get_integer(nvs, space, entry->key, entry->type, &bits), LB_OK);
    return;
  }
  result = entry->type == LB_NVS_STRING ? lb_nvs_get_string(nvs, space, entry->key, NULL, 0, &length)
                                        : lb_nvs_get_blob(nvs, space, entry->key, NULL, 0, &length);
  if (result != LB_ERR_NVS_INVALID_LENGTH) {
    assert_true(result == LB_ERR_NVS_DAMAGED || (result == LB_OK && length == 0));
    return;
  }
  assert_true(length <= nvs->page_count * LB_NVS_PAGE_SIZE);
  buffer = unit_allocate(length);
  result = entry->type == LB_NVS_STRING ? lb_nvs_get_string(nvs, space, entry->key, buffer, length, &length)
                                        : lb_nvs_get_blob(nvs, space, entry->key, buffer, length, &length);
  assert_true(result == LB_OK || result == LB_ERR_NVS_DAMAGED);
  assert_true(result != LB_OK || entry->type != LB_NVS_STRING || buffer[length - 1] == '\0');
  free(buffer);
}

static void look_around(const struct lb_nvs *nvs)
{
  struct lb_nvs_statistics statistics;
  struct lb_nvs_entry entry;
  uint32_t count = 0;
  int result;

  for (result = lb_nvs_first(nvs, &entry); result == LB_OK; result = lb_nvs_next(nvs, &entry)) {
    get_one(nvs, &entry);
    count++;
    assert_true(count <= PAGES * 126);
  }
  assert_result(result, LB_ERR_NVS_NOT_FOUND);
  assert_result(lb_nvs_statistics(nvs, &statistics), LB_OK);
  assert_true(statistics.entries_used + statistics.entries_erased <= statistics.entries);
}

static void choose_value(struct world *world, struct model_value *value)
{
  uint32_t seed = unit_random_next(&world->random);

  switch (below(world, 5)) {
  case 0:
    nvs_model_string(value, below(world, 3999), seed);
    break;
  case 1:
    nvs_model_blob(value, below(world, BLOB_MAX), seed);
    break;
  case 2:
    memset(value, 0, offsetof(struct model_value, data));
    break;
  default:
    nvs_model_integer(value, LB_NVS_U16, below(world, 65536));
  }
}

static void change_one(struct world *world)
{
  static const char *const spaces[] = {"ota", "vfs", "new"};
  static const char *const keys[] = {"tag", "blob", "old", "number", "mru", "orphan"};
  static struct model_value value;
  struct model_setting setting = {.space = ""};
  struct lb_nvs reader;
  int result;

  (void)snprintf(setting.space, sizeof(setting.space), "%s", spaces[below(world, 3)]);
  (void)snprintf(setting.key, sizeof(setting.key), "%s", keys[below(world, 6)]);
  choose_value(world, &value);
  result = nvs_model_set(&world->nvs, &setting, &value);
  if (result == LB_OK) {
    world->set++;
    assert_true(nvs_model_holds(&world->nvs, &setting, &value));
    nvs_flash_settings(&world->flash, &reader, false);
    assert_true(nvs_model_holds(&reader, &setting, &value));
    return;
  }
  assert_true(result == LB_ERR_NVS_NOT_ENOUGH_SPACE || result == LB_ERR_NVS_NOT_FOUND ||
              result == LB_ERR_NVS_VALUE_TOO_LONG || result == LB_ERR_NVS_INVALID_STATE);
}

static bool open_settings(struct world *world, bool writable)
{
  int result = lb_nvs_open(&world->nvs, nvs_flash_driver(&world->flash), &world->flash.partition, writable);

  assert_true(result == LB_OK || (result <= LB_ERR_NVS_NOT_FOUND && result >= LB_ERR_NVS_SIZE));
  return result == LB_OK;
}

static uint64_t current; /* the seed of the case, for whoever has to find it again */

static int tell_case(void **state)
{
  (void)state;
  print_message("the last case was LIFEBOAT_SEED=0x%llx\n", (unsigned long long)current);
  return 0;
}

static void one_case(struct world *world)
{
  const struct sim_flash_counters *counters = sim_flash_counters(&world->flash.flash);

  sim_flash_clear_counters(&world->flash.flash);
  damage(world);
  if (open_settings(world, false)) {
    look_around(&world->nvs);
    assert_int_equal(counters->programs + counters->erases, 0);
  }
  if (open_settings(world, true)) {
    world->opened++;
    for (uint32_t i = 0; i < 2; i++) {
      change_one(world);
    }
    look_around(&world->nvs);
  }
  assert_int_equal(counters->refused, 0);
  if (counters->reads > READS_MAX) {
    fail_here("%llu reads", (unsigned long long)counters->reads);
  }
  world->most_reads = counters->reads > world->most_reads ? counters->reads : world->most_reads;
}

static void test_hostile_partitions(void **state)
{
  struct world *world = unit_allocate(sizeof(*world));
  uint64_t seed;

  (void)state;
  memset(world, 0, sizeof(*world));
  unit_random_seed(&world->random, "nvs_hostile", 0x6E7673);
  seed = world->random.state;
  make_base(world->base);
  nvs_flash_open(&world->flash, PAGES, false);
  for (uint32_t i = 0; i < CASES; i++) {
    current = seed + i;
    world->random.state = current;
    one_case(world);
    if (i % 1000 == 0) {
      nvs_flash_check_guards(&world->flash);
    }
  }
  print_message("%u cases: %u could be opened for writing, %u changes, at most %llu reads\n", CASES, world->opened,
                world->set, (unsigned long long)world->most_reads);
  assert_true(world->opened > CASES / 4);
  assert_true(world->set > CASES / 4);
  nvs_flash_close(&world->flash);
  free(world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_hostile_partitions, tell_case),
  };

  return cmocka_run_group_tests_name("nvs_hostile", tests, NULL, NULL);
}
