// SPDX-License-Identifier: MIT
/*
 * The journal of an update (docs/SPEC.md, "Journal"): kept in the last sector of the target slot, where the image
 * leaves it free, so that an update that was cut can go on. It names the source, the length, the server's strong
 * validator and the image's first 24 bytes, which are kept back until the end; and for each block (the flash's largest
 * erase) it is marked that it was begun, and that it is done, with its CRC-32. All marks only clear bits.
 *
 * What a mark proves: a block without any sign of "begun" is as it was before; one with a sign of "done" was
 * completely programmed before that mark was begun. Whether it still is, its CRC says. Each attempt at a block has its
 * own marks, and only the last one's count: what an earlier mark that was cut reads as does not matter any more.
 */
#ifndef LIFEBOAT_JOURNAL_H
#define LIFEBOAT_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/flash.h"
#include "lifeboat/image.h"
#include "lifeboat/partition.h"

#define LB_JOURNAL_HEADER_SIZE 64U
#define LB_JOURNAL_ENTRY_SIZE  16U /* of a block */
#define LB_JOURNAL_ATTEMPTS    6U  /* at a block that have marks of their own; further ones share the last marks */

struct lb_journal {
  const struct lb_flash *flash;
  struct lb_partition slot;
  uint32_t address;     /* of the journal's sector: the last one of the slot */
  uint32_t block;       /* bytes of a block */
  uint32_t blocks;      /* that the image reaches into */
  uint32_t entries;     /* address of the first block's entry */
  uint32_t size;        /* of the image, in bytes */
  uint32_t compare_end; /* address up to which the slot's old content can be trusted, as lb_writer has it */
  uint32_t source_length;
  uint32_t validator_length;
  uint32_t text; /* address of the source, behind which the validator lies; neither has a NUL */
  uint8_t head[LB_IMAGE_HEADER_SIZE];
  uint8_t phase;    /* of lb_journal_create */
  uint32_t written; /* bytes of the present phase that lb_journal_create has written */
};

/* What an update is about. Strings are the caller's. */
struct lb_journal_subject {
  const char *source;    /* URL or path, as the user gave it; not empty */
  const char *validator; /* the server's strong validator, with its quotes; "" of a local file */
  uint32_t size;         /* of the image, in bytes */
  uint32_t compare_end;
  const uint8_t *head; /* the first LB_IMAGE_HEADER_SIZE bytes of the image */
};

/*
 * Is there room: does the last sector lie wholly behind an image of subject->size, and does it hold the journal?
 * subject->head need not be there yet.
 */
bool lb_journal_has_room(const struct lb_flash *flash, const struct lb_partition *slot,
                         const struct lb_journal_subject *subject);

/*
 * Makes a new journal in place of whatever the sector holds: LB_MORE after one erase or one page, then LB_OK; to be
 * called again with the same arguments; `journal` is all zero at first. LB_ERR_NO_JOURNAL without room,
 * LB_ERR_READ_BACK, LB_ERR_FLASH_...
 */
int lb_journal_create(struct lb_journal *journal, const struct lb_flash *flash, const struct lb_partition *slot,
                      const struct lb_journal_subject *subject);

/* Reads the journal of an update that was neither finished nor discarded. LB_ERR_NO_JOURNAL, LB_ERR_FLASH_READ. */
int lb_journal_read(struct lb_journal *journal, const struct lb_flash *flash, const struct lb_partition *slot);

/*
 * Tells in `*same` whether the journal is of that source and, unless it is NULL, of that validator. LB_ERR_FLASH_READ.
 */
int lb_journal_is_about(const struct lb_journal *journal, const char *source, const char *validator, bool *same);

/*
 * The source or the validator, with a NUL, cut to `capacity` bytes. `*whole` (may be NULL) tells whether it was all.
 * LB_ERR_ARGUMENT without any capacity, LB_ERR_FLASH_READ.
 */
int lb_journal_source(const struct lb_journal *journal, char *buffer, uint32_t capacity, bool *whole);
int lb_journal_validator(const struct lb_journal *journal, char *buffer, uint32_t capacity, bool *whole);

/*
 * Where a block below journal->blocks ends, in bytes from the slot's start: that many are done when it and all before
 * it are. The first block may be shorter, as far as the next address that is a multiple of a block; the last one ends
 * with the image.
 */
uint32_t lb_journal_block_end(const struct lb_journal *journal, uint32_t index);

struct lb_journal_block {
  bool begun;   /* there is a sign of it */
  bool done;    /* there is a sign of it, and of its CRC: one rotten bit alone is none */
  uint32_t crc; /* then: of the block's bytes up to the image's end, as they are on the flash before the end */
};

/* The entry of a block below journal->blocks. LB_ERR_ARGUMENT, LB_ERR_FLASH_READ. */
int lb_journal_block(const struct lb_journal *journal, uint32_t index, struct lb_journal_block *block);

/* How many blocks from the first one on are marked done, without looking at their CRC. LB_ERR_FLASH_READ. */
int lb_journal_blocks_done(const struct lb_journal *journal, uint32_t *done);

/*
 * Marks a block: one page each. A block that is begun again is not done any more. To finish one again that is done,
 * with the same CRC, makes sure of marks that a cut may have left halfway. LB_ERR_ARGUMENT (also to finish what was not
 * begun), LB_ERR_FLASH_READ, LB_ERR_FLASH_PROGRAM.
 */
int lb_journal_begin_block(const struct lb_journal *journal, uint32_t index);
int lb_journal_finish_block(const struct lb_journal *journal, uint32_t index, uint32_t crc);

/* Closes it: the update is finished, or will not be gone on with. One page. LB_ERR_FLASH_PROGRAM, LB_ERR_READ_BACK. */
int lb_journal_close(const struct lb_journal *journal);

/*
 * Makes sure that the slot has no journal, not even one that a cut left so that it reads as one only at times: to be
 * called by whoever writes or erases the slot otherwise, before anything else. One page, if there may be one; tells in
 * `*discarded` whether. LB_ERR_FLASH_READ, LB_ERR_FLASH_PROGRAM.
 */
int lb_journal_discard(const struct lb_flash *flash, const struct lb_partition *slot, bool *discarded);

#endif
