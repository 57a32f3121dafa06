// SPDX-License-Identifier: MIT
/* Settings are set, changed and erased: values, types, what is written and what is not, room, wear, failing flash. */
#include "tests/unit/support/nvs_model.h"
#include "tests/unit/support/nvs_pages.h"

struct world {
  struct nvs_flash flash;
  struct lb_nvs nvs;
  struct nvs_model model;
};

static struct world *open_world(uint32_t pages)
{
  struct world *world = unit_allocate(sizeof(*world));

  memset(world, 0, sizeof(*world));
  nvs_flash_open(&world->flash, pages, true);
  nvs_flash_settings(&world->flash, &world->nvs, true);
  assert_int_equal(world->flash.tap.programs + world->flash.tap.erases, 0);
  return world;
}

static void close_world(struct world *world)
{
  nvs_flash_close(&world->flash);
  free(world);
}

static void reopen(struct world *world)
{
  flash_tap_clear(&world->flash.tap);
  nvs_flash_settings(&world->flash, &world->nvs, true);
  assert_int_equal(world->flash.tap.programs, 0); /* nothing was left half done */
}

static void assert_string(const struct world *world, const char *space, const char *key, const char *expected)
{
  char buffer[LB_NVS_STRING_MAX];
  uint32_t length = 0;

  assert_result(lb_nvs_get_string(&world->nvs, space, key, buffer, sizeof(buffer), &length), LB_OK);
  assert_string_equal(buffer, expected);
}

static void assert_untouched(struct world *world)
{
  assert_int_equal(world->flash.tap.programs + world->flash.tap.erases, 0);
}

static void test_first_settings(void **state)
{
  struct world *world = open_world(4);
  struct lb_nvs_statistics statistics;
  const uint8_t *page = nvs_flash_bytes(&world->flash);
  uint8_t expected[LB_NVS_PAGE_SIZE];
  uint32_t at;

  (void)state;
  assert_result(lb_nvs_set_string(&world->nvs, "ota", "tag", "main"), LB_OK);
  assert_result(lb_nvs_set_integer(&world->nvs, "ota", "auto", LB_NVS_I16, (uint64_t)-5), LB_OK);
  assert_result(lb_nvs_set_blob(&world->nvs, "vfs", "mru", "0123456789012345678901234567890123456789", 40), LB_OK);
  nvs_page_begin(expected, NVS_PAGE_ACTIVE_WORD, 0, 0xFE); /* every byte as the format says */
  at = nvs_page_integer(expected, 0, 0, "ota", LB_NVS_U8, 1);
  at = nvs_page_string(expected, at, 1, "tag", "main");
  at = nvs_page_integer(expected, at, 1, "auto", LB_NVS_I16, (uint64_t)-5);
  at = nvs_page_integer(expected, at, 0, "vfs", LB_NVS_U8, 2);
  at = nvs_page_data(expected, at, 2, "mru", 0x42, 0, "0123456789012345678901234567890123456789", 40);
  nvs_page_index(expected, at, 2, "mru", 40, 1, 0);
  for (uint32_t i = 0; i < sizeof(expected); i++) {
    if (page[i] != expected[i]) {
      fail_here("byte 0x%x is 0x%02x, not 0x%02x", i, page[i], expected[i]);
    }
  }
  assert_int_equal(world->flash.tap.erases, 0);
  assert_result(lb_nvs_statistics(&world->nvs, &statistics), LB_OK);
  assert_int_equal(statistics.namespaces, 2);
  assert_int_equal(statistics.pages_free, 3);
  reopen(world);
  assert_string(world, "ota", "tag", "main");
  close_world(world);
}

