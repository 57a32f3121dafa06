// SPDX-License-Identifier: MIT
/* The middle of an update: the source is opened, a session of the library begun, and the bytes moved. */
#ifndef MODULE_FLASH_TRANSFER_H
#define MODULE_FLASH_TRANSFER_H

#include <stdint.h>

#include "lifeboat/update.h"

struct flash_job;

/* How a session of the job is to be begun; its source and validator are those of the job. */
struct lb_update_config flash_transfer_config(struct flash_job *job);

/* From now on bytes come from the source, beginning with this byte of the image. */
void flash_transfer_begin_at(struct flash_job *job, uint32_t first);

/* Moves what the source has into the ring, until either has no more. LB_OK, or why nothing more comes. */
int flash_transfer_fill(struct flash_job *job);

/* Opens the source and begins, or goes on with, the session. LB_MORE, or what is wrong. */
int flash_transfer_connect(struct flash_job *job);

/* Moves a piece from the source to the flash. LB_MORE, or what is wrong; at the end the job is finishing. */
int flash_transfer_step(struct flash_job *job);

#endif
