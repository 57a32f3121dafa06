// SPDX-License-Identifier: MIT
/* `ota history`: the last updates, the newest first, one a step. */
#include <stddef.h>

#include "module/console.h"
#include "module/date.h"
#include "module/history_text.h"
#include "module/port_error.h"
#include "module/print.h"

static void print_entry(struct console *console, const struct lb_history_entry *entry)
{
  char begun[DATE_SIZE];
  char ended[DATE_SIZE];
  char result[HISTORY_TEXT_SIZE];
  char transfer[HISTORY_TRANSFER_SIZE];
  date_utc(entry->begun, begun);
  date_utc(entry->ended, ended);
  history_result_text(entry, result);
  history_transfer_text(entry, transfer);
  console_print(console, "Update %u: %s\n", (unsigned)entry->number, begun);
  console_print(console, "  Firmware: %s in %s -> %s in %s\n", history_version(entry->from_version), entry->from_slot,
                history_version(entry->version), entry->slot);
  console_print(console, "  Source:   %s (%s)\n", entry->source, transfer);
  if (update_log_is_under_way(&console->module->update_log, entry)) {
    console_print(console, "  Result:   under way\n");
  } else if (entry->result == LB_HISTORY_BEGUN || entry->ended == 0) {
    console_print(console, "  Result:   %s\n", result);
  } else {
    console_print(console, "  Result:   %s; %s\n", result, ended);
  }
}

/* The newest entry below the number that was printed last: meanwhile there may be others than at the beginning. */
static int step(struct console *console)
{
  struct history_job *job = &console->job.state.history;
  const struct lb_history *history = update_log_history(&console->module->update_log);
  struct lb_history_entry entry;
  uint32_t index = 0;
  if (!console->module->flash_user && update_log_at_boot(&console->module->update_log) == LB_MORE) {
    return LB_MORE; /* first what otadata knows already */
  }
  while (history && index < history->count && history->numbers[index] >= job->below) {
    index++;
  }
  if (!history || index == history->count) {
    return LB_OK;
  }
  job->below = history->numbers[index];
  const int err = lb_history_get(history, index, &entry);
  if (err == LB_OK) {
    print_entry(console, &entry);
  } else if (err != LB_ERR_NVS_NOT_FOUND) { /* gone meanwhile, to make room for a setting */
    console_print(console, "Update %u: cannot be read\n", (unsigned)job->below);
  }
  return LB_MORE;
}

static void cancel(struct console *console)
{
  console_tell_cancelled(console);
}

static void print_error(struct console *console, const struct lb_history *history)
{
  const int err = update_log_error(&console->module->update_log);
  if (err) {
    const struct lb_error_info *info = module_error_info(err);
    console_print(console, "  The history of updates cannot be %s: %s - %s (%s, %d)\n", history ? "written" : "kept",
                  info->cause, info->remedy, info->esp_name, info->esp_code);
  }
}

/* Without an entry the reason may be that nothing could be written, before the last reset as well. */
static void print_none(struct console *console, const struct lb_history *history)
{
  struct update_log *log = &console->module->update_log;
  const bool full = history && update_log_error(log) == LB_OK && !update_log_has_room(log);
  if (history && history->count > 0) {
    return;
  }
  console_print(console, "%s\n", history && update_log_error(log) == LB_OK && !full ? HISTORY_NONE : HISTORY_UNKNOWN);
  if (full) {
    console_print(console, "%s\n", HISTORY_NO_ROOM);
  }
}

int ota_history_start(struct console *console, int argc, char **argv)
{
  struct update_log *log = &console->module->update_log;
  const struct lb_history *history = update_log_history(log);
  (void)argc;
  (void)argv;
  print_none(console, history);
  print_error(console, history);
  console->job.state.history.below = UINT32_MAX;
  console->job.step = step;
  console->job.cancel = cancel;
  return LB_MORE;
}
