// SPDX-License-Identifier: MIT
/* The beginning of an update by patch: is there a list beside the image? */
#include <stddef.h>
#include <string.h>

#include "module/console.h"
#include "module/flash_job.h"
#include "module/flash_log.h"
#include "module/module.h"
#include "module/print.h"
#include "module/words.h"

#define LIST_ENDING     ".patches"
#define LIST_TIMEOUT_MS 10000U /* nobody waits longer for a list that may not be there */

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
    return flash_patch_fetch_whole(job);
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

int patch_ask(struct flash_job *job)
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
  return useful ? flash_patch_try_next(job) : flash_patch_fetch_whole(job);
}
