// SPDX-License-Identifier: MIT
/* What a patch is refused for, and what a callback or the hash that fails ends it with. */
#include "lifeboat/bytes.h"
#include "tests/unit/support/patch_pairs.h"
#include "tests/unit/support/unit.h"

enum { AT_RESULT_DIGEST = 34 };

static int run_pair(struct patch_run *run, const struct patch_pair_made *pair)
{
  return patch_run(run, pair->patch.data, pair->patch.length);
}

static void test_arguments(void **state)
{
  struct lb_hash hash = {0};
  struct lb_patch_small memory;
  struct lb_patch_config good;
  struct patch_run run;
  (void)state;
  patch_pair_open(&run, &patch_pairs[0]);
  assert_result(patch_run_start(&run), LB_OK);
  good = run.config;
  good.sha256 = &hash;
  struct lb_patch_config config = good;
  assert_result(lb_patch_start(&memory.patch, sizeof(memory), &config), LB_OK);
  assert_null(lb_patch_info(&memory.patch));
  assert_result(lb_patch_start(&memory.patch, sizeof(memory) - 1U, &config), LB_ERR_ARGUMENT);
  config.read_base = NULL;
  assert_result(lb_patch_start(&memory.patch, sizeof(memory), &config), LB_ERR_ARGUMENT);
  config.base_limit = 0;
  assert_result(lb_patch_start(&memory.patch, sizeof(memory), &config), LB_OK);
  config = good;
  config.read_result = NULL;
  assert_result(lb_patch_start(&memory.patch, sizeof(memory), &config), LB_ERR_ARGUMENT);
  config = good;
  config.write_result = NULL;
  assert_result(lb_patch_start(&memory.patch, sizeof(memory), &config), LB_ERR_ARGUMENT);
  config = good;
  config.sha256 = NULL;
  assert_result(lb_patch_start(&memory.patch, sizeof(memory), &config), LB_ERR_ARGUMENT);
  patch_run_close(&run);
}

static void test_memory(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < PATCH_PAIRS; i++) {
    struct patch_run run;
    patch_pair_open(&run, &patch_pairs[i]);
    bool is_default = run.profile == LB_PATCH_PROFILE_DEFAULT;
    run.profile = is_default ? LB_PATCH_PROFILE_SMALL : LB_PATCH_PROFILE_DEFAULT;
    assert_result(run_pair(&run, &patch_pairs[i]), is_default ? LB_ERR_PATCH_MEMORY : LB_OK);
    assert_true(!is_default || run.writes == 0);
    patch_run_close(&run);
  }
}

/* Nothing is written before the base is known to be the right one, to its last byte. */
static void test_other_base(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < PATCH_PAIRS; i++) {
    const struct patch_pair_made *pair = &patch_pairs[i];
    uint32_t length = pair->base.length;
    if (!length) {
      continue;
    }
    uint8_t *base = unit_copy(pair->base.bytes, length);
    const uint32_t places[] = {0, 1, 24, length / 2U, length - 33U, length - 32U, length - 17U, length - 1U};
    struct patch_run run;
    patch_run_open(&run, base, length, pair->result.length);
    run.profile = pair->profile;
    for (size_t j = 0; j < sizeof(places) / sizeof(places[0]); j++) {
      base[places[j]] ^= 0x10;
      assert_result(run_pair(&run, pair), LB_ERR_PATCH_BASE);
      base[places[j]] ^= 0x10;
      assert_int_equal(run.writes, 0);
    }
    assert_result(run_pair(&run, pair), LB_OK);
    run.base_length = length - 1U;
    assert_result(run_pair(&run, pair), LB_ERR_PATCH_BASE);
    run.base_length = 0;
    assert_result(run_pair(&run, pair), LB_ERR_PATCH_BASE);
    assert_int_equal(run.calls, 0);
    patch_run_close(&run);
    free(base);
  }
}

static void test_too_long(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < PATCH_PAIRS; i++) {
    struct patch_run run;
    patch_pair_open(&run, &patch_pairs[i]);
    run.result_limit--;
    assert_result(run_pair(&run, &patch_pairs[i]), LB_ERR_PATCH_TOO_LONG);
    assert_int_equal(run.calls, 0);
    patch_run_close(&run);
  }
}

static void test_no_patch(void **state)
{
  static const struct {
    char bytes[6];
    uint32_t length;
    int expected;
  } cases[] = {
      {"", 0, LB_ERR_PATCH_TRUNCATED},
      {"LBP", 3, LB_ERR_PATCH_TRUNCATED},
      {"\xE9", 66, LB_ERR_PATCH_MAGIC},
      {"LBP\x02", 66, LB_ERR_PATCH_VERSION},
      {"LBP\x01\x01\x20", 66, LB_ERR_PATCH_HEADER},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint8_t bytes[66] = {0};
    struct patch_run run;
    memcpy(bytes, cases[i].bytes, sizeof(cases[i].bytes));
    patch_run_open(&run, NULL, 0, 100);
    assert_result(patch_run(&run, bytes, cases[i].length), cases[i].expected);
    assert_int_equal(run.calls, 0);
    assert_null(lb_patch_info(run.patch));
    patch_run_close(&run);
  }
}

