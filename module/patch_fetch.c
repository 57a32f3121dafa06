// SPDX-License-Identifier: MIT
/* The middle of an update by patch: the server is asked for it, and the stage made that it goes into. */
#include <string.h>

#include "module/console.h"
#include "module/flash_job.h"
#include "module/flash_resume.h"
#include "module/flash_transfer.h"
#include "module/module.h"
#include "module/print.h"

static int open_server(struct flash_job *job)
{
  struct flash_patch *patch = &job->patch;
  if (!patch->told_source) {
    patch->told_source = true;
    console_print(job->console, "Download firmware from %s to %s\n", patch->url, job->target.label);
  }
  int err = source_open(&job->source);
  return err ? err : LB_MORE;
}

static int go_on(struct flash_job *job)
{
  struct flash_patch *patch = &job->patch;
  uint32_t first = (uint32_t)job->source.first;
  if (!patch->flowing) {
    flash_transfer_begin_at(job, first);
    patch->flowing = true;
    job->found = first;
  }
  console_print(job->console, "Resuming at %u of %u bytes\n", (unsigned)first, (unsigned)patch->offer.size);
  job->stage = FLASH_JOB_TRANSFERRING;
  return LB_MORE;
}

static int stream(struct flash_job *job)
{
  console_print(job->console,
                "Applying it as it comes, since %s has no room to keep it: after a power cut it comes anew\n",
                job->target.label);
  job->patch.way = FLASH_PATCH_STREAMED;
  return patch_apply_begin(job);
}

static struct lb_stage_subject subject_of(const struct flash_job *job)
{
  return (struct lb_stage_subject){
      .source = job->patch.url,
      .validator = job->validator,
      .size = job->patch.offer.size,
      .image_size = job->patch.list.image_size,
  };
}

static int take_new(struct flash_job *job)
{
  struct flash_patch *patch = &job->patch;
  if (job->source.size != patch->offer.size) {
    return LB_ERR_SIZE_MISMATCH;
  }
  memcpy(job->validator, job->source.reply.validator, sizeof job->validator);
  flash_transfer_begin_at(job, 0);
  patch->flowing = true;
  console_print(job->console, "Expected file size is %u\n", (unsigned)patch->offer.size);
  if (patch->way == FLASH_PATCH_STREAMED) { /* it starts over */
    return patch_apply_begin(job);
  }
  const struct lb_stage_subject subject = subject_of(job);
  if (patch->cannot_stage) {
    return stream(job);
  }
  int err = lb_stage_start(&patch->stage, job->module->device.flash, &job->target, &subject);
  if (err == LB_ERR_STAGE_ROOM || err == LB_ERR_ARGUMENT) { /* or its URL is too long to be kept */
    return stream(job);
  }
  patch->making = true;
  job->stage = FLASH_JOB_STAGING;
  return err ? err : LB_MORE;
}

/* A part was asked for. */
static int take_part(struct flash_job *job)
{
  const char *why_not = flash_resume_refusal(job);
  if (!why_not) {
    return go_on(job);
  }
  flash_resume_start_over(job, why_not);
  job->patch.flowing = false;
  if (job->source.answer == SOURCE_WHOLE) {
    return take_new(job);
  }
  source_close(&job->source);
  return LB_MORE;
}

int patch_fetch_connect(struct flash_job *job)
{
  struct source *source = &job->source;
  if (!source->transfer) {
    return open_server(job);
  }
  int result = source_describe(source);
  if (result != LB_OK) {
    job->waiting = result == LB_MORE;
    return result;
  }
  job->has_reply = true;
  if (source->first > 0) {
    return take_part(job);
  }
  if (job->has_session) {
    flash_resume_start_over(job, "the server has no strong validator for its file");
  }
  return take_new(job);
}

/* ---- the stage ---- */

static int make(struct flash_job *job)
{
  struct flash_patch *patch = &job->patch;
  const struct lb_stage_subject subject = subject_of(job);
  int result = lb_stage_create(&patch->stage, &subject);
  if (result == LB_OK) {
    job->stage = FLASH_JOB_TRANSFERRING;
  }
  return result < 0 ? result : LB_MORE;
}

