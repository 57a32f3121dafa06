// SPDX-License-Identifier: MIT
#include "lifeboat/update.h"

#include <string.h>

#include "lib/common.h"
#include "lifeboat/bytes.h"
#include "lifeboat/error.h"

enum state {
  JUDGING,   /* the head is gathered; nothing has been touched */
  RETIRING,  /* otadata selects the target: the selection moves to the running slot */
  WRITING,   /* the image's bytes go to the writer, the head first */
  SETTLING,  /* the last gathered bytes are written */
  SEALING,   /* the first bytes are programmed */
  VERIFYING, /* reading back, with only_write */
  SELECTING, /* reading back, verifying, selecting */
  DONE,
  FAILED
};

static int fail(struct lb_update *update, int error)
{
  update->state = FAILED;
  update->result = error;
  return error;
}

static int start_image(struct lb_update *update)
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

/*
 * Where the image that the target holds ends, by its headers; 0 if there is none. It is there whole: its first block
 * was erased first and its first bytes programmed last.
 */
static int find_old_end(const struct lb_flash *flash, const struct lb_partition *slot, uint32_t *end)
{
  uint8_t bytes[LB_IMAGE_HEADER_SIZE];
  uint32_t position = LB_IMAGE_HEADER_SIZE;
  *end = 0;
  if (slot->size < LB_IMAGE_HEADER_SIZE) {
    return LB_OK;
  }
  int err = lb_flash_read(flash, slot->offset, bytes, LB_IMAGE_HEADER_SIZE);
  if (err || bytes[0] != LB_IMAGE_MAGIC || bytes[1] > LB_IMAGE_SEGMENTS_MAX) {
    return err;
  }
  for (uint32_t left = bytes[1]; left > 0; left--) {
    if (slot->size - position < LB_IMAGE_SEGMENT_HEADER_SIZE) {
      return LB_OK;
    }
    err = lb_flash_read(flash, slot->offset + position, bytes, LB_IMAGE_SEGMENT_HEADER_SIZE);
    position += LB_IMAGE_SEGMENT_HEADER_SIZE;
    uint32_t length = lb_load_le32(bytes + 4);
    if (err || length > slot->size - position) {
      return err;
    }
    position += length;
  }
  *end = position;
  return LB_OK;
}

/*
 * A slot that an update was cut in has pages or blocks that were in flight then, and may read right today and wrong
 * tomorrow. Only what belongs to a whole image is compared and kept; such bytes lie behind it, or there is no image.
 */
static int distrust_unfinished(struct lb_update *update)
{
  uint32_t end = 0;
  int err = find_old_end(update->config.device->flash, &update->config.target, &end);
  update->writer.compare_end = update->config.target.offset + end;
  return err;
}

int lb_update_start(struct lb_update *update, const struct lb_update_config *config)
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
    err = lb_writer_start(&update->writer, config->device->flash, &config->target, config->sector_buffer);
  }
  if (err == LB_OK) {
    err = distrust_unfinished(update);
  }
  if (err == LB_OK) {
    err = start_image(update);
  }
  return err ? fail(update, err) : LB_OK;
}

static int judge_project(const struct lb_update *update)
{
  const char *wanted = update->config.project;
  const char *named = update->image.info.description.project;
  if (!wanted || wanted[0] == '\0' || named[0] == '\0') {
    return LB_OK;
  }
  return lb_same_text(wanted, named) ? LB_OK : LB_ERR_IMAGE_PROJECT;
}

/* Does the image end behind what was announced? Its headers tell before its bytes come. */
static int judge_length(const struct lb_update *update)
{
  uint32_t size = update->config.size;
  return size != LB_SIZE_UNKNOWN && update->image.info.length > size ? LB_ERR_IMAGE_TRUNCATED : LB_OK;
}

/* Can otadata say that this partition boots next? Not of a test app, nor of a slot behind a gap in the numbers. */
static bool can_be_selected(const struct lb_table *table, const struct lb_partition *partition)
{
  struct lb_partition slot;
  if (lb_partition_is_ota(partition)) {
    return lb_table_ota_slot(table, partition->subtype - (uint32_t)LB_SUBTYPE_OTA_0, &slot) == LB_OK;
  }
  return partition->type == LB_TYPE_APP && partition->subtype == LB_SUBTYPE_FACTORY;
}

/* Judges the head. If otadata selects the target, the selection has to move before the target is touched. */
static int judge(struct lb_update *update)
{
  const struct lb_device *device = update->config.device;
  struct lb_otadata *otadata = &update->stage.otadata;
  struct lb_partition selected;
  int err = lb_image_judge_application(&update->image);
  if (err == LB_OK) {
    err = judge_project(update);
  }
  if (err == LB_OK) {
    err = judge_length(update);
  }
  if (err == LB_OK) {
    err = lb_otadata_read(otadata, device);
  }
  if (err) {
    return err;
  }
  bool is_selected = lb_otadata_selected(otadata, device->table, &selected) == LB_OK &&
                     lb_partition_same(&selected, &update->config.target);
  if (is_selected && (update->config.only_write || !can_be_selected(device->table, &update->config.running))) {
    return LB_ERR_TARGET_SELECTED;
  }
  update->touched_flash = true;
  update->head_length = update->received;
  update->state = is_selected ? RETIRING : WRITING;
  return LB_OK;
}