static void test_equal_values_write_nothing(void **state)
{
  struct world *world = open_world(3);
  struct model_setting setting = {.space = "space", .key = "key"};

  (void)state;
  for (uint32_t i = 0; i < 5; i++) {
    struct model_value *value = &setting.value;

    switch (i) {
    case 0:
      nvs_model_integer(value, LB_NVS_U64, 0x123456789ABCDEFU);
      break;
    case 1:
      nvs_model_string(value, 300, 1);
      break;
    case 2:
      nvs_model_blob(value, 0, 1);
      break;
    case 3:
      nvs_model_blob(value, 3900, 1);
      break;
    default:
      nvs_model_integer(value, LB_NVS_I8, (uint64_t)-128);
    }
    assert_result(nvs_model_set(&world->nvs, &setting, value), LB_OK);
    flash_tap_clear(&world->flash.tap);
    assert_result(nvs_model_call(&world->nvs, &setting, value), LB_OK);
    assert_untouched(world);
    reopen(world);
    assert_untouched(world);
    assert_true(nvs_model_holds(&world->nvs, &setting, value));
  }
  close_world(world);
}

/* A blob in the old form is as good as one in the new form. */
static void test_equal_old_blob(void **state)
{
  struct world *world = open_world(3);
  uint8_t *page = nvs_flash_bytes(&world->flash);
  uint8_t data[100] = {1, 2, 3};
  uint8_t got[100];
  uint32_t length = 0;
  uint32_t at;

  (void)state;
  nvs_page_begin(page, NVS_PAGE_ACTIVE_WORD, 0, 0xFF);
  at = nvs_page_integer(page, 0, 0, "n", LB_NVS_U8, 1);
  nvs_page_data(page, at, 1, "old", 0x41, 0xFF, data, 100);
  reopen(world);
  assert_result(lb_nvs_set_blob(&world->nvs, "n", "old", data, 100), LB_OK);
  assert_int_equal(world->flash.tap.programs, 1); /* the marks of what was written last, once after opening */
  assert_int_equal(world->flash.tap.erases, 0);
  assert_result(lb_nvs_set_blob(&world->nvs, "n", "old", data, 100), LB_OK);
  assert_int_equal(world->flash.tap.programs, 1);
  data[99] = 1;
  assert_result(lb_nvs_set_blob(&world->nvs, "n", "old", data, 100), LB_OK);
  assert_result(lb_nvs_get_blob(&world->nvs, "n", "old", got, 100, &length), LB_OK);
  assert_memory_equal(got, data, 100);
  assert_int_equal(nvs_page_entry(page, at)[1], 0x41);
  assert_int_equal(page[32] & 0x0C, 0); /* the old one is erased */
  close_world(world);
}

static void test_what_is_refused(void **state)
{
  struct world *world = open_world(3);
  char long_text[4001];
  struct lb_nvs reader;

  (void)state;
  memset(long_text, 'x', sizeof(long_text));
  long_text[4000] = '\0';
  assert_result(lb_nvs_set_string(&world->nvs, "n", "k", long_text), LB_ERR_NVS_VALUE_TOO_LONG);
  assert_result(lb_nvs_set_string(&world->nvs, "", "k", "x"), LB_ERR_NVS_INVALID_NAME);
  assert_result(lb_nvs_set_blob(&world->nvs, "n", "", "x", 1), LB_ERR_NVS_INVALID_NAME);
  assert_result(lb_nvs_set_integer(&world->nvs, "n", "sixteen-bytes-kk", LB_NVS_U8, 1), LB_ERR_NVS_KEY_TOO_LONG);
  assert_result(lb_nvs_erase_key(&world->nvs, "sixteen-bytes-kk", "k"), LB_ERR_NVS_KEY_TOO_LONG);
  assert_result(lb_nvs_erase_key(&world->nvs, "n", "k"), LB_ERR_NVS_NOT_FOUND);
  assert_result(lb_nvs_set_blob(&world->nvs, "n", "k", long_text, 8001), LB_ERR_NVS_VALUE_TOO_LONG);
  assert_result(lb_nvs_set_integer(&world->nvs, "n", "k", LB_NVS_STRING, 1), LB_ERR_ARGUMENT);
  assert_result(lb_nvs_set_integer(&world->nvs, "n", "k", (enum lb_nvs_type)0x03, 1), LB_ERR_ARGUMENT);
  assert_result(lb_nvs_set_integer(&world->nvs, "n", "k", LB_NVS_U8, 256), LB_ERR_ARGUMENT);
  assert_result(lb_nvs_set_integer(&world->nvs, "n", "k", LB_NVS_I8, 128), LB_ERR_ARGUMENT);
  assert_result(lb_nvs_set_integer(&world->nvs, "n", "k", LB_NVS_I8, (uint64_t)-129), LB_ERR_ARGUMENT);
  assert_result(lb_nvs_set_integer(&world->nvs, "n", "k", LB_NVS_U32, 1ULL << 32), LB_ERR_ARGUMENT);
  assert_result(lb_nvs_set_integer(&world->nvs, "n", "k", LB_NVS_I32, 1ULL << 31), LB_ERR_ARGUMENT);
  assert_untouched(world);
  nvs_flash_settings(&world->flash, &reader, false);
  assert_result(lb_nvs_set_string(&reader, "n", "k", "x"), LB_ERR_NVS_READ_ONLY);
  assert_result(lb_nvs_erase_key(&reader, "n", "k"), LB_ERR_NVS_READ_ONLY);
  assert_untouched(world);
  long_text[3999] = '\0';
  assert_result(lb_nvs_set_string(&world->nvs, "n", "k", long_text), LB_OK);
  assert_string(world, "n", "k", long_text);
  close_world(world);
}

