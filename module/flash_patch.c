// SPDX-License-Identifier: MIT
#include "module/flash_patch.h"

#include <string.h>

#include "module/console.h"
#include "module/flash_job.h"
#include "module/flash_transfer.h"
#include "module/module.h"
#include "module/port_error.h"
#include "module/print.h"

void flash_patch_start(struct flash_job *job)
{
  struct flash_patch *patch = &job->patch;
  patch->way = FLASH_PATCH_NOT;
  patch->asking = NULL;
  patch->replied = false;
  patch->asks_again = false;
  patch->cannot_stage = false;
  patch->tidied = false;
  patch->next = 0;
  patch->wasted = 0;
  patch->whole_done = 0;
  patch->list.count = 0;
  patch->list.has_image = false;
}

void flash_patch_stop(struct flash_job *job)
{
  if (job->patch.asking) {
    job->module->port->network->close(job->patch.asking);
    job->patch.asking = NULL;
  }
}

const char *flash_patch_base(const struct flash_job *job)
{
  if (job->patch.way == FLASH_PATCH_NOT) {
    return "";
  }
  return job->patch.offer.from_nothing ? "-" : job->patch.offer.base.label;
}

const char *flash_patch_origin(const struct flash_job *job)
{
  bool from_server = job->patch.way == FLASH_PATCH_STAGED || job->patch.way == FLASH_PATCH_STREAMED;
  return from_server ? job->patch.url : job->source.name;
}

uint32_t flash_patch_wanted(const struct flash_job *job)
{
  return job->patch.way == FLASH_PATCH_NOT ? job->size : job->patch.offer.size;
}

/*
 * Bytes before the target's last sector that the session leaves alone: the stage; and where the image takes no more
 * than a quarter of its last block, all behind it, since three sectors are erased in less time than a block (135 and
 * 150 ms).
 */
static uint32_t reserved(const struct flash_job *job)
{
  const struct lb_flash *flash = job->module->device.flash;
  uint32_t sector = lb_flash_sector(flash);
  uint32_t block = lb_flash_largest_erase(flash);
  uint32_t room = job->target.size - sector;
  uint32_t staged = job->patch.way == FLASH_PATCH_STAGED ? lb_stage_reserved(&job->patch.stage) : 0;
  uint32_t end = (job->size + sector - 1U) & ~(sector - 1U);
  uint32_t into_block = (job->target.offset + end) & (block - 1U);
  bool worth_it = into_block > 0 && into_block <= block / 4U;
  return worth_it && end <= room - staged ? room - end : staged;
}

struct lb_update_config flash_patch_config(struct flash_job *job)
{
  struct lb_update_config config = flash_transfer_config(job);
  config.source = flash_patch_origin(job);
  config.validator = ""; /* the same patch makes the same image: what a cut left of it is compared */
  config.reserved = reserved(job);
  return config;
}

/* ---- the choice ---- */

int flash_patch_fetch_whole(struct flash_job *job)
{
  flash_patch_stop(job);
  job->patch.way = FLASH_PATCH_NOT;
  job->source.url = NULL;
  job->source.first = 0;
  job->stage = FLASH_JOB_RESUMING;
  return LB_MORE;
}

/* What the whole image still costs: an update of it that was interrupted need not begin anew. */
static uint32_t cost_of_whole(const struct flash_job *job)
{
  const struct patch_list *list = &job->patch.list;
  struct lb_journal journal;
  bool same = false;
  uint32_t done = 0;
  if (lb_journal_read(&journal, job->module->device.flash, &job->target) != LB_OK ||
      lb_journal_is_about(&journal, job->source.name, NULL, &same) != LB_OK || !same || journal.validator_length == 0 ||
      journal.size != list->image_size || lb_journal_blocks_done(&journal, &done) != LB_OK || done == 0) {
    return list->image_size;
  }
  return list->image_size - lb_journal_block_end(&journal, done - 1U);
}

/* The name lies where the image lies. */
static bool make_url(struct flash_job *job)
{
  struct flash_patch *patch = &job->patch;
  size_t folder = 0;
  size_t length = print_text(patch->url, sizeof patch->url, "%s", job->source.name); /* it is no longer than that */
  for (size_t i = 0; i < length; i++) {
    folder = patch->url[i] == '/' ? i + 1 : folder;
  }
  size_t room = sizeof patch->url - folder;
  return print_text(patch->url + folder, room, "%s", patch->offer.name) < room;
}

static void tell_offer(struct flash_job *job)
{
  const struct patch_offer *offer = &job->patch.offer;
  if (offer->from_nothing) {
    console_print(job->console, "Using compressed image: ");
  } else {
    console_print(job->console, "Using patch from %s: ", offer->base.label);
  }
  console_print(job->console, "%u bytes instead of %u\n", (unsigned)offer->size, (unsigned)job->patch.list.image_size);
  if (job->patch.whole_done > 0) {
    console_print(job->console, "Starting over: that is less than what is missing of the image, %u bytes\n",
                  (unsigned)(job->patch.list.image_size - job->patch.whole_done));
  }
}

