// SPDX-License-Identifier: MIT
/*
 * An update by patch: bytes of a patch come in, and what they make of the base goes into an update session. The session
 * judges, writes and verifies that image as any other (lifeboat/update.h).
 *
 *   lb_update_start          as ever, with the length of the result as its size; nothing is touched yet
 *   lb_update_patch_start
 *   lb_update_patch_write    takes the patch. The base is read and its digest compared before the session gets a byte,
 *                            so a patch for another base leaves every byte of the flash as it was
 *   lb_update_patch_finish   the rest of the image is made
 *   lb_update_finish         as ever
 *
 * Where the power is cut, the same patch is begun anew: the session's journal tells which blocks are done, and they are
 * compared and kept, if its source is named with the validator "" (lifeboat/update.h).
 */
#ifndef LIFEBOAT_UPDATE_PATCH_H
#define LIFEBOAT_UPDATE_PATCH_H

#include "lifeboat/patch.h"
#include "lifeboat/update.h"

struct lb_update_patch {
  struct lb_patch *patch;
  struct lb_update *update;
  struct lb_partition base;
  struct lb_patch_config config;
};

/*
 * Begins. `patch` is the first member of a struct of `memory` bytes (lifeboat/patch.h); it, `update`, which was just
 * started, and `sha256`, which must be another one than the session's, stay until the end. `base`: where the old image
 * lies, which must not be the session's target; NULL: only patches from nothing can be applied. LB_ERR_ARGUMENT.
 */
int lb_update_patch_start(struct lb_update_patch *by_patch, struct lb_patch *patch, uint32_t memory,
                          struct lb_update *update, const struct lb_partition *base, const struct lb_hash *sha256);

/*
 * Takes bytes of the patch and tells in `*used` how many; at most one erase and one page a call, as lb_update_write.
 * LB_OK; LB_ERR_PATCH_...: what is wrong with the patch, or its base; or what lb_update_write says.
 */
int lb_update_patch_write(struct lb_update_patch *by_patch, const void *data, uint32_t length, uint32_t *used);

/* Says that all bytes of the patch were given: LB_MORE, then LB_OK: the session has the whole image. Errors as above.
 */
int lb_update_patch_finish(struct lb_update_patch *by_patch);

#endif
