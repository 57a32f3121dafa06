// SPDX-License-Identifier: MIT
/*
 * The update session: an image comes in pieces, goes into a slot, is read back and verified, and boots next.
 *
 *   lb_update_start   nothing is touched yet
 *   lb_update_write   the first LB_IMAGE_HEAD_SIZE bytes are only judged: an image that is refused by them leaves every
 *                     byte of the flash as it was. Then, if otadata selects the target, the selection moves to the
 *                     running slot; then lb_writer writes. The image's first 24 bytes are kept back, so that a part
 *                     of an image never looks like one.
 *   lb_update_finish  the rest is written, the first 24 bytes programmed, everything read back and verified, and only
 *                     then is the slot selected
 *
 * A cut at any moment leaves the running slot, factory and a bootable selection. Every call does at most one erase and
 * one page, so the caller stays in control. To abandon a session simply stop calling: nothing has to be undone. The
 * selection may have moved to the running slot by then, and lb_update_remains tells what is in the target.
 */
#ifndef LIFEBOAT_UPDATE_H
#define LIFEBOAT_UPDATE_H

#include "lifeboat/image.h"
#include "lifeboat/otadata.h"
#include "lifeboat/select.h"
#include "lifeboat/target.h"
#include "lifeboat/writer.h"

#define LB_SIZE_UNKNOWN 0U

struct lb_update_config {
  const struct lb_device *device; /* stays until the end */
  struct lb_partition running;    /* what the bootloader booted */
  struct lb_partition target;     /* an OTA slot other than the running one: see lifeboat/target.h */
  uint32_t size;                  /* bytes that are announced, or LB_SIZE_UNKNOWN */
  const char *project;            /* the image must be of this project, if it names one; NULL or "": any */
  bool only_write;                /* do not select the target; then it must not be selected at the start either */
  uint8_t *sector_buffer;         /* one sector, the session's until the end; NULL: nothing is compared */
};

struct lb_update {
  struct lb_update_config config;
  struct lb_image image; /* the image as it came; image.info tells about it */
  struct lb_writer writer;
  union {
    struct lb_otadata otadata; /* while the selection moves away from the target */
    struct lb_select select;   /* while the image is read back and selected */
  } stage;
  uint8_t state;
  bool touched_flash;
  bool sealed; /* the first bytes are programmed */
  bool verified;
  int result;           /* the error that ended the session, or LB_OK */
  uint32_t received;    /* bytes taken from the caller */
  uint32_t written;     /* of them, bytes the writer has taken */
  uint32_t head_length; /* bytes that were judged: LB_IMAGE_HEAD_SIZE, or a very small image whole */
  uint8_t head[LB_IMAGE_HEAD_SIZE];
};

/*
 * Begins a session. LB_ERR_TARGET_RUNNING, LB_ERR_TARGET_FACTORY, LB_ERR_NOT_FOUND; LB_ERR_IMAGE_TOO_LONG if the
 * announced size exceeds the target; LB_ERR_TARGET_SELECTED with only_write; LB_ERR_ARGUMENT if the target is not made
 * of whole sectors; LB_ERR_HASH.
 */
int lb_update_start(struct lb_update *update, const struct lb_update_config *config);

/*
 * Takes bytes and tells in `*used` how many: it may take fewer, even none; call again with the rest.
 * LB_OK; or why the session has ended: LB_ERR_IMAGE_..., LB_ERR_SIZE_MISMATCH (more than announced), LB_ERR_FLASH_...
 * Bytes behind the image's end have to be 0xFF and are not written.
 */
int lb_update_write(struct lb_update *update, const void *data, uint32_t length, uint32_t *used);

/*
 * Says that all bytes have been given, and works in steps: LB_MORE, then LB_OK: the target is verified and, unless
 * only_write, selected. LB_ERR_IMAGE_TRUNCATED, LB_ERR_SIZE_MISMATCH (less than announced), LB_ERR_READ_BACK,
 * LB_ERR_FLASH_...
 */
int lb_update_finish(struct lb_update *update);

/* Has the image been accepted, so that the flash may have been changed? */
bool lb_update_touched_flash(const struct lb_update *update);

/* What an abandoned or failed session leaves in its target. */
enum lb_update_remains {
  LB_REMAINS_AS_BEFORE,  /* not a byte was changed, though the selection may have moved to the running slot */
  LB_REMAINS_UNFINISHED, /* a part of an image, which does not verify */
  LB_REMAINS_WHOLE       /* the whole image, which may not have been verified or selected yet */
};
enum lb_update_remains lb_update_remains(const struct lb_update *update);

/* Has the whole image been read back and verified, so that only selecting is left? */
bool lb_update_is_verified(const struct lb_update *update);

#endif
