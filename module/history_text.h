// SPDX-License-Identifier: MIT
/* An update's entry in the history in words, for the console and for the tool. */
#ifndef MODULE_HISTORY_TEXT_H
#define MODULE_HISTORY_TEXT_H

#include "lifeboat/history.h"

#define HISTORY_TEXT_SIZE     200U
#define HISTORY_TRANSFER_SIZE 100U

/* Its result and cause: "failed its trial: it crashed", "confirmed". */
void history_result_text(const struct lb_history_entry *entry, char text[HISTORY_TEXT_SIZE]);

/*
 * What it took and what that cost: "3670032 bytes", "patch from ota_0, 562 bytes instead of 3670032". Of an image
 * without a patch what came is said only if that was more, since it came more than once.
 */
void history_transfer_text(const struct lb_history_entry *entry, char text[HISTORY_TRANSFER_SIZE]);

/* Without any entry: nothing happened, or nothing is known of it, and then perhaps why. */
#define HISTORY_NONE    "No updates yet"
#define HISTORY_UNKNOWN "No updates known"
#define HISTORY_NO_ROOM                                                                                                \
  "  The nvs partition has no room for the history of updates: some may be missing - remove settings first"

/* A version, or "unknown" where there is none. */
const char *history_version(const char *version);

#endif
