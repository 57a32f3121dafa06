// SPDX-License-Identifier: MIT
/*
 * The update session: an image comes in pieces, goes into a slot, is read back and verified, and boots next.
 *
 *   lb_update_start   nothing is touched yet
 *   lb_update_write   the first LB_IMAGE_HEAD_SIZE bytes are only judged: an image that is refused by them leaves every
 *                     byte of the flash as it was. Then whatever otadata says of the target is retired, and if it boots
 *                     next, the selection moves to the running slot; then lb_writer writes. The image's first 24 bytes
 *                     are kept back, so that a part of an image never looks like one. With a journal
 *                     (lifeboat/journal.h) that is made before, and each block is marked when it is begun and done.
 *   lb_update_finish  the rest is written, the first 24 bytes programmed, everything read back and verified, and only
 *                     then is the slot selected, and the journal closed
 *
 * To go on with an update that was cut: lb_update_resume, lb_update_resume_step until it says LB_OK, then
 * lb_update_write with the bytes from lb_update_position on. A session whose link was lost, but which is still in
 * memory, need not be resumed: it simply takes the bytes from lb_update_position on.
 *
 * A cut at any moment leaves the running slot, factory and a bootable selection. Every call does at most one erase and
 * one page, so the caller stays in control. To abandon a session simply stop calling: nothing has to be undone. The
 * selection may have moved to the running slot by then, and lb_update_remains tells what is in the target. An image
 * that turns out bad closes the journal, so that the next try begins anew; a flash that fails, or fewer bytes than
 * announced, leave it open.
 */
#ifndef LIFEBOAT_UPDATE_H
#define LIFEBOAT_UPDATE_H

#include "lifeboat/image.h"
#include "lifeboat/journal.h"
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
  uint32_t reserved;           /* bytes before the target's last sector that the session leaves alone, whole sectors */
  bool only_write;             /* do not select the target; then it must not be selected at the start either */
  uint8_t *sector_buffer;      /* one sector, the session's until the end; NULL: nothing is compared */
  struct lb_trial_terms trial; /* how the target is selected at the end; all zero: no trial */
  /* Is that an image whose trial failed before? Asked once with the head (digest unknown, complete false) and once with
   * the whole image; true refuses it with LB_ERR_FAILED_BEFORE. NULL: any is welcome. */
  bool (*failed_before)(void *context, const struct lb_image_info *info, bool complete);
  void *failed_context;
  /* Where the image comes from, for the journal (lifeboat/journal.h). NULL: no journal is kept. Both stay until the
   * end. validator: the server's strong one, with its quotes; "" of a local file, which is compared instead; NULL:
   * the source has none, so no journal is kept. */
  const char *source;
  const char *validator;
};

struct lb_update {
  uint8_t state;
  uint8_t retiring; /* how far the selection has moved away from the target */
  bool in_danger;   /* the target may be all that has proved itself */
  bool touched_flash;
  bool old_tail;      /* the image that the target held reached into its last sector */
  bool spoiled;       /* and that has been changed */
  bool sealed;        /* the first bytes are programmed */
  bool sealing_begun; /* some of their bits are there, or may be */
  bool verified;
  bool has_journal;
  bool resumed;
  bool block_begun;     /* the block has its mark, and is not done */
  uint32_t block;       /* of the journal: the one that is written, or comes next */
  uint32_t block_crc;   /* of its bytes so far; before it is begun, that of the block before */
  uint32_t block_limit; /* blocks that a resumed session still trusts */
  int result;           /* the error that ended the session, or LB_OK */
  uint32_t received;    /* bytes taken from the caller */
  uint32_t written;     /* of them, bytes the writer has taken */
  uint32_t head_length; /* bytes that were judged: LB_IMAGE_HEAD_SIZE, or a very small image whole */
  struct lb_update_config config;
  struct lb_writer writer;
  struct lb_journal journal; /* while there is one */
  uint8_t head[LB_IMAGE_HEAD_SIZE];
  struct lb_select select; /* while the selection moves away from the target: its verify and otadata; and at the end */
  struct lb_image image;   /* the image as it came; image.info tells about it */
};

/*
 * Begins a session. LB_ERR_TARGET_RUNNING, LB_ERR_TARGET_FACTORY, LB_ERR_NOT_FOUND; LB_ERR_IMAGE_TOO_LONG if the
 * announced size exceeds the target, less what is reserved there; LB_ERR_ARGUMENT if that is not made of sectors;
 * LB_ERR_TARGET_SELECTED with only_write; LB_ERR_TARGET_FALLBACK if the target is what the running firmware's trial
 * goes back to (where that takes verifying it, lb_update_write says so, before anything is touched);
 * LB_ERR_TARGET_PROTECTED, LB_ERR_TARGET_SECTORS, LB_ERR_FLASH_BOUNDS, LB_ERR_HASH.
 */
int lb_update_start(struct lb_update *update, const struct lb_update_config *config);

/*
 * Begins a session that goes on with the update that the target's journal names, if config->source and, where it is not
 * NULL, config->validator are the journal's; config->size is taken from the journal. Nothing is touched yet. LB_MORE:
 * call lb_update_resume_step. LB_ERR_NO_JOURNAL: there is none of that source, or no block of it is done, or it is of a
 * local file; begin anew with lb_update_start. Else errors as lb_update_start.
 */
int lb_update_resume(struct lb_update *update, const struct lb_update_config *config);

/*
 * Reads the blocks that the journal marks done, LB_VERIFY_STEP bytes a step, compares them with their CRCs, and shows
 * them to the inspector: LB_MORE, then LB_OK: lb_update_write takes the bytes from lb_update_position on.
 * LB_ERR_NO_JOURNAL: not even the first block can be trusted; any other error as lb_update_write. Nothing is touched.
 */
int lb_update_resume_step(struct lb_update *update);

/* How many bytes of the image the session has taken, those of a resumed one's trusted blocks included. */
uint32_t lb_update_position(const struct lb_update *update);

/* Has the session a journal, so that what is abandoned now can be gone on with later? */
bool lb_update_has_journal(const struct lb_update *update);

/*
 * Reads bytes of the image that the session has taken, also those that are not on the flash yet: for whoever makes the
 * image from itself, as a patch does. LB_ERR_ARGUMENT: not all of them are below lb_update_position. LB_ERR_FLASH_READ.
 */
int lb_update_read(const struct lb_update *update, uint32_t offset, void *buffer, uint32_t length);

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
  LB_REMAINS_AS_BEFORE,  /* what it held, though the selection may have moved to the running slot */
  LB_REMAINS_UNFINISHED, /* a part of an image, which does not verify */
  LB_REMAINS_WHOLE       /* the whole image, which may not have been verified or selected yet */
};
enum lb_update_remains lb_update_remains(const struct lb_update *update);

/* Has the whole image been read back and verified, so that only selecting is left? */
bool lb_update_is_verified(const struct lb_update *update);

/* Is it in the middle of changing otadata: before the first byte is written, or at the end? */
bool lb_update_is_selecting(const struct lb_update *update);

#endif
