// SPDX-License-Identifier: MIT
#include "module/history_text.h"

#include "module/port_error.h"
#include "module/print.h"
#include "module/trial_report.h"
#include "module/words.h"

static const char *plain_text(enum lb_history_result result)
{
  switch (result) {
  case LB_HISTORY_INTERRUPTED:
    return "interrupted: the module was restarted";
  case LB_HISTORY_FAILED:
    return "failed";
  case LB_HISTORY_FLASHED:
    return "flashed, its trial has not ended yet";
  case LB_HISTORY_CONFIRMED:
    return "confirmed";
  case LB_HISTORY_REJECTED:
    return "failed its trial";
  case LB_HISTORY_SUPERSEDED:
    return "superseded: something else was selected before its trial ended";
  case LB_HISTORY_BEGUN:
    break;
  }
  return "not finished";
}

void history_result_text(const struct lb_history_entry *entry, char text[HISTORY_TEXT_SIZE])
{
  const struct lb_error_info *info = module_error_info(entry->cause);
  if (entry->result == LB_HISTORY_REJECTED) {
    print_text(text, HISTORY_TEXT_SIZE, "failed its trial: %s", trial_cause_text((enum lb_trial_cause)entry->cause));
  } else if (entry->result == LB_HISTORY_FAILED && entry->cause != LB_OK) {
    print_text(text, HISTORY_TEXT_SIZE, "failed: %s (%s, %d)", info->cause, info->esp_name, info->esp_code);
  } else if (entry->result == LB_HISTORY_INTERRUPTED && entry->cause != LB_OK) {
    print_text(text, HISTORY_TEXT_SIZE, "interrupted: %s", info->cause);
  } else {
    print_text(text, HISTORY_TEXT_SIZE, "%s", plain_text(entry->result));
  }
}

void history_transfer_text(const struct lb_history_entry *entry, char text[HISTORY_TRANSFER_SIZE])
{
  char taken[sizeof("patch from ") + LB_LABEL_SIZE];
  const unsigned size = (unsigned)entry->size;
  const unsigned transferred = (unsigned)entry->transferred;
  const bool differs =
      transferred > size || (entry->result == LB_HISTORY_FAILED && transferred > 0 && transferred < size);
  if (entry->patch_base[0] == '\0' && differs) {
    print_text(text, HISTORY_TRANSFER_SIZE, "%u bytes, %u transferred", size, transferred);
    return;
  }
  if (entry->patch_base[0] == '\0') {
    print_text(text, HISTORY_TRANSFER_SIZE, "%u bytes", size);
    return;
  }
  if (words_equal(entry->patch_base, "-")) {
    print_text(taken, sizeof taken, "compressed image");
  } else {
    print_text(taken, sizeof taken, "patch from %s", entry->patch_base);
  }
  if (transferred == 0) { /* not known */
    print_text(text, HISTORY_TRANSFER_SIZE, "%s instead of %u bytes", taken, size);
  } else {
    print_text(text, HISTORY_TRANSFER_SIZE, "%s, %u bytes instead of %u", taken, transferred, size);
  }
}

const char *history_version(const char *version)
{
  return version[0] != '\0' ? version : "unknown";
}
