// SPDX-License-Identifier: MIT
/* The session from its start to its end. What it is judged by, its journal, and going on with one are files of their
 * own. */
#include "lifeboat/update.h"

#include <string.h>

#include "lib/common.h"
#include "lib/update_parts.h"
#include "lifeboat/error.h"

int lb_update_fail(struct lb_update *update, int error)
{
  update->state = LB_UPDATE_FAILED;
  update->result = error;
  return error;
}

int lb_update_start_image(struct lb_update *update)
{
  const struct lb_device *device = update->config.device;
  const struct lb_image_rules rules = {
      .chip = device->chip,
      .revision = device->revision,
      .capacity = update->config.target.size,
      .address = update->config.target.offset,
  };
  return lb_image_start(&update->image, &rules, device->sha256);
}

/* The writer stops before what is reserved, and before the last sector, which is for a journal then. */
static int reserve(struct lb_update *update)
{
  const struct lb_update_config *config = &update->config;
  uint32_t sector = lb_flash_sector(config->device->flash);
  uint32_t room = config->target.size - sector;
  if (config->reserved > room || (config->reserved & (sector - 1U)) != 0) {
    return LB_ERR_ARGUMENT;
  }
  room -= config->reserved;
  if (config->size != LB_SIZE_UNKNOWN && config->size > room) {
    return LB_ERR_IMAGE_TOO_LONG;
  }
  return lb_writer_limit(&update->writer, config->target.offset + room);
}

int lb_update_prepare(struct lb_update *update, const struct lb_update_config *config)
{
  memset(update, 0, sizeof *update);
  update->config = *config;
  int err = lb_target_allowed(config->device->table, &config->running, &config->target);
  if (err == LB_OK && config->size != LB_SIZE_UNKNOWN && config->size > config->target.size) {
    err = LB_ERR_IMAGE_TOO_LONG;
  }
  if (err == LB_OK && config->only_write) {
    err = lb_target_not_selected(config->device, &config->target);
  }
  if (err == LB_OK) {
    err = lb_target_for_update(config->device, &config->running, &config->target, &update->in_danger);
  }
  if (err == LB_OK && update->in_danger && config->only_write) {
    err = LB_ERR_TARGET_FALLBACK;
  }
  if (err == LB_OK) {
    err = lb_writer_start(&update->writer, config->device->flash, &config->target, config->sector_buffer);
  }
  if (err == LB_OK && config->reserved > 0) {
    err = reserve(update);
  }
  return err ? err : lb_update_start_image(update);
}

int lb_update_start(struct lb_update *update, const struct lb_update_config *config)
{
  int err = lb_update_prepare(update, config);
  if (err == LB_OK) {
    err = lb_update_plan_compare(update);
  }
  memset(&update->journal, 0, sizeof update->journal); /* the one that was there has said what it had to say */
  return err ? lb_update_fail(update, err) : LB_OK;
}

/* ---- bytes come ---- */

/* Bytes behind the image: erased flash and nothing else. */
static int judge_trailing(const uint8_t *data, uint32_t length)
{
  return lb_is_blank(data, length) ? LB_OK : LB_ERR_IMAGE_TRAILING;
}

/* Shows bytes to the inspector and tells how many of them belong to the image. */
static int inspect(struct lb_update *update, const uint8_t *data, uint32_t length, uint32_t *of_image)
{
  int result = lb_image_write(&update->image, data, length, of_image);
  return result < 0 ? result : judge_trailing(data + *of_image, length - *of_image);
}

static int gather_head(struct lb_update *update, const uint8_t *data, uint32_t length, uint32_t *used)
{
  uint32_t piece = lb_smaller(length, LB_IMAGE_HEAD_SIZE - update->received);
  uint32_t of_image;
  memcpy(update->head + update->received, data, piece);
  update->received += piece;
  update->head_length = update->received;
  *used = piece;
  int err = inspect(update, data, piece, &of_image);
  if (err) {
    return err;
  }
  return update->received == LB_IMAGE_HEAD_SIZE ? lb_update_judge(update) : LB_OK;
}

