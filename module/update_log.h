// SPDX-License-Identifier: MIT
/*
 * The history of updates (lifeboat/history.h) as the module keeps it, beside its settings: the update under way writes
 * its entry here, and in the background entries follow what otadata says of their trials.
 *
 * Whatever changes the flash works in steps, as settings_set: LB_MORE, then LB_OK, one change of nvs a step. It never
 * fails: a module whose nvs cannot be used updates as well, only without a history (update_log_error says why).
 */
#ifndef MODULE_UPDATE_LOG_H
#define MODULE_UPDATE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/history.h"

struct module;

enum update_log_stage {
  UPDATE_LOG_IDLE,
  UPDATE_LOG_BEGUN,  /* known in memory only: the flash has not been touched */
  UPDATE_LOG_LOGGED, /* its entry is being written, or there */
  UPDATE_LOG_ENDED   /* the entry is being written for the last time */
};

struct update_log {
  struct module *module;
  struct lb_history history;
  bool opened; /* history has been read */
  int error;   /* why there is no history, or why the last entry could not be written; LB_OK */

  /* the update under way */
  enum update_log_stage stage;
  bool written; /* the entry as it is now */
  struct lb_history_entry entry;
  uint32_t found;   /* bytes of it that attempts before have left in the flash */
  bool has_earlier; /* entry.transferred counts all attempts, as the entry that it goes on with knows them */

  /* going through all entries in the background */
  bool due;
  uint32_t index;     /* of the entry that is looked at */
  bool writing;       /* `judged` is being written */
  uint32_t cancelled; /* number of the entry whose update was cancelled, and that does not say so yet; 0 */
  struct lb_history_entry judged;
};

/* Begins; nothing is read yet. module has to stay. */
void update_log_start(struct update_log *log, struct module *module);

/* ---- the update under way, for module/flash_job.c ---- */

struct update_facts {
  const char *source; /* URL or path as the user gave it */
  const char *slot;   /* label of the target */
  uint32_t size;      /* of the image */
};

/*
 * An update begins. Only remembered: an update that is refused before update_log_image leaves nothing behind. LB_OK.
 * Begun again while it is under way, since it starts over, its bytes go on being counted, and it has no patch again.
 */
int update_log_begin(struct update_log *log, const struct update_facts *facts);

/*
 * So many more bytes came for it, over the link or from the file; and what they are: the label of the slot that the
 * patch changes, "-" for a patch from nothing, "" for the image itself; NULL leaves that as it is. Only remembered: it
 * is written with the next write of the entry, and at its end. An entry that is gone on with keeps counting. Nothing
 * without an update under way.
 */
void update_log_transfer(struct update_log *log, uint32_t bytes, const char *patch_base);

/*
 * So many bytes of it are in the flash from attempts before, so at least these came: they count where the entry that is
 * gone on with does not know of more, as after a cut. Between update_log_begin and update_log_image.
 */
void update_log_found(struct update_log *log, uint32_t bytes);

/*
 * Its head is known and the flash is about to change: writes the entry, as begun. If the last update was
 * interrupted, and was of that slot and from the same source, its entry is gone on with. LB_MORE, LB_OK; LB_OK at once
 * if that is done, or nothing was begun. To be called again with the whole image's info before the target is selected:
 * with its digest noted, a cut behind the selection cannot make the entry an interrupted one.
 */
int update_log_image(struct update_log *log, const struct lb_image_info *info);

/*
 * It has ended: LB_HISTORY_FLASHED with its digest; LB_HISTORY_FAILED or LB_HISTORY_INTERRUPTED with a cause (and a
 * digest, or NULL). Nothing is written if update_log_image was never called. LB_MORE, LB_OK.
 */
int update_log_end(struct update_log *log, enum lb_history_result result, int cause,
                   const uint8_t digest[LB_SHA256_SIZE]);

/* Somebody cancels it: to be said before update_log_abandon, and the background writes that down as the cause. */
void update_log_cancel(struct update_log *log);

/* It ends without time for steps (Ctrl-C, a reset): the background writes it down as interrupted, or the next boot. */
void update_log_abandon(struct update_log *log);

/* ---- in the background ---- */

/*
 * Goes through the entries after a boot, and after each update_log_review: what is still begun was interrupted; what
 * was flashed is confirmed, rejected or superseded if otadata says so. LB_MORE while there is something left to do.
 * Waits while an update is under way. To be called while nobody else changes the flash.
 */
int update_log_at_boot(struct update_log *log);

/* The module ends in order: what was cancelled just now is written down, in as many steps as that takes. */
void update_log_at_end(struct update_log *log);

/* Otadata may have changed: the next calls of update_log_at_boot go through the entries again. */
void update_log_review(struct update_log *log);

/* ---- questions ---- */

/*
 * Did that image fail its trial here, as otadata or the history know? `complete`: its digest is known, else it is
 * looked for by its head. `entry` (may be NULL) gets the history's entry; where only otadata knows, all of it is zero
 * but result, cause and digest.
 */
bool update_log_failed_before(struct update_log *log, const struct lb_image_info *info, bool complete,
                              struct lb_history_entry *entry);

/* Was an image with that digest confirmed, and is that the newest verdict on it? */
bool update_log_was_confirmed(struct update_log *log, const uint8_t digest[LB_SHA256_SIZE]);

/* The newest entry that was rejected, for `ota status full`. False: there is none. */
bool update_log_last_rejected(struct update_log *log, struct lb_history_entry *entry);

/* The newest entry of an update that was written to its end, whatever became of its trial. False: there is none. */
bool update_log_last_finished(struct update_log *log, struct lb_history_entry *entry);

/* The history, or NULL if nvs cannot be used, and update_log_error says why. */
const struct lb_history *update_log_history(struct update_log *log);

/* Why there is no history, or why something could not be written into it; LB_OK. */
int update_log_error(const struct update_log *log);

/* Could one more update be written down, by the room that nvs has? True where that is not known. */
bool update_log_has_room(struct update_log *log);
bool update_log_fits(const struct lb_history *history); /* the same, for whoever has no module */

/* Is that the entry of the update under way? */
bool update_log_is_under_way(const struct update_log *log, const struct lb_history_entry *entry);

#endif
