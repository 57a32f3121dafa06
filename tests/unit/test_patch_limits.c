// SPDX-License-Identifier: MIT
/*
 * Limits of the format that no right patch comes near, and that damage hardly ever finds: plans that no sensible
 * encoder would have are coded, which the decoder has to stop; and patches that are a little too short or too long.
 */
#include "lifeboat/bytes.h"
#include "tests/unit/support/patch_pairs.h"
#include "tests/unit/support/unit.h"
#include "tool/patch/plan.h"

#define LENGTH 600U

static uint8_t base[LENGTH + LB_PATCH_AHEAD];
static uint8_t result[LENGTH + LB_PATCH_AHEAD];

/* What comes of the plan, when it is coded and decoded at once. */
static int encode(struct patch_plan *plan, uint8_t walker, uint8_t profile)
{
  static const struct lb_patch_walker *const walkers[] = {NULL, &lb_patch_walker_xtensa, &lb_patch_walker_riscv};
  const struct patch_make_options options = {.profile = profile};
  struct patch_picture base_picture;
  struct patch_picture result_picture;
  struct patch_view view = {&base_picture, &result_picture, walkers[walker]};
  struct patch_job job;
  struct patch_costs costs = {.places = NULL};
  struct patch_bytes patch = {0};
  struct lb_patch_info info = {.profile = profile, .walker = walker, .base_length = LENGTH, .result_length = LENGTH};

  patch_picture_open(&base_picture, base, LENGTH, true);
  patch_picture_open(&result_picture, result, LENGTH, true);
  assert_int_equal(patch_job_open(&job, &options), 0);
  int status = patch_encode(&job, plan, &view, &info, &patch, &costs);
  patch_job_free(&job);
  patch_plan_free(plan);
  free(patch.data);
  return status;
}

static int copy(uint32_t place, uint32_t source, uint32_t length)
{
  const struct patch_block block = {.place = place, .source = source, .length = length, .from_base = true};
  struct patch_plan plan = {0};

  assert_int_equal(patch_plan_add(&plan, &block), 0);
  return encode(&plan, LB_PATCH_WALKER_NONE, LB_PATCH_PROFILE_SMALL);
}

static void test_copies_that_leave_the_base(void **state)
{
  struct unit_random random;

  (void)state;
  unit_random_seed(&random, "limits", 4);
  unit_random_fill(&random, base, LENGTH);
  unit_random_fill(&random, result, LENGTH);
  assert_result(copy(100, LENGTH - 50U, 50), LB_OK);
  assert_result(copy(100, LENGTH - 50U, 51), LB_ERR_PATCH_CORRUPT);
  assert_result(copy(100, LENGTH - 1U, 1), LB_OK);
  assert_result(copy(100, LENGTH - 1U, 2), LB_ERR_PATCH_CORRUPT);
  assert_result(copy(100, LENGTH, 1), LB_ERR_PATCH_CORRUPT);
  assert_result(copy(100, LENGTH + 1000U, 20), LB_ERR_PATCH_CORRUPT);
  assert_result(copy(100, 0xFFFFFF00U, 20), LB_ERR_PATCH_CORRUPT);
}

/* A map of so many ranges; all of the result is literals. */
static int map(uint32_t count, uint8_t profile)
{
  struct patch_plan plan = {.range_count = count};

  plan.ranges = unit_allocate((count + 1U) * sizeof(*plan.ranges));
  for (uint32_t i = 0; i < count; i++) {
    plan.ranges[i] = (struct lb_patch_range){.start = 0x400D0000U + 64U * i, .shift = 4U * i};
  }
  return encode(&plan, LB_PATCH_WALKER_XTENSA, profile);
}

static void test_too_many_ranges(void **state)
{
  (void)state;
  for (uint8_t profile = LB_PATCH_PROFILE_DEFAULT; profile <= LB_PATCH_PROFILE_SMALL; profile++) {
    const uint32_t most = lb_patch_profiles[profile - 1U].ranges;
    assert_result(map(most, profile), LB_OK);
    assert_result(map(most + 1U, profile), LB_ERR_PATCH_CORRUPT);
  }
}

/* Its CRC says that it is all there: then it is too short, or leads to something else before that is found out. */
static void test_cut_off(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < PATCH_PAIRS; i++) {
    const struct patch_pair_made *pair = &patch_pairs[i];
    uint32_t too_short = 0;
    uint32_t tried = 0;
    for (uint32_t less = 8; less < pair->patch.length - LB_PATCH_HEADER_SIZE && tried < 40; less += 3, tried++) {
      uint8_t *bytes = unit_copy(pair->patch.data, pair->patch.length - less);
      struct patch_run run;
      patch_mend_crc(bytes, pair->patch.length - less);
      patch_pair_open(&run, pair);
      int status = patch_run(&run, bytes, pair->patch.length - less);
      assert_true(lb_error_is_of_patch(status));
      too_short += status == LB_ERR_PATCH_TRUNCATED;
      patch_run_close(&run);
      free(bytes);
    }
    assert_true(2U * too_short >= tried);
  }
}

/* A few zeros may be written out that the encoder leaves out; what comes behind them is too much. */
static void test_bytes_behind_the_end(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < PATCH_PAIRS; i++) {
    const struct patch_pair_made *pair = &patch_pairs[i];
    for (uint32_t more = 8; more <= 300; more += 23) {
      uint8_t *bytes = unit_allocate(pair->patch.length + more);
      struct patch_run run;
      memcpy(bytes, pair->patch.data, pair->patch.length);
      memset(bytes + pair->patch.length, 0, more);
      patch_mend_crc(bytes, pair->patch.length + more);
      patch_pair_open(&run, pair);
      assert_result(patch_run(&run, bytes, pair->patch.length + more), LB_ERR_PATCH_CORRUPT);
      patch_run_close(&run);
      free(bytes);
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_copies_that_leave_the_base),
      cmocka_unit_test(test_too_many_ranges),
      cmocka_unit_test(test_cut_off),
      cmocka_unit_test(test_bytes_behind_the_end),
  };

  return cmocka_run_group_tests_name("patch_limits", tests, patch_pairs_make, patch_pairs_free);
}
