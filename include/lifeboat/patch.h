// SPDX-License-Identifier: MIT
/*
 * Patches: a new image made from an old one, or from nothing, and from few bytes (docs/patch-format.md).
 *
 * A patch is pushed in pieces of any size. The old image, the base, is read through a callback; the result is written
 * through a callback, in order, and read back through another one, since it is copied from, too. All state is in the
 * caller's struct: struct lb_patch_default or struct lb_patch_small, as the patch's profile needs. Arithmetic is on
 * integers only, so the same patch gives the same bytes everywhere.
 *
 *   lb_patch_start    nothing is read yet
 *   lb_patch_write    the header is judged, the base is read and its digest compared, only then the result begins
 *   lb_patch_finish   no more bytes come: the rest of the result is made, and its digest compared
 *
 * The work is bounded by the lengths of base and result, whatever the patch says.
 */
#ifndef LIFEBOAT_PATCH_H
#define LIFEBOAT_PATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/error.h"
#include "lifeboat/hash.h"

#include "lifeboat/patch_state.h"

/* Reads a header of LB_PATCH_HEADER_SIZE bytes. LB_ERR_PATCH_MAGIC, _VERSION, _HEADER. */
int lb_patch_read_header(struct lb_patch_info *info, const uint8_t *header);

/* The opposite, for the encoder. */
void lb_patch_store_header(const struct lb_patch_info *info, uint8_t *header);

/*
 * The CRC of a patch, of all its bytes but those of the header that hold it: goes on, from `crc` (0 at the start), over
 * the `length` bytes that begin at `offset` of the patch.
 */
uint32_t lb_patch_crc(uint32_t crc, uint32_t offset, const void *bytes, uint32_t length);

/* Bytes of memory that a profile needs: the size of the struct made for it. 0: there is no such profile. */
uint32_t lb_patch_memory(uint8_t profile);

/*
 * Where the bytes come from and go. Each callback returns LB_OK or a negative error, which ends the patch and is what
 * lb_patch_write or lb_patch_finish return then. (A positive number would be none of these: LB_ERR_STATE.)
 */
struct lb_patch_config {
  void *context;
  /* Reads bytes of the base, all of them below base_limit. NULL with a base_limit of 0: there is no base. */
  int (*read_base)(void *context, uint32_t offset, void *buffer, uint32_t length);
  /* Reads bytes of the result that write_result took before. */
  int (*read_result)(void *context, uint32_t offset, void *buffer, uint32_t length);
  /* Takes the next bytes of the result and tells in `*used` how many, maybe none. */
  int (*write_result)(void *context, const void *data, uint32_t length, uint32_t *used);
  const struct lb_hash *sha256;
  uint32_t base_limit;   /* bytes that can be read of the base at the most */
  uint32_t result_limit; /* bytes that the result may have */
};

/*
 * Begins. `memory` is the size of the struct that `patch` is the first member of; `config` stays the caller's and has
 * to be there until the end. LB_ERR_ARGUMENT: less memory than the small profile needs, or a callback is missing.
 */
int lb_patch_start(struct lb_patch *patch, uint32_t memory, const struct lb_patch_config *config);

/*
 * Takes bytes of the patch and tells in `*used` how many: it may take fewer, even none; call again with the rest.
 * A call reads LB_PATCH_STEP bytes of the base for its digest, or makes about as many of the result as its buffer
 * holds. LB_OK, or why it ended: LB_ERR_PATCH_..., LB_ERR_HASH, or
 * what a callback returned; then every later call returns the same. LB_ERR_STATE after lb_patch_finish.
 */
int lb_patch_write(struct lb_patch *patch, const void *data, uint32_t length, uint32_t *used);

/* Says that all bytes were given, and works in steps: LB_MORE, then LB_OK: the result is complete and right. */
int lb_patch_finish(struct lb_patch *patch);

/* The header, once its bytes were taken: else NULL. */
const struct lb_patch_info *lb_patch_info(const struct lb_patch *patch);

#endif
