// SPDX-License-Identifier: MIT
#include "module/flash_patch.h"

#include <string.h>

#include "module/console.h"
#include "module/flash_job.h"
#include "module/flash_log.h"
#include "module/flash_transfer.h"
#include "module/module.h"
#include "module/port_error.h"
#include "module/print.h"
#include "module/words.h"

#define LIST_ENDING     ".patches"
#define LIST_TIMEOUT_MS 10000U /* nobody waits longer for a list that may not be there */

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

static int fetch_whole(struct flash_job *job)
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

static int try_next(struct flash_job *job)
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
  return fetch_whole(job);
}

/* ---- asking ---- */

/* Is there a file at the end of the URL, behind the host, so that others can lie beside it? Not with a query. */
static bool names_file(const char *url)
{
  const char *at = url;
  const char *file = NULL;
  for (; *at != '\0' && *at != '?' && *at != '#'; at++) {
    if (at[0] == ':' && at[1] == '/' && at[2] == '/') {
      at += 2; /* the slashes of a scheme */
    } else if (*at == '/') {
      file = at + 1;
    }
  }
  return *at == '\0' && file && *file != '\0';
}

/* A module that has no third hash cannot apply patches. */
static bool may_ask(struct flash_job *job)
{
  char value[SETTINGS_VALUE_SIZE];
  (void)settings_get(&job->module->settings, "ota", "http.patches", value,
                     NULL); /* if it cannot be read: its default */
  if (!job->module->port->sha256_patch || words_equal(value, "no")) {
    return false;
  }
  return names_file(job->source.name);
}

static uint64_t now_ms(const struct flash_job *job)
{
  const struct port_clock *clock = job->module->port->clock;
  return clock->now_ms(clock->context);
}

static int open_list(struct flash_job *job)
{
  struct flash_patch *patch = &job->patch;
  const struct port_network *network = job->module->port->network;
  const struct port_request request = {.url = patch->url};
  patch->replied = false;
  patch->asks_again = false;
  patch->give_up_ms = now_ms(job) + LIST_TIMEOUT_MS;
  patch_list_start(&patch->list, &job->module->device, &job->target);
  if (!may_ask(job) || !network->is_up(network->context) ||
      print_text(patch->url, sizeof patch->url, "%s" LIST_ENDING, job->source.name) >= sizeof patch->url ||
      network->open(network->context, &request, &patch->asking) != LB_OK) {
    patch->asking = NULL;
    return fetch_whole(job);
  }
  return LB_MORE;
}

/* LB_MORE, LB_OK: all of it has come; anything else: there is no list. */
static int read_list(struct flash_job *job)
{
  struct flash_patch *patch = &job->patch;
  const struct port_network *network = job->module->port->network;
  struct port_reply reply;
  uint32_t got = 0;
  if (!patch->replied) {
    int result = network->reply(patch->asking, &reply);
    if (result != LB_OK) {
      job->waiting = result == LB_MORE;
      return result;
    }
    patch->replied = true;
    job->source.http_status = reply.status;
    if (reply.status != PORT_HTTP_OK) {
      return MODULE_ERR_STATUS;
    }
  }
  int result = network->read(patch->asking, patch->chunk, sizeof patch->chunk, &got);
  job->waiting = result == LB_MORE && got == 0;
  return result >= 0 && !patch_list_write(&patch->list, patch->chunk, got) ? LB_ERR_NOT_FOUND : result;
}

/* Is that an image which this module would take? Else the server's own image, which may be another, tells why not. */
static bool is_welcome(struct flash_job *job)
{
  const struct patch_list *list = &job->patch.list;
  struct lb_image_info info;
  if (list->image_size > job->target.size || list->image_size < FLASH_JOB_LEAST) {
    return false;
  }
  memset(&info, 0, sizeof info);
  memcpy(info.digest, list->image_digest, sizeof info.digest);
  return job->force || !flash_log_failed_before(job, &info, true);
}

/* Has a patch of an interrupted update come, or a part of one? It is not given up because the list does not come. */
static bool patch_waits(const struct flash_job *job)
{
  struct lb_stage stage;
  return lb_stage_open(&stage, job->module->device.flash, &job->target) == LB_OK;
}

int flash_patch_ask(struct flash_job *job)
{
  if (!job->patch.asking) {
    return open_list(job);
  }
  int result = read_list(job);
  if (result == LB_MORE) {
    if (now_ms(job) < job->patch.give_up_ms) {
      return LB_MORE;
    }
    result = PORT_ERR_TIMEOUT;
  }
  flash_patch_stop(job);
  if (result < 0 && flash_retry_is_lost(job, result) && patch_waits(job)) {
    job->patch.asks_again = true;
    job->has_reply = true; /* another time, then: a wrong address would have no patch waiting */
    return result;
  }
  job->has_reply = job->has_reply || result == LB_OK;
  bool useful = result == LB_OK && patch_list_finish(&job->patch.list) && is_welcome(job);
  if (job->patch.replied && job->source.http_status == PORT_HTTP_OK && !job->patch.list.has_image) {
    console_print(job->console, "  The list of patches beside the image cannot be used: it is none, or not whole\n");
  }
  return useful ? try_next(job) : fetch_whole(job);
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
    return fetch_whole(job);
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
  return try_next(job);
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
