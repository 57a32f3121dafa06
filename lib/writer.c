// SPDX-License-Identifier: MIT
#include "lifeboat/writer.h"

#include <stddef.h>
#include <string.h>

#include "lib/common.h"
#include "lifeboat/error.h"

/*
 * With a buffer a sector goes through these phases in turn; without one only ERASE and GATHER exist, where GATHER means
 * that bytes are programmed as they come.
 */
enum phase { GATHER, COMPARE, ERASE, PROGRAM };

/* The end of the erase block, or of the partition, in which `address` lies. */
static uint32_t block_end(const struct lb_writer *writer, uint32_t address)
{
  uint32_t block = lb_flash_largest_erase(writer->flash);
  uint32_t into = address & (block - 1U);
  return writer->end - address <= block - into ? writer->end : address - into + block;
}

static bool in_first_block(const struct lb_writer *writer)
{
  return writer->address < block_end(writer, writer->start);
}

/* One erase. The block is erased from writer->erased on; LB_OK: up to its end. */
static int erase_one(struct lb_writer *writer)
{
  uint32_t end = block_end(writer, writer->address);
  uint32_t erased = 0;
  writer->touched = true;
  int err = lb_flash_erase_one(writer->flash, writer->erased, end, &erased);
  if (err) {
    return err;
  }
  writer->erased += erased;
  writer->bytes_erased += erased;
  return writer->erased < end ? LB_MORE : LB_OK;
}

static void begin_erase(struct lb_writer *writer)
{
  writer->erased = writer->address;
  writer->phase = ERASE;
}

static void next_sector(struct lb_writer *writer)
{
  writer->address += writer->fill;
  writer->fill = 0;
  writer->done = 0;
  writer->phase = GATHER;
}

/* Is what the sector holds known to be stable? */
static bool can_be_compared(const struct lb_writer *writer)
{
  bool distrusted = writer->address >= writer->distrusted && writer->address < writer->distrust_end;
  return writer->address < writer->compare_end && !distrusted && (writer->compare_first || !in_first_block(writer));
}

static int compare(struct lb_writer *writer)
{
  if (writer->erased > writer->address) {
    writer->phase = PROGRAM;
    return LB_OK;
  }
  bool equal = false;
  if (can_be_compared(writer)) {
    int err = lb_flash_equals(writer->flash, writer->address, writer->buffer, writer->fill, &equal);
    if (err) {
      return err;
    }
  }
  if (equal) {
    writer->sectors_kept++;
    next_sector(writer);
  } else {
    begin_erase(writer);
  }
  return LB_OK;
}

/* Programs what lies within one page, unless it is blank, which the erased flash is already. */
static int program_piece(struct lb_writer *writer, uint32_t address, const uint8_t *data, uint32_t length)
{
  if (lb_is_blank(data, length)) {
    return LB_OK;
  }
  writer->pages_written++;
  return lb_flash_program(writer->flash, address, data, length);
}

static int program_page(struct lb_writer *writer)
{
  uint32_t size = lb_smaller(writer->fill - writer->done, writer->flash->page_size);
  int err = program_piece(writer, writer->address + writer->done, writer->buffer + writer->done, size);
  writer->done += size;
  if (writer->done == writer->fill) {
    next_sector(writer);
  }
  return err;
}

/* One step on the gathered sector: a comparison, an erase or a page. */
static int work(struct lb_writer *writer)
{
  switch ((enum phase)writer->phase) {
  case COMPARE:
    return compare(writer);
  case ERASE: {
    int result = erase_one(writer);
    if (result == LB_OK) {
      writer->phase = writer->buffer ? PROGRAM : GATHER;
    }
    return result < 0 ? result : LB_OK;
  }
  case PROGRAM:
    return program_page(writer);
  case GATHER:
    break;
  }
  return LB_OK;
}

static int gather(struct lb_writer *writer, const uint8_t *data, uint32_t length, uint32_t *used)
{
  uint32_t piece = lb_smaller(length, writer->sector - writer->fill);
  memcpy(writer->buffer + writer->fill, data, piece);
  writer->fill += piece;
  *used = piece;
  if (writer->fill == writer->sector) {
    writer->phase = COMPARE;
  }
  return LB_OK;
}

/* Without a buffer: programs what fits into the page, erasing before the first byte of each block. */
static int pass_through(struct lb_writer *writer, const uint8_t *data, uint32_t length, uint32_t *used)
{
  if (writer->erased <= writer->address) {
    begin_erase(writer);
    return work(writer);
  }
  uint32_t page = writer->flash->page_size;
  uint32_t piece = lb_smaller(length, page - (writer->address & (page - 1U)));
  int err = program_piece(writer, writer->address, data, piece);
  if (err) {
    return err;
  }
  writer->address += piece;
  *used = piece;
  return LB_OK;
}

int lb_writer_start(struct lb_writer *writer, const struct lb_flash *flash, const struct lb_partition *partition,
                    uint8_t *buffer)
{
  uint32_t sector = lb_flash_sector(flash);
  memset(writer, 0, sizeof *writer);
  if (partition->offset > flash->size || partition->size > flash->size - partition->offset) {
    return LB_ERR_FLASH_BOUNDS;
  }
  if (sector == 0 || ((partition->offset | partition->size) & (sector - 1U)) != 0) {
    return LB_ERR_TARGET_SECTORS;
  }
  writer->flash = flash;
  writer->compare_end = partition->offset + partition->size;
  writer->start = partition->offset;
  writer->end = partition->offset + partition->size;
  writer->address = writer->start;
  writer->buffer = buffer;
  writer->sector = sector;
  writer->phase = GATHER;
  return LB_OK;
}

int lb_writer_limit(struct lb_writer *writer, uint32_t end)
{
  if ((end & (writer->sector - 1U)) != 0 || end < writer->address || end > writer->end || writer->touched) {
    return LB_ERR_ARGUMENT;
  }
  writer->end = end;
  return LB_OK;
}

int lb_writer_seek(struct lb_writer *writer, uint32_t address)
{
  if ((address & (writer->sector - 1U)) != 0 || address < writer->start || address > writer->end || writer->touched) {
    return LB_ERR_ARGUMENT;
  }
  writer->address = address;
  return LB_OK;
}

int lb_writer_write(struct lb_writer *writer, const uint8_t *data, uint32_t length, uint32_t *used)
{
  *used = 0;
  if (writer->phase != GATHER) {
    return work(writer);
  }
  if (length > writer->end - writer->address - writer->fill) {
    return LB_ERR_IMAGE_TOO_LONG;
  }
  if (length == 0) {
    return LB_OK;
  }
  return writer->buffer ? gather(writer, data, length, used) : pass_through(writer, data, length, used);
}

int lb_writer_flush(struct lb_writer *writer)
{
  if (writer->phase == GATHER) {
    if (writer->fill == 0) {
      return LB_OK;
    }
    writer->phase = COMPARE;
  }
  int err = work(writer);
  return err ? err : LB_MORE;
}
