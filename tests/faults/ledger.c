// SPDX-License-Identifier: MIT
#include "tests/faults/ledger.h"

#include <stdlib.h>
#include <string.h>

static bool same_choice(struct choice a, struct choice b)
{
  return a.slot == b.slot && a.image == b.image;
}

void ledger_start(struct ledger *ledger, struct choice boots)
{
  memset(ledger, 0, sizeof *ledger);
  ledger->beliefs[0] = (struct belief){.boots = boots, .back = boots};
  ledger->belief_count = 1;
}

const struct belief *ledger_now(const struct ledger *ledger)
{
  return &ledger->beliefs[0];
}

static void add(struct ledger *ledger, const struct belief *belief)
{
  for (uint32_t i = 0; i < ledger->belief_count; i++) {
    const struct belief *known = &ledger->beliefs[i];
    if (same_choice(known->boots, belief->boots) && known->trial == belief->trial &&
        known->by_mark == belief->by_mark) {
      return;
    }
  }
  if (ledger->belief_count == BELIEFS) {
    abort(); /* a mistake of the explorer's */
  }
  ledger->beliefs[ledger->belief_count++] = *belief;
}

void ledger_begin(struct ledger *ledger, const struct belief *next)
{
  add(ledger, next);
}

void ledger_done(struct ledger *ledger, const struct belief *next)
{
  ledger->beliefs[0] = *next;
  ledger->belief_count = 1;
}

struct belief ledger_selection(const struct ledger *ledger, struct choice choice, uint8_t attempts)
{
  const struct belief *now = ledger_now(ledger);
  struct belief next = {.boots = choice, .back = choice, .trial = attempts > 0, .attempts = attempts};
  if (next.trial) {
    next.back = now->trial ? now->back : now->boots;
  }
  return next;
}

void ledger_set_loss(struct ledger *ledger, enum loss loss)
{
  for (uint32_t i = 0; i < ledger->belief_count; i++) {
    if (ledger->beliefs[i].trial && same_choice(ledger->beliefs[i].boots, ledger->running)) {
      ledger->beliefs[i].loss = loss;
    }
  }
}

/*
 * A boot that is cut may have counted the loss before it already, and may have marked itself, which the next boot then
 * counts. If it had not yet counted the loss before it, the next boot does.
 */
void ledger_cut(struct ledger *ledger)
{
  for (uint32_t i = 0; ledger->booting && i < ledger->belief_count; i++) {
    struct belief *belief = &ledger->beliefs[i];
    if (belief->trial) {
      belief->failures_high = (uint8_t)(belief->failures_high + 2);
      belief->failures_low = (uint8_t)(belief->failures_low + (belief->loss == LOSS_COUNTS));
      belief->loss = LOSS_IS_NOTHING;
    }
  }
}

void ledger_begin_boot(struct ledger *ledger, enum lb_reset reset)
{
  (void)reset;
  ledger->booting = true;
}

/* The failures that the boot has found, now that it was not cut. */
static void count_failure(struct belief *belief, enum lb_reset reset)
{
  const bool crashed = reset == LB_RESET_CRASH || reset == LB_RESET_WATCHDOG;
  const bool lost = reset == LB_RESET_POWER_ON;
  const bool certain = crashed || (lost && belief->loss == LOSS_COUNTS);
  const bool possible = certain || (lost && belief->loss == LOSS_MAY_COUNT);
  belief->failures_low = (uint8_t)(belief->failures_low + certain);
  belief->failures_high = (uint8_t)(belief->failures_high + possible);
  belief->loss = LOSS_IS_NOTHING;
}

/*
 * On trial, at that attempt? The failures are not narrowed down to it: where a cut left a mark unstable it may be
 * counted now and not tomorrow, which is no harm as long as the trial ends.
 */
static bool agrees_on_trial(struct belief *belief, const struct lb_boot_decision *decision)
{
  const uint32_t failures = decision->attempt - 1U;
  if (!decision->on_trial || decision->attempts != belief->attempts || failures >= belief->attempts ||
      failures < belief->failures_low || failures > belief->failures_high) {
    return false;
  }
  belief->loss = LOSS_COUNTS;
  return true;
}

/* Does what booted agree with this belief? It may have come to an end by this boot. */
static bool agrees(struct belief *belief, struct choice booted, const struct lb_boot_decision *decision)
{
  if (!belief->trial) {
    return same_choice(belief->boots, booted) && !decision->on_trial;
  }
  count_failure(belief, decision->reset);
  if (same_choice(belief->boots, booted)) {
    return agrees_on_trial(belief, decision);
  }
  if (!same_choice(belief->back, booted) || decision->on_trial || belief->failures_high < belief->attempts) {
    return false;
  }
  *belief = (struct belief){.boots = booted, .back = booted};
  return true;
}

/* While a trial goes on, a verdict on it that was being given may still come out. */
static bool may_still_come(const struct ledger *ledger, const struct belief *verdict)
{
  return verdict->by_mark && ledger->belief_count > 0 && ledger->beliefs[0].trial;
}

bool ledger_booted(struct ledger *ledger, struct choice booted, const struct lb_boot_decision *decision)
{
  const struct ledger before = *ledger;
  ledger->belief_count = 0;
  for (uint32_t i = 0; i < before.belief_count; i++) {
    struct belief belief = before.beliefs[i];
    if (agrees(&belief, booted, decision)) {
      add(ledger, &belief);
    }
  }
  for (uint32_t i = 0; i < before.belief_count; i++) {
    if (may_still_come(ledger, &before.beliefs[i])) {
      add(ledger, &before.beliefs[i]);
    }
  }
  ledger->booting = false;
  ledger->running = booted;
  return ledger->belief_count > 0;
}