static void test_another_type_replaces(void **state)
{
  struct world *world = open_world(3);
  struct lb_nvs_statistics statistics;
  uint32_t key = nvs_model_add(&world->model, "n", "key");
  struct model_setting *setting = &world->model.settings[key];

  (void)state;
  for (uint32_t round = 0; round < 12; round++) {
    struct model_value *value = &setting->value;

    if (round % 4 == 0) {
      nvs_model_integer(value, LB_NVS_U32, round);
    } else if (round % 4 == 1) {
      nvs_model_string(value, 40, round);
    } else {
      nvs_model_blob(value, 100 * round, round);
    }
    assert_result(nvs_model_set(&world->nvs, setting, value), LB_OK);
    reopen(world);
    nvs_model_check(&world->model, &world->nvs, MODEL_KEYS);
  }
  assert_result(lb_nvs_erase_key(&world->nvs, "n", "key"), LB_OK);
  setting->value.present = false;
  nvs_model_check(&world->model, &world->nvs, MODEL_KEYS);
  assert_result(lb_nvs_statistics(&world->nvs, &statistics), LB_OK);
  assert_int_equal(statistics.entries_used, 1); /* the namespace */
  close_world(world);
}

static void test_namespaces_run_out(void **state)
{
  struct world *world = open_world(6);
  char name[LB_NVS_NAME_SIZE];
  uint64_t bits = 0;

  (void)state;
  for (uint32_t i = 0; i < LB_NVS_NAMESPACES; i++) {
    (void)snprintf(name, sizeof(name), "space-%u", i);
    assert_result(lb_nvs_set_integer(&world->nvs, name, "k", LB_NVS_U16, i), LB_OK);
  }
  assert_result(lb_nvs_set_integer(&world->nvs, "one-more", "k", LB_NVS_U16, 1), LB_ERR_NVS_NOT_ENOUGH_SPACE);
  reopen(world);
  for (uint32_t i = 0; i < LB_NVS_NAMESPACES; i++) {
    (void)snprintf(name, sizeof(name), "space-%u", i);
    assert_result(lb_nvs_get_integer(&world->nvs, name, "k", LB_NVS_U16, &bits), LB_OK);
    assert_int_equal(bits, i);
  }
  close_world(world);
}

