// SPDX-License-Identifier: MIT
/* How the trial of an otadata record stands, in words and for programs. */
#ifndef TOOL_TRIAL_TEXT_H
#define TOOL_TRIAL_TEXT_H

#include "lifeboat/otadata.h"
#include "tool/report.h"

#define TRIAL_TEXT_SIZE 128U

/* "on trial, 1 of 3 attempts used", "confirmed", "failed its trial: it crashed"; "" for a record that is no trial. */
void trial_text(const struct lb_otadata *otadata, int index, char text[TRIAL_TEXT_SIZE]);

/* {"state": ..., "attempts": ..., "failures": ..., "cause": ...}, or null for a record that is no trial. */
cJSON *trial_json(const struct lb_otadata *otadata, int index);

/* The name of an enum lb_trial_cause for programs. */
const char *trial_cause_name(uint32_t cause);

#endif
