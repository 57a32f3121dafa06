// SPDX-License-Identifier: MIT
#include "lifeboat/boot.h"

#include <stddef.h>
#include <string.h>

#include "lib/otadata_parts.h"
#include "lifeboat/error.h"

/* What the steps of one decision share. */
struct attempt {
  const struct lb_device *device;
  struct lb_verify *verify;
  const struct lb_boot_log *log;
  struct lb_boot_decision *decision;
  struct lb_otadata otadata;
  int otadata_error;
  int marks_error;  /* why the trial cannot be marked */
  bool preview;     /* only to tell what would boot: nothing is marked */
  bool passed_over; /* something that verifies was */
};

static void report(const struct lb_boot_log *log, enum lb_boot_event event, int result,
                   const struct lb_partition *partition, const struct lb_image_info *image)
{
  if (log) {
    log->report(log->context, event, result, partition, image);
  }
}

static int load_table(struct lb_device *device, struct lb_table *table, const struct lb_boot_log *log)
{
  int err = lb_table_read(table, device->flash, device->md5);
  device->table = table;
  report(log, LB_BOOT_EVENT_TABLE, table->first_error, NULL, NULL);
  if (err == LB_OK && table->first_error != LB_OK) {
    report(log, LB_BOOT_EVENT_COPY, LB_OK, NULL, NULL);
  }
  return err;
}

/* Makes otadata fit to be trusted. Where that cannot be programmed, it still counts as it reads. */
static void settle(struct attempt *attempt)
{
  if (attempt->preview) {
    attempt->otadata_error = lb_otadata_read(&attempt->otadata, attempt->device);
    return;
  }
  attempt->otadata_error = lb_trial_settle(&attempt->otadata, attempt->device);
  if (attempt->otadata_error == LB_ERR_FLASH_PROGRAM || attempt->otadata_error == LB_ERR_READ_BACK) {
    attempt->marks_error = attempt->otadata_error;
    attempt->otadata_error = lb_otadata_read(&attempt->otadata, attempt->device);
  }
}

static bool has_failed_enough(const struct lb_otadata *otadata)
{
  return lb_otadata_on_trial(otadata, otadata->active) &&
         otadata->records[otadata->active].trial.failures >= otadata->records[otadata->active].trial.attempts;
}

/* Has the trial of what is selected just come to a bad end? */
static void judge(struct attempt *attempt)
{
  struct lb_boot_decision *decision = attempt->decision;
  struct lb_otadata *otadata = &attempt->otadata;
  struct lb_partition selected;
  int index = otadata->active;
  bool rejected = false;
  if (attempt->preview || attempt->otadata_error || !lb_otadata_on_trial(otadata, index) ||
      lb_otadata_selected(otadata, attempt->device->table, &selected) != LB_OK) {
    return;
  }
  int err = lb_trial_judge(otadata, attempt->device, decision->reset, &rejected);
  if (!err && !rejected) { /* all was read anew, and a mark that was weak may be seen now */
    settle(attempt);
    if (has_failed_enough(otadata)) {
      index = otadata->active;
      err = lb_trial_judge(otadata, attempt->device, decision->reset, &rejected);
    }
  }
  attempt->marks_error = attempt->marks_error ? attempt->marks_error : err;
  if (rejected && !err) {
    decision->went_back = true;
    decision->failed = selected;
    decision->cause = otadata->records[index].trial.cause;
    report(attempt->log, LB_BOOT_EVENT_REJECTED, (int)decision->cause, &selected, NULL);
  }
}

/* Finds what should boot: by otadata if it can be read and selects something, else the table's default. */
static int find_selected(struct attempt *attempt, enum lb_boot_reason *reason)
{
  struct lb_boot_decision *decision = attempt->decision;
  int err = attempt->otadata_error;
  if (err) {
    attempt->otadata.active = LB_OTADATA_NONE;
  }
  *reason = attempt->otadata.active != LB_OTADATA_NONE ? LB_BOOT_SELECTED : LB_BOOT_DEFAULT;
  *reason = decision->went_back ? LB_BOOT_WENT_BACK : *reason;
  int found = lb_otadata_selected(&attempt->otadata, attempt->device->table, &decision->selected);
  report(attempt->log, LB_BOOT_EVENT_SELECTED, err, found == LB_OK ? &decision->selected : NULL, NULL);
  return found;
}

/*
 * Is this an image that failed its trial? Not if it is the very one that the record at `index` selects: that was
 * chosen, or confirmed, since.
 */
static bool has_failed(const struct attempt *attempt, int index, const uint8_t *digest)
{
  const struct lb_otadata *otadata = &attempt->otadata;
  if (attempt->otadata_error || !lb_otadata_has_failed(otadata, digest)) {
    return false;
  }
  return index == LB_OTADATA_NONE || !lb_otadata_is_about(&otadata->records[index], digest);
}

/* `index`: the record that means this slot, if any. Without `proper` also an image that failed: better than none. */
static int try_slot(struct attempt *attempt, const struct lb_partition *slot, enum lb_boot_reason reason, int index,
                    bool proper)
{
  int result = lb_verify_partition(attempt->verify, attempt->device, slot);
  const struct lb_image_info *info = &attempt->verify->image.info;
  report(attempt->log, LB_BOOT_EVENT_TRIED, result, slot, info);
  if (result == LB_OK && proper && has_failed(attempt, index, info->digest)) {
    report(attempt->log, LB_BOOT_EVENT_PASSED, LB_OK, slot, info);
    attempt->passed_over = true;
    return LB_ERR_FAILED_BEFORE;
  }
  if (result == LB_OK) {
    attempt->decision->partition = *slot;
    attempt->decision->reason = reason;
  }
  return result;
}