/* Gives the writer the next of the gathered head, with 0xFF for the first bytes, which change nothing on the flash. */
static int write_head(struct lb_update *update)
{
  static const uint8_t nothing[LB_IMAGE_HEADER_SIZE] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                                        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                                        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  bool kept_back = update->written < LB_IMAGE_HEADER_SIZE;
  uint32_t end = kept_back ? LB_IMAGE_HEADER_SIZE : update->head_length;
  const uint8_t *from = (kept_back ? nothing : update->head) + update->written;
  uint32_t used;
  return lb_update_put(update, from, end - update->written, &used);
}

/* The image's bytes in `data` go to the writer first; those that it took are then inspected. */
static int write_body(struct lb_update *update, const uint8_t *data, uint32_t length, uint32_t *used)
{
  uint32_t of_image = 0;
  if (update->image.result == LB_OK) { /* complete: the rest is not written */
    *used = length;
    update->received += length;
    return judge_trailing(data, length);
  }
  uint32_t end = update->image.info.length != 0 ? update->image.info.length : update->config.target.size;
  uint32_t left = end - update->received;
  if (left == 0) {
    return LB_ERR_IMAGE_TOO_LONG;
  }
  int err = lb_update_put(update, data, lb_smaller(length, left), used);
  if (err) {
    return err;
  }
  update->received += *used;
  err = inspect(update, data, *used, &of_image);
  return err ? err : lb_update_judge_length(update);
}

/* One call's worth of taking bytes. */
static int take(struct lb_update *update, const uint8_t *data, uint32_t length, uint32_t *used)
{
  switch ((enum lb_update_state)update->state) {
  case LB_UPDATE_JUDGING:
    return gather_head(update, data, length, used);
  case LB_UPDATE_RETIRING:
    return lb_update_retire(update);
  case LB_UPDATE_JOURNALING:
    return lb_update_open_journal(update);
  default:
    return update->written < update->head_length ? write_head(update) : write_body(update, data, length, used);
  }
}

int lb_update_write(struct lb_update *update, const void *data, uint32_t length, uint32_t *used)
{
  *used = 0;
  if (update->state == LB_UPDATE_FAILED) {
    return update->result;
  }
  if (update->state == LB_UPDATE_CLOSING && update->result) {
    return lb_update_close(update);
  }
  if (update->state > LB_UPDATE_WRITING) {
    return LB_ERR_STATE;
  }
  int result = LB_ERR_SIZE_MISMATCH;
  if (update->config.size == LB_SIZE_UNKNOWN || length <= update->config.size - update->received) {
    result = take(update, data, length, used);
  }
  if (result < 0) {
    result = lb_update_end_badly(update, result);
  }
  return result < 0 ? result : LB_OK;
}

/* ---- all bytes have come ---- */

/* Are they a whole image, as long as announced? */
static int judge_stream(struct lb_update *update)
{
  uint32_t size = update->config.size;
  int result = lb_image_finish(&update->image);
  if ((result == LB_OK || result == LB_ERR_IMAGE_TRUNCATED) && size != LB_SIZE_UNKNOWN && update->received != size) {
    return LB_ERR_SIZE_MISMATCH;
  }
  return result;
}

/* All of it is shorter than a head. */
static int finish_judging(struct lb_update *update)
{
  int result = judge_stream(update);
  return result ? result : lb_update_judge(update);
}

static int finish_writing(struct lb_update *update)
{
  if (update->written < update->head_length) {
    return write_head(update);
  }
  int result = judge_stream(update);
  if (result == LB_ERR_SIZE_MISMATCH) { /* less than announced: the rest may come another time */
    return lb_update_fail(update, result);
  }
  update->state = LB_UPDATE_SETTLING;
  return result ? result : lb_update_judge_whole(update);
}

static int finish_settling(struct lb_update *update)
{
  int result = lb_update_settle(update);
  if (result == LB_OK) {
    update->state = LB_UPDATE_SEALING;
  }
  return result;
}