/* Filled to the last entry: one page stays free, what is there stays, and erasing makes room again. */
static void test_full_partition(void **state)
{
  struct world *world = open_world(3);
  struct lb_nvs_statistics statistics;
  char key[LB_NVS_NAME_SIZE];
  uint64_t bits = 0;
  uint32_t count = 0;
  int result = LB_OK;

  (void)state;
  while (result == LB_OK) {
    (void)snprintf(key, sizeof(key), "key-%u", count);
    result = lb_nvs_set_integer(&world->nvs, "n", key, LB_NVS_U32, count);
    count += result == LB_OK ? 1U : 0U;
  }
  assert_result(result, LB_ERR_NVS_NOT_ENOUGH_SPACE);
  assert_int_equal(count, 2 * 126 - 1);
  assert_result(lb_nvs_statistics(&world->nvs, &statistics), LB_OK);
  assert_int_equal(statistics.pages_free, 1);
  flash_tap_clear(&world->flash.tap);
  assert_result(lb_nvs_set_string(&world->nvs, "other", "k", "text"), LB_ERR_NVS_NOT_ENOUGH_SPACE);
  assert_result(lb_nvs_set_blob(&world->nvs, "n", "blob", "text", 4), LB_ERR_NVS_NOT_ENOUGH_SPACE);
  assert_result(lb_nvs_set_integer(&world->nvs, "n", "key-0", LB_NVS_U32, 1), LB_ERR_NVS_NOT_ENOUGH_SPACE);
  assert_untouched(world);
  assert_result(lb_nvs_erase_key(&world->nvs, "n", "key-7"), LB_OK);
  assert_result(lb_nvs_set_integer(&world->nvs, "n", "new", LB_NVS_U32, 77), LB_OK);
  assert_result(lb_nvs_get_integer(&world->nvs, "n", "new", LB_NVS_U32, &bits), LB_OK);
  assert_int_equal(bits, 77);
  for (uint32_t i = 0; i < count; i++) {
    (void)snprintf(key, sizeof(key), "key-%u", i);
    assert_result(lb_nvs_get_integer(&world->nvs, "n", key, LB_NVS_U32, &bits), i == 7 ? LB_ERR_NVS_NOT_FOUND : LB_OK);
    assert_true(i == 7 || bits == i);
  }
  close_world(world);
}

/* A blob over many pages, changed in place of itself, and one that does not fit beside the old one. */
static void test_large_blobs(void **state)
{
  struct world *world = open_world(8);
  struct lb_nvs_statistics statistics;
  struct model_value *value = unit_allocate(sizeof(*value));
  uint32_t other = nvs_model_add(&world->model, "n", "other");
  uint32_t key = nvs_model_add(&world->model, "n", "blob");
  struct model_setting *setting = &world->model.settings[key];

  (void)state;
  nvs_model_string(&world->model.settings[other].value, 1000, 5);
  assert_result(nvs_model_set(&world->nvs, &world->model.settings[other], &world->model.settings[other].value), LB_OK);
  for (uint32_t round = 0; round < 8; round++) {
    nvs_model_blob(&setting->value, 12000 - round, round);
    assert_result(nvs_model_set(&world->nvs, setting, &setting->value), LB_OK);
    reopen(world);
    nvs_model_check(&world->model, &world->nvs, MODEL_KEYS);
  }
  close_world(world);

  world = open_world(4);
  key = nvs_model_add(&world->model, "n", "blob");
  setting = &world->model.settings[key];
  nvs_model_blob(&setting->value, 8000, 1);
  assert_result(nvs_model_set(&world->nvs, setting, &setting->value), LB_OK);
  nvs_model_blob(value, 8000, 2);
  assert_result(nvs_model_set(&world->nvs, setting, value), LB_ERR_NVS_NOT_ENOUGH_SPACE);
  nvs_model_check(&world->model, &world->nvs, MODEL_KEYS);
  assert_result(lb_nvs_erase_key(&world->nvs, "n", "blob"), LB_OK);
  setting->value.present = false;
  nvs_model_blob(value, 11900, 2); /* turns out not to fit when most of it is written, which is taken back */
  assert_result(nvs_model_set(&world->nvs, setting, value), LB_ERR_NVS_NOT_ENOUGH_SPACE);
  assert_result(lb_nvs_statistics(&world->nvs, &statistics), LB_OK);
  assert_int_equal(statistics.entries_used, 1);
  reopen(world);
  nvs_model_check(&world->model, &world->nvs, MODEL_KEYS);
  nvs_model_blob(&setting->value, 11800, 2);
  assert_result(nvs_model_set(&world->nvs, setting, &setting->value), LB_OK);
  reopen(world);
  nvs_model_check(&world->model, &world->nvs, MODEL_KEYS);
  free(value);
  close_world(world);
}

