// SPDX-License-Identifier: MIT
/*
 * Makes the seeds of fuzz_patch, which make_corpus.py cannot, since it would need the encoder: patches of both profiles
 * for each of its bases.
 *
 * usage: make_patch_seeds FOLDER
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/patch_base.h"
#include "tool/patch/make.h"

static void put(const char *folder, uint32_t number, uint8_t profile, const struct patch_bytes *patch)
{
  char path[512];
  int length = snprintf(path, sizeof path, "%s/seed-%u-%u", folder, (unsigned)number, (unsigned)profile);
  FUZZ_REQUIRE(length > 0 && length < (int)sizeof path);
  FILE *file = fopen(path, "wb");
  FUZZ_REQUIRE(file != NULL);
  FUZZ_REQUIRE(fputc((int)number, file) == (int)number);
  FUZZ_REQUIRE(fwrite(patch->data, 1, patch->length, file) == patch->length);
  FUZZ_REQUIRE(fclose(file) == 0);
}

int main(int argc, char **argv)
{
  if (argc != 2) {
    fputs("usage: make_patch_seeds FOLDER\n", stderr);
    return 2;
  }
  for (uint32_t number = 0; number < PATCH_BASES; number++) {
    const struct patch_base *base = patch_base_get(number);
    for (uint8_t profile = LB_PATCH_PROFILE_DEFAULT; profile <= LB_PATCH_PROFILE_SMALL; profile++) {
      const struct patch_make_options options = {.profile = profile};
      const uint32_t length = base->old_image.length;
      struct patch_bytes patch = {0};
      FUZZ_REQUIRE(patch_make(length == 0 ? NULL : base->old_image.bytes, length, base->new_image.bytes,
                              base->new_image.length, &options, &patch) == LB_OK);
      put(argv[1], number, profile, &patch);
      free(patch.data);
    }
  }
  return 0;
}
