// SPDX-License-Identifier: MIT
#include "module/flash_resume.h"

#include <stddef.h>

#include "module/console.h"
#include "module/flash_job.h"
#include "module/flash_transfer.h"
#include "module/module.h"
#include "module/print.h"
#include "module/words.h"

#define ALMOST_ALL 99U /* percent: an update is done when it has been verified and selected */

/* ---- before the server is asked ---- */

static void ask_for_all(struct flash_job *job)
{
  job->source.first = 0;
  job->stage = FLASH_JOB_CONNECTING;
}

/* Only a strong validator tells whether the server still has the same file. */
static int read_validator(struct flash_job *job)
{
  struct lb_journal journal;
  bool whole = false;
  int err = lb_journal_read(&journal, job->module->device.flash, &job->target);
  if (err == LB_OK) {
    err = lb_journal_validator(&journal, job->validator, sizeof job->validator, &whole);
  }
  return err ? err : whole && source_is_strong_tag(job->validator) ? LB_OK : LB_ERR_NO_JOURNAL;
}

static int begin(struct flash_job *job)
{
  int err = read_validator(job);
  if (err == LB_OK) {
    struct lb_update_config config = flash_transfer_config(job);
    config.validator = job->validator;
    err = lb_update_resume(&job->work.update, &config);
  }
  if (err == LB_ERR_NO_JOURNAL) {
    ask_for_all(job);
    return LB_MORE;
  }
  job->reading_back = err == LB_MORE || err == LB_OK;
  return job->reading_back ? LB_MORE : err;
}

int flash_resume_step(struct flash_job *job)
{
  if (!job->reading_back) {
    return begin(job);
  }
  int result = lb_update_resume_step(&job->work.update);
  if (result == LB_ERR_NO_JOURNAL || (result != LB_ERR_FAILED_BEFORE && lb_error_is_of_image(result))) {
    flash_resume_start_over(job, "what was written before the interruption is not there any more");
    return LB_MORE;
  }
  if (result != LB_OK) {
    return result;
  }
  uint32_t position = lb_update_position(&job->work.update);
  job->size = job->work.update.config.size;
  job->source.first = position < job->size ? position : job->size - 1U; /* if there is no rest: is it still the same? */
  job->source.validator = job->validator;
  job->stage = FLASH_JOB_CONNECTING;
  return LB_MORE;
}

/* ---- what the server answers ---- */

static const char *why_another(const struct flash_job *job)
{
  const struct source *source = &job->source;
  if (source->http_status != PORT_HTTP_NO_PART && source->size != flash_patch_wanted(job)) {
    return "the server's file has another length now";
  }
  if (source->reply.weak) {
    return "the server has only a weak validator for its file now";
  }
  if (source->http_status != PORT_HTTP_NO_PART && source->reply.validator[0] == '\0') {
    return "the server does not say any more which file it has";
  }
  if (source->reply.validator[0] != '\0' && !words_equal(source->reply.validator, job->validator)) {
    return "the server has another file now";
  }
  return NULL;
}

const char *flash_resume_refusal(const struct flash_job *job)
{
  const char *why = why_another(job);
  if (why) {
    return why;
  }
  switch (job->source.answer) {
  case SOURCE_PART:
    return NULL;
  case SOURCE_WHOLE:
    return "the server does not send parts of its file";
  case SOURCE_NO_PART:
    break;
  }
  return "the server does not send the part that is missing";
}

void flash_resume_start_over(struct flash_job *job, const char *why)
{
  if (job->has_session && lb_update_remains(&job->work.update) != LB_REMAINS_AS_BEFORE) {
    job->left_unfinished = true;
  }
  job->has_session = false;
  job->found = 0;
  job->size = 0;
  console_print(job->console, "Starting over: %s\n", why);
  ask_for_all(job);
}

/* ---- what is told ---- */

