// SPDX-License-Identifier: MIT
#include "tests/unit/support/patch_pairs.h"

#include "lifeboat/bytes.h"
#include "tests/unit/support/unit.h"

#define FUNCTIONS 60U
#define AT_CRC    6U

struct patch_pair_made patch_pairs[PATCH_PAIRS];

static void make(struct patch_pair_made *pair, const char *name, uint8_t walker, uint8_t profile)
{
  struct patch_make_options options = {.profile = profile};
  pair->name = name;
  pair->profile = profile;
  pair->walker = walker;
  int result =
      patch_make(pair->base.bytes, pair->base.length, pair->result.bytes, pair->result.length, &options, &pair->patch);
  if (result != LB_OK) {
    fail_here("%s, profile %u: no patch, %d", name, profile, result);
  }
}

static void unsealed_pair(struct patch_pair_made *pair)
{
  struct patch_image_spec spec = {.functions = FUNCTIONS, .seed = 9, .left_out = 8, .rewritten = 2, .unsealed = true};
  patch_image_build(&pair->base, &spec);
  spec.left_out = 30;
  patch_image_build(&pair->result, &spec);
}

int patch_pairs_make(void **state)
{
  static const struct {
    const char *name;
    uint16_t chip;
    uint8_t walker;
  } chips[] = {
      {"Xtensa", PATCH_CHIP_ESP32, LB_PATCH_WALKER_XTENSA},
      {"RISC-V", PATCH_CHIP_ESP32_C3, LB_PATCH_WALKER_RISCV},
      {"RISC-V in RAM", PATCH_CHIP_BOARD, LB_PATCH_WALKER_RISCV},
      {"no walker", PATCH_CHIP_UNKNOWN, LB_PATCH_WALKER_NONE},
  };
  uint32_t count = 0;
  (void)state;
  for (uint8_t profile = LB_PATCH_PROFILE_DEFAULT; profile <= LB_PATCH_PROFILE_SMALL; profile++) {
    for (size_t i = 0; i < sizeof(chips) / sizeof(chips[0]); i++) {
      struct patch_pair_made *pair = &patch_pairs[count++];
      patch_image_pair(&pair->base, &pair->result, chips[i].chip, FUNCTIONS);
      make(pair, chips[i].name, chips[i].walker, profile);
    }
    struct patch_pair_made *unsealed = &patch_pairs[count++];
    unsealed_pair(unsealed);
    make(unsealed, "unsealed", LB_PATCH_WALKER_XTENSA, profile);
    struct patch_pair_made *nothing = &patch_pairs[count++];
    struct patch_image base;
    patch_image_pair(&base, &nothing->result, PATCH_CHIP_ESP32, FUNCTIONS);
    free(base.bytes);
    make(nothing, "from nothing", LB_PATCH_WALKER_XTENSA, profile);
  }
  assert_int_equal(count, PATCH_PAIRS);
  return 0;
}

int patch_pairs_free(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < PATCH_PAIRS; i++) {
    free(patch_pairs[i].base.bytes);
    free(patch_pairs[i].result.bytes);
    free(patch_pairs[i].patch.data);
  }
  return 0;
}

void patch_pair_open(struct patch_run *run, const struct patch_pair_made *pair)
{
  patch_run_open(run, pair->base.bytes, pair->base.length, pair->result.length);
  run->profile = pair->profile;
}

void patch_pair_assert_result(const struct patch_run *run, const struct patch_pair_made *pair)
{
  if (run->length != pair->result.length || memcmp(run->result, pair->result.bytes, run->length) != 0) {
    fail_here("%s, profile %u: the result is another", pair->name, pair->profile);
  }
}

void patch_mend_crc(uint8_t *patch, uint32_t length)
{
  lb_store_le32(patch + AT_CRC, lb_patch_crc(0, 0, patch, length));
}