/* What an interrupted update has fetched of that patch is looked at first. */
static int take_offer(struct flash_job *job)
{
  struct flash_patch *patch = &job->patch;
  bool same = false;
  patch->way = FLASH_PATCH_STAGED;
  patch->told_source = false;
  patch->flowing = false;
  patch->making = false;
  patch->judged = false;
  job->source.url = patch->url;
  job->source.first = 0;
  job->stage = FLASH_JOB_CONNECTING;
  tell_offer(job);
  if (patch->cannot_stage) {
    return LB_MORE;
  }
  int err = lb_stage_open(&patch->stage, job->module->device.flash, &job->target);
  if (err == LB_OK) {
    err = lb_stage_is_about(&patch->stage, patch->url, NULL, &same);
  }
  if (err == LB_OK && same && patch->stage.size == patch->offer.size) {
    job->stage = FLASH_JOB_STAGING;
  }
  return err == LB_OK || err == LB_ERR_NO_STAGE ? LB_MORE : err;
}

int flash_patch_try_next(struct flash_job *job)
{
  struct flash_patch *patch = &job->patch;
  uint32_t most = cost_of_whole(job);
  patch->whole_done = patch->list.image_size - most;
  while (patch->next < patch->list.count && patch->wasted <= most / 2U) {
    patch->offer = patch->list.offers[patch->next++];
    if (patch->offer.size < most && make_url(job)) {
      return take_offer(job);
    }
  }
  return flash_patch_fetch_whole(job);
}

/* ---- giving way ---- */

/* Does the patch, or what it is applied to, lead nowhere? */
static bool is_of_patch(int error)
{
  return lb_error_is_of_patch(error) || lb_error_is_of_image(error) || error == MODULE_ERR_BASE ||
         error == MODULE_ERR_PATCH;
}

/* The server cannot be reached, so that another of its files would not come either. */
static bool is_out_of_reach(int error)
{
  return error == PORT_ERR_LINK_DOWN || error == PORT_ERR_NAME || error == PORT_ERR_CONNECT || error == PORT_ERR_BUSY;
}

/* Is it trouble with the place where the patch waits? */
static bool is_of_stage(const struct flash_job *job, int error)
{
  bool of_flash = error == LB_ERR_READ_BACK || (error <= LB_ERR_FLASH_READ && error >= LB_ERR_FLASH_ERASE);
  return of_flash && job->patch.way == FLASH_PATCH_STAGED && !job->has_session && !job->patch.cannot_stage;
}

bool flash_patch_gives_way(const struct flash_job *job, int error)
{
  if (job->patch.asks_again) { /* for a list, in vain */
    return !is_out_of_reach(error);
  }
  if (job->source.kind != SOURCE_HTTP || job->patch.way == FLASH_PATCH_NOT || error == LB_ERR_FAILED_BEFORE) {
    return false;
  }
  if (error == MODULE_ERR_STATUS || error == MODULE_ERR_NO_LENGTH || error == LB_ERR_SIZE_MISMATCH ||
      is_of_stage(job, error)) {
    return true;
  }
  bool of_network = error <= PORT_ERR_LINK_DOWN && error >= PORT_ERR_NO_TLS;
  return of_network ? !is_out_of_reach(error) : is_of_patch(error) || error == LB_ERR_FLASH_READ;
}

static void tell_why(struct flash_job *job, int error)
{
  const char *what = job->patch.offer.from_nothing ? "Compressed image" : "Patch";
  if (is_of_stage(job, error)) {
    console_print(job->console, "  %s cannot be kept in %s: ", what, job->target.label);
  } else {
    console_print(job->console, "  %s cannot be used: ", what);
  }
  if (error == MODULE_ERR_STATUS) {
    console_print(job->console, "the server answered %d\n", job->source.http_status);
  } else {
    console_print(job->console, "%s\n", module_error_info(error)->cause);
  }
}

void flash_patch_fail(struct flash_job *job, int error)
{
  bool discarded;
  if (job->patch.way == FLASH_PATCH_STAGED && (is_of_patch(error) || error == LB_ERR_FAILED_BEFORE)) {
    (void)lb_stage_discard(job->module->device.flash, &job->target, &discarded);
  }
}

int flash_patch_next(struct flash_job *job, int error)
{
  struct flash_patch *patch = &job->patch;
  if (patch->asks_again) {
    console_print(job->console, "  The list of patches beside the image does not come: it is fetched whole\n");
    patch->asks_again = false;
    flash_retry_start(&job->retry);
    return flash_patch_fetch_whole(job);
  }
  tell_why(job, error);
  if (is_of_stage(job, error)) {
    patch->cannot_stage = true;
    patch->next--; /* the same again, but as it comes */
  } else if (error == LB_ERR_PATCH_CRC && patch->way == FLASH_PATCH_STAGED && job->found > 0) {
    patch->next--; /* what was there from before has rotted */
  }
  patch->wasted += job->ahead.end;
  source_close(&job->source);
  flash_patch_fail(job, error);
  if (job->has_session && lb_update_remains(&job->work.update) != LB_REMAINS_AS_BEFORE) {
    job->left_unfinished = true;
  }
  job->has_session = false;
  job->found = 0;
  job->validator[0] = '\0';
  job->size = 0;
  flash_transfer_begin_at(job, 0);
  flash_retry_start(&job->retry);
  return flash_patch_try_next(job);
}

int flash_patch_tidy(struct flash_job *job)
{
  bool discarded;
  if (job->source.kind == SOURCE_SLOT || job->patch.tidied) {
    return LB_OK;
  }
  job->patch.tidied = true;
  /* this update's, or one that was given up for it; if it stays, it does no harm */
  (void)lb_stage_discard(job->module->device.flash, &job->target, &discarded);
  return LB_MORE;
}