/* ---- at random, against a model ---- */

static void random_value(struct unit_random *random, struct model_value *value)
{
  static const enum lb_nvs_type types[] = {LB_NVS_U8,  LB_NVS_I8,  LB_NVS_U16, LB_NVS_I16,
                                           LB_NVS_U32, LB_NVS_I32, LB_NVS_U64, LB_NVS_I64};
  uint32_t kind = unit_random_below(random, 10);
  uint32_t seed = unit_random_next(random);

  if (kind < 4) {
    nvs_model_integer(value, types[unit_random_below(random, 8)], unit_random_below(random, 100));
  } else if (kind < 7) {
    nvs_model_string(value, unit_random_below(random, unit_random_below(random, 8) == 0 ? 3999 : 200), seed);
  } else if (kind < 9) {
    nvs_model_blob(value, unit_random_below(random, unit_random_below(random, 8) == 0 ? 6000 : 300), seed);
  } else {
    memset(value, 0, sizeof(*value));
  }
}

static void one_step(struct world *world, struct unit_random *random, struct model_value *value)
{
  struct model_setting *setting = &world->model.settings[unit_random_below(random, world->model.count)];
  int result = LB_MORE;

  random_value(random, value);
  for (uint32_t calls = 0; result == LB_MORE; calls++) {
    flash_tap_clear(&world->flash.tap);
    result = nvs_model_call(&world->nvs, setting, value);
    assert_true(world->flash.tap.erases <= 1);
    assert_true(calls < 100);
  }
  if (result == LB_ERR_NVS_NOT_ENOUGH_SPACE) {
    return;
  }
  if (!value->present && !setting->value.present) {
    assert_result(result, LB_ERR_NVS_NOT_FOUND);
    return;
  }
  assert_result(result, LB_OK);
  setting->value = *value;
}

static void check_free_page(const struct world *world)
{
  struct lb_nvs_statistics statistics;

  assert_result(lb_nvs_statistics(&world->nvs, &statistics), LB_OK);
  assert_true(statistics.pages_free >= 1);
}

static void random_steps(uint32_t pages, uint32_t steps)
{
  struct world *world = open_world(pages);
  struct model_value *value = unit_allocate(sizeof(*value));
  struct unit_random random;
  uint64_t most;
  uint64_t total;

  unit_random_seed(&random, "nvs_write", 20 + pages);
  for (uint32_t i = 0; i < 20; i++) {
    char key[LB_NVS_NAME_SIZE];

    (void)snprintf(key, sizeof(key), "key-%u", i);
    nvs_model_add(&world->model, i % 3 == 0 ? "ota" : i % 3 == 1 ? "vfs" : "a-longer-name-x", key);
  }
  for (uint32_t i = 0; i < steps; i++) {
    one_step(world, &random, value);
    check_free_page(world);
    if (i % 16 == 0) {
      reopen(world);
      nvs_model_check(&world->model, &world->nvs, MODEL_KEYS);
    }
  }
  most = sim_flash_wear_max(&world->flash.flash);
  total = sim_flash_wear_total(&world->flash.flash);
  print_message("%u pages: %u steps, %u erases, the most worn page %u\n", pages, steps, (unsigned)total,
                (unsigned)most);
  assert_true(total > steps / 20);
  assert_true(most * pages <= 2 * total); /* no page wears twice as fast as they do on average */
  free(value);
  close_world(world);
}

