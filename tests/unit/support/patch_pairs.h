// SPDX-License-Identifier: MIT
/* Patches of every kind, made once for a test program. */
#ifndef TESTS_UNIT_SUPPORT_PATCH_PAIRS_H
#define TESTS_UNIT_SUPPORT_PATCH_PAIRS_H

#include "tests/unit/support/patch_images.h"
#include "tests/unit/support/patch_run.h"
#include "tool/patch/make.h"

struct patch_pair_made {
  const char *name;
  uint8_t profile;
  uint8_t walker;          /* that is expected */
  struct patch_image base; /* of length 0: from nothing */
  struct patch_image result;
  struct patch_bytes patch;
};

#define PATCH_PAIRS 12U
extern struct patch_pair_made patch_pairs[PATCH_PAIRS];

/* For cmocka_run_group_tests. */
int patch_pairs_make(void **state);
int patch_pairs_free(void **state);

void patch_pair_open(struct patch_run *run, const struct patch_pair_made *pair);
/* Applies a changed patch of a pair; what is made is only right if LB_OK is returned. */
void patch_pair_assert_result(const struct patch_run *run, const struct patch_pair_made *pair);

/* States the CRC that the patch has. */
void patch_mend_crc(uint8_t *patch, uint32_t length);

#endif
