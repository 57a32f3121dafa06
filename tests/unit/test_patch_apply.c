// SPDX-License-Identifier: MIT
/* Patches of every walker and profile, given and taken in pieces of any size. */
#include "tests/unit/support/patch_pairs.h"
#include "tests/unit/support/unit.h"

static void assert_applies(struct patch_run *run, const struct patch_pair_made *pair)
{
  int result = patch_run(run, pair->patch.data, pair->patch.length);
  if (result != LB_OK) {
    fail_here("%s, profile %u, pieces of %u, takes %u: %s", pair->name, pair->profile, run->piece, run->takes,
              unit_result_name(result));
  }
  patch_pair_assert_result(run, pair);
}

static void test_every_kind(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < PATCH_PAIRS; i++) {
    const struct patch_pair_made *pair = &patch_pairs[i];
    struct patch_run run;
    patch_pair_open(&run, pair);
    assert_applies(&run, pair);
    const struct lb_patch_info *info = lb_patch_info(run.patch);
    assert_non_null(info);
    assert_int_equal(info->walker, pair->walker);
    assert_int_equal(info->profile, pair->profile);
    assert_int_equal(info->base_length, pair->base.length);
    assert_int_equal(info->result_length, pair->result.length);
    assert_int_equal(info->base_sealed, pair->base.length && pair->base.bytes[23]);
    print_message("%s, profile %u: %u -> %u in %u bytes, %u + %u reads\n", pair->name, pair->profile, pair->base.length,
                  pair->result.length, pair->patch.length, run.base_reads, run.result_reads);
    patch_run_close(&run);
  }
}

/* Two functions of sixty differ, so most of an image comes from the base, and its moved addresses are foreseen. */
static void test_small(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < PATCH_PAIRS; i++) {
    const struct patch_pair_made *pair = &patch_pairs[i];
    uint32_t parts = pair->base.length == 0 ? 1U : pair->walker == LB_PATCH_WALKER_NONE ? 3U : 6U;
    if (pair->patch.length > pair->result.length / parts) {
      fail_here("%s, profile %u: %u bytes for %u", pair->name, pair->profile, pair->patch.length, pair->result.length);
    }
  }
}

static void test_pieces(void **state)
{
  static const uint32_t pieces[] = {1, 2, 65, 66, 67, 127, 128, 129, 1000};
  (void)state;
  for (uint32_t i = 0; i < PATCH_PAIRS; i++) {
    struct patch_run run;
    patch_pair_open(&run, &patch_pairs[i]);
    for (size_t j = 0; j < sizeof(pieces) / sizeof(pieces[0]); j++) {
      run.piece = pieces[j];
      assert_applies(&run, &patch_pairs[i]);
    }
    patch_run_close(&run);
  }
}

static void test_taken_slowly(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < PATCH_PAIRS; i++) {
    struct patch_run run;
    patch_pair_open(&run, &patch_pairs[i]);
    run.refuses = 3;
    assert_applies(&run, &patch_pairs[i]);
    run.takes = 1;
    run.refuses = 0;
    run.piece = 7;
    assert_applies(&run, &patch_pairs[i]);
    run.takes = 37;
    run.refuses = 2;
    run.piece = 1;
    assert_applies(&run, &patch_pairs[i]);
    patch_run_close(&run);
  }
}

/* Memory, base and room may be larger than they need to be. */
static void test_more_than_needed(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < PATCH_PAIRS; i++) {
    const struct patch_pair_made *pair = &patch_pairs[i];
    struct patch_run run;
    uint8_t *base = unit_allocate(pair->base.length + 500U);
    memset(base, 0xFF, pair->base.length + 500U);
    if (pair->base.length) {
      memcpy(base, pair->base.bytes, pair->base.length);
    }
    patch_run_open(&run, base, pair->base.length + 500U, pair->result.length + 1000U);
    assert_applies(&run, pair);
    patch_run_close(&run);
    free(base);
  }
}

static void test_nothing_at_all(void **state)
{
  struct patch_make_options options = {.profile = LB_PATCH_PROFILE_SMALL};
  struct patch_bytes patch = {0};
  struct patch_run run;
  (void)state;
  assert_int_equal(patch_make(NULL, 0, NULL, 0, &options, &patch), LB_OK);
  assert_int_equal(patch.length, LB_PATCH_HEADER_SIZE);
  patch_run_open(&run, NULL, 0, 0);
  assert_result(patch_run(&run, patch.data, patch.length), LB_OK);
  assert_int_equal(run.length, 0);
  free(patch.data);
  patch_run_close(&run);
}

/* Files of any bytes and lengths, some of them nearly images. */
static void test_any_files(void **state)
{
  struct unit_random random;
  uint8_t base[700];
  uint8_t result[700];
  (void)state;
  unit_random_seed(&random, "patch any files", 7);
  for (uint32_t turn = 0; turn < 60; turn++) {
    struct patch_make_options options = {.profile = (uint8_t)(1U + turn % 2U)};
    struct patch_bytes patch = {0};
    struct patch_run run;
    uint32_t base_length = unit_random_below(&random, sizeof(base) + 1U);
    uint32_t length = unit_random_below(&random, sizeof(result) + 1U);
    unit_random_fill(&random, base, sizeof(base));
    memcpy(result, base, sizeof(result));
    memset(result + length / 3U, (int)turn, length / 5U);
    if (turn % 3U) {
      const uint8_t header[32] = {
          0xE9, (uint8_t)turn, [12] = (uint8_t)(turn % 7U), [24] = 0x20, [27] = 0x40, [28] = 60};
      memcpy(base, header, sizeof(header));
      memcpy(result, header, sizeof(header));
      result[28] = (uint8_t)turn;
    }
    assert_int_equal(patch_make(base, base_length, result, length, &options, &patch), LB_OK);
    patch_run_open(&run, base, base_length, length);
    run.profile = options.profile;
    run.piece = turn;
    run.takes = turn % 5U;
    assert_result(patch_run(&run, patch.data, patch.length), LB_OK);
    assert_int_equal(run.length, length);
    assert_memory_equal(run.result, result, length);
    free(patch.data);
    patch_run_close(&run);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_kind),       cmocka_unit_test(test_small),
      cmocka_unit_test(test_pieces),           cmocka_unit_test(test_taken_slowly),
      cmocka_unit_test(test_more_than_needed), cmocka_unit_test(test_nothing_at_all),
      cmocka_unit_test(test_any_files),
  };

  return cmocka_run_group_tests_name("patch_apply", tests, patch_pairs_make, patch_pairs_free);
}
