// SPDX-License-Identifier: MIT
#include "module/flash_job.h"

#include <stddef.h>

#include "module/console.h"
#include "module/flash_log.h"
#include "module/flash_resume.h"
#include "module/flash_transfer.h"
#include "module/module.h"
#include "module/port_error.h"
#include "module/print.h"

void flash_job_abandon(struct flash_job *job)
{
  source_close(&job->source);
  flash_patch_stop(job);
  flash_log_abandon(job);
  job->stage = FLASH_JOB_IDLE;
}

static void prepare(struct flash_job *job, struct console *console)
{
  struct module *module = console->module;
  job->module = module;
  job->console = console;
  job->source.port = module->port;
  job->source.device = &module->device; /* its hash is free until the session begins */
  job->source.first = 0;
  job->source.url = NULL;
  job->source.transfer = NULL;
  job->source.file = NULL;
  job->source.reply.validator[0] = '\0';
  job->size = 0;
  job->has_session = false;
  job->left_unfinished = false;
  job->reading_back = false;
  job->has_reply = false;
  job->told_source = false;
  job->told_setting = false;
  job->waiting = false;
  job->validator[0] = '\0';
  job->result = LB_OK;
  job->logged = false;
  job->others = 0;
  job->came = 0;
  job->came_told = 0;
  job->found = 0;
  flash_retry_start(&job->retry);
  flash_transfer_begin_at(job, 0);
  flash_patch_start(job);
}

static void use_target(struct flash_job *job)
{
  job->stage = job->source.kind == SOURCE_HTTP ? FLASH_JOB_ASKING : FLASH_JOB_CONNECTING;
  console_print(job->console, "Target partition is: %s\n", job->target.label);
}

int flash_job_start(struct flash_job *job, struct console *console, const struct lb_partition *target)
{
  struct module *module = console->module;
  const struct lb_partition *running = &module->boot.partition;
  bool in_danger; /* the session finds out */
  int err = LB_OK;
  prepare(job, console);
  job->named_target = target != NULL;
  if (target) {
    job->target = *target;
    err = lb_target_allowed(module->table, running, target);
    if (err == LB_OK) {
      err = lb_target_for_update(&module->device, running, target, &in_danger);
    }
  } else {
    err = lb_target_start(&job->work.choice, &module->device, running);
  }
  if (err == LB_OK && job->source.kind != SOURCE_HTTP) {
    err = source_open(&job->source); /* it is there or not: no reason to look at slots first */
  }
  if (err) {
    flash_report_failure(job, err);
    return err;
  }
  job->stage = FLASH_JOB_CHOOSING;
  console_print(console, "Current running partition is: %s\n", running->label);
  if (target) {
    use_target(job);
  }
  return LB_MORE;
}

static int choose(struct flash_job *job)
{
  const struct module *module = job->module;
  int result = lb_target_step(&job->work.choice);
  if (result == LB_OK) {
    bool in_danger;
    job->target = job->work.choice.slot;
    result = lb_target_for_update(&module->device, &module->boot.partition, &job->target, &in_danger);
    if (result == LB_OK) {
      use_target(job);
    }
  }
  return result < 0 ? result : LB_MORE;
}

/* The history knows the digest before the slot is selected: a cut behind that finds out by it what was done. */
static int finish(struct flash_job *job)
{
  if (flash_log_image(job) == LB_MORE) {
    return LB_MORE;
  }
  int result = lb_update_finish(&job->work.update);
  if (result >= 0 && !job->told_setting && job->source.kind != SOURCE_SLOT &&
      lb_update_is_verified(&job->work.update)) {
    job->told_setting = true;
    console_print(job->console, "Setting boot partition...\n");
  }
  if (result == LB_OK) {
    flash_report_success(job);
    job->stage = FLASH_JOB_REMEMBERING;
  }
  return result < 0 ? result : LB_MORE;
}

/*
 * Something newer has been flashed: nobody will go on with what was interrupted in another slot. One that cannot be
 * discarded is none the worse for it. LB_MORE, LB_OK.
 */
static int discard_others(struct flash_job *job)
{
  const struct module *module = job->module;
  struct lb_partition slot;
  struct lb_journal journal;
  struct lb_stage stage;
  bool discarded = false;
  if (job->source.kind == SOURCE_SLOT || lb_table_ota_slot(module->table, job->others / 2U, &slot) != LB_OK) {
    return LB_OK;
  }
  bool look_for_stage = job->others % 2U != 0;
  job->others++;
  if (lb_partition_same(&slot, &job->target) || lb_partition_same(&slot, &module->boot.partition)) {
    return LB_MORE;
  }
  if (!look_for_stage && lb_journal_read(&journal, module->device.flash, &slot) == LB_OK) {
    (void)lb_journal_discard(module->device.flash, &slot, &discarded);
  } else if (look_for_stage && lb_stage_open(&stage, module->device.flash, &slot) == LB_OK) {
    (void)lb_stage_discard(module->device.flash, &slot, &discarded);
  }
  return LB_MORE;
}

