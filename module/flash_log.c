// SPDX-License-Identifier: MIT
#include "module/flash_log.h"

#include <stddef.h>

#include "module/console.h"
#include "module/date.h"
#include "module/flash_job.h"
#include "module/flash_retry.h"
#include "module/module.h"
#include "module/print.h"
#include "module/trial_report.h"
#include "module/update_log.h"

/* What has come since the last time, and what it is, for the next write of the entry. */
static void tell_cost(struct flash_job *job)
{
  uint32_t bytes = job->came - job->came_told;
  job->came_told = job->came;
  update_log_transfer(&job->module->update_log, bytes, flash_patch_base(job));
}

void flash_log_begin(struct flash_job *job)
{
  const struct update_facts facts = {.source = job->source.name, .slot = job->target.label, .size = job->size};
  job->logged = job->source.kind == SOURCE_SLOT; /* a copy is no update */
  if (!job->logged) {
    (void)update_log_begin(&job->module->update_log, &facts); /* cannot fail: it is only remembered */
    tell_cost(job);
    update_log_found(&job->module->update_log, job->found + job->patch.whole_done);
  }
}

int flash_log_image(struct flash_job *job)
{
  const struct lb_update *update = &job->work.update;
  bool is_known = lb_update_touched_flash(update) || lb_update_position(update) >= LB_IMAGE_HEAD_SIZE;
  if (job->logged || !is_known) {
    return LB_OK;
  }
  tell_cost(job);
  int result = update_log_image(&job->module->update_log, &update->image.info);
  job->logged = result == LB_OK;
  return result;
}

void flash_log_complete(struct flash_job *job)
{
  job->logged = job->source.kind == SOURCE_SLOT;
  if (!job->logged) {
    tell_cost(job);
  }
}

int flash_log_end(struct flash_job *job)
{
  struct update_log *log = &job->module->update_log;
  if (job->source.kind == SOURCE_SLOT) {
    return LB_OK;
  }
  tell_cost(job);
  if (job->result == LB_OK) {
    return update_log_end(log, LB_HISTORY_FLASHED, LB_OK, job->work.update.image.info.digest);
  }
  bool cut = flash_retry_is_lost(job, job->result);
  return update_log_end(log, cut ? LB_HISTORY_INTERRUPTED : LB_HISTORY_FAILED, job->result, NULL);
}

void flash_log_cancel(struct flash_job *job)
{
  if (job->source.kind != SOURCE_SLOT) {
    update_log_cancel(&job->module->update_log);
  }
}

void flash_log_abandon(struct flash_job *job)
{
  if (job->source.kind != SOURCE_SLOT) {
    tell_cost(job);
    update_log_abandon(&job->module->update_log);
  }
}

bool flash_log_failed_before(void *context, const struct lb_image_info *info, bool complete)
{
  struct flash_job *job = context;
  return update_log_failed_before(&job->module->update_log, info, complete, &job->failed);
}

int flash_log_report_failed_before(struct flash_job *job, int error)
{
  char date[DATE_SIZE];
  date_utc(job->failed.ended, date);
  return console_error_text(job->console, error,
                            "this firmware failed its trial%s%s: %s - add force to flash it all the same",
                            job->failed.ended > 0 ? " on " : "", job->failed.ended > 0 ? date : "",
                            trial_cause_text((enum lb_trial_cause)job->failed.cause));
}
