// SPDX-License-Identifier: MIT
#include "module/flash_transfer.h"

#include <string.h>

#include "module/console.h"
#include "module/flash_job.h"
#include "module/flash_log.h"
#include "module/flash_resume.h"
#include "module/module.h"
#include "module/print.h"

/* ---- a session ---- */

struct lb_update_config flash_transfer_config(struct flash_job *job)
{
  struct module *module = job->module;
  struct lb_update_config config = {
      .device = &module->device,
      .running = module->boot.partition,
      .target = job->target,
      .size = job->size,
      .project = module->firmware.description.project,
      .only_write = job->source.kind == SOURCE_SLOT,
      .sector_buffer = lb_flash_sector(module->port->flash) <= FLASH_JOB_SECTOR_MAX ? job->sector : NULL,
      .trial = module_trial_terms(module),
  };
  if (job->source.kind != SOURCE_SLOT) {
    config.source = job->source.name;
  }
  if (!job->force && job->source.kind != SOURCE_SLOT) {
    config.failed_before = flash_log_failed_before;
    config.failed_context = job;
  }
  if (job->source.kind == SOURCE_FILE || job->validator[0] != '\0') {
    config.validator = job->validator;
  }
  return config;
}

void flash_transfer_begin_at(struct flash_job *job, uint32_t first)
{
  job->base = first;
  job->counted = first;
  job->told = first;
  job->piece_at = 0;
  read_ahead_start(&job->ahead);
}

static void tell_size(struct flash_job *job)
{
  if (job->source.kind == SOURCE_HTTP) {
    console_print(job->console, "Expected file size is %u\n", (unsigned)job->size);
  }
}

static int begin_session(struct flash_job *job)
{
  memcpy(job->validator, job->source.reply.validator, sizeof job->validator);
  flash_transfer_begin_at(job, 0);
  tell_size(job);
  const struct lb_update_config config = flash_transfer_config(job);
  int err = lb_update_start(&job->work.update, &config);
  if (err) {
    return err;
  }
  console_print(job->console, "Preparing flash partition...\n");
  if (job->source.kind == SOURCE_FILE) {
    flash_resume_tell_file(job);
  }
  if (job->source.kind != SOURCE_HTTP) {
    console_print(job->console, "%s image partition...\n", job->source.kind == SOURCE_SLOT ? "Copying" : "Flashing");
  }
  job->has_session = true;
  flash_log_begin(job);
  job->stage = FLASH_JOB_TRANSFERRING;
  return LB_MORE;
}

/* The server sends the rest of what the session has, or of what flash_resume_step has read back. */
static int continue_session(struct flash_job *job)
{
  uint32_t first = (uint32_t)job->source.first;
  if (!job->has_session) {
    flash_transfer_begin_at(job, first);
    job->piece_at = lb_update_position(&job->work.update) - first;
    job->has_session = true;
    job->found = first;
    flash_log_begin(job);
    tell_size(job);
  }
  console_print(job->console, "Resuming at %u of %u bytes\n", (unsigned)first, (unsigned)job->size);
  job->stage = FLASH_JOB_TRANSFERRING;
  return LB_MORE;
}

/* ---- connecting ---- */

static int open_server(struct flash_job *job)
{
  if (!job->told_source) {
    job->told_source = true;
    console_print(job->console, "Download firmware from %s to %s\n", job->source.name, job->target.label);
  }
  int err = source_open(&job->source);
  return err ? err : LB_MORE;
}

static int take_new(struct flash_job *job)
{
  if (job->source.kind == SOURCE_FILE) {
    int result = patch_fetch_from_file(job);
    if (result != LB_OK) {
      return result;
    }
  }
  job->size = job->source.size < UINT32_MAX ? (uint32_t)job->source.size : UINT32_MAX;
  if (job->source.kind != SOURCE_HTTP) {
    console_print(job->console, "Source image is %u bytes in size\n", (unsigned)job->size);
  }
  return job->size < FLASH_JOB_LEAST ? MODULE_ERR_TOO_SMALL : begin_session(job);
}

/* A part was asked for. */
static int take_part(struct flash_job *job)
{
  const char *why_not = flash_resume_refusal(job);
  if (!why_not) {
    return continue_session(job);
  }
  flash_resume_start_over(job, why_not);
  if (job->source.answer == SOURCE_WHOLE) {
    return take_new(job);
  }
  source_close(&job->source);
  return LB_MORE;
}

