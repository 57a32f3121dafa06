// SPDX-License-Identifier: MIT
/* Entries of the history of updates. */
#include <stdio.h>
#include <string.h>

#include "tests/faults/checks.h"
#include "tests/faults/steps_parts.h"

static int put(struct run *run, struct lb_history_entry *entry)
{
  struct lb_history *history = &run->work.history.history;
  struct lb_nvs *nvs = &run->work.history.nvs;
  int result = lb_nvs_open(nvs, &run->flash, &run->engine->nvs, true);
  if (result == LB_OK) {
    result = lb_history_open(history, nvs);
  }
  if (result != LB_OK) {
    return result;
  }
  const bool is_there = history->count > 0 && history->numbers[0] == entry->size - NOTE_SIZE(0U);
  entry->number = is_there ? history->numbers[0] : 0; /* a cut one that arrived is written again */
  do {
    result = lb_history_put(history, entry);
  } while (result == LB_MORE);
  return result;
}

static void note(struct run *run, uint32_t number, enum lb_history_result outcome)
{
  struct lb_history_entry entry = {.result = outcome, .size = NOTE_SIZE(number), .begun = 1795000000};
  lb_history_set_source(&entry, "http://127.0.0.1/ovms3.bin");
  (void)snprintf(entry.version, sizeof entry.version, "3.3.%03u", (unsigned)number);
  memset(entry.digest, (int)number, sizeof entry.digest);
  int result = put(run, &entry);
  if (result == LB_ERR_READ_BACK) {
    result = put(run, &entry); /* bits that a cut left weak were found out: it is written again */
  }
  step_must(run, result, "storing an entry of the history");
}

void step_note(struct run *run, const struct step *step)
{
  struct ledger *ledger = &run->ledger;
  (void)step;
  ledger->noting = true;
  note(run, ledger->notes + 1, LB_HISTORY_FLASHED);
  ledger->notes++;
  ledger->noting = false;
  check_history(run);
}

void step_change_note(struct run *run, const struct step *step)
{
  (void)step;
  note(run, run->ledger.notes, LB_HISTORY_CONFIRMED);
  check_history(run);
}
