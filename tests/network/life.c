// SPDX-License-Identifier: MIT
#include "tests/network/life.h"

#include <sched.h>
#include <string.h>

#define SECOND_US    1000000U
#define LOOKING_US   500000U /* of the clock, when nobody has anything to do while the depot is looked for */
#define STILL_ENOUGH 4U

static bool runs_on(const struct module_on_link *link, uint64_t until_us)
{
  return sim_clock_now_us(&link->clock) < until_us;
}

static bool trial_is_over(const struct module *module)
{
  return module->trial.known && !module->trial.on_trial && !module->update_log.due;
}

/* As the virtual module does it between its polls, and while it waits. */
static bool live(struct module_on_link *link, struct peer *peer, uint32_t seconds, bool until_verdict)
{
  const uint64_t until_us = sim_clock_now_us(&link->clock) + (uint64_t)seconds * SECOND_US;
  uint32_t still = 0; /* rounds in which nothing happened */
  while (runs_on(link, until_us) && !(until_verdict && trial_is_over(&link->module))) {
    const bool moved = peer_step(peer);
    const bool more = module_tick(&link->module);
    if (sim_flash_cut_fired(&link->flash)) {
      return false;
    }
    still = moved || more ? 0 : still + 1U;
    if (still > 0 && !module_is_looking(&link->module)) {
      sim_clock_spend_us(&link->clock, SECOND_US);
    } else if (still >= STILL_ENOUGH) { /* the system may take a moment to carry what was sent */
      sim_clock_spend_us(&link->clock, LOOKING_US);
    } else if (still > 0) {
      sched_yield();
    }
  }
  return true;
}

bool life_pass(struct module_on_link *link, struct peer *peer, uint32_t seconds)
{
  return live(link, peer, seconds, false);
}

bool life_trial(struct module_on_link *link, struct peer *peer)
{
  return live(link, peer, LIFE_TRIAL_S, true);
}

void life_check_history(struct module_on_link *link, struct tally *tally)
{
  struct lb_history_entry entry;
  const struct lb_history *history = update_log_history(&link->module.update_log);
  if (!history || link->module.reset_requested) {
    tally_broken(tally, history ? "it asks for a reset by itself" : "there is no history");
    return;
  }
  for (uint32_t i = 0; i < history->count; i++) {
    if (lb_history_get(history, i, &entry) != LB_OK || entry.result == LB_HISTORY_BEGUN) {
      tally_broken(tally, "entry %u of the history was left as begun", (unsigned)entry.number);
    }
  }
}

void life_check_confirmed(struct module_on_link *link, struct tally *tally)
{
  struct module *module = &link->module;
  struct lb_history_entry entry = {.number = 0};
  struct lb_otadata otadata;
  const struct lb_history *history = update_log_history(&module->update_log);
  if (lb_otadata_read(&otadata, &module->device) != LB_OK || otadata.active == LB_OTADATA_NONE) {
    tally_broken(tally, "nothing is selected behind the trial of %s", module->boot.partition.label);
    return;
  }
  const struct lb_trial *trial = &otadata.records[otadata.active].trial;
  if (!trial->confirmed || !trial->depot_reached) {
    tally_broken(tally, "%s reached its depot (marked: %d), and is confirmed: %d; the firmware holds it on trial: %d",
                 module->boot.partition.label, trial->depot_reached, trial->confirmed, module->trial.on_trial);
    return;
  }
  if (!history || history->count == 0 || lb_history_get(history, 0, &entry) != LB_OK ||
      entry.result != LB_HISTORY_CONFIRMED ||
      memcmp(entry.digest, otadata.records[otadata.active].trial.digest, LB_SHA256_SIZE) != 0) {
    tally_broken(tally, "the update was confirmed, and entry %u of the history has result %d", (unsigned)entry.number,
                 (int)entry.result);
  }
}