static int retire(struct lb_update *update)
{
  const struct lb_partition *running = &update->config.running;
  struct lb_otadata *otadata = &update->stage.otadata;
  int result;
  if (lb_partition_is_ota(running)) {
    result = lb_otadata_select_slot(otadata, update->config.device, (uint32_t)(running->subtype - LB_SUBTYPE_OTA_0));
  } else {
    result = lb_otadata_select_factory(otadata, update->config.device);
  }
  if (result == LB_OK) {
    update->state = WRITING;
  }
  return result < 0 ? result : LB_OK;
}

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
  uint32_t wanted = LB_IMAGE_HEAD_SIZE - update->received;
  uint32_t piece = length < wanted ? length : wanted;
  uint32_t of_image;
  memcpy(update->head + update->received, data, piece);
  update->received += piece;
  *used = piece;
  int err = inspect(update, data, piece, &of_image);
  if (err) {
    return err;
  }
  return update->received == LB_IMAGE_HEAD_SIZE ? judge(update) : LB_OK;
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
  int err = lb_writer_write(&update->writer, from, end - update->written, &used);
  update->written += used;
  return err;
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
  length = length < left ? length : left;
  int err = lb_writer_write(&update->writer, data, length, used);
  if (err) {
    return err;
  }
  update->written += *used;
  update->received += *used;
  err = inspect(update, data, *used, &of_image);
  return err ? err : judge_length(update);
}

int lb_update_write(struct lb_update *update, const void *data, uint32_t length, uint32_t *used)
{
  int err = LB_ERR_STATE;
  *used = 0;
  if (update->state == FAILED) {
    return update->result;
  }
  if (update->state > WRITING) {
    return LB_ERR_STATE;
  }
  if (update->config.size != LB_SIZE_UNKNOWN && length > update->config.size - update->received) {
    return fail(update, LB_ERR_SIZE_MISMATCH);
  }
  if (update->state == JUDGING) {
    err = gather_head(update, data, length, used);
  } else if (update->state == RETIRING) {
    err = retire(update);
  } else if (update->state == WRITING && update->written < update->head_length) {
    err = write_head(update);
  } else if (update->state == WRITING) {
    err = write_body(update, data, length, used);
  }
  return err ? fail(update, err) : LB_OK;
}

/* All bytes have come: are they a whole image, as long as announced? */
static int close_stream(struct lb_update *update)
{
  uint32_t size = update->config.size;
  int result = lb_image_finish(&update->image);
  if ((result == LB_OK || result == LB_ERR_IMAGE_TRUNCATED) && size != LB_SIZE_UNKNOWN && update->received != size) {
    return LB_ERR_SIZE_MISMATCH;
  }
  return result;
}

static int seal(struct lb_update *update)
{
  const struct lb_device *device = update->config.device;
  uint32_t start = update->config.target.offset;
  int err = lb_flash_program(device->flash, start, update->head, LB_IMAGE_HEADER_SIZE);
  update->state = update->config.only_write ? VERIFYING : SELECTING;
  update->sealed = err == LB_OK;
  if (err == LB_OK && update->config.only_write) {
    err = lb_verify_start(&update->stage.select.verify, device, &update->config.target);
  } else if (err == LB_OK) {
    err = lb_select_start(&update->stage.select, device, &update->config.target);
  }
  return err ? err : LB_MORE;
}

/* What was read back has verified by itself; it also has to be what was sent. */
static int read_back(struct lb_update *update)
{
  struct lb_select *select = &update->stage.select;
  int result = update->state == VERIFYING ? lb_verify_step(&select->verify) : lb_select_step(select);
  const struct lb_image *image = &select->verify.image;
  if (image->result == LB_OK && memcmp(image->info.digest, update->image.info.digest, LB_SHA256_SIZE) != 0) {
    return LB_ERR_READ_BACK;
  }
  if (lb_error_is_of_image(result)) {
    return LB_ERR_READ_BACK; /* it was good when it came */
  }
  update->verified = image->result == LB_OK;
  if (result == LB_OK) {
    update->state = DONE;
  }
  return result;
}

int lb_update_finish(struct lb_update *update)
{
  int result = LB_ERR_STATE;
  switch ((enum state)update->state) {
  case JUDGING: /* all of it is shorter than a head */
    result = close_stream(update);
    result = result ? result : judge(update);
    result = result ? result : LB_MORE;
    break;
  case RETIRING:
    result = retire(update);
    result = result ? result : LB_MORE;
    break;
  case WRITING:
    if (update->written < update->head_length) {
      result = write_head(update);
    } else {
      result = close_stream(update);
      update->state = SETTLING;
    }
    result = result ? result : LB_MORE;
    break;
  case SETTLING:
    result = lb_writer_flush(&update->writer);
    if (result == LB_OK) {
      update->state = SEALING;
      result = LB_MORE;
    }
    break;
  case SEALING:
    result = seal(update);
    break;
  case VERIFYING:
  case SELECTING:
    result = read_back(update);
    break;
  case DONE:
    return LB_OK;
  case FAILED:
    return update->result;
  }
  return result < 0 ? fail(update, result) : result;
}

bool lb_update_touched_flash(const struct lb_update *update)
{
  return update->touched_flash;
}

bool lb_update_is_verified(const struct lb_update *update)
{
  return update->verified;
}

enum lb_update_remains lb_update_remains(const struct lb_update *update)
{
  if (!update->writer.touched) {
    return LB_REMAINS_AS_BEFORE;
  }
  return update->sealed && update->result != LB_ERR_READ_BACK ? LB_REMAINS_WHOLE : LB_REMAINS_UNFINISHED;
}