/* Keeps the source as `ota http.mru` or `ota vfs.mru`. That it cannot be kept does not make the update a failure. */
static int remember(struct flash_job *job)
{
  const char *instance = job->source.kind == SOURCE_HTTP ? "http.mru" : "vfs.mru";
  if (flash_log_end(job) == LB_MORE || discard_others(job) == LB_MORE || flash_patch_tidy(job) == LB_MORE) {
    return LB_MORE;
  }
  int result = job->remember ? settings_set(&job->module->settings, "ota", instance, job->source.name) : LB_OK;
  if (result < 0) {
    console_print(job->console, "  The source could not be kept as ota %s: %s\n", instance,
                  module_error_info(result)->cause);
  }
  return result == LB_MORE ? LB_MORE : LB_OK;
}

/* It goes into the history only now that it has been told: the flash may take its time. */
static int end(struct flash_job *job)
{
  return flash_log_end(job) == LB_MORE ? LB_MORE : job->result;
}

static int step_idle(struct flash_job *job)
{
  (void)job;
  return LB_ERR_STATE;
}

/* LB_MORE; LB_OK: all is done; or why it has failed. */
int flash_job_step(struct flash_job *job)
{
  static int (*const steps[])(struct flash_job *) = {
      [FLASH_JOB_IDLE] = step_idle,
      [FLASH_JOB_CHOOSING] = choose,
      [FLASH_JOB_ASKING] = patch_ask,
      [FLASH_JOB_RESUMING] = flash_resume_step,
      [FLASH_JOB_CONNECTING] = flash_transfer_connect,
      [FLASH_JOB_STAGING] = patch_fetch_stage,
      [FLASH_JOB_WAITING] = flash_retry_step,
      [FLASH_JOB_TRANSFERRING] = flash_transfer_step,
      [FLASH_JOB_CHECKING] = patch_apply_check,
      [FLASH_JOB_APPLYING] = patch_apply_step,
      [FLASH_JOB_FINISHING] = finish,
      [FLASH_JOB_REMEMBERING] = remember,
      [FLASH_JOB_ENDING] = end,
  };
  job->waiting = false;
  int result = steps[job->stage](job);
  if (result < 0 && flash_retry_wanted(job, result)) {
    result = flash_retry_begin(job, result);
  }
  if (result < 0 && job->stage != FLASH_JOB_ENDING && flash_patch_gives_way(job, result)) {
    result = flash_patch_next(job, result);
  }
  if (result < 0 && job->stage != FLASH_JOB_ENDING) {
    job->result = result;
    flash_patch_fail(job, result);
    flash_report_failure(job, result);
    source_close(&job->source);
    job->stage = FLASH_JOB_ENDING;
    return LB_MORE;
  }
  if (result != LB_MORE) {
    flash_job_abandon(job);
  }
  return result;
}

bool flash_job_leaves_otadata(const struct flash_job *job)
{
  bool on_the_way = job->stage >= FLASH_JOB_CONNECTING && job->stage <= FLASH_JOB_APPLYING;
  return on_the_way && !(job->has_session && lb_update_is_selecting(&job->work.update));
}

const char *flash_job_text(const struct flash_job *job)
{
  static const char *const texts[] = {
      [FLASH_JOB_IDLE] = "Idle",
      [FLASH_JOB_CHOOSING] = "Choosing target",
      [FLASH_JOB_ASKING] = "Looking for patches",
      [FLASH_JOB_RESUMING] = "Reading back",
      [FLASH_JOB_CONNECTING] = "Connecting",
      [FLASH_JOB_STAGING] = "Making room for the patch",
      [FLASH_JOB_WAITING] = "Connection lost",
      [FLASH_JOB_TRANSFERRING] = "Flashing",
      [FLASH_JOB_CHECKING] = "Checking the patch",
      [FLASH_JOB_APPLYING] = "Applying the patch",
      [FLASH_JOB_FINISHING] = "Verifying",
      [FLASH_JOB_REMEMBERING] = "Done",
      [FLASH_JOB_ENDING] = "Failed",
  };
  if (job->stage == FLASH_JOB_TRANSFERRING && job->patch.way != FLASH_PATCH_NOT) {
    return job->patch.way == FLASH_PATCH_STAGED ? "Fetching the patch" : texts[FLASH_JOB_APPLYING];
  }
  return texts[job->stage];
}

uint32_t flash_job_percent(const struct flash_job *job)
{
  if (job->stage == FLASH_JOB_REMEMBERING) {
    return 100;
  }
  if (job->has_session && job->patch.way != FLASH_PATCH_NOT && job->size > 0) {
    return (uint32_t)((uint64_t)lb_update_position(&job->work.update) * 99U / job->size);
  }
  if (job->patch.way == FLASH_PATCH_STAGED) { /* of the patch */
    return (uint32_t)((uint64_t)job->counted * 99U / flash_patch_wanted(job));
  }
  if (job->size == 0 || !job->has_session) {
    return 0;
  }
  /* Reading back and selecting are the last hundredth. */
  return (uint32_t)((uint64_t)job->counted * 99U / job->size);
}
