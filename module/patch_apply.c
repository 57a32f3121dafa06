// SPDX-License-Identifier: MIT
/* The end of an update by patch: it is checked as a whole, and the image made of it goes into the session. */
#include <string.h>

#include "lifeboat/claim.h"
#include "module/console.h"
#include "module/flash_job.h"
#include "module/flash_log.h"
#include "module/flash_resume.h"
#include "module/flash_transfer.h"
#include "module/module.h"
#include "module/print.h"

#define TURNS 4U /* pieces of the image that are made in a step, as long as they only gather in the sector's buffer */

/* ---- is it the right one? ---- */

/* Before anything of the image is made: the patch has to lead to what the list promised. */
static int judge(struct flash_job *job, const struct lb_patch_info *info)
{
  struct flash_patch *patch = &job->patch;
  struct lb_claim claim;
  if (!patch->offer.from_nothing) {
    int err = lb_claim_read(&claim, job->module->device.flash, &patch->offer.base);
    if (err || memcmp(claim.digest, info->base_digest, sizeof info->base_digest) != 0) {
      return err ? err : MODULE_ERR_PATCH;
    }
  }
  if (info->result_length != patch->list.image_size ||
      memcmp(info->result_digest, patch->list.image_digest, sizeof info->result_digest) != 0 ||
      (info->base_length == 0) != patch->offer.from_nothing) {
    return MODULE_ERR_PATCH;
  }
  patch->judged = true;
  return LB_OK;
}

static int check_stage(struct flash_job *job)
{
  struct flash_patch *patch = &job->patch;
  uint8_t header[LB_PATCH_HEADER_SIZE];
  struct lb_patch_info info;
  int result = lb_stage_check(&patch->stage);
  if (result != LB_OK) {
    return result;
  }
  if (patch->stage.size < LB_PATCH_HEADER_SIZE) {
    return LB_ERR_PATCH_TRUNCATED;
  }
  int err = lb_stage_read(&patch->stage, 0, header, sizeof header);
  if (err == LB_OK) {
    err = lb_patch_read_header(&info, header);
  }
  if (err == LB_OK) {
    err = judge(job, &info);
  }
  return err ? err : patch_apply_begin(job);
}

/* Reads the file to its end and compares its CRC; then it is opened anew, to be applied. */
static int check_file(struct flash_job *job)
{
  struct flash_patch *patch = &job->patch;
  uint32_t room = 0;
  uint32_t got = 0;
  uint8_t *buffer = read_ahead_room(&job->ahead, &room); /* the ring is empty yet */
  int result = source_read(&job->source, buffer, room, &got);
  if (result < 0) {
    return result;
  }
  for (uint32_t i = 0; i < got && patch->given + i < LB_PATCH_HEADER_SIZE; i++) {
    patch->chunk[patch->given + i] = buffer[i];
  }
  patch->crc = lb_patch_crc(patch->crc, patch->given, buffer, got);
  patch->given += got;
  if (result == LB_MORE && got > 0) {
    return LB_MORE;
  }
  struct lb_patch_info info;
  int err = lb_patch_read_header(&info, patch->chunk);
  if (err == LB_OK && patch->given != patch->offer.size) {
    err = LB_ERR_SIZE_MISMATCH;
  }
  if (err == LB_OK && patch->crc != info.crc) {
    err = LB_ERR_PATCH_CRC;
  }
  source_close(&job->source);
  if (err == LB_OK) {
    err = source_open(&job->source);
  }
  return err ? err : patch_apply_begin(job);
}

int patch_apply_check(struct flash_job *job)
{
  return job->patch.way == FLASH_PATCH_FILE ? check_file(job) : check_stage(job);
}

/* ---- applying ---- */

int patch_apply_begin(struct flash_job *job)
{
  struct flash_patch *patch = &job->patch;
  const struct lb_partition *base = patch->offer.from_nothing ? NULL : &patch->offer.base;
  job->size = patch->list.image_size;
  const struct lb_update_config config = flash_patch_config(job);
  int err = lb_update_start(&job->work.update, &config);
  if (err == LB_OK) {
    err = lb_update_patch_start(&patch->applying, &patch->decoder.patch, sizeof patch->decoder, &job->work.update, base,
                                job->module->port->sha256_patch);
  }
  if (err) {
    return err;
  }
  console_print(job->console, "Preparing flash partition...\n");
  flash_resume_tell_file(job);
  patch->given = 0;
  patch->chunk_length = 0;
  patch->judged = patch->way == FLASH_PATCH_STAGED;
  job->has_session = true;
  flash_log_begin(job);
  if (patch->way != FLASH_PATCH_STREAMED) {
    console_print(job->console, "Applying patch...\n");
  }
  if (patch->way == FLASH_PATCH_STAGED) {
    job->stage = FLASH_JOB_APPLYING;
  } else {
    job->stage = FLASH_JOB_TRANSFERRING;
  }
  return LB_MORE;
}

/* The base was found by the digest that its image ends with, so it is the right one: then it is not whole any more. */
static int name_error(int error)
{
  return error == LB_ERR_PATCH_BASE ? MODULE_ERR_BASE : error;
}

int patch_apply_write(struct flash_job *job, const uint8_t *data, uint32_t length, uint32_t *used)
{
  struct flash_patch *patch = &job->patch;
  int err = name_error(lb_update_patch_write(&patch->applying, data, length, used));
  const struct lb_patch_info *info = lb_patch_info(&patch->decoder.patch);
  if (err == LB_OK && info && !patch->judged) { /* the base is read next, and nothing has been made yet */
    err = judge(job, info);
  }
  return err;
}

/* The next bytes of the stage that the decoder has not taken. */
static int give_staged(struct flash_job *job)
{
  struct flash_patch *patch = &job->patch;
  uint32_t used = 0;
  if (patch->given >= patch->chunk_at + patch->chunk_length || patch->chunk_length == 0) {
    uint32_t left = patch->stage.size - patch->given;
    patch->chunk_at = patch->given;
    patch->chunk_length = left < sizeof patch->chunk ? left : (uint32_t)sizeof patch->chunk;
    int err = lb_stage_read(&patch->stage, patch->given, patch->chunk, patch->chunk_length);
    if (err) {
      return err;
    }
  }
  uint32_t into = patch->given - patch->chunk_at;
  int err = lb_update_patch_write(&patch->applying, patch->chunk + into, patch->chunk_length - into, &used);
  patch->given += used;
  return err ? err : LB_MORE;
}

/* LB_MORE; LB_OK: the session has the whole image. */
static int make_piece(struct flash_job *job)
{
  struct flash_patch *patch = &job->patch;
  if (patch->way == FLASH_PATCH_STAGED && patch->given < patch->stage.size) {
    return give_staged(job);
  }
  return lb_update_patch_finish(&patch->applying);
}

int patch_apply_step(struct flash_job *job)
{
  int result = LB_MORE;
  bool grows = true;
  if (flash_log_image(job) == LB_MORE) {
    return LB_MORE;
  }
  const uint32_t turns = job->work.update.writer.buffer ? TURNS : 1U; /* without a buffer each programs a page */
  for (uint32_t i = 0; i < turns && result == LB_MORE && grows; i++) {
    uint32_t before = lb_update_position(&job->work.update);
    result = name_error(make_piece(job));
    grows = lb_update_position(&job->work.update) > before; /* else it was the flash's turn */
  }
  if (result == LB_OK) {
    flash_log_complete(job);
    job->stage = FLASH_JOB_FINISHING;
    return LB_MORE;
  }
  return result;
}
