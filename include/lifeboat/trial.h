// SPDX-License-Identifier: MIT
/*
 * Firmware on trial (docs/DESIGN.md, "Trial"; docs/SPEC.md, "Trial"). The bootloader marks each boot of it before it
 * hands over, and judges how the last one ended; the firmware marks that the trial time has run, that it ends in
 * order, and the verdict. Every mark only clears bits behind the record that selected it. Each function does at most
 * one program a step unless it says otherwise, and reads back what it programmed.
 *
 * A failed attempt is every crash and every reset by the watchdog, and a loss of power before the trial time has run.
 * A commanded reset is none, nor is whatever comes after lb_trial_close said that the firmware ends.
 */
#ifndef LIFEBOAT_TRIAL_H
#define LIFEBOAT_TRIAL_H

#include "lifeboat/otadata.h"

/* Why the processor starts, as its reset register or memory that outlives a reset tells. */
enum lb_reset {
  LB_RESET_POWER_ON,  /* power, brown-out or anything unknown */
  LB_RESET_COMMANDED, /* the firmware asked for it */
  LB_RESET_CRASH,     /* the firmware broke down */
  LB_RESET_WATCHDOG   /* it hung */
};

/* ---- what selecting asks ---- */

struct lb_trial_terms {
  uint8_t attempts;    /* failed attempts that end a trial, 1 to LB_TRIAL_ATTEMPTS_MAX; 0: no trial */
  bool depot_expected; /* the running firmware has reached its depot */
  void *context;
  /* Was the image with that digest ever confirmed, as far as the caller remembers? NULL: only otadata knows. */
  bool (*was_confirmed)(void *context, const uint8_t digest[LB_SHA256_SIZE]);
};

/* ---- the bootloader ---- */

/*
 * Completes or makes void whatever may have been in flight when the power went, so that it reads the same from now on;
 * nothing of otadata may be trusted before. Reads `otadata` anew. Does up to a handful of programs, none if there is
 * nothing to do. LB_ERR_FLASH_..., LB_ERR_NO_OTADATA, LB_ERR_OTADATA_SECTOR.
 */
int lb_trial_settle(struct lb_otadata *otadata, const struct lb_device *device);

/*
 * Judges how the last boot of the record on trial ended, and marks it; if that was the last allowed attempt the record
 * is rejected, and otadata->active is another one from now on. `*rejected` tells whether. LB_ERR_FLASH_...,
 * LB_ERR_READ_BACK. Without an active record on trial: LB_OK.
 */
int lb_trial_judge(struct lb_otadata *otadata, const struct lb_device *device, enum lb_reset reset, bool *rejected);

/* Marks that the record on trial boots now. LB_OK, also without one. LB_ERR_FLASH_..., LB_ERR_READ_BACK. */
int lb_trial_begin_boot(struct lb_otadata *otadata, const struct lb_device *device);

/* ---- the firmware; `running` is what the bootloader booted ----
 * All that mark something may also say LB_ERR_FLASH_PROGRAM, and LB_ERR_READ_BACK if the mark is not there afterwards.
 */

/*
 * Reads otadata and tells whether `running` is on trial: LB_OK, and otadata->active is its record; LB_ERR_NOT_ON_TRIAL;
 * LB_ERR_NO_OTADATA, LB_ERR_OTADATA_SECTOR, LB_ERR_FLASH_READ.
 */
int lb_trial_find(struct lb_otadata *otadata, const struct lb_device *device, const struct lb_partition *running);

/* Marks that the trial time has run: from now on a loss of power is no failed attempt. Errors as lb_trial_find. */
int lb_trial_survive(const struct lb_device *device, const struct lb_partition *running);

/* Marks that the firmware ends in order: a commanded reset, or being switched off. Errors as lb_trial_find. */
int lb_trial_close(const struct lb_device *device, const struct lb_partition *running);

/* Marks one more quarter of an hour of running. Errors as lb_trial_find. */
int lb_trial_count_quarter(const struct lb_device *device, const struct lb_partition *running);

/*
 * Marks that the firmware reached its depot; also of a confirmed one, so that its successor has to reach it, too.
 * LB_ERR_NOT_FOUND if the active record does not select `running`; else errors as lb_trial_find.
 */
int lb_trial_reach_depot(const struct lb_device *device, const struct lb_partition *running);

/* Confirms: three programs. From then on this is what failed trials go back to. Errors as lb_trial_find. */
int lb_trial_confirm(const struct lb_device *device, const struct lb_partition *running);

/* Rejects: three programs. The next boot goes back. Errors as lb_trial_find. */
int lb_trial_reject(const struct lb_device *device, const struct lb_partition *running, enum lb_trial_cause cause);

#endif
