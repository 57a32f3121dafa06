// SPDX-License-Identifier: MIT
/*
 * Makes patches (include/lifeboat/patch.h applies them). Everything is in memory: about 45 bytes for each of the
 * result.
 *
 *   struct patch_make_options options = {.profile = LB_PATCH_PROFILE_DEFAULT};
 *   struct patch_bytes patch = {0};
 *   int status = patch_make(base, base_length, result, result_length, &options, &patch);
 *   ...
 *   free(patch.data);
 *
 * Bases and results may be any bytes; images of chips that are known only give smaller patches. The same bytes and
 * options give the same patch each time.
 */
#ifndef LIFEBOAT_PATCH_MAKE_H
#define LIFEBOAT_PATCH_MAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/patch.h"

#define PATCH_LENGTH_MAX 0x1000000U /* of a base and of a result, as the format has it */

/* Why no patch could be made, besides LB_ERR_ARGUMENT (no such profile) and LB_ERR_HASH. */
enum patch_error {
  PATCH_NO_MEMORY = -1001,
  PATCH_INPUT_TOO_LONG = -1002,
  PATCH_CANCELLED = -1003,     /* the progress callback said so */
  PATCH_NOT_REPRODUCED = -1004 /* applied, it does not give the result: a defect of this program */
};

struct patch_bytes {
  uint8_t *data; /* malloc'ed; the caller frees it */
  uint32_t length;
  uint32_t room;
};

/* What was tried, for whoever wants to know what the bytes of a patch are spent on. */
struct patch_attempt {
  uint8_t walker;
  bool from_base;
  uint32_t length; /* of the patch that it gave */
  uint32_t copies;
  uint32_t ranges;          /* of the map */
  const double *bits;       /* one for each of `kinds` */
  const char *const *kinds; /* their names */
  uint32_t kind_count;
};

struct patch_make_options {
  uint8_t profile; /* LB_PATCH_PROFILE_... */
  /* Called some hundred times with how much is done; false cancels. May be NULL. */
  bool (*progress)(void *context, uint32_t done, uint32_t total);
  /* Called for each way that was tried. May be NULL. */
  void (*report)(void *context, const struct patch_attempt *attempt);
  void *context;
};

/*
 * Makes a patch from `base` (NULL with a length of 0: from nothing) to `result`, in the way that gives the smallest
 * one, and applies it to be sure. If a base helps nothing, the patch needs none. LB_OK, or one of the errors above:
 * `patch` is empty then. What it holds before is overwritten.
 */
int patch_make(const uint8_t *base, uint32_t base_length, const uint8_t *result, uint32_t result_length,
               const struct patch_make_options *options, struct patch_bytes *patch);

/* Applies a patch. LB_OK, PATCH_NO_MEMORY or the decoder's error; `result` holds what was made until then. */
int patch_apply(const uint8_t *base, uint32_t base_length, const uint8_t *patch, uint32_t patch_length,
                struct patch_bytes *result);

/* Reads the header of a patch file of any length. LB_OK, LB_ERR_PATCH_MAGIC, _VERSION, _HEADER or _TRUNCATED. */
int patch_inspect(const uint8_t *patch, uint32_t length, struct lb_patch_info *info);

/* Does a patch with a good header have the CRC that this states? */
bool patch_crc_is_good(const uint8_t *patch, uint32_t length, const struct lb_patch_info *info);

/*
 * The digest by which patches and their lists call a file: if it is sealed, that is if its last 32 bytes are the
 * SHA-256 of all before them, as in an application image, these; else the SHA-256 of all of it. LB_OK or LB_ERR_HASH.
 */
int patch_digest(const uint8_t *bytes, uint32_t length, uint8_t digest[LB_SHA256_SIZE], bool *sealed);

/* "there is not enough memory": for errors of both functions. */
const char *patch_error_text(int error);

/* "none", "Xtensa", "RISC-V"; "default", "small". "unknown" for anything else. */
const char *patch_walker_name(uint8_t walker);
const char *patch_profile_name(uint8_t profile);

#endif
