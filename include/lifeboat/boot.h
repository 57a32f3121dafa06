// SPDX-License-Identifier: MIT
/*
 * What the bootloader decides at power-on and at each reset.
 *
 * Partition table (the copy if the first does not verify) -> otadata, settled -> the selected slot. If it is on trial
 * and has failed as often as it may, the one confirmed last. If its image does not verify: factory, as the mission
 * says; then what was confirmed last; then every other app slot in the table's order; then a halt. An image that failed
 * its trial is passed over as long as another one verifies. Whatever boots has just been verified whole. All that is
 * ever written are marks in otadata: what a power cut left half done there, and of firmware on trial
 * (lifeboat/trial.h).
 */
#ifndef LIFEBOAT_BOOT_H
#define LIFEBOAT_BOOT_H

#include "lifeboat/device.h"
#include "lifeboat/otadata.h"
#include "lifeboat/trial.h"
#include "lifeboat/verify.h"

enum lb_boot_reason {
  LB_BOOT_SELECTED,         /* the slot that otadata selects */
  LB_BOOT_DEFAULT,          /* nothing is selected: factory, or ota_0 where there is no factory */
  LB_BOOT_FALLBACK_FACTORY, /* the selected slot does not verify */
  LB_BOOT_FALLBACK_OTHER,   /* neither does factory */
  LB_BOOT_WENT_BACK         /* the selected firmware failed its trial, just now: this is what was confirmed last */
};

struct lb_boot_decision {
  struct lb_partition partition; /* what boots */
  struct lb_partition selected;  /* what should have booted */
  enum lb_boot_reason reason;
  int selected_error;         /* why the selected slot did not boot, or LB_OK */
  enum lb_reset reset;        /* why the processor started */
  bool on_trial;              /* what boots is on trial */
  uint32_t attempt;           /* then: which one this is, from 1, counting failed ones and this */
  uint32_t attempts;          /* of how many */
  bool went_back;             /* at this boot a trial was found failed */
  struct lb_partition failed; /* then: the slot */
  enum lb_trial_cause cause;  /* and why */
};

/* What lb_boot tells while it works, for the log. Any pointer may be NULL where it does not apply. */
enum lb_boot_event {
  LB_BOOT_EVENT_TABLE,    /* result: LB_OK, or what is wrong with the table at LB_TABLE_ADDRESS */
  LB_BOOT_EVENT_COPY,     /* the copy at LB_TABLE_COPY_ADDRESS is good and used instead */
  LB_BOOT_EVENT_SELECTED, /* partition: what otadata selects; result: LB_OK, or why otadata could not be read */
  LB_BOOT_EVENT_TRIED,    /* partition, result of its verification, and its image */
  LB_BOOT_EVENT_REJECTED, /* partition: what failed its trial; result: the enum lb_trial_cause */
  LB_BOOT_EVENT_PASSED,   /* partition: it holds an image that failed its trial, and is passed over */
  LB_BOOT_EVENT_MARKS     /* partition: its trial cannot be marked, result: why */
};

struct lb_boot_log {
  void *context;
  void (*report)(void *context, enum lb_boot_event event, int result, const struct lb_partition *partition,
                 const struct lb_image_info *image);
};

/*
 * Decides, after a reset of that kind. `table` is filled and device->table pointed to it; `verify` is the caller's room
 * to work in, and verify->image.info describes the image that boots. `log` may be NULL. LB_OK; LB_ERR_TABLE_... without
 * a usable table; LB_ERR_NOTHING_BOOTS.
 */
int lb_boot(struct lb_device *device, struct lb_table *table, struct lb_verify *verify, const struct lb_boot_log *log,
            enum lb_reset reset, struct lb_boot_decision *decision);

/*
 * Tells what would boot, for tools: nothing is written and nothing counts as an attempt. What lb_boot would first
 * complete, or find failed, counts as it reads now.
 */
int lb_boot_preview(struct lb_device *device, struct lb_table *table, struct lb_verify *verify,
                    const struct lb_boot_log *log, struct lb_boot_decision *decision);

/*
 * Cause and remedy of lb_error_info (lifeboat/error.h), for a bootloader: of whatever lb_boot returns and its log
 * tells, and without linking the words of all other errors. The remedy is known of what lb_boot returns. Never NULL.
 */
const char *lb_boot_cause(int code);
const char *lb_boot_remedy(int code);

#endif
