// SPDX-License-Identifier: MIT
/*
 * Writing a partition from its first byte on, erasing as it goes and leaving alone what already is as it should be.
 *
 * With a sector buffer lent by the caller each sector is gathered and compared first: an equal one is not touched. The
 * first one that differs erases the rest of its block (the largest erase size of the chip) by the largest erases that
 * fit, and in that block nothing is compared any more. The partition's first block is erased anyway, unless it is known
 * to be of the same image (compare_first). Without a buffer nothing is compared: each block is erased when its first
 * byte comes.
 */
#ifndef LIFEBOAT_WRITER_H
#define LIFEBOAT_WRITER_H

#include "lifeboat/flash.h"
#include "lifeboat/partition.h"

struct lb_writer {
  const struct lb_flash *flash;
  uint32_t start;   /* of the partition */
  uint32_t end;     /* behind its last byte, or lower: see lb_writer_limit */
  uint8_t *buffer;  /* one sector, or NULL */
  uint32_t sector;  /* size of a sector */
  uint32_t address; /* where the next byte belongs; with a buffer: where the gathered sector begins */
  uint32_t fill;    /* bytes gathered */
  uint32_t done;    /* of them programmed */
  uint32_t erased;  /* from the start of the block up to here nothing has to be erased any more */
  uint8_t phase;
  bool compare_first;    /* nor is the first block left out: set after the start, where it holds no old image */
  bool touched;          /* something has been erased or programmed, or tried to */
  uint32_t compare_end;  /* sectors from here on are not compared: the partition's end, or set lower after the start */
  uint32_t distrusted;   /* nor are those from here ... */
  uint32_t distrust_end; /* ... to here: nowhere, or set after the start */
  uint32_t sectors_kept; /* sectors that were left alone */
  uint32_t bytes_erased; /* counted for reports */
  uint32_t pages_written;
};

/*
 * Begins to write `partition`, which is aligned to sectors. `buffer` has one sector of bytes (lb_flash_sector) and is
 * the writer's until the end, or it is NULL. LB_ERR_TARGET_SECTORS, LB_ERR_FLASH_BOUNDS.
 */
int lb_writer_start(struct lb_writer *writer, const struct lb_flash *flash, const struct lb_partition *partition,
                    uint8_t *buffer);

/*
 * Sets the end lower: nothing from there on is erased or programmed. `end` is aligned to sectors, and nothing has been
 * written yet. LB_ERR_ARGUMENT.
 */
int lb_writer_limit(struct lb_writer *writer, uint32_t end);

/*
 * Goes to where writing begins, if that is not the partition's first byte: an address that is aligned to sectors and up
 * to the end. What lies before is left alone. LB_ERR_ARGUMENT.
 */
int lb_writer_seek(struct lb_writer *writer, uint32_t address);

/*
 * Takes bytes and tells in `*used` how many; does at most one erase or one page, so it may take fewer than `length`,
 * even none: call again with the rest. LB_OK; LB_ERR_IMAGE_TOO_LONG if they do not fit; LB_ERR_FLASH_...
 */
int lb_writer_write(struct lb_writer *writer, const uint8_t *data, uint32_t length, uint32_t *used);

/* Writes what is gathered, and ends the writing: LB_MORE after each erase or page, LB_OK when all of it is on the
 * flash. LB_ERR_FLASH_... */
int lb_writer_flush(struct lb_writer *writer);

#endif
