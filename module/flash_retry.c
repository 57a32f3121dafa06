// SPDX-License-Identifier: MIT
#include "module/flash_retry.h"

#include "module/console.h"
#include "module/flash_job.h"
#include "module/flash_resume.h"
#include "module/module.h"
#include "module/port_error.h"
#include "module/print.h"

#define MS_PER_SECOND 1000U
#define HTTP_BUSY     429 /* too many requests: later, then */
#define HTTP_BROKEN   500 /* from here on it is the server's trouble, not ours */

void flash_retry_start(struct flash_retry *retry)
{
  retry->tries = 0;
  retry->furthest = 0;
}

/* The byte of the image that comes next over the link. */
static uint32_t reached(const struct flash_job *job)
{
  bool flows = job->has_session || (job->patch.way == FLASH_PATCH_STAGED && job->patch.flowing);
  return flows ? job->base + job->ahead.end : 0;
}

bool flash_retry_is_lost(const struct flash_job *job, int error)
{
  switch (error) {
  case PORT_ERR_CLOSED:
  case PORT_ERR_TIMEOUT:
  case PORT_ERR_SLOW:
  case PORT_ERR_CONNECT:
  case PORT_ERR_LINK_DOWN:
  case PORT_ERR_NAME:
  case PORT_ERR_BUSY:
  case PORT_ERR_TLS: /* neither an authority nor a name: the handshake was cut off */
    return true;
  case MODULE_ERR_STATUS:
    return job->source.http_status == HTTP_BUSY || job->source.http_status >= HTTP_BROKEN;
  default:
    return false;
  }
}

static uint32_t most_tries(struct module *module)
{
  char value[SETTINGS_VALUE_SIZE];
  uint32_t most = 0;
  (void)settings_get(&module->settings, "ota", "http.retries", value, NULL); /* if it cannot be read: its default */
  for (const char *at = value; *at != '\0'; at++) {
    most = most * 10U + (uint32_t)(*at - '0');
  }
  return most;
}

bool flash_retry_wanted(struct flash_job *job, int error)
{
  struct flash_retry *retry = &job->retry;
  bool on_the_way =
      job->stage == FLASH_JOB_CONNECTING || job->stage == FLASH_JOB_TRANSFERRING || job->stage == FLASH_JOB_ASKING;
  if (job->source.kind != SOURCE_HTTP || !on_the_way || !job->has_reply || !flash_retry_is_lost(job, error)) {
    return false;
  }
  if (reached(job) >= retry->furthest + FLASH_RETRY_PROGRESS) {
    retry->furthest = reached(job);
    retry->tries = 0;
  }
  return retry->tries < most_tries(job->module);
}

/* xorshift (G. Marsaglia, 2003): enough to keep modules apart that lost their server together. */
static uint32_t next_random(struct flash_job *job)
{
  uint32_t number = job->retry.random;
  if (number == 0) {
    number = job->module->port->seed | 1U;
  }
  number ^= number << 13;
  number ^= number >> 17;
  number ^= number << 5;
  job->retry.random = number;
  return number;
}

/* 1, 2, 4 ... 60 seconds, each by up to a half more or less. */
static uint32_t next_pause_ms(struct flash_job *job)
{
  uint32_t seconds = 1;
  for (uint32_t i = 0; i < job->retry.tries && seconds < FLASH_RETRY_PAUSE_MAX; i++) {
    seconds *= 2;
  }
  seconds = seconds < FLASH_RETRY_PAUSE_MAX ? seconds : FLASH_RETRY_PAUSE_MAX;
  return seconds * MS_PER_SECOND / 2 + next_random(job) % (seconds * MS_PER_SECOND + 1);
}

static void tell(struct flash_job *job, int error, uint32_t pause_ms)
{
  uint32_t seconds = (pause_ms + MS_PER_SECOND / 2) / MS_PER_SECOND;
  console_print(job->console, "  Connection lost (");
  if (error == MODULE_ERR_STATUS) {
    console_print(job->console, "the server answered %d", job->source.http_status);
  } else {
    console_print(job->console, "%s", module_error_info(error)->cause);
  }
  console_print(job->console, "): trying again in %u s\n", (unsigned)(seconds > 0 ? seconds : 1));
}

int flash_retry_begin(struct flash_job *job, int error)
{
  const struct port_clock *clock = job->module->port->clock;
  source_close(&job->source);
  if (reached(job) > 0 && reached(job) == flash_patch_wanted(job)) { /* all had come */
    read_ahead_end(&job->ahead);
    return LB_MORE;
  }
  uint32_t pause_ms = next_pause_ms(job);
  tell(job, error, pause_ms);
  job->retry.tries++;
  job->retry.at_ms = clock->now_ms(clock->context) + pause_ms;
  job->stage = FLASH_JOB_WAITING;
  return LB_MORE;
}

int flash_retry_step(struct flash_job *job)
{
  const struct port_clock *clock = job->module->port->clock;
  if (clock->now_ms(clock->context) < job->retry.at_ms) {
    job->waiting = true;
    return LB_MORE;
  }
  if (reached(job) == 0) {
    job->has_session = false; /* it has not got a single byte: another one is as good */
  }
  if (job->patch.asks_again) {
    job->stage = FLASH_JOB_ASKING;
    return LB_MORE;
  }
  job->source.first = job->validator[0] != '\0' ? reached(job) : 0;
  job->source.validator = job->validator;
  job->stage = FLASH_JOB_CONNECTING;
  return LB_MORE;
}
