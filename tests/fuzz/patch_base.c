// SPDX-License-Identifier: MIT
#include "tests/fuzz/patch_base.h"

#include "tests/fuzz/fuzz.h"
#include "tool/patch/make.h"

#define FUNCTIONS 16U /* some 2 KB */

const struct patch_base *patch_base_get(uint32_t number)
{
  static const uint16_t chips[] = {PATCH_CHIP_ESP32, PATCH_CHIP_BOARD, PATCH_CHIP_UNKNOWN};
  static struct patch_base bases[PATCH_BASES];
  struct patch_base *base = &bases[number % PATCH_BASES];

  if (!base->new_image.bytes) {
    patch_image_pair(&base->old_image, &base->new_image, chips[number % (PATCH_BASES - 1U)], FUNCTIONS);
    if (number == PATCH_BASES - 1U) {
      base->old_image.length = 0;
    } else {
      FUZZ_REQUIRE(patch_digest(base->old_image.bytes, base->old_image.length, base->digest, &base->sealed) == LB_OK);
    }
  }
  return base;
}
