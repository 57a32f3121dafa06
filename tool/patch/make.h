// SPDX-License-Identifier: MIT
/* Makes patches (lib/patch.h applies them). Everything is in memory; images have at most 16 MB. */
#ifndef LIFEBOAT_PATCH_MAKE_H
#define LIFEBOAT_PATCH_MAKE_H

#include <stdbool.h>
#include <stdint.h>

struct patch_bytes {
  uint8_t *data; /* malloc'ed */
  uint32_t length;
  uint32_t room;
};

struct patch_make_options {
  uint8_t profile;
  int verbose; /* 1: one line of what was tried; 2: what the bytes are spent on, too */
};

/*
 * Makes a patch from `base` (NULL with a length of 0: from nothing) to `result`, with whichever walker gives the
 * smallest one, and applies it to be sure. 0, or -1 if there is no memory, or what was applied is not `result`.
 */
int patch_make(const uint8_t *base, uint32_t base_length, const uint8_t *result, uint32_t result_length,
               const struct patch_make_options *options, struct patch_bytes *patch);

/* Applies a patch. LB_OK, or the decoder's error; `result` holds what was made until then. */
int patch_apply(const uint8_t *base, uint32_t base_length, const uint8_t *patch, uint32_t patch_length,
                struct patch_bytes *result);

#endif
