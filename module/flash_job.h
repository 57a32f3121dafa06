// SPDX-License-Identifier: MIT
/*
 * The update under way: `ota flash http` and `ota flash vfs` alike, and `ota copy`, which selects nothing. It chooses
 * the target, opens the source, feeds the library's update session and tells its console about it, in steps of at most
 * one erase and one page. It goes on with an update that was interrupted (flash_resume.h), and when the link is lost
 * (flash_retry.h).
 */
#ifndef MODULE_FLASH_JOB_H
#define MODULE_FLASH_JOB_H

#include "lifeboat/history.h"
#include "lifeboat/update.h"
#include "module/flash_patch.h"
#include "module/flash_retry.h"
#include "module/read_ahead.h"
#include "module/source.h"

#define FLASH_JOB_SECTOR_MAX 4096U   /* largest sector for which sectors are compared before they are erased */
#define FLASH_JOB_LEAST      1024U   /* bytes: less is an empty file or an error page, as the real module has it */
#define FLASH_JOB_TELL_EVERY 100000U /* bytes between two lines of progress */

struct console;
struct module;

enum flash_job_stage {
  FLASH_JOB_IDLE,
  FLASH_JOB_CHOOSING,     /* the target slot */
  FLASH_JOB_ASKING,       /* for patches, which cost less than the image */
  FLASH_JOB_RESUMING,     /* reading what an interrupted update left there */
  FLASH_JOB_CONNECTING,   /* to the source, until its size is known */
  FLASH_JOB_STAGING,      /* making room for a patch, or reading what is there of it */
  FLASH_JOB_WAITING,      /* the link is lost: until the next try */
  FLASH_JOB_TRANSFERRING, /* into the slot, or the stage */
  FLASH_JOB_CHECKING,     /* the patch, as a whole */
  FLASH_JOB_APPLYING,     /* it */
  FLASH_JOB_FINISHING,    /* writing the rest, reading back, verifying, selecting */
  FLASH_JOB_REMEMBERING,  /* done; the history and where the image came from are kept, for the next time */
  FLASH_JOB_ENDING        /* failed, and that has been told; it goes into the history */
};

struct flash_job {
  enum flash_job_stage stage;
  struct module *module;
  struct console *console; /* that is told */
  struct source source;
  struct lb_partition target;
  union {
    struct lb_target choice; /* while choosing */
    struct lb_update update; /* from then on */
  } work;
  bool has_session;                    /* work.update takes what comes from the source, or has */
  bool left_unfinished;                /* so had another one before, which has changed the target */
  bool reading_back;                   /* work.update reads what an interrupted one left */
  bool has_reply;                      /* the server has answered as it should: from now on a lost link is only lost */
  bool force;                          /* the user wants this image even if its trial failed before */
  char validator[PORT_VALIDATOR_SIZE]; /* the strong one of what work.update takes; "" */
  struct flash_retry retry;
  uint32_t size;      /* announced */
  uint32_t base;      /* byte of the image at which `ahead` began */
  uint32_t came;      /* bytes of it that came in all */
  uint32_t came_told; /* of them, the history knows of */
  uint32_t found;     /* and those that attempts before have left in the flash */
  uint32_t counted;   /* bytes that went to the session in whole pieces, those before `base` counted as well */
  uint32_t told;      /* of them, told in the last line of progress */
  uint32_t piece_at;  /* bytes of the present piece that the session has taken */
  int result;         /* while ending: why */
  struct lb_history_entry failed; /* after LB_ERR_FAILED_BEFORE: what is known of that */
  bool logged;                    /* the history has what is known of the update */
  bool remember;                  /* the user named the source */
  bool named_target;              /* and the slot */
  uint32_t others;  /* while remembering: journals and stages of OTA slots that have been looked at, two of each slot */
  bool told_source; /* "Download firmware from" has been said */
  bool told_setting;        /* "Setting boot partition..." has been said */
  bool waiting;             /* for the network */
  struct flash_patch patch; /* by which the image comes, if it does */
  struct read_ahead ahead;
  uint8_t sector[FLASH_JOB_SECTOR_MAX];
};

/*
 * Begins an update for `console`; job->source.kind, .name and .slot, job->remember and job->force have been filled.
 * `target` names the slot, NULL: the job chooses. LB_MORE; else it has said why not.
 */
int flash_job_start(struct flash_job *job, struct console *console, const struct lb_partition *target);

/* The next step: LB_MORE, LB_OK: flashed and selected, or the error, which it has told. */
int flash_job_step(struct flash_job *job);

/* Abandons it without a word. The slot keeps what was written and will not boot; nothing else is changed. */
void flash_job_abandon(struct flash_job *job);

/* Takes from the network what is there: called while the flash is busy. */
void flash_job_drain(struct flash_job *job);

/*
 * Is it busy with something else than otadata, so that a single mark there, made between two of its steps, is in
 * nobody's way? False without an update, since another command may hold the flash.
 */
bool flash_job_leaves_otadata(const struct flash_job *job);

/* What is it doing, in a word or two, and how far is it, in percent? 100 only when it is done. */
const char *flash_job_text(const struct flash_job *job);
uint32_t flash_job_percent(const struct flash_job *job);

/* Tells why it ended, with what that leaves behind. In flash_report.c. */
int flash_report_failure(struct flash_job *job, int error);
void flash_report_success(struct flash_job *job);

#endif
