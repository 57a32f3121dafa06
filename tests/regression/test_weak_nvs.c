// SPDX-License-Identifier: MIT
/*
 * Found by the explorer (tests/faults), with bits that a cut leaves so weak that they read differently each time: a
 * setting that was stored again, and reported as stored, was lost later, and so was its old value; a partition with
 * one weak mark was taken for an encrypted one; and what a cut had left so weak that it read blank was written over.
 */
#include "lifeboat/nvs.h"
#include "tests/unit/support/nvs_pages.h"
#include "tests/unit/support/unit.h"

#define SEEDS       40U
#define SEEDS_OFTEN 200U /* for what is seen only where hardly any bits are weak */
#define READS       8U
#define NEWER       "http://192.168.4.2:8080/ovms3"
#define OTHER       "http://a/b"
#define CUTS_MAX    64U
#define HEADER      32U /* bytes */

static int store(struct nvs_flash *flash, const char *text)
{
  struct lb_nvs nvs;
  int result = lb_nvs_open(&nvs, nvs_flash_driver(flash), &flash->partition, true);

  result = result == LB_OK ? LB_MORE : result;
  while (result == LB_MORE) {
    result = lb_nvs_set_string(&nvs, "ota", "server", text);
  }
  return result;
}

static bool holds(struct nvs_flash *flash, const char *text)
{
  struct lb_nvs nvs;
  char value[64];
  uint32_t length = 0;

  assert_result(lb_nvs_open(&nvs, nvs_flash_driver(flash), &flash->partition, true), LB_OK);
  return lb_nvs_get_string(&nvs, "ota", "server", value, sizeof value, &length) == LB_OK && strcmp(value, text) == 0;
}

/* Cuts storing NEWER at that operation, stores it again, and looks often; false if there is no such operation. */
static bool cut_at(struct nvs_flash *flash, uint64_t number, uint64_t seed)
{
  int result;

  assert_true(sim_flash_mark(&flash->flash));
  sim_flash_seed(&flash->flash, seed);
  sim_flash_cut_at(&flash->flash, number, SIM_CUT_UNSTABLE);
  result = store(flash, NEWER);
  if (!sim_flash_cut_fired(&flash->flash)) {
    assert_result(result, LB_OK);
    sim_flash_rewind(&flash->flash);
    sim_flash_unmark(&flash->flash);
    return false;
  }
  sim_flash_power_on(&flash->flash);
  result = store(flash, NEWER);
  if (result == LB_ERR_READ_BACK) { /* told, and tried again */
    result = store(flash, NEWER);
  }
  assert_result(result, LB_OK);
  for (uint32_t i = 0; i < READS; i++) {
    assert_true(holds(flash, NEWER));
  }
  sim_flash_rewind(&flash->flash);
  sim_flash_unmark(&flash->flash);
  return true;
}

static void cut_everywhere(const char *before)
{
  struct nvs_flash flash;

  nvs_flash_open(&flash, 3, false);
  if (before) {
    assert_result(store(&flash, before), LB_OK);
  }
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    uint64_t number = 1;

    while (cut_at(&flash, number, seed)) {
      number++;
      assert_true(number < CUTS_MAX);
    }
    assert_true(number > 5);
  }
  nvs_flash_close(&flash);
}

static void test_first_value(void **state)
{
  (void)state;
  cut_everywhere(NULL);
}

static void test_changed_value(void **state)
{
  (void)state;
  cut_everywhere("https://depot.example/ovms3");
}

/* ---- what reads as if nothing had ever been there ---- */

static void store_somehow(struct nvs_flash *flash, const char *text)
{
  int result = store(flash, text);

  if (result == LB_ERR_READ_BACK) { /* told, and tried again */
    result = store(flash, text);
  }
  assert_result(result, LB_OK);
  for (uint32_t i = 0; i < READS; i++) {
    assert_true(holds(flash, text));
  }
}