/* What is there need not come again, if a strong validator tells that the rest belongs to it. */
static int measure(struct flash_job *job)
{
  struct flash_patch *patch = &job->patch;
  bool whole = false;
  int result = lb_stage_measure(&patch->stage);
  if (result == LB_ERR_NO_STAGE) {
    job->stage = FLASH_JOB_CONNECTING;
    return LB_MORE;
  }
  if (result != LB_OK) {
    return result;
  }
  if (patch->stage.whole) {
    console_print(job->console, "The patch is there from before: nothing has to come again\n");
    job->found = patch->offer.size;
    job->stage = FLASH_JOB_CHECKING;
    return LB_MORE;
  }
  int err = lb_stage_validator(&patch->stage, job->validator, sizeof job->validator, &whole);
  bool goes_on = err == LB_OK && whole && source_is_strong_tag(job->validator);
  job->source.first = goes_on ? patch->stage.position : 0;
  job->source.validator = job->validator;
  job->stage = FLASH_JOB_CONNECTING;
  return err ? err : LB_MORE;
}

int patch_fetch_stage(struct flash_job *job)
{
  return job->patch.making ? make(job) : measure(job);
}

/* ---- a file ---- */

/* Reads the file's beginning, then opens it anew. `*length` tells how much of a header is there. */
static int peek(struct flash_job *job, uint8_t header[LB_PATCH_HEADER_SIZE], uint32_t *length)
{
  int result = LB_MORE;
  *length = 0;
  while (result == LB_MORE && *length < LB_PATCH_HEADER_SIZE) {
    uint32_t got = 0;
    result = source_read(&job->source, header + *length, LB_PATCH_HEADER_SIZE - *length, &got);
    *length += got;
  }
  source_close(&job->source);
  return result < 0 ? result : source_open(&job->source);
}

static int find_base(struct flash_job *job, const struct lb_patch_info *info)
{
  struct patch_offer *offer = &job->patch.offer;
  offer->from_nothing = info->base_length == 0;
  if (offer->from_nothing) {
    return LB_OK;
  }
  int err =
      patch_list_find_base(&job->module->device, &job->target, info->base_digest, LB_PATCH_BASE_DIGEST, &offer->base);
  return err == LB_ERR_NOT_FOUND ? LB_ERR_PATCH_BASE : err;
}

int patch_fetch_from_file(struct flash_job *job)
{
  struct flash_patch *patch = &job->patch;
  uint8_t header[LB_PATCH_HEADER_SIZE];
  struct lb_patch_info info = {.profile = 0};
  uint32_t length = 0;
  int err = peek(job, header, &length);
  if (err || !job->module->port->sha256_patch || length < 3 || memcmp(header, "LBP", 3) != 0) {
    return err;
  }
  err = length < LB_PATCH_HEADER_SIZE ? LB_ERR_PATCH_TRUNCATED : lb_patch_read_header(&info, header);
  if (err == LB_OK) {
    job->size = info.result_length;
    err = job->source.size > UINT32_MAX           ? LB_ERR_PATCH_TOO_LONG
          : info.result_length > job->target.size ? LB_ERR_IMAGE_TOO_LONG
          : info.result_length < FLASH_JOB_LEAST  ? MODULE_ERR_TOO_SMALL
                                                  : LB_OK;
  }
  if (err == LB_OK) {
    err = find_base(job, &info);
  }
  if (err) {
    return err;
  }
  patch->way = FLASH_PATCH_FILE;
  patch->offer.size = (uint32_t)job->source.size;
  patch->list.image_size = info.result_length;
  memcpy(patch->list.image_digest, info.result_digest, sizeof patch->list.image_digest);
  patch->judged = false;
  patch->crc = 0;
  patch->given = 0;
  console_print(job->console, "It is a %s%s\n",
                patch->offer.from_nothing ? "compressed image" : "patch for the image in ",
                patch->offer.from_nothing ? "" : patch->offer.base.label);
  job->stage = FLASH_JOB_CHECKING;
  return LB_MORE;
}
