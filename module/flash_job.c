// SPDX-License-Identifier: MIT
#include "module/flash_job.h"

#include <stddef.h>

#include "module/console.h"
#include "module/module.h"
#include "module/port_error.h"
#include "module/print.h"

static int fail(struct flash_job *job, int error)
{
  flash_report_failure(job, error);
  flash_job_abandon(job);
  return error;
}

void flash_job_abandon(struct flash_job *job)
{
  source_close(&job->source);
  job->stage = FLASH_JOB_IDLE;
}

int flash_job_start(struct flash_job *job, struct console *console, const struct lb_partition *target)
{
  struct module *module = console->module;
  const struct lb_partition *running = &module->boot.partition;
  job->module = module;
  job->console = console;
  job->source.port = module->port;
  job->source.device = &module->device; /* its hash is free until the session begins */
  job->source.transfer = NULL;
  job->source.file = NULL;
  job->size = 0;
  job->counted = 0;
  job->told = 0;
  job->piece_at = 0;
  job->told_setting = false;
  job->waiting = false;
  read_ahead_start(&job->ahead);

  int err = LB_OK;
  if (target) {
    job->target = *target;
    err = lb_target_allowed(module->table, running, target);
  } else {
    err = lb_target_start(&job->work.choice, &module->device, running);
  }
  if (err == LB_OK && job->source.kind != SOURCE_HTTP) {
    err = source_open(&job->source); /* it is there or not: no reason to look at slots first */
  }
  if (err) {
    return fail(job, err);
  }
  job->stage = target ? FLASH_JOB_CONNECTING : FLASH_JOB_CHOOSING;
  console_print(console, "Current running partition is: %s\n", running->label);
  if (target) {
    console_print(console, "Target partition is: %s\n", target->label);
  }
  return LB_MORE;
}

static int choose(struct flash_job *job)
{
  int result = lb_target_step(&job->work.choice);
  if (result == LB_OK) {
    job->target = job->work.choice.slot;
    job->stage = FLASH_JOB_CONNECTING;
    console_print(job->console, "Target partition is: %s\n", job->target.label);
  }
  return result < 0 ? result : LB_MORE;
}

static int begin_session(struct flash_job *job)
{
  const struct module *module = job->module;
  const struct lb_update_config config = {
      .device = &module->device,
      .running = module->boot.partition,
      .target = job->target,
      .size = job->size,
      .project = module->firmware.description.project,
      .only_write = job->source.kind == SOURCE_SLOT,
      .sector_buffer = lb_flash_sector(module->port->flash) <= FLASH_JOB_SECTOR_MAX ? job->sector : NULL,
  };
  if (job->source.kind == SOURCE_HTTP) {
    console_print(job->console, "Expected file size is %u\n", (unsigned)job->size);
  }
  int err = lb_update_start(&job->work.update, &config);
  if (err) {
    return err;
  }
  console_print(job->console, "Preparing flash partition...\n");
  if (job->source.kind != SOURCE_HTTP) {
    console_print(job->console, "%s image partition...\n", job->source.kind == SOURCE_SLOT ? "Copying" : "Flashing");
  }
  job->stage = FLASH_JOB_TRANSFERRING;
  return LB_MORE;
}

static int connect_source(struct flash_job *job)
{
  struct source *source = &job->source;
  if (source->kind == SOURCE_HTTP && !source->transfer) {
    console_print(job->console, "Download firmware from %s to %s\n", source->name, job->target.label);
    int err = source_open(source);
    return err ? err : LB_MORE;
  }
  int result = source_describe(source);
  if (result != LB_OK) {
    job->waiting = result == LB_MORE && source->kind == SOURCE_HTTP;
    return result;
  }
  job->size = source->size < UINT32_MAX ? (uint32_t)source->size : UINT32_MAX;
  if (source->kind != SOURCE_HTTP) {
    console_print(job->console, "Source image is %u bytes in size\n", (unsigned)job->size);
  }
  return job->size < FLASH_JOB_LEAST ? MODULE_ERR_TOO_SMALL : begin_session(job);
}

