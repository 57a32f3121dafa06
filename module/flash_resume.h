// SPDX-License-Identifier: MIT
/*
 * Going on with an update that was interrupted (lifeboat/journal.h): what the job does before it asks the server for
 * the rest, how it judges the answer, and what is told about an update that waits to be gone on with.
 */
#ifndef MODULE_FLASH_RESUME_H
#define MODULE_FLASH_RESUME_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/journal.h"
#include "lifeboat/partition.h"

struct flash_job;
struct module;

/*
 * Looks whether the target has the journal of an update from the job's server, and reads the blocks that it marks done:
 * LB_MORE; then LB_OK: the job is connecting, and job->source asks for the rest, or for all of it. Else the library's
 * errors, with which the update has failed.
 */
int flash_resume_step(struct flash_job *job);

/* A part was asked for: why what the server answers is not the rest of what was begun. NULL: it is. */
const char *flash_resume_refusal(const struct flash_job *job);

/*
 * Says that the job starts over, and why, and forgets the session that it had. The server is asked for the whole next,
 * unless it is sending that already.
 */
void flash_resume_start_over(struct flash_job *job, const char *why);

/* What was interrupted in a slot. */
struct flash_interrupted {
  struct lb_journal journal;
  uint32_t percent; /* of it is done, 0 to 99 */
  bool goes_on;     /* a block at least is done: the next time it need not come again */
};

/* LB_ERR_NO_JOURNAL: nothing. LB_ERR_FLASH_READ. */
int flash_interrupted_find(struct flash_interrupted *interrupted, struct module *module,
                           const struct lb_partition *slot);

/*
 * Does a patch wait in a slot, or a part of one, for an update that has not written anything of the image yet? Tells
 * where it comes from, with a NUL, cut to `capacity` bytes. LB_ERR_NO_STAGE, LB_ERR_FLASH_READ.
 */
int flash_staged_find(struct module *module, const struct lb_partition *slot, char *source, uint32_t capacity);

/*
 * The update is from a file: says whether what an interrupted one wrote can be compared with it, or why it starts over.
 * Nothing where there was none of a file of that name.
 */
void flash_resume_tell_file(struct flash_job *job);

/*
 * After a failure: whether the same command would go on where this update ended, in a line of its own. `cut`: it could
 * have, since nothing is wrong with the image.
 */
void flash_resume_report(struct flash_job *job, bool cut);

#endif