/* The CRC is compared at the end, the digest of the result before its last bytes are given away. */
static void test_crc_and_digest(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < PATCH_PAIRS; i++) {
    const struct patch_pair_made *pair = &patch_pairs[i];
    uint8_t *patch = unit_copy(pair->patch.data, pair->patch.length);
    struct patch_run run;
    patch_pair_open(&run, pair);
    patch[6] ^= 1;
    assert_result(patch_run(&run, patch, pair->patch.length), LB_ERR_PATCH_CRC);
    patch_pair_assert_result(&run, pair);
    patch[AT_RESULT_DIGEST + i] ^= 1;
    patch_mend_crc(patch, pair->patch.length);
    assert_result(patch_run(&run, patch, pair->patch.length), LB_ERR_PATCH_DIGEST);
    patch_run_close(&run);
    free(patch);
  }
}

static void test_more_bytes(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < PATCH_PAIRS; i++) {
    const struct patch_pair_made *pair = &patch_pairs[i];
    struct patch_run run;
    uint32_t used = 1;
    patch_pair_open(&run, pair);
    uint8_t *patch = unit_allocate(pair->patch.length + 300U);
    memcpy(patch, pair->patch.data, pair->patch.length);
    memset(patch + pair->patch.length + 4, 0x5A, 296); /* behind up to four zeros that were left out */
    patch_mend_crc(patch, pair->patch.length + 300U);
    assert_result(patch_run(&run, patch, pair->patch.length + 300U), LB_ERR_PATCH_CORRUPT);
    assert_result(run_pair(&run, pair), LB_OK);
    assert_result(lb_patch_finish(run.patch), LB_OK);
    assert_result(lb_patch_write(run.patch, patch, 1, &used), LB_ERR_STATE);
    assert_int_equal(used, 0);
    patch_run_close(&run);
    free(patch);
  }
}

/* A piece behind a patch whose result is complete. */
static void test_bytes_behind_the_end(void **state)
{
  const struct patch_pair_made *pair = &patch_pairs[5]; /* from nothing */
  uint8_t *patch = unit_allocate(pair->patch.length + 600U);
  struct patch_run run;
  (void)state;
  memcpy(patch, pair->patch.data, pair->patch.length);
  patch_pair_open(&run, pair);
  run.piece = 60;
  assert_result(patch_run(&run, patch, pair->patch.length + 600U), LB_ERR_PATCH_CORRUPT);
  assert_result(lb_patch_finish(run.patch), LB_ERR_PATCH_CORRUPT);
  patch_run_close(&run);
  free(patch);
}

/* Each callback fails at each of its calls, or at many of them, and its error comes back, at once and ever after. */
static void test_callbacks_fail(void **state)
{
  static const int errors[] = {LB_ERR_FLASH_READ, LB_ERR_FLASH_PROGRAM, -12345, 1, LB_MORE + 5};
  (void)state;
  for (uint32_t i = 0; i < PATCH_PAIRS; i++) {
    const struct patch_pair_made *pair = &patch_pairs[i];
    struct patch_run run;
    patch_pair_open(&run, pair);
    assert_result(run_pair(&run, pair), LB_OK);
    uint32_t calls = run.calls;
    for (uint32_t fails = 1; fails <= calls; fails += fails < 40U || fails + 10U > calls ? 1U : calls / 30U) {
      uint32_t used = 1;
      run.error = errors[fails % 5U];
      run.fails = fails;
      int expected = run.error < LB_OK ? run.error : LB_ERR_STATE;
      assert_result(run_pair(&run, pair), expected);
      assert_int_equal(run.calls, fails);
      assert_result(lb_patch_write(run.patch, pair->patch.data, 10, &used), expected);
      assert_int_equal(used, 0);
      assert_result(lb_patch_finish(run.patch), expected);
      assert_int_equal(run.calls, fails);
    }
    run.fails = 0;
    run.lies = true;
    assert_result(run_pair(&run, pair), LB_ERR_STATE);
    patch_run_close(&run);
  }
}

static void test_hash_fails(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < PATCH_PAIRS; i++) {
    struct patch_run run;
    patch_pair_open(&run, &patch_pairs[i]);
    assert_result(run_pair(&run, &patch_pairs[i]), LB_OK);
    uint32_t calls = run.hash_calls;
    for (uint32_t fails = 1; fails <= calls; fails += fails < 20U || fails + 5U > calls ? 1U : 7U) {
      run.hash_fails = fails;
      assert_result(run_pair(&run, &patch_pairs[i]), LB_ERR_HASH);
      assert_int_equal(run.hash_calls, fails);
    }
    patch_run_close(&run);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_arguments),      cmocka_unit_test(test_memory),
      cmocka_unit_test(test_other_base),     cmocka_unit_test(test_too_long),
      cmocka_unit_test(test_no_patch),       cmocka_unit_test(test_crc_and_digest),
      cmocka_unit_test(test_more_bytes),     cmocka_unit_test(test_bytes_behind_the_end),
      cmocka_unit_test(test_callbacks_fail), cmocka_unit_test(test_hash_fails),
  };

  return cmocka_run_group_tests_name("patch_refuse", tests, patch_pairs_make, patch_pairs_free);
}