int flash_transfer_connect(struct flash_job *job)
{
  struct source *source = &job->source;
  if (job->patch.way != FLASH_PATCH_NOT) {
    return patch_fetch_connect(job);
  }
  if (source->kind == SOURCE_HTTP && !source->transfer) {
    return open_server(job);
  }
  int result = source_describe(source);
  if (result != LB_OK) {
    job->waiting = result == LB_MORE && source->kind == SOURCE_HTTP;
    return result;
  }
  job->has_reply = true;
  if (source->first > 0) {
    return take_part(job);
  }
  if (job->has_session) {
    flash_resume_start_over(job, source->reply.weak ? "the server has only a weak validator for its file"
                                                    : "the server has no strong validator for its file");
  }
  return take_new(job);
}

/* ---- moving bytes ---- */

int flash_transfer_fill(struct flash_job *job)
{
  uint32_t room;
  uint8_t *place = read_ahead_room(&job->ahead, &room);
  while (room > 0 && !job->ahead.ended) {
    uint32_t got = 0;
    int result = source_read(&job->source, place, room, &got);
    if (result < 0) {
      return result;
    }
    read_ahead_put(&job->ahead, got);
    job->came += got;
    if (result == LB_OK) {
      read_ahead_end(&job->ahead);
    } else if (got == 0) {
      break;
    }
    place = read_ahead_room(&job->ahead, &room);
  }
  return LB_OK;
}

void flash_job_drain(struct flash_job *job)
{
  bool is_open = job->stage == FLASH_JOB_TRANSFERRING || (job->stage == FLASH_JOB_STAGING && job->source.transfer);
  if (is_open && job->source.kind == SOURCE_HTTP) {
    (void)flash_transfer_fill(job); /* an error stays with the transfer: the next step gets it again */
  }
}

static void count(struct flash_job *job, uint32_t piece)
{
  job->counted += piece;
  if (job->source.kind == SOURCE_HTTP && job->counted - job->told > FLASH_JOB_TELL_EVERY) {
    job->told = job->counted;
    console_print(job->console, "Downloading... (%u bytes so far)\n", (unsigned)job->counted);
  }
}

static int transfer_done(struct flash_job *job)
{
  source_close(&job->source);
  if (job->source.kind == SOURCE_HTTP && job->counted == flash_patch_wanted(job)) {
    console_print(job->console, "Download complete (at %u bytes)\n", (unsigned)job->counted);
  }
  if (job->patch.way != FLASH_PATCH_NOT) {
    job->stage = job->patch.way == FLASH_PATCH_STAGED ? FLASH_JOB_CHECKING : FLASH_JOB_APPLYING;
    return LB_MORE;
  }
  flash_log_complete(job);
  job->stage = FLASH_JOB_FINISHING;
  return LB_MORE;
}

/* Bytes go to the session, or to what makes the image of them, or wait until they are all there. */
static int take(struct flash_job *job, const uint8_t *data, uint32_t length, uint32_t *used)
{
  switch (job->patch.way) {
  case FLASH_PATCH_NOT:
    return lb_update_write(&job->work.update, data, length, used);
  case FLASH_PATCH_STAGED:
    return lb_stage_write(&job->patch.stage, data, length, used);
  default:
    return patch_apply_write(job, data, length, used);
  }
}

/* Gives the session of a piece, or of the beginning of one, what it has not taken yet. */
static int write_part(struct flash_job *job, const uint8_t *part, uint32_t size)
{
  uint32_t used = 0;
  if (job->piece_at < size) {
    int err = take(job, part + job->piece_at, size - job->piece_at, &used);
    if (err) {
      return err;
    }
    job->piece_at += used;
  }
  return LB_MORE;
}

static int write_piece(struct flash_job *job, const uint8_t *piece, uint32_t size)
{
  int result = write_part(job, piece, size);
  if (result == LB_MORE && job->piece_at == size) {
    read_ahead_drop(&job->ahead, size);
    job->piece_at = 0;
    count(job, size);
  }
  return result;
}

/* Behind the last whole piece there may be what makes the session mark one more block as done. */
static bool completes_block(const struct flash_job *job, uint32_t size)
{
  return job->patch.way == FLASH_PATCH_NOT && job->piece_at < size &&
         lb_update_position(&job->work.update) >= FLASH_RETRY_PROGRESS;
}

int flash_transfer_step(struct flash_job *job)
{
  uint32_t size = 0;
  int filled = flash_transfer_fill(job); /* each time, so that the window is empty when the next erase begins */
  const uint8_t *piece = read_ahead_piece(&job->ahead, &size);
  if (job->has_session && flash_log_image(job) == LB_MORE) {
    return LB_MORE;
  }
  if (piece) {
    return write_piece(job, piece, size);
  }
  if (filled) { /* an error stays with the source: what came before it has been written by now */
    piece = read_ahead_part(&job->ahead, &size);
    return piece && completes_block(job, size) ? write_part(job, piece, size) : filled;
  }
  if (read_ahead_is_finished(&job->ahead)) {
    return transfer_done(job);
  }
  job->waiting = !read_ahead_piece(&job->ahead, &size);
  return LB_MORE;
}