/* Marks the boot of a firmware on trial. One whose failures could not be counted does not boot. */
static int begin_trial(struct attempt *attempt)
{
  struct lb_boot_decision *decision = attempt->decision;
  struct lb_otadata *otadata = &attempt->otadata;
  if (!lb_otadata_on_trial(otadata, otadata->active)) {
    return LB_OK;
  }
  /* as they were judged: a weak mark may be counted when all is read anew */
  const struct lb_trial trial = otadata->records[otadata->active].trial;
  int err = attempt->marks_error;
  if (!err && !attempt->preview) {
    err = lb_trial_begin_boot(otadata, attempt->device);
  }
  if (err) {
    attempt->passed_over = true;
    report(attempt->log, LB_BOOT_EVENT_MARKS, err, &decision->selected, NULL);
    return err;
  }
  decision->on_trial = true;
  decision->attempt = trial.failures + 1U;
  decision->attempts = trial.attempts;
  return LB_OK;
}

/* What was confirmed last, if anything was, or else what boots without any record. */
static int go_back(struct attempt *attempt, enum lb_boot_reason reason)
{
  struct lb_partition slot;
  int err = lb_otadata_fallback(&attempt->otadata, attempt->device->table, &slot);
  if (err == LB_OK && lb_partition_same(&slot, &attempt->decision->selected)) {
    return LB_ERR_NOT_FOUND; /* it was tried already */
  }
  return err ? err : try_slot(attempt, &slot, reason, lb_otadata_confirmed(&attempt->otadata), true);
}

static int try_others(struct attempt *attempt, bool proper)
{
  struct lb_partition slot;
  for (uint32_t i = 0; lb_table_app_slot(attempt->device->table, i, &slot) == LB_OK; i++) {
    bool factory = slot.subtype == LB_SUBTYPE_FACTORY;
    bool tried = factory || lb_partition_same(&slot, &attempt->decision->selected);
    if (!(proper && tried) && try_slot(attempt, &slot, factory ? LB_BOOT_FALLBACK_FACTORY : LB_BOOT_FALLBACK_OTHER,
                                       LB_OTADATA_NONE, proper) == LB_OK) {
      return LB_OK;
    }
  }
  return LB_ERR_NOTHING_BOOTS;
}

/* Factory first, as the mission says; then what was confirmed last; then whatever verifies. */
static int fall_back(struct attempt *attempt)
{
  struct lb_partition factory;
  if (lb_table_find(attempt->device->table, LB_TYPE_APP, LB_SUBTYPE_FACTORY, &factory) == LB_OK &&
      !lb_partition_same(&factory, &attempt->decision->selected) &&
      try_slot(attempt, &factory, LB_BOOT_FALLBACK_FACTORY, LB_OTADATA_NONE, true) == LB_OK) {
    return LB_OK;
  }
  bool confirmed = attempt->otadata_error == LB_OK && lb_otadata_confirmed(&attempt->otadata) != LB_OTADATA_NONE;
  if (confirmed && go_back(attempt, LB_BOOT_FALLBACK_OTHER) == LB_OK) {
    return LB_OK;
  }
  if (try_others(attempt, true) == LB_OK) {
    return LB_OK;
  }
  return attempt->passed_over ? try_others(attempt, false) : LB_ERR_NOTHING_BOOTS;
}

static int decide(struct attempt *attempt, struct lb_device *device, struct lb_table *table)
{
  struct lb_boot_decision *decision = attempt->decision;
  enum lb_boot_reason reason;
  int err = load_table(device, table, attempt->log);
  if (err) {
    return err;
  }
  settle(attempt);
  judge(attempt);
  decision->selected_error = find_selected(attempt, &reason);
  if (decision->selected_error == LB_OK) {
    decision->selected_error = try_slot(attempt, &decision->selected, reason, attempt->otadata.active, true);
  }
  if (decision->selected_error == LB_OK) {
    decision->selected_error = begin_trial(attempt);
    if (decision->selected_error != LB_OK && go_back(attempt, LB_BOOT_WENT_BACK) == LB_OK) {
      return LB_OK;
    }
  }
  return decision->selected_error == LB_OK ? LB_OK : fall_back(attempt);
}

int lb_boot(struct lb_device *device, struct lb_table *table, struct lb_verify *verify, const struct lb_boot_log *log,
            enum lb_reset reset, struct lb_boot_decision *decision)
{
  struct attempt attempt = {.device = device, .verify = verify, .log = log, .decision = decision};
  memset(decision, 0, sizeof *decision);
  decision->reset = reset;
  return decide(&attempt, device, table);
}

int lb_boot_preview(struct lb_device *device, struct lb_table *table, struct lb_verify *verify,
                    const struct lb_boot_log *log, struct lb_boot_decision *decision)
{
  struct attempt attempt = {.device = device, .verify = verify, .log = log, .decision = decision, .preview = true};
  memset(decision, 0, sizeof *decision);
  return decide(&attempt, device, table);
}
