// SPDX-License-Identifier: MIT
/* The journal during an update: what may be compared by what it says, the marks around each block, its end. */
#include "lib/common.h"
#include "lib/old_image.h"
#include "lib/update_parts.h"
#include "lifeboat/crc32.h"
#include "lifeboat/error.h"

/* ---- what may be compared ---- */

static uint32_t block_address(const struct lb_update *update, uint32_t index)
{
  uint32_t start = update->config.target.offset;
  return index == 0 ? start : start + lb_journal_block_end(&update->journal, index - 1U);
}

/* Is a block from this one on begun? */
static int any_begun(const struct lb_journal *journal, uint32_t first, bool *begun)
{
  struct lb_journal_block block = {.begun = false};
  int err = LB_OK;
  for (uint32_t i = first; err == LB_OK && !block.begun && i < journal->blocks; i++) {
    err = lb_journal_block(journal, i, &block);
  }
  *begun = block.begun;
  return err;
}

/*
 * A block that was begun may have bits that read differently each time, so it is erased whole. Those that were not are
 * as they were before, if the marks are in order: none behind the first block that has no mark "done".
 */
int lb_update_plan_by_journal(struct lb_update *update, uint32_t first)
{
  const struct lb_journal *journal = &update->journal;
  struct lb_writer *writer = &update->writer;
  uint32_t start = block_address(update, first);
  struct lb_journal_block block = {.begun = false};
  bool disorder = false;
  int err = LB_OK;
  if (first < journal->blocks) {
    err = lb_journal_block(journal, first, &block);
  }
  if (err == LB_OK) {
    err = any_begun(journal, first + 1U, &disorder);
  }
  /* it begins with nothing, where the same update was begun and had not come to its end, the image's first bytes */
  writer->compare_first = first > 0 && first < journal->blocks;
  writer->compare_end = disorder || journal->compare_end < start ? start : journal->compare_end;
  if (block.begun) {
    writer->distrusted = start;
    writer->distrust_end = start - (start & (journal->block - 1U)) + journal->block;
  }
  return err;
}

/*
 * An update of the same local file was cut: what it wrote is compared, so that only what differs is written again. Of
 * anything else that was begun nothing can be used.
 */
static int plan_after_cut(struct lb_update *update)
{
  const struct lb_update_config *config = &update->config;
  bool same = false;
  bool local = config->source && config->validator && config->validator[0] == '\0';
  uint32_t done = 0;
  if (local && config->size == update->journal.size) {
    int err = lb_journal_is_about(&update->journal, config->source, config->validator, &same);
    if (err) {
      return err;
    }
  }
  update->writer.compare_end = config->target.offset;
  if (!same) {
    return LB_OK;
  }
  int err = lb_journal_blocks_done(&update->journal, &done);
  return err ? err : lb_update_plan_by_journal(update, done);
}

/*
 * A slot that an update was cut in has pages or blocks that were in flight then, and may read right today and wrong
 * tomorrow. What is compared and kept belongs to a whole image, or a journal answers for it. The last sector is where
 * journals are, and never compared.
 */
int lb_update_plan_compare(struct lb_update *update)
{
  const struct lb_flash *flash = update->config.device->flash;
  const struct lb_partition *slot = &update->config.target;
  uint32_t last = slot->size - lb_flash_sector(flash);
  uint32_t end = 0;
  bool begun = false;
  int err = lb_old_image_segments_end(flash, slot, &end);
  if (err) {
    return err;
  }
  update->old_tail = end > last;
  update->writer.compare_end = slot->offset + lb_smaller(end, last);
  err = lb_journal_read(&update->journal, flash, slot);
  if (err == LB_ERR_NO_JOURNAL) {
    return LB_OK;
  }
  if (err == LB_OK) {
    err = any_begun(&update->journal, 0, &begun);
  }
  return err || !begun ? err : plan_after_cut(update);
}

/* ---- making it ---- */

int lb_update_keep_journal(struct lb_update *update)
{
  uint32_t end = lb_smaller(update->writer.end, update->journal.address);
  return lb_writer_limit(&update->writer, end);
}

