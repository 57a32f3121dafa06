// SPDX-License-Identifier: MIT
/* What the job writes into the history of updates (module/update_log.h), and what it asks of it. */
#ifndef MODULE_FLASH_LOG_H
#define MODULE_FLASH_LOG_H

#include <stdbool.h>

#include "lifeboat/image.h"

struct flash_job;

/* A session begins: source, target and size are known. */
void flash_log_begin(struct flash_job *job);

/* To be called before each piece of the image is written: LB_MORE while the entry is being written, else LB_OK. */
int flash_log_image(struct flash_job *job);

/* The whole image has come: with the next calls of flash_log_image its digest goes into the entry. */
void flash_log_complete(struct flash_job *job);

/* The job has ended with job->result: LB_MORE while that is being written, then LB_OK. */
int flash_log_end(struct flash_job *job);

/* It was cancelled on its console: to be said before flash_log_abandon. */
void flash_log_cancel(struct flash_job *job);

/* The job ends at once. */
void flash_log_abandon(struct flash_job *job);

/* For lb_update_config, with the job as its context: has the trial of that image failed here before? */
bool flash_log_failed_before(void *context, const struct lb_image_info *info, bool complete);

/* Tells that it has, when and why. Returns `error`. */
int flash_log_report_failed_before(struct flash_job *job, int error);

#endif
