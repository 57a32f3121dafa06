// SPDX-License-Identifier: MIT
/*
 * Where a patch waits until it is applied (docs/SPEC.md, "Stage"): in the tail of the target slot, behind the image
 * that it will make and behind the one that the slot holds, so that nothing that boots is touched. It lies up to the
 * sector before the last one, which begins with a header that names the patch's source, the server's validator and the
 * length; the last sector stays the update session's, for its journal.
 *
 * How much has come is told by what is programmed; a resumed stage begins the sector anew in which it was cut, and all
 * behind it is erased once more, since what was in flight may read right today and wrong tomorrow. Only what was marked
 * whole is trusted to its last byte, and whether it is the patch, its own CRC says: lb_stage_check.
 *
 * A session that writes the slot while a stage is to stay gets lb_stage_reserved as its lb_update_config.reserved.
 */
#ifndef LIFEBOAT_STAGE_H
#define LIFEBOAT_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/flash.h"
#include "lifeboat/partition.h"

struct lb_stage {
  const struct lb_flash *flash;
  struct lb_partition slot;
  uint32_t start;    /* address of the patch's first byte, a multiple of a sector */
  uint32_t address;  /* of the header's sector, the last but one of the slot */
  uint32_t size;     /* of the patch, in bytes */
  uint32_t position; /* bytes that are there */
  uint32_t erased;   /* address up to which the stage has been erased for what comes */
  uint32_t source_length;
  uint32_t validator_length;
  uint32_t entries; /* address of the attempts' entries, behind the texts */
  uint32_t attempt; /* the present one: each time that it is gone on with after a cut is another */
  uint32_t crc;     /* while it is checked */
  uint32_t checked; /* bytes that the present phase has been through */
  uint8_t phase;
  bool whole; /* all of it is there and marked so */
};

/* What a stage is made for. Strings are the caller's. */
struct lb_stage_subject {
  const char *source;    /* URL of the patch; not empty */
  const char *validator; /* the server's strong validator, with its quotes; "": it has none, so it cannot be resumed */
  uint32_t size;         /* of the patch, in bytes */
  uint32_t image_size;   /* of the image that it makes */
};

/*
 * Finds the place for a stage; nothing is touched. LB_ERR_STAGE_ROOM: it does not fit behind what the slot holds and
 * what it will hold; LB_ERR_ARGUMENT: a text or the size is empty or too long; LB_ERR_FLASH_READ.
 */
int lb_stage_start(struct lb_stage *stage, const struct lb_flash *flash, const struct lb_partition *slot,
                   const struct lb_stage_subject *subject);

/*
 * Makes the stage that was just started: a header that is there is made void, all is erased, the new header written.
 * `subject` as before. LB_MORE after one erase or one page, then LB_OK: lb_stage_write takes bytes. The journal of an
 * interrupted update that reaches into the stage is discarded first. LB_ERR_READ_BACK, LB_ERR_FLASH_...
 */
int lb_stage_create(struct lb_stage *stage, const struct lb_stage_subject *subject);

/*
 * Looks for the stage of a slot: its header only. LB_ERR_NO_STAGE, also if an image or an update has reached into it
 * since; LB_ERR_FLASH_READ.
 */
int lb_stage_open(struct lb_stage *stage, const struct lb_flash *flash, const struct lb_partition *slot);

/*
 * After lb_stage_open: finds out how much of it is there, in steps: LB_MORE, then LB_OK: stage->position and
 * stage->whole tell. Nothing is touched. LB_ERR_NO_STAGE: it was gone on with so often (some 200 times) that there is
 * no room for another attempt, make it anew; LB_ERR_FLASH_READ.
 */
int lb_stage_measure(struct lb_stage *stage);

/* Tells in `*same` whether the stage is of that source and, unless it is NULL, of that validator. LB_ERR_FLASH_READ. */
int lb_stage_is_about(const struct lb_stage *stage, const char *source, const char *validator, bool *same);

/*
 * The source or the validator, with a NUL, cut to `capacity` bytes. `*whole` (may be NULL) tells whether it was all.
 * LB_ERR_ARGUMENT without any capacity, LB_ERR_FLASH_READ.
 */
int lb_stage_source(const struct lb_stage *stage, char *buffer, uint32_t capacity, bool *whole);
int lb_stage_validator(const struct lb_stage *stage, char *buffer, uint32_t capacity, bool *whole);

/*
 * Takes the next bytes of the patch, those from stage->position on, and tells in `*used` how many: it may take fewer,
 * even none; call again with the rest. At most one erase or one page a call. Bytes go to the flash a page at a time,
 * the last ones when all have come: keep giving it the rest of a page together with what comes behind it. While it
 * takes none although a page's bytes were given, it prepares the flash after lb_stage_measure; simply call again.
 * LB_OK; LB_ERR_SIZE_MISMATCH: more than the patch has; LB_ERR_STATE: neither created nor measured; LB_ERR_FLASH_...
 */
int lb_stage_write(struct lb_stage *stage, const void *data, uint32_t length, uint32_t *used);

/*
 * All bytes have come: marks the stage whole (one page; also if it is, which a cut may have left halfway), then reads
 * the patch and compares it with its CRC, in steps: LB_MORE, then LB_OK. Can be repeated. LB_ERR_STATE: not all is
 * there; LB_ERR_PATCH_MAGIC, _VERSION, _HEADER or _CRC: it is no patch, or not what was sent: discard it;
 * LB_ERR_FLASH_...
 */
int lb_stage_check(struct lb_stage *stage);

/* Reads bytes of the patch that are there. LB_ERR_ARGUMENT, LB_ERR_FLASH_READ. */
int lb_stage_read(const struct lb_stage *stage, uint32_t offset, void *buffer, uint32_t length);

/* Bytes before the slot's last sector that belong to the stage: for lb_update_config.reserved. */
uint32_t lb_stage_reserved(const struct lb_stage *stage);

/*
 * Makes sure that the slot has no stage, not even one that a cut left so that it reads as one only at times. One page,
 * if there may be one; tells in `*discarded` whether. An image that lies there is left alone. LB_ERR_FLASH_READ,
 * LB_ERR_FLASH_PROGRAM.
 */
int lb_stage_discard(const struct lb_flash *flash, const struct lb_partition *slot, bool *discarded);

#endif