static void test_random_steps(void **state)
{
  (void)state;
  random_steps(3, 3000);
  random_steps(4, 3000);
  random_steps(7, 2000);
}

/* ---- a flash that fails ---- */

static void prepare(struct world *world)
{
  struct model_value *value = unit_allocate(sizeof(*value));
  struct model_setting filler = {.space = "n", .key = "filler"};
  uint32_t key = nvs_model_add(&world->model, "n", "key");

  nvs_model_string(&world->model.settings[key].value, 500, 1);
  assert_result(nvs_model_set(&world->nvs, &world->model.settings[key], &world->model.settings[key].value), LB_OK);
  for (uint32_t i = 0; i < 4; i++) { /* so that the next one has to copy a page */
    nvs_model_string(value, 1330, i);
    assert_result(nvs_model_set(&world->nvs, &filler, value), LB_OK);
  }
  free(value);
}

/* Every failure is told, the settings refuse to go on, and what is there is the old value or the new one. */
static void fails_at(uint32_t program, uint32_t erase, uint32_t drop, bool *fired)
{
  struct world *world = open_world(3);
  struct model_value *value = unit_allocate(sizeof(*value));
  struct model_setting *setting = &world->model.settings[0];
  int result;

  prepare(world);
  nvs_model_string(value, 1400, 99);
  flash_tap_clear(&world->flash.tap);
  world->flash.tap.fail_program_at = program;
  world->flash.tap.fail_erase_at = erase;
  world->flash.tap.drop_program_at = drop;
  result = nvs_model_set(&world->nvs, setting, value);
  *fired = result != LB_OK;
  if (*fired) {
    assert_true(result == LB_ERR_FLASH_PROGRAM || result == LB_ERR_FLASH_ERASE || result == LB_ERR_READ_BACK);
    assert_result(nvs_model_call(&world->nvs, setting, value), LB_ERR_STATE);
  }
  flash_tap_clear(&world->flash.tap);
  world->flash.tap.drop_program_at = TAP_NEVER;
  nvs_flash_settings(&world->flash, &world->nvs, true);
  assert_true(nvs_model_holds(&world->nvs, setting, value) ||
              (*fired && nvs_model_holds(&world->nvs, setting, &setting->value)));
  assert_result(nvs_model_set(&world->nvs, setting, value), LB_OK);
  assert_true(nvs_model_holds(&world->nvs, setting, value));
  free(value);
  close_world(world);
}

static void test_failing_flash(void **state)
{
  bool fired = true;
  uint32_t programs = 0;
  uint32_t erases = 0;

  (void)state;
  for (; fired; programs++) {
    fails_at(programs, TAP_NEVER, TAP_NEVER, &fired);
  }
  assert_true(programs > 10);
  for (fired = true; fired; erases++) {
    fails_at(TAP_NEVER, erases, TAP_NEVER, &fired);
  }
  assert_true(erases == 2); /* one that failed, and one that was not reached */
}

/* A program that silently left a bit standing: the value that is reported as set is there all the same. */
static void test_lying_flash(void **state)
{
  uint32_t noticed = 0;

  (void)state;
  for (uint32_t drop = 0; drop < 40; drop++) {
    bool fired = false;

    fails_at(TAP_NEVER, TAP_NEVER, drop, &fired);
    noticed += fired ? 1U : 0U;
  }
  assert_true(noticed > 5);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_first_settings),        cmocka_unit_test(test_equal_values_write_nothing),
      cmocka_unit_test(test_equal_old_blob),        cmocka_unit_test(test_what_is_refused),
      cmocka_unit_test(test_another_type_replaces), cmocka_unit_test(test_namespaces_run_out),
      cmocka_unit_test(test_full_partition),        cmocka_unit_test(test_large_blobs),
      cmocka_unit_test(test_random_steps),          cmocka_unit_test(test_failing_flash),
      cmocka_unit_test(test_lying_flash),
  };

  return cmocka_run_group_tests_name("nvs_write", tests, NULL, NULL);
}
