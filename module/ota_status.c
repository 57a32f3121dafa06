// SPDX-License-Identifier: MIT
/* `ota status`: what runs, what the depot offers, what boots next. */
#include <stddef.h>

#include "module/console.h"
#include "module/flash_resume.h"
#include "module/history_text.h"
#include "module/ota_status_full.h"
#include "module/print.h"
#include "module/version.h"
#include "module/words.h"

static void print_firmware(struct console *console)
{
  struct module *module = console->module;
  char tag[SETTINGS_VALUE_SIZE];
  const struct lb_image_description *firmware = &module->firmware.description;
  (void)settings_get(&module->settings, "ota", "tag", tag, NULL); /* if it cannot be read: its default */
  console_print(console, "Firmware:          %s/%s/%s", firmware->version[0] != '\0' ? firmware->version : "unknown",
                module->boot.partition.label, tag);
  if (firmware->present) {
    console_print(console, " (build idf %s %s %s)", firmware->idf, firmware->date, firmware->time);
  }
  console_print(console, "\n");
}

/* Behind the server's version, in the full status only: what that means for this module. */
static const char *verdict(const struct console *console, const char *available)
{
  switch (version_compare(available, console->module->firmware.description.version)) {
  case VERSION_NEWER:
    return " (is newer)";
  case VERSION_OLDER:
    return " (is older)";
  case VERSION_SAME:
    return " (no update required)";
  case VERSION_UNRELATED:
    break;
  }
  return "";
}

/* Does it run, boot next, or hold what was confirmed there? */
static bool is_done(const struct module *module, const struct lb_otadata *otadata, const struct lb_partition *slot)
{
  struct lb_partition next;
  return lb_partition_same(slot, &module->boot.partition) ||
         (lb_otadata_selected(otadata, module->table, &next) == LB_OK && lb_partition_same(slot, &next)) ||
         lb_otadata_slot_counts(otadata, module->table, slot->subtype - (uint32_t)LB_SUBTYPE_OTA_0);
}

static void print_where(struct console *console, const struct lb_partition *slot, const char *source)
{
  if (console->job.state.status.full) {
    console_print(console, "Interrupted slot:  %s\nInterrupted from:  ", slot->label);
    console_print_clean(console, source);
    console_print(console, "\n");
  }
}

/*
 * Updates that wait to be gone on with. A slot that cannot be read has none: nobody would go on with it. One whose
 * update is done has none either: if its journal is still open, the power went right after it had been selected.
 */
static void print_interrupted(struct console *console, const struct lb_otadata *otadata)
{
  struct module *module = console->module;
  struct flash_interrupted interrupted;
  struct lb_partition slot;
  for (uint32_t i = 0; lb_table_app_slot(module->table, i, &slot) == LB_OK; i++) {
    char source[SOURCE_NAME_SIZE];
    if (!lb_partition_is_ota(&slot) || is_done(module, otadata, &slot)) {
      continue;
    }
    if (flash_interrupted_find(&interrupted, module, &slot) == LB_OK) {
      console_print(console, "Status:            Interrupted (%u%%)\n", (unsigned)interrupted.percent);
      if (lb_journal_source(&interrupted.journal, source, sizeof source, NULL) == LB_OK) {
        print_where(console, &slot, source);
      }
    } else if (flash_staged_find(module, &slot, source, sizeof source) == LB_OK) {
      console_print(console, "Status:            Interrupted (nothing flashed yet, a patch waits)\n");
      print_where(console, &slot, source);
    }
  }
}

/* What the last update took and cost: in the plain status only if it took a patch. */
static void print_last_update(struct console *console)
{
  struct lb_history_entry entry;
  if (update_log_last_finished(&console->module->update_log, &entry) &&
      (entry.patch_base[0] != '\0' || console->job.state.status.full)) {
    char text[HISTORY_TRANSFER_SIZE];
    history_transfer_text(&entry, text);
    console_print(console, "Last update:       %s\n", text);
  }
}

/* `unknown` is why there is no version: a word for the full status, where the line is not simply left out. */
static int print_status(struct console *console, const char *available, const char *unknown)
{
  const struct module *module = console->module;
  const struct flash_job *update = &module->flash_job;
  struct lb_otadata otadata;
  struct lb_partition next;
  print_firmware(console);
  if (available) {
    console_print(console, "Server Available:  %s%s\n", available,
                  console->job.state.status.full ? verdict(console, available) : "");
  } else if (console->job.state.status.full) {
    console_print(console, "Server Available:  not known: %s\n", unknown);
  }
  console_print(console, "Running partition: %s\n", module->boot.partition.label);
  int err = lb_otadata_read(&otadata, &module->device);
  if (err == LB_OK || err == LB_ERR_NO_OTADATA) {
    err = lb_otadata_selected(&otadata, module->table, &next);
  }
  if (err) {
    return console_error(console, err);
  }
  console_print(console, "Boot partition:    %s\n", next.label);
  if (update->stage != FLASH_JOB_IDLE) {
    console_print(console, "Status:            %s (%u%%)\n", flash_job_text(update),
                  (unsigned)flash_job_percent(update));
  } else {
    print_interrupted(console, &otadata);
  }
  print_last_update(console);
  return LB_OK;
}

/* Prints the plain status; with full, the steps go on from there. */
static int tell(struct console *console, const char *available, const char *unknown)
{
  int err = print_status(console, available, unknown);
  console->job.state.status.told = true;
  return err == LB_OK && console->job.state.status.full ? status_full_start(console) : err;
}

/* A depot that does not answer is no error of `ota status`: the line is left out. */
static int step(struct console *console)
{
  struct status_job *job = &console->job.state.status;
  struct depot_lookup *lookup = &job->lookup;
  if (job->told) {
    return status_full_step(console);
  }
  if (job->nocheck) {
    return tell(console, NULL, NULL);
  }
  int result = depot_lookup_step(lookup);
  if (result == LB_MORE) {
    console->job.waiting = true;
    return LB_MORE;
  }
  if (result == LB_OK) {
    module_depot_reached(console->module);
  }
  return tell(console, result == LB_OK ? lookup->text : NULL, lookup->unknown);
}

static void cancel(struct console *console)
{
  depot_lookup_stop(&console->job.state.status.lookup);
  console_tell_cancelled(console);
}

int ota_status_start(struct console *console, int argc, char **argv)
{
  struct status_job *job = &console->job.state.status;
  job->nocheck = argc > 0 && words_equal(argv[0], "nocheck");
  job->full = argc > 0 && words_equal(argv[0], "full");
  if (argc > 0 && !job->nocheck && !job->full) {
    return console_refuse_arguments(console);
  }
  job->told = false;
  job->lookup = (struct depot_lookup){0};
  if (!job->nocheck) {
    depot_lookup_start(&job->lookup, console->module);
  }
  console->job.step = step;
  console->job.cancel = cancel;
  return LB_MORE;
}
