// SPDX-License-Identifier: MIT
#include "module/trial_report.h"

#include <string.h>

#include "module/console.h"
#include "module/date.h"
#include "module/print.h"

const char *trial_cause_text(enum lb_trial_cause cause)
{
  switch (cause) {
  case LB_TRIAL_CRASHED:
    return "it crashed";
  case LB_TRIAL_HUNG:
    return "it hung";
  case LB_TRIAL_POWER:
    return "the power was lost before its trial time had run";
  case LB_TRIAL_OPERATOR:
    return "rejected by the operator";
  case LB_TRIAL_NO_DEPOT:
    return "it did not reach its depot";
  case LB_TRIAL_UNKNOWN:
    break;
  }
  return "the cause is not known";
}

/* The slot that a record means, if its trial ended badly. */
static bool is_failed(const struct lb_table *table, const struct lb_otadata_record *record, struct lb_partition *slot)
{
  const uint32_t slots = lb_table_ota_count(table);
  return record->trial.rejected && slots > 0 &&
         lb_table_ota_slot(table, (record->sequence - 1U) % slots, slot) == LB_OK;
}

bool trial_went_back(const struct module *module, struct lb_partition *failed, enum lb_trial_cause *cause)
{
  struct lb_otadata otadata;
  if (lb_otadata_read(&otadata, &module->device) != LB_OK) {
    return false;
  }
  for (uint32_t i = 0; i < LB_OTADATA_RECORDS; i++) {
    const struct lb_otadata_record *record = &otadata.records[i];
    const bool newer = otadata.active == LB_OTADATA_NONE || record->sequence > otadata.records[otadata.active].sequence;
    if (newer && is_failed(module->table, record, failed)) {
      *cause = record->trial.cause;
      return true;
    }
  }
  return false;
}

int refuse_verdict(struct console *console, int error, const char *instead)
{
  if (error == LB_ERR_NOT_ON_TRIAL) {
    return console_error_text(console, error, "%s is not on trial - %s", console->module->boot.partition.label,
                              instead);
  }
  return console_error(console, error);
}

void print_what_is_missing(struct console *console, const struct lb_otadata *otadata)
{
  struct module *module = console->module;
  const struct module_trial *trial = &module->trial;
  const bool has_run = module_run_time(module) >= module_trial_time(module);
  const bool reached = trial->depot_reached || otadata->records[otadata->active].trial.depot_reached;
  if (trial->error != LB_OK) {
    console_print(console, "  That could not be marked on the flash: %s\n", lb_error_info(trial->error)->cause);
  }
  if (reached || trial->word_given) {
    if (has_run) {
      console_print(console, "  It is confirmed now\n");
    } else {
      console_print(console, "  It is confirmed when it has run %u second(s)\n", (unsigned)module_trial_time(module));
    }
  } else if (has_run) {
    console_print(console, "  It is confirmed when it has reached its depot, or by `ota confirm`\n");
  } else {
    console_print(console,
                  "  It is confirmed when it has run %u second(s) and has reached its depot, in place of which "
                  "`ota confirm` counts\n",
                  (unsigned)module_trial_time(module));
  }
  if (trial->word_given && !reached && !has_run) {
    console_print(console, "  `ota confirm` was said, which counts as reaching the depot; a reset forgets it\n");
  }
}

/* How the running firmware stands; nothing of one that never was on trial. */
static void print_own_trial(struct console *console, const struct lb_otadata *otadata, bool on_trial)
{
  const struct module *module = console->module;
  const struct lb_boot_decision *boot = &module->boot;
  const char *running = boot->partition.label;
  struct lb_partition selected;
  const bool own = otadata->active != LB_OTADATA_NONE &&
                   lb_otadata_selected(otadata, module->table, &selected) == LB_OK &&
                   lb_partition_same(&selected, &boot->partition);
  if (on_trial && boot->on_trial) {
    console_print(console, "Trial:             %s is on trial, attempt %u of %u\n", running, (unsigned)boot->attempt,
                  (unsigned)boot->attempts);
    print_what_is_missing(console, otadata);
  } else if (on_trial) {
    console_print(console, "Trial:             %s is on trial from its next boot on\n", running);
  } else if (own && otadata->records[otadata->active].trial.confirmed) {
    console_print(console, "Trial:             %s is confirmed\n", running);
  }
}

static void print_failed_trial(struct console *console, const struct lb_history_entry *entry)
{
  char date[DATE_SIZE];
  date_utc(entry->ended, date);
  console_print(console, "Failed trial:      %s in %s, %s: %s\n",
                entry->version[0] != '\0' ? entry->version : "unknown", entry->slot, date,
                trial_cause_text((enum lb_trial_cause)entry->cause));
}

/* The last one that ended badly, as the history has it, and what else otadata still knows of. */
static void print_failed_trials(struct console *console, const struct lb_otadata *otadata)
{
  struct module *module = console->module;
  struct lb_history_entry entry;
  struct lb_partition slot;
  const bool known = update_log_last_rejected(&module->update_log, &entry);
  if (known) {
    print_failed_trial(console, &entry);
  }
  for (uint32_t i = 0; i < LB_OTADATA_RECORDS; i++) {
    const struct lb_otadata_record *record = &otadata->records[i];
    if (is_failed(module->table, record, &slot) &&
        !(known && memcmp(entry.digest, record->trial.digest, LB_SHA256_SIZE) == 0)) {
      console_print(console, "Failed trial:      %s: %s\n", slot.label, trial_cause_text(record->trial.cause));
    }
  }
}

void print_trials(struct console *console)
{
  struct lb_otadata otadata;
  const int result = module_trial_find(console->module, &otadata);
  if (result == LB_OK || result == LB_ERR_NOT_ON_TRIAL) { /* else there was an error line for it already */
    print_own_trial(console, &otadata, result == LB_OK);
    print_failed_trials(console, &otadata);
  }
}
