// SPDX-License-Identifier: MIT
/* An update's entry in the history in words, for the console and for the tool. */
#ifndef MODULE_HISTORY_TEXT_H
#define MODULE_HISTORY_TEXT_H

#include "lifeboat/history.h"

#define HISTORY_TEXT_SIZE 200U

/* Its result and cause: "failed its trial: it crashed", "confirmed". */
void history_result_text(const struct lb_history_entry *entry, char text[HISTORY_TEXT_SIZE]);

/* A version, or "unknown" where there is none. */
const char *history_version(const char *version);

#endif