int flash_interrupted_find(struct flash_interrupted *interrupted, struct module *module,
                           const struct lb_partition *slot)
{
  struct lb_journal *journal = &interrupted->journal;
  uint32_t done = 0;
  int err = lb_journal_read(journal, module->device.flash, slot);
  if (err == LB_OK) {
    err = lb_journal_blocks_done(journal, &done);
  }
  if (err) {
    return err;
  }
  if (journal->size == 0) {
    return LB_ERR_NO_JOURNAL;
  }
  interrupted->goes_on = done > 0;
  uint64_t percent = (uint64_t)done * journal->block * 100U / journal->size;
  interrupted->percent = percent < ALMOST_ALL ? (uint32_t)percent : ALMOST_ALL;
  return LB_OK;
}

int flash_staged_find(struct module *module, const struct lb_partition *slot, char *source, uint32_t capacity)
{
  struct lb_stage stage;
  int err = lb_stage_open(&stage, module->device.flash, slot);
  return err ? err : lb_stage_source(&stage, source, capacity, NULL);
}

/* Why an update of which something is in the slot cannot be gone on with. */
static const char *why_not_later(const struct flash_job *job)
{
  if (job->validator[0] == '\0') {
    return job->source.reply.weak ? "the server has only a weak validator for its file"
                                  : "the server has no strong validator for its file";
  }
  return "the image leaves no room in the slot to keep track";
}

static bool is_of_job(const struct flash_job *job, const struct lb_journal *journal)
{
  char name[SOURCE_NAME_SIZE];
  bool whole = false;
  return lb_journal_source(journal, name, sizeof name, &whole) == LB_OK && whole &&
         words_equal(name, flash_patch_origin(job));
}

void flash_resume_tell_file(struct flash_job *job)
{
  struct flash_interrupted interrupted;
  if (flash_interrupted_find(&interrupted, job->module, &job->target) != LB_OK ||
      !is_of_job(job, &interrupted.journal)) {
    return;
  }
  if (interrupted.journal.size != job->size) {
    console_print(job->console, "Starting over: the file has another length now\n");
  } else if (interrupted.goes_on) {
    console_print(job->console, "Resuming: %u %% was written before; where %s still the same, that stays\n",
                  (unsigned)interrupted.percent, job->patch.way == FLASH_PATCH_NOT ? "the file is" : "it is");
  }
}

/* Is there a part of the job's patch that need not come again? */
static bool has_staged(const struct flash_job *job)
{
  char source[SOURCE_NAME_SIZE];
  return job->patch.list.count > 0 && !job->patch.cannot_stage && job->patch.stage.position > 0 &&
         (job->patch.stage.validator_length > 0 || job->patch.stage.whole) &&
         flash_staged_find(job->module, &job->target, source, sizeof source) == LB_OK &&
         words_equal(source, job->patch.url);
}

static void tell_again(const struct flash_job *job)
{
  const char *slot = job->target.label;
  console_print(job->console, "  `ota flash` again%s%s%s ", job->named_target ? ", with to " : "",
                job->named_target ? slot : "", job->named_target ? "," : "");
}

void flash_resume_report(struct flash_job *job, bool cut)
{
  struct flash_interrupted interrupted;
  bool streamed = job->patch.way == FLASH_PATCH_STREAMED;
  int err = flash_interrupted_find(&interrupted, job->module, &job->target);
  if (cut && streamed && job->has_session) {
    tell_again(job);
    console_print(job->console, "fetches the patch anew: there was no room to keep it\n");
  } else if (!streamed && err == LB_OK && interrupted.goes_on && is_of_job(job, &interrupted.journal)) {
    tell_again(job);
    console_print(job->console, "goes on at %u %%\n", (unsigned)interrupted.percent);
  } else if (cut && has_staged(job)) {
    tell_again(job);
    console_print(job->console, "goes on with the patch\n");
  } else if (cut && job->patch.way == FLASH_PATCH_NOT && job->source.kind == SOURCE_HTTP && job->has_session &&
             !lb_update_has_journal(&job->work.update) &&
             lb_update_position(&job->work.update) >= FLASH_RETRY_PROGRESS) {
    console_print(job->console, "  `ota flash` again starts over: %s\n", why_not_later(job));
  }
}
