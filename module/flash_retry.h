// SPDX-License-Identifier: MIT
/*
 * Links get lost, and come back: the job waits and tries again, for ever longer pauses, until FLASH_RETRY tries (the
 * setting `ota http.retries`) in a row have brought it no further.
 */
#ifndef MODULE_FLASH_RETRY_H
#define MODULE_FLASH_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct flash_job;

#define FLASH_RETRY_PROGRESS  65536U /* bytes further that make the tries before them count for nothing */
#define FLASH_RETRY_PAUSE_MAX 60U    /* seconds, before they are varied by half */

struct flash_retry {
  uint32_t tries;    /* since there was progress */
  uint32_t furthest; /* byte of the image that the transfer had reached then */
  uint32_t random;   /* state of the generator; kept from job to job */
  uint64_t at_ms;    /* of the port's clock: when it is tried again */
};

/* Begins to count for a new job. */
void flash_retry_start(struct flash_retry *retry);

/* Is that what the loss of a link looks like, so that trying again may help? */
bool flash_retry_is_lost(const struct flash_job *job, int error);

/* Is it, in a job that had one, with a try left? */
bool flash_retry_wanted(struct flash_job *job, int error);

/* Says that the link is lost, and begins to wait. LB_MORE. */
int flash_retry_begin(struct flash_job *job, int error);

/* Waits; then job->source asks for what is missing, and the job is connecting. LB_MORE. */
int flash_retry_step(struct flash_job *job);

#endif
