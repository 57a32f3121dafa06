// SPDX-License-Identifier: MIT
/* What the files of the update session share among themselves; nobody else includes this. */
#ifndef LIB_UPDATE_PARTS_H
#define LIB_UPDATE_PARTS_H

#include "lifeboat/update.h"

enum lb_update_state {
  LB_UPDATE_JUDGING,    /* the head is gathered; nothing has been touched */
  LB_UPDATE_RETIRING,   /* otadata selects the target: the selection moves to the running slot */
  LB_UPDATE_JOURNALING, /* the journal is made, or an old one discarded */
  LB_UPDATE_WRITING,    /* the image's bytes go to the writer, the head first */
  LB_UPDATE_SETTLING,   /* the last gathered bytes are written */
  LB_UPDATE_SEALING,    /* the first bytes are programmed */
  LB_UPDATE_VERIFYING,  /* reading back, with only_write */
  LB_UPDATE_SELECTING,  /* reading back, verifying, selecting */
  LB_UPDATE_CLOSING,    /* the journal is closed, then the session ends with update->result */
  LB_UPDATE_RESUMING,   /* the blocks that are done are read; nothing has been touched */
  LB_UPDATE_DONE,
  LB_UPDATE_FAILED
};

/* ---- update.c ---- */

/* Ends the session with an error, and returns that. */
int lb_update_fail(struct lb_update *update, int error);

/* What every session begins with: may the target be written, does the image fit; the writer starts. */
int lb_update_prepare(struct lb_update *update, const struct lb_update_config *config);

/* Starts the inspector, from the image's first byte. */
int lb_update_start_image(struct lb_update *update);

/* ---- update_judge.c ---- */

/* Judges the head; LB_OK: the session goes on with what update->state says now. Nothing is touched. */
int lb_update_judge(struct lb_update *update);

/* Does the image end behind what was announced? Its headers tell before its bytes come. */
int lb_update_judge_length(const struct lb_update *update);

/* The whole image has come, and its digest is right: is it one that failed before? */
int lb_update_judge_whole(const struct lb_update *update);

/* ---- update_retire.c ---- */

/* By what update->select.otadata says: does the target boot next? Does a failed trial go back to it? */
bool lb_update_target_is_selected(const struct lb_update *update);
bool lb_update_target_is_fallback(const struct lb_update *update);

/*
 * Sees to it that no record of otadata means the target any more, and that something else boots: LB_MORE, then LB_OK.
 * LB_ERR_TARGET_FALLBACK, before anything was touched: nothing would be left that has proved itself.
 */
int lb_update_retire(struct lb_update *update);

/* ---- update_journal.c ---- */

/* Finds out what of the target's old content may be compared with what comes. */
int lb_update_plan_compare(struct lb_update *update);

/* The same from a journal, with all blocks below `first` done, which need not be compared with anything but what comes.
 */
int lb_update_plan_by_journal(struct lb_update *update, uint32_t first);

/* The writer leaves the journal's sector alone. */
int lb_update_keep_journal(struct lb_update *update);

/* Makes the journal, or discards an old one: LB_MORE, then LB_OK. */
int lb_update_open_journal(struct lb_update *update);

/* Gives bytes to the writer, as lb_writer_write, and marks blocks in between. */
int lb_update_put(struct lb_update *update, const uint8_t *data, uint32_t length, uint32_t *used);

/* Everything has been put: writes the rest and marks the last block. LB_MORE, then LB_OK. */
int lb_update_settle(struct lb_update *update);

/*
 * Ends the session with an error. If that means that the image is bad (of LB_ERR_SIZE_MISMATCH: that more came than was
 * announced), LB_MORE: the journal has to be closed first, by lb_update_close.
 */
int lb_update_end_badly(struct lb_update *update, int error);

/* Closes the journal and ends the session with update->result. */
int lb_update_close(struct lb_update *update);

#endif
