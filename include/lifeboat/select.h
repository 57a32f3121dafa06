// SPDX-License-Identifier: MIT
/*
 * Selecting the partition that boots next: its whole image is read and verified first, then otadata is written.
 * In steps: at most LB_VERIFY_STEP bytes are read, or one erase and one page written, between two returns.
 */
#ifndef LIFEBOAT_SELECT_H
#define LIFEBOAT_SELECT_H

#include "lifeboat/otadata.h"
#include "lifeboat/trial.h"
#include "lifeboat/verify.h"

struct lb_select {
  const struct lb_device *device;
  int result;
  uint8_t state;
  bool on_trial;     /* once LB_OK was said: it boots on trial */
  bool written_anew; /* false; lb_update sets it: a record without a tag says nothing about what was written just now */
  struct lb_trial_terms terms;
  struct lb_partition target;
  struct lb_otadata otadata;
  struct lb_verify verify; /* verify.image.info tells what was verified */
};

/*
 * Begins to select `target`, which is factory or an OTA slot of the table. device must stay until the end. An OTA slot
 * whose image was never confirmed is selected on trial, as `terms` say (copied; NULL: there are no trials).
 * LB_ERR_NO_OTADATA, LB_ERR_NOT_FOUND (the target is neither), LB_ERR_HASH, LB_ERR_FLASH_...
 */
int lb_select_start(struct lb_select *select, const struct lb_device *device, const struct lb_partition *target,
                    const struct lb_trial_terms *terms);

/* The next step: LB_MORE, LB_OK once it is selected, or why not. A target that does not verify changes nothing. */
int lb_select_step(struct lb_select *select);

#endif
