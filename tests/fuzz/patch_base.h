// SPDX-License-Identifier: MIT
/* The old images that fuzz_patch.c applies patches to, and that its seeds are made for (make_patch_seeds.c). */
#ifndef TESTS_FUZZ_PATCH_BASE_H
#define TESTS_FUZZ_PATCH_BASE_H

#include "lifeboat/hash.h"
#include "tests/unit/support/patch_images.h"

#define PATCH_BASES 4U /* the last one is none */

struct patch_base {
  struct patch_image old_image;
  struct patch_image new_image;
  uint8_t digest[LB_SHA256_SIZE]; /* of the old one, as patches name it */
  bool sealed;
};

/* Made at the first call, and kept. */
const struct patch_base *patch_base_get(uint32_t number);

#endif
