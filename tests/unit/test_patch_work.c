// SPDX-License-Identifier: MIT
/*
 * Hostile patches, made to cost as much as they can: the work stays linear in the length of the result. Each is what an
 * encoder would make that wants the worst, by a plan that no sensible one would have.
 */
#include "lifeboat/bytes.h"
#include "tests/unit/support/patch_pairs.h"
#include "tests/unit/support/unit.h"
#include "tool/patch/plan.h"

#define LENGTH       12000U
#define CODE         32U  /* offset of the code in the images here */
#define POOL         256U /* literals at its beginning */

/* What a byte of the result may cost at the most, in reads of base and result. */
#define READS_A_BYTE 8U

struct fixture {
  uint8_t base[LENGTH + LB_PATCH_AHEAD];
  uint8_t result[LENGTH + LB_PATCH_AHEAD];
  struct patch_plan plan;
};

static void open_image(uint8_t *bytes, struct unit_random *random)
{
  const uint8_t header[CODE] = {0xE9, 1, [26] = 0x0D, [27] = 0x40};
  memset(bytes, 0, LENGTH + LB_PATCH_AHEAD);
  unit_random_fill(random, bytes + CODE, LENGTH - CODE);
  memcpy(bytes, header, CODE);
  lb_store_le32(bytes + 28, LENGTH - CODE);
}

static void copy(struct fixture *fixture, uint32_t place, uint32_t source, uint32_t length, bool from_base)
{
  struct patch_block block = {.place = place, .source = source, .length = length, .from_base = from_base};
  assert_int_equal(patch_plan_add(&fixture->plan, &block), 0);
}

static void encode(struct fixture *fixture, uint8_t walker, uint8_t profile, struct patch_bytes *patch)
{
  static const struct lb_patch_walker *const walkers[] = {NULL, &lb_patch_walker_xtensa, &lb_patch_walker_riscv};
  struct patch_make_options options = {.profile = profile};
  struct patch_picture base;
  struct patch_picture result;
  struct patch_view view = {&base, &result, walkers[walker]};
  struct patch_job job;
  struct patch_costs costs = {.places = NULL};
  struct lb_patch_info info = {.profile = profile, .walker = walker, .base_length = LENGTH, .result_length = LENGTH};
  uint8_t digest[LB_SHA256_SIZE];
  patch_picture_open(&base, fixture->base, LENGTH, true);
  patch_picture_open(&result, fixture->result, LENGTH, true);
  assert_int_equal(patch_sha256(fixture->base, LENGTH, digest), 0);
  memcpy(info.base_digest, digest, LB_PATCH_BASE_DIGEST);
  assert_int_equal(patch_sha256(fixture->result, LENGTH, info.result_digest), 0);
  assert_int_equal(patch_job_open(&job, &options), 0);
  assert_int_equal(patch_encode(&job, &fixture->plan, &view, &info, patch, &costs), 0);
  patch_job_free(&job);
}

static void assert_bounded(struct fixture *fixture, const char *what)
{
  for (uint8_t walker = 0; walker < LB_PATCH_WALKERS; walker++) {
    for (uint8_t profile = LB_PATCH_PROFILE_DEFAULT; profile <= LB_PATCH_PROFILE_SMALL; profile++) {
      struct patch_bytes patch = {0};
      struct patch_run run;
      encode(fixture, walker, profile, &patch);
      patch_run_open(&run, fixture->base, LENGTH, LENGTH);
      run.profile = profile;
      assert_result(patch_run(&run, patch.data, patch.length), LB_OK);
      assert_memory_equal(run.result, fixture->result, LENGTH);
      print_message("%s, walker %u, profile %u: %u bytes of patch, %.1f + %.1f reads a byte\n", what, walker, profile,
                    patch.length, run.base_reads / (double)LENGTH, run.result_reads / (double)LENGTH);
      assert_true(run.base_reads + run.result_reads < READS_A_BYTE * LENGTH);
      assert_true(run.writes <= LENGTH / 16U + 100U);
      assert_true(run.steps <= LENGTH / 16U + patch.length / 4U + 200U);
      patch_run_close(&run);
      free(patch.data);
    }
  }
  patch_plan_free(&fixture->plan);
}

/* Each byte of the result is a copy of its own, from places of the base that are far from each other. */
static void test_copies_of_one_byte(void **state)
{
  static struct fixture fixture;
  struct unit_random random;
  (void)state;
  unit_random_seed(&random, "copies of one byte", 4);
  open_image(fixture.base, &random);
  open_image(fixture.result, &random);
  for (uint32_t place = 0; place < LENGTH; place++) {
    copy(&fixture, place, unit_random_below(&random, LENGTH), 1, true);
  }
  assert_bounded(&fixture, "copies of one byte");
}

/* Copies of two bytes within the result, from far behind, and back to and fro. */
static void test_copies_of_two_bytes(void **state)
{
  static struct fixture fixture;
  struct unit_random random;
  (void)state;
  unit_random_seed(&random, "copies of two bytes", 5);
  open_image(fixture.base, &random);
  open_image(fixture.result, &random);
  for (uint32_t place = 2000; place + 2U <= LENGTH; place += 2U) {
    uint32_t source = unit_random_below(&random, place / 2U);
    memcpy(fixture.result + place, fixture.result + source, 2);
    copy(&fixture, place, source, 2, false);
  }
  assert_bounded(&fixture, "copies of two bytes");
}

/* Nothing but loads of literals (pairs of AUIPC and ADDI) whose values are nowhere to be found in the result. */
static void test_searches_in_vain(void **state)
{
  static struct fixture fixture;
  struct unit_random random;
  (void)state;
  unit_random_seed(&random, "searches in vain", 6);
  open_image(fixture.base, &random);
  open_image(fixture.result, &random);
  for (uint32_t at = CODE + 4U * POOL; at + 3U <= LENGTH; at += 3U) {
    uint32_t literal = CODE + 4U * unit_random_below(&random, POOL);
    uint32_t distance = (literal - ((at + 3U) & ~3U)) >> 2;
    fixture.base[at] = 0x21;
    lb_store_le16(fixture.base + at + 1, (uint16_t)distance);
    memcpy(fixture.result + at, fixture.base + at, 3);
  }
  copy(&fixture, CODE + 4U * POOL, CODE + 4U * POOL, LENGTH - CODE - 4U * POOL, true);
  assert_bounded(&fixture, "searches in vain");
}

/* A chain of copies that each lead to the byte before: all of the result is one byte. */
static void test_one_byte_over_and_over(void **state)
{
  static struct fixture fixture;
  struct unit_random random = {1};
  (void)state;
  open_image(fixture.base, &random);
  memset(fixture.result, 0x55, LENGTH);
  copy(&fixture, 1, 0, LENGTH - 1U, false);
  assert_bounded(&fixture, "one byte");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_copies_of_one_byte),
      cmocka_unit_test(test_copies_of_two_bytes),
      cmocka_unit_test(test_searches_in_vain),
      cmocka_unit_test(test_one_byte_over_and_over),
  };

  return cmocka_run_group_tests_name("patch_work", tests, NULL, NULL);
}
