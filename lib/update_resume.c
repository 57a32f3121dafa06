// SPDX-License-Identifier: MIT
/*
 * Going on with an update that was cut: the blocks that its journal marks done are read, and go through the inspector
 * as if they had just come. The first one that is not what its CRC says, and all behind it, will come again.
 */
#include <string.h>

#include "lib/common.h"
#include "lib/update_parts.h"
#include "lifeboat/crc32.h"
#include "lifeboat/error.h"

#define CHUNK 512U /* read at once: on the stack, so that nobody has to lend a buffer; holds a head */

/* Is the target's journal about what is to be flashed, and is there something in it to go on with? */
static int find_journal(struct lb_update *update)
{
  struct lb_update_config *config = &update->config;
  const struct lb_journal *journal = &update->journal;
  bool same = false;
  if (!config->source) {
    return LB_ERR_NO_JOURNAL;
  }
  int err = lb_journal_read(&update->journal, config->device->flash, &config->target);
  if (err == LB_OK) {
    err = lb_journal_is_about(journal, config->source, config->validator, &same);
  }
  if (err) {
    return err;
  }
  bool of_size = config->size == LB_SIZE_UNKNOWN || config->size == journal->size;
  if (!same || !of_size || journal->validator_length == 0) {
    return LB_ERR_NO_JOURNAL;
  }
  config->size = journal->size;
  err = lb_journal_blocks_done(journal, &update->block_limit);
  return err == LB_OK && update->block_limit == 0 ? LB_ERR_NO_JOURNAL : err;
}

int lb_update_resume(struct lb_update *update, const struct lb_update_config *config)
{
  int err = lb_update_prepare(update, config);
  if (err == LB_OK) {
    err = find_journal(update);
  }
  if (err == LB_OK) {
    err = lb_update_keep_journal(update);
  }
  if (err) {
    return lb_update_fail(update, err);
  }
  update->resumed = true;
  update->state = LB_UPDATE_RESUMING;
  return LB_MORE;
}

/* Reads the trusted blocks once more from the beginning, without the present one and those behind it. */
static int trust_less(struct lb_update *update)
{
  update->block_limit = update->block;
  if (update->block_limit == 0) {
    return LB_ERR_NO_JOURNAL;
  }
  update->block = 0;
  update->block_crc = 0;
  update->received = 0;
  int err = lb_update_start_image(update);
  return err ? err : LB_MORE;
}

/*
 * The image's first bytes are kept back until the end, and the journal has them. If a cut came when they were being
 * programmed, some of their bits are there; no others may be.
 */
static bool take_head(struct lb_update *update, uint8_t *chunk, uint32_t length)
{
  const uint8_t *head = update->journal.head;
  bool fits = true;
  update->sealed = memcmp(chunk, head, LB_IMAGE_HEADER_SIZE) == 0;
  update->sealing_begun = !lb_is_blank(chunk, LB_IMAGE_HEADER_SIZE);
  for (uint32_t i = 0; i < LB_IMAGE_HEADER_SIZE; i++) {
    fits = fits && (chunk[i] & head[i]) == head[i];
  }
  memcpy(chunk, head, LB_IMAGE_HEADER_SIZE);
  update->head_length = lb_smaller(length, LB_IMAGE_HEAD_SIZE);
  memcpy(update->head, chunk, update->head_length);
  return fits;
}

/* All of a block has been read. */
static int judge_block(struct lb_update *update)
{
  struct lb_journal_block block;
  int err = lb_journal_block(&update->journal, update->block, &block);
  if (err) {
    return err;
  }
  if (!block.done || block.crc != update->block_crc) {
    return trust_less(update);
  }
  update->block++;
  return update->image.result == LB_OK || update->block == update->block_limit ? LB_OK : LB_MORE;
}

/* Reads the next bytes of a block: LB_MORE, or LB_OK: that was the last trusted one. */
static int read_piece(struct lb_update *update)
{
  uint8_t chunk[CHUNK];
  const struct lb_flash *flash = update->config.device->flash;
  uint32_t end = lb_journal_block_end(&update->journal, update->block);
  uint32_t start = update->block == 0 ? 0 : lb_journal_block_end(&update->journal, update->block - 1U);
  uint32_t piece = lb_smaller(CHUNK, end - update->received);
  uint32_t of_image;
  int err = lb_flash_read(flash, update->config.target.offset + update->received, chunk, piece);
  if (err) {
    return err;
  }
  if (update->received == 0 && !take_head(update, chunk, piece)) {
    return LB_ERR_NO_JOURNAL;
  }
  int result = lb_image_write(&update->image, chunk, piece, &of_image);
  if (result < 0) {
    return lb_error_is_of_image(result) ? trust_less(update) : result;
  }
  if (update->received == 0) { /* as the flash had them when the CRC was made */
    memset(chunk, 0xFF, LB_IMAGE_HEADER_SIZE);
  }
  update->block_crc = lb_crc32(update->received == start ? 0 : update->block_crc, chunk, of_image);
  update->received += of_image;
  return update->received == end || result == LB_OK ? judge_block(update) : LB_MORE;
}

/*
 * The trusted blocks have been read. An image whose first bytes may be there already passes for a whole one: none of
 * its blocks may be erased then, unless the first one is erased before.
 */
static int go_on(struct lb_update *update)
{
  bool complete = update->image.result == LB_OK;
  int err = LB_OK;
  if (!complete && update->sealing_begun) {
    return LB_ERR_NO_JOURNAL;
  }
  if (!complete) {
    err = lb_update_plan_by_journal(update, update->block);
  }
  if (err == LB_OK && !complete) {
    err = lb_writer_seek(&update->writer, update->config.target.offset + update->received);
  }
  update->written = update->received;
  update->has_journal = true;
  if (err == LB_OK) {
    err = lb_update_judge(update);
  }
  /* what is wrong with the image will be said when it comes from its beginning */
  return lb_error_is_of_image(err) ? LB_ERR_NO_JOURNAL : err;
}

int lb_update_resume_step(struct lb_update *update)
{
  int result = LB_MORE;
  if (update->state == LB_UPDATE_FAILED) {
    return update->result;
  }
  if (update->state != LB_UPDATE_RESUMING) {
    return LB_ERR_STATE;
  }
  for (uint32_t i = 0; i < LB_VERIFY_STEP / CHUNK && result == LB_MORE; i++) {
    result = read_piece(update);
  }
  if (result == LB_OK) {
    result = go_on(update);
  }
  if (result < 0) {
    update->has_journal = false;
    return lb_update_fail(update, result);
  }
  return result;
}
