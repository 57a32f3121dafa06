// SPDX-License-Identifier: MIT
/* Making the marks of a trial; each reads back what it programmed. */
#ifndef LIB_TRIAL_MARKS_H
#define LIB_TRIAL_MARKS_H

#include "lifeboat/trial.h"

/* The mark at that offset of a half. */
int lb_trial_mark(const struct lb_otadata *otadata, const struct lb_flash *flash, int index, uint32_t offset);

/*
 * The record's state, from UNDEFINED by clearing bits, and then that it is there for certain: what merely reads right
 * may have been in flight.
 */
int lb_trial_mark_state(const struct lb_otadata *otadata, const struct lb_flash *flash, int index,
                        enum lb_otadata_state state);

/* BOOT_... bits of a boot of the active record; the first has number 0. */
int lb_trial_mark_boot(const struct lb_otadata *otadata, const struct lb_flash *flash, uint32_t number, uint8_t bits);

/* The verdict; then all records are read again. */
int lb_trial_mark_rejected(struct lb_otadata *otadata, const struct lb_flash *flash, int index,
                           enum lb_trial_cause cause);

#endif