static int create(struct lb_update *update, const struct lb_journal_subject *subject)
{
  const struct lb_flash *flash = update->config.device->flash;
  update->spoiled = update->old_tail;
  int result = lb_journal_create(&update->journal, flash, &update->config.target, subject);
  if (result == LB_OK) {
    result = lb_update_keep_journal(update);
    update->has_journal = true;
  }
  return result;
}

/* Until this session's journal is there, the old one told what may be compared; the new one must not promise more. */
static uint32_t promised_end(const struct lb_writer *writer)
{
  bool hole = writer->distrust_end != 0 && writer->distrusted < writer->compare_end;
  return hole ? writer->distrusted : writer->compare_end;
}

int lb_update_open_journal(struct lb_update *update)
{
  const struct lb_update_config *config = &update->config;
  const struct lb_flash *flash = config->device->flash;
  const struct lb_journal_subject subject = {
      .source = config->source,
      .validator = config->validator,
      .size = config->size,
      .compare_end = promised_end(&update->writer),
      .head = update->head,
  };
  int result;
  if (update->resumed) { /* the mark of its last good block may have been cut */
    result = lb_journal_finish_block(&update->journal, update->block - 1U, update->block_crc);
  } else if (config->source && config->validator && config->size != LB_SIZE_UNKNOWN &&
             lb_journal_has_room(flash, &config->target, &subject)) {
    result = create(update, &subject);
  } else {
    bool discarded = false;
    result = lb_journal_discard(flash, &config->target, &discarded);
    update->spoiled = update->old_tail && discarded;
  }
  if (result == LB_OK) {
    update->state = LB_UPDATE_WRITING;
  }
  return result;
}

/* ---- blocks ---- */

/* Marks the block as begun before its first byte, and as done once it is on the flash: LB_MORE, or LB_OK: nothing to
 * do. */
static int mark_block(struct lb_update *update)
{
  const struct lb_journal *journal = &update->journal;
  if (!update->block_begun) {
    update->block_begun = true;
    update->block_crc = 0;
    int err = lb_journal_begin_block(journal, update->block);
    return err ? err : LB_MORE;
  }
  if (update->written < lb_journal_block_end(journal, update->block)) {
    return LB_OK;
  }
  return lb_update_settle(update);
}

int lb_update_put(struct lb_update *update, const uint8_t *data, uint32_t length, uint32_t *used)
{
  *used = 0;
  if (update->has_journal && length > 0) {
    int result = mark_block(update);
    if (result) {
      return result < 0 ? result : LB_OK;
    }
    length = lb_smaller(length, lb_journal_block_end(&update->journal, update->block) - update->written);
  }
  int err = lb_writer_write(&update->writer, data, length, used);
  if (err) {
    return err;
  }
  update->written += *used;
  if (update->has_journal) {
    update->block_crc = lb_crc32(update->block_crc, data, *used);
  }
  return LB_OK;
}

int lb_update_settle(struct lb_update *update)
{
  int result = lb_writer_flush(&update->writer);
  if (result != LB_OK || !update->block_begun) {
    return result;
  }
  update->block_begun = false;
  result = lb_journal_finish_block(&update->journal, update->block, update->block_crc);
  update->block++;
  return result ? result : LB_MORE;
}

/* ---- its end ---- */

static bool means_bad_image(const struct lb_update *update, int error)
{
  return lb_error_is_of_image(error) || error == LB_ERR_SIZE_MISMATCH || error == LB_ERR_FAILED_BEFORE ||
         (error == LB_ERR_READ_BACK && !update->verified);
}

int lb_update_end_badly(struct lb_update *update, int error)
{
  if (!update->has_journal || !means_bad_image(update, error)) {
    return lb_update_fail(update, error);
  }
  update->result = error;
  update->state = LB_UPDATE_CLOSING;
  return LB_MORE;
}

int lb_update_close(struct lb_update *update)
{
  int err = lb_journal_close(&update->journal);
  update->has_journal = false;
  if (update->result) {
    return lb_update_fail(update, update->result);
  }
  if (err) {
    return lb_update_fail(update, err);
  }
  update->state = LB_UPDATE_DONE;
  return LB_OK;
}
