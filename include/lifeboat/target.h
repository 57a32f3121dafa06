// SPDX-License-Identifier: MIT
/*
 * Which slot an update is written to: never the running one and never factory. From an OTA slot the next one in turn,
 * but for the one that a failed trial goes back to, if there is another. From factory, in this order: a slot without a
 * verifying image, or in which an update was interrupted or a patch waits; one that otadata does not select; the first.
 * Finding out whether images verify means reading them, so this works in steps of LB_VERIFY_STEP bytes.
 */
#ifndef LIFEBOAT_TARGET_H
#define LIFEBOAT_TARGET_H

#include "lifeboat/otadata.h"
#include "lifeboat/verify.h"

struct lb_target {
  struct lb_partition slot; /* the choice, once lb_target_step said LB_OK */
  const struct lb_device *device;
  struct lb_partition running;
  struct lb_partition selected;
  bool has_selected;
  uint32_t number; /* of the OTA slot that is being looked at */
  uint32_t count;
  struct lb_verify verify;
  bool verifying;
};

/* Begins to choose. `running` is the partition that the bootloader booted. LB_ERR_NO_TARGET. */
int lb_target_start(struct lb_target *target, const struct lb_device *device, const struct lb_partition *running);

/* LB_MORE, or LB_OK: target->slot is chosen. LB_ERR_FLASH_READ, LB_ERR_HASH. */
int lb_target_step(struct lb_target *target);

/*
 * May `slot` be written while `running` runs? LB_ERR_TARGET_RUNNING, LB_ERR_TARGET_FACTORY (it is no OTA slot),
 * LB_ERR_TARGET_PROTECTED, LB_ERR_NOT_FOUND (the table does not have it).
 */
int lb_target_allowed(const struct lb_table *table, const struct lb_partition *running,
                      const struct lb_partition *slot);

/*
 * May `slot` be written as far as trials are concerned? LB_ERR_TARGET_FALLBACK if it holds what a failed trial goes
 * back to while `running` is an OTA slot that otadata does not say was confirmed: then nothing would be left that has
 * proved itself. LB_OK else, and without otadata; LB_ERR_FLASH_...
 */
int lb_target_not_fallback(const struct lb_device *device, const struct lb_partition *running,
                           const struct lb_partition *slot);

/*
 * The same for an update, which may also replace what does not verify any more: LB_ERR_TARGET_FALLBACK only while
 * `running` is on trial itself. `*in_danger`: else; then lb_update verifies the slot, and refuses if it does.
 */
int lb_target_for_update(const struct lb_device *device, const struct lb_partition *running,
                         const struct lb_partition *slot, bool *in_danger);

/* Does otadata select something else? LB_ERR_TARGET_SELECTED if it selects `slot`; LB_ERR_NO_OTADATA, LB_ERR_FLASH_...
 */
int lb_target_not_selected(const struct lb_device *device, const struct lb_partition *slot);

#endif
