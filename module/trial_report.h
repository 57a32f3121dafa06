// SPDX-License-Identifier: MIT
/* Trials in words: what `boot status`, `ota status full`, `ota confirm` and `ota reject` share. */
#ifndef MODULE_TRIAL_REPORT_H
#define MODULE_TRIAL_REPORT_H

#include "lifeboat/otadata.h"

struct console;
struct module;

/* Why a trial ended badly: "it crashed". */
const char *trial_cause_text(enum lb_trial_cause cause);

/*
 * Would something else be selected, had its trial not ended badly? Tells what and why. So says otadata, also at later
 * boots than the one that went back.
 */
bool trial_went_back(const struct module *module, struct lb_partition *failed, enum lb_trial_cause *cause);

/* An indented line that says what has to happen before the running firmware is confirmed. It is on trial. */
void print_what_is_missing(struct console *console, const struct lb_otadata *otadata);

/* The lines of `ota status full`: how the running firmware stands, and which one failed, when and why. */
void print_trials(struct console *console);

/* Tells why `ota confirm` or `ota reject` was not possible; `instead` is what can be done. Returns `error`. */
int refuse_verdict(struct console *console, int error, const char *instead);

#endif
