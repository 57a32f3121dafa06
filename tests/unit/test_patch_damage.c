// SPDX-License-Identifier: MIT
/*
 * Damaged, cut and made-up patches: nothing outside base and result is touched (patch_run.c and the sanitizers see to
 * that), the work stays bounded, and what is accepted is right.
 */
#include "tests/unit/support/patch_pairs.h"
#include "tests/unit/support/unit.h"

#define TURNS        40U

/* Callbacks for a byte of the result at the most, besides those that read the base for its digest. */
#define READS_A_BYTE 8U

static int run_bounded(struct patch_run *run, const uint8_t *patch, uint32_t length)
{
  int result = patch_run(run, patch, length);
  uint32_t most = READS_A_BYTE * (run->result_limit + 64U) + run->base_length / 16U;
  if (run->calls > most) {
    fail_here("%u calls for %u bytes", run->calls, run->length);
  }
  return result;
}

/* An error, or else the right result: only its last bytes may have been superfluous. */
static void assert_refused_or_right(struct patch_run *run, const struct patch_pair_made *pair, int result)
{
  if (result == LB_OK) {
    patch_pair_assert_result(run, pair);
  } else if (!lb_error_is_of_patch(result)) {
    fail_here("%s, profile %u: %s", pair->name, pair->profile, unit_result_name(result));
  }
}

static void test_cut(void **state)
{
  struct unit_random random;
  (void)state;
  unit_random_seed(&random, "cut patches", 1);
  for (uint32_t i = 0; i < PATCH_PAIRS; i++) {
    const struct patch_pair_made *pair = &patch_pairs[i];
    struct patch_run run;
    patch_pair_open(&run, pair);
    for (uint32_t turn = 0; turn < TURNS; turn++) {
      uint32_t length = turn < 20U ? pair->patch.length - 1U - turn : unit_random_below(&random, pair->patch.length);
      uint8_t *patch = unit_copy(pair->patch.data, length);
      assert_true(run_bounded(&run, patch, length) < LB_OK);
      if (length > 10U) { /* a patch that was made so short */
        patch_mend_crc(patch, length);
        assert_refused_or_right(&run, pair, run_bounded(&run, patch, length));
      }
      free(patch);
    }
    patch_run_close(&run);
  }
}

static void test_changed(void **state)
{
  struct unit_random random;
  (void)state;
  unit_random_seed(&random, "changed patches", 2);
  for (uint32_t i = 0; i < PATCH_PAIRS; i++) {
    const struct patch_pair_made *pair = &patch_pairs[i];
    uint32_t length = pair->patch.length;
    struct patch_run run;
    patch_pair_open(&run, pair);
    for (uint32_t turn = 0; turn < TURNS; turn++) {
      uint8_t *patch = unit_copy(pair->patch.data, length);
      uint32_t at = turn < 10U ? LB_PATCH_HEADER_SIZE + turn : unit_random_below(&random, length);
      patch[at] ^= (uint8_t)(1U << unit_random_below(&random, 8));
      int result = run_bounded(&run, patch, length);
      assert_true(result < LB_OK);
      patch_mend_crc(patch, length);
      assert_refused_or_right(&run, pair, run_bounded(&run, patch, length));
      free(patch);
    }
    patch_run_close(&run);
  }
}

/* A good header, and behind it anything: whatever the decoder is told to do, it does or refuses it. */
static void test_made_up(void **state)
{
  struct unit_random random;
  (void)state;
  unit_random_seed(&random, "made-up patches", 3);
  for (uint32_t i = 0; i < PATCH_PAIRS; i++) {
    const struct patch_pair_made *pair = &patch_pairs[i];
    struct patch_run run;
    patch_pair_open(&run, pair);
    for (uint32_t turn = 0; turn < TURNS; turn++) {
      uint32_t good = unit_random_below(&random, pair->patch.length - LB_PATCH_HEADER_SIZE);
      uint32_t length = LB_PATCH_HEADER_SIZE + good + unit_random_below(&random, 3000);
      uint8_t *patch = unit_allocate(length);
      unit_random_fill(&random, patch, length);
      if (turn % 4U == 1U) {
        memset(patch, turn & 8U ? 0xFF : 0, length);
      }
      memcpy(patch, pair->patch.data, LB_PATCH_HEADER_SIZE + (turn % 2U ? good : 0));
      patch_mend_crc(patch, length);
      assert_refused_or_right(&run, pair, run_bounded(&run, patch, length));
      free(patch);
    }
    patch_run_close(&run);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cut),
      cmocka_unit_test(test_changed),
      cmocka_unit_test(test_made_up),
  };

  return cmocka_run_group_tests_name("patch_damage", tests, patch_pairs_make, patch_pairs_free);
}