/* Moves what the source has into the ring, until either has no more. */
static int fill(struct flash_job *job)
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
  if (job->stage == FLASH_JOB_TRANSFERRING && job->source.kind == SOURCE_HTTP) {
    (void)fill(job); /* an error stays with the transfer: the next step gets it again */
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
  if (job->source.kind == SOURCE_HTTP && job->counted == job->size) {
    console_print(job->console, "Download complete (at %u bytes)\n", (unsigned)job->counted);
  }
  job->stage = FLASH_JOB_FINISHING;
  return LB_MORE;
}

static int transfer(struct flash_job *job)
{
  uint32_t size = 0;
  uint32_t used = 0;
  int filled = fill(job); /* each time, so that the window is empty when the next erase begins */
  const uint8_t *piece = read_ahead_piece(&job->ahead, &size);
  if (!piece) {
    if (filled) {
      return filled; /* an error stays with the source: what came before it has been written by now */
    }
    if (read_ahead_is_finished(&job->ahead)) {
      return transfer_done(job);
    }
    job->waiting = !read_ahead_piece(&job->ahead, &size);
    return LB_MORE;
  }
  int err = lb_update_write(&job->work.update, piece + job->piece_at, size - job->piece_at, &used);
  if (err) {
    return err;
  }
  job->piece_at += used;
  if (job->piece_at == size) {
    read_ahead_drop(&job->ahead, size);
    job->piece_at = 0;
    count(job, size);
  }
  return LB_MORE;
}

static int finish(struct flash_job *job)
{
  int result = lb_update_finish(&job->work.update);
  if (result >= 0 && !job->told_setting && job->source.kind != SOURCE_SLOT &&
      lb_update_is_verified(&job->work.update)) {
    job->told_setting = true;
    console_print(job->console, "Setting boot partition...\n");
  }
  return result;
}

/* Keeps the source as `ota http.mru` or `ota vfs.mru`. That it cannot be kept does not make the update a failure. */
static int remember(struct flash_job *job)
{
  const char *instance = job->source.kind == SOURCE_HTTP ? "http.mru" : "vfs.mru";
  int result = job->remember ? settings_set(&job->module->settings, "ota", instance, job->source.name) : LB_OK;
  if (result < 0) {
    console_print(job->console, "  The source could not be kept as ota %s: %s\n", instance,
                  module_error_info(result)->cause);
  }
  return result == LB_MORE ? LB_MORE : LB_OK;
}

int flash_job_step(struct flash_job *job)
{
  int result = LB_ERR_STATE;
  job->waiting = false;
  switch (job->stage) {
  case FLASH_JOB_CHOOSING:
    result = choose(job);
    break;
  case FLASH_JOB_CONNECTING:
    result = connect_source(job);
    break;
  case FLASH_JOB_TRANSFERRING:
    result = transfer(job);
    break;
  case FLASH_JOB_FINISHING:
    result = finish(job);
    if (result == LB_OK) {
      flash_report_success(job);
      job->stage = FLASH_JOB_REMEMBERING;
      result = LB_MORE;
    }
    break;
  case FLASH_JOB_REMEMBERING:
    result = remember(job);
    break;
  case FLASH_JOB_IDLE:
    break;
  }
  if (result == LB_OK) {
    flash_job_abandon(job);
  }
  return result < 0 ? fail(job, result) : result;
}

const char *flash_job_text(const struct flash_job *job)
{
  static const char *const texts[] = {"Idle", "Choosing target", "Connecting", "Flashing", "Verifying", "Done"};
  return texts[job->stage];
}

uint32_t flash_job_percent(const struct flash_job *job)
{
  if (job->size == 0 || job->stage < FLASH_JOB_TRANSFERRING) {
    return 0;
  }
  if (job->stage == FLASH_JOB_REMEMBERING) {
    return 100;
  }
  /* Reading back and selecting are the last hundredth. */
  return (uint32_t)((uint64_t)job->counted * 99U / job->size);
}
