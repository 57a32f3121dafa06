// SPDX-License-Identifier: MIT
/*
 * Found by fuzz_nvs: when the pages' sequence numbers were used up, a change that needed room marked a page as being
 * freed before it noticed. From then on the settings could not be opened for writing any more.
 */
#include "tests/unit/support/nvs_model.h"
#include "tests/unit/support/nvs_pages.h"

static void test_nothing_is_begun(void **state)
{
  static struct model_value value;
  static struct model_value kept;
  const struct model_setting big = {.space = "ota", .key = "big"};
  const struct model_setting small = {.space = "ota", .key = "tag"};
  struct nvs_flash flash;
  struct lb_nvs nvs;

  (void)state;
  nvs_flash_open(&flash, 3, true);
  nvs_page_begin(nvs_flash_bytes(&flash), NVS_PAGE_FULL_WORD, 0xFFFFFFFEU, 0xFE);
  nvs_page_begin(nvs_flash_bytes(&flash) + LB_NVS_PAGE_SIZE, NVS_PAGE_ACTIVE_WORD, 0xFFFFFFFFU, 0xFE);
  nvs_flash_settings(&flash, &nvs, true);
  nvs_model_string(&kept, 20, 1);
  assert_result(nvs_model_set(&nvs, &small, &kept), LB_OK);
  nvs_model_string(&value, 3000, 2);
  assert_result(nvs_model_set(&nvs, &big, &value), LB_OK);
  for (int turn = 0; turn < 3; turn++) {
    nvs_model_string(&value, 3000, 3);
    assert_result(nvs_model_set(&nvs, &big, &value), LB_ERR_NVS_INVALID_STATE);
    nvs_flash_settings(&flash, &nvs, true);
    nvs_model_string(&value, 3000, 2);
    assert_true(nvs_model_holds(&nvs, &big, &value));
    assert_true(nvs_model_holds(&nvs, &small, &kept));
  }
  nvs_flash_close(&flash);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing_is_begun)};

  return cmocka_run_group_tests(tests, NULL, NULL);
}
