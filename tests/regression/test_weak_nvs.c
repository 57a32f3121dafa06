// SPDX-License-Identifier: MIT
/*
 * Found by the explorer (tests/faults), with bits that a cut leaves so weak that they read differently each time: a
 * setting that was stored again, and reported as stored, was lost later, and so was its old value; and a partition
 * with one weak mark was taken for an encrypted one.
 */
#include "lifeboat/nvs.h"
#include "tests/unit/support/nvs_pages.h"
#include "tests/unit/support/unit.h"

#define SEEDS    40U
#define READS    8U
#define NEWER    "http://192.168.4.2:8080/ovms3"
#define CUTS_MAX 64U

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

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_first_value),
      cmocka_unit_test(test_changed_value),
  };

  return cmocka_run_group_tests_name("weak bits in nvs", tests, NULL, NULL);
}