/* Cuts storing what is longer than OTHER, so that another header goes where the one that was cut may read blank. */
static bool cut_and_store_another(struct nvs_flash *flash, uint64_t number, uint64_t seed)
{
  bool fired;

  assert_true(sim_flash_mark(&flash->flash));
  sim_flash_seed(&flash->flash, seed);
  sim_flash_cut_at(&flash->flash, number, SIM_CUT_UNSTABLE);
  (void)store(flash, NEWER);
  fired = sim_flash_cut_fired(&flash->flash);
  sim_flash_power_on(&flash->flash);
  sim_flash_cut_at(&flash->flash, 0, SIM_CUT_UNSTABLE);
  if (fired) {
    store_somehow(flash, OTHER);
  }
  sim_flash_rewind(&flash->flash);
  sim_flash_unmark(&flash->flash);
  return fired;
}

static void test_another_value(void **state)
{
  struct nvs_flash flash;

  (void)state;
  nvs_flash_open(&flash, 3, false);
  assert_result(store(&flash, "https://depot.example/ovms3"), LB_OK);
  for (uint64_t seed = 0; seed < SEEDS_OFTEN; seed++) {
    uint64_t number = 1;

    while (cut_and_store_another(&flash, number, seed)) {
      number++;
      assert_true(number < CUTS_MAX);
    }
  }
  nvs_flash_close(&flash);
}

/*
 * A header is cut, and then whatever is done about that: both may read blank at the third start. False: there is no
 * such cut.
 */
static bool cut_twice(struct nvs_flash *flash, uint64_t first, uint64_t second, uint64_t seed)
{
  bool fired;

  assert_true(sim_flash_mark(&flash->flash));
  sim_flash_seed(&flash->flash, seed);
  sim_flash_cut_at(&flash->flash, first, SIM_CUT_UNSTABLE);
  (void)store(flash, NEWER);
  assert_true(sim_flash_cut_fired(&flash->flash));
  assert_int_equal(sim_flash_cut_report(&flash->flash)->length, HEADER);
  sim_flash_power_on(&flash->flash);
  sim_flash_cut_at(&flash->flash, second, SIM_CUT_UNSTABLE);
  (void)store(flash, NEWER);
  fired = sim_flash_cut_fired(&flash->flash);
  sim_flash_power_on(&flash->flash);
  sim_flash_cut_at(&flash->flash, 0, SIM_CUT_UNSTABLE);
  store_somehow(flash, NEWER);
  sim_flash_rewind(&flash->flash);
  sim_flash_unmark(&flash->flash);
  return fired;
}

static void test_two_cuts(void **state)
{
  static const uint64_t headers[] = {2, 4}; /* of the namespace and of the value */
  struct nvs_flash flash;

  (void)state;
  nvs_flash_open(&flash, 3, false);
  for (uint64_t seed = 0; seed < SEEDS_OFTEN; seed++) {
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
      uint64_t second = 1;

      while (cut_twice(&flash, headers[i], second, seed)) {
        second++;
        assert_true(second < CUTS_MAX);
      }
    }
  }
  nvs_flash_close(&flash);
}

/* A page whose header does not verify now may verify tomorrow, and an erase that is cut leaves anything behind it. */
static void test_void_before_erased(void **state)
{
  static const uint8_t no_crc[4] = {0};
  struct nvs_flash flash;

  (void)state;
  nvs_flash_open(&flash, 3, false);
  memset(nvs_flash_bytes(&flash), 0xFE, HEADER);
  sim_flash_cut_at(&flash.flash, 2, SIM_CUT_BEFORE);
  (void)store(&flash, NEWER);
  assert_int_equal(sim_flash_cut_report(&flash.flash)->operation, SIM_OPERATION_ERASE);
  assert_memory_equal(nvs_flash_bytes(&flash) + HEADER - sizeof no_crc, no_crc, sizeof no_crc);
  sim_flash_power_on(&flash.flash);
  store_somehow(&flash, NEWER);
  nvs_flash_close(&flash);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_first_value),        cmocka_unit_test(test_changed_value),
      cmocka_unit_test(test_another_value),      cmocka_unit_test(test_two_cuts),
      cmocka_unit_test(test_void_before_erased),
  };

  return cmocka_run_group_tests_name("weak bits in nvs", tests, NULL, NULL);
}