static int seal(struct lb_update *update)
{
  const struct lb_device *device = update->config.device;
  const struct lb_partition *target = &update->config.target;
  update->sealing_begun = true;
  int err = lb_flash_program(device->flash, target->offset, update->head, LB_IMAGE_HEADER_SIZE);
  update->state = update->config.only_write ? LB_UPDATE_VERIFYING : LB_UPDATE_SELECTING;
  update->sealed = err == LB_OK;
  if (err == LB_OK && update->config.only_write) {
    err = lb_verify_start(&update->select.verify, device, target);
  } else if (err == LB_OK) {
    err = lb_select_start(&update->select, device, target, &update->config.trial);
    update->select.written_anew = true;
  }
  return err;
}

/* What was read back has verified by itself; it also has to be what was sent. */
static int read_back(struct lb_update *update)
{
  struct lb_select *select = &update->select;
  bool only_write = update->state == LB_UPDATE_VERIFYING;
  int result = only_write ? lb_verify_step(&select->verify) : lb_select_step(select);
  const struct lb_image *image = &select->verify.image;
  if (image->result == LB_OK && memcmp(image->info.digest, update->image.info.digest, LB_SHA256_SIZE) != 0) {
    return LB_ERR_READ_BACK;
  }
  if (lb_error_is_of_image(result)) {
    return LB_ERR_READ_BACK; /* it was good when it came */
  }
  update->verified = image->result == LB_OK;
  if (result == LB_OK) {
    update->state = update->has_journal ? LB_UPDATE_CLOSING : LB_UPDATE_DONE;
  }
  return result;
}

int lb_update_finish(struct lb_update *update)
{
  int result = LB_ERR_STATE;
  switch ((enum lb_update_state)update->state) {
  case LB_UPDATE_JUDGING:
    result = finish_judging(update);
    break;
  case LB_UPDATE_RETIRING:
    result = lb_update_retire(update);
    break;
  case LB_UPDATE_JOURNALING:
    result = lb_update_open_journal(update);
    break;
  case LB_UPDATE_WRITING:
    result = finish_writing(update);
    break;
  case LB_UPDATE_SETTLING:
    result = finish_settling(update);
    break;
  case LB_UPDATE_SEALING:
    result = seal(update);
    break;
  case LB_UPDATE_VERIFYING:
  case LB_UPDATE_SELECTING:
    result = read_back(update);
    break;
  case LB_UPDATE_CLOSING:
    return lb_update_close(update);
  case LB_UPDATE_RESUMING:
    return LB_ERR_STATE;
  case LB_UPDATE_DONE:
    return LB_OK;
  case LB_UPDATE_FAILED:
    return update->result;
  }
  if (result == LB_OK && update->state != LB_UPDATE_DONE) {
    return LB_MORE;
  }
  return result < 0 && update->state != LB_UPDATE_FAILED ? lb_update_end_badly(update, result) : result;
}

/* ---- how it stands ---- */

bool lb_update_touched_flash(const struct lb_update *update)
{
  return update->touched_flash;
}

bool lb_update_is_verified(const struct lb_update *update)
{
  return update->verified;
}

bool lb_update_is_selecting(const struct lb_update *update)
{
  return update->state == LB_UPDATE_RETIRING || update->state == LB_UPDATE_SELECTING;
}

bool lb_update_has_journal(const struct lb_update *update)
{
  return update->has_journal;
}

uint32_t lb_update_position(const struct lb_update *update)
{
  return update->received;
}

enum lb_update_remains lb_update_remains(const struct lb_update *update)
{
  if (update->sealed && (update->verified || update->result != LB_ERR_READ_BACK)) {
    return LB_REMAINS_WHOLE;
  }
  bool changed = update->writer.touched || update->sealing_begun || update->spoiled || update->resumed;
  return changed ? LB_REMAINS_UNFINISHED : LB_REMAINS_AS_BEFORE;
}
