// SPDX-License-Identifier: MIT
/* Trials: what the firmware does on trial, and how it ends. */
#include "lifeboat/trial.h"

#include <stdlib.h>

#include "tests/faults/steps_parts.h"

static bool runs_on_trial(const struct run *run)
{
  const struct belief *now = ledger_now(&run->ledger);
  return now->trial && now->boots.slot == run->ledger.running.slot && now->boots.image == run->ledger.running.image;
}

void step_reboot(struct run *run, const struct step *step)
{
  const struct lb_partition running = step_running(run);
  const bool on_trial = runs_on_trial(run);
  if (run->level > 0 && run->ledger.step == run->first_step) {
    return; /* the power was cut in this step, and the boot that came of it was the one */
  }
  if (on_trial && step->reset == LB_RESET_COMMANDED) {
    ledger_set_loss(&run->ledger, LOSS_MAY_COUNT);
    step_must(run, lb_trial_close(&run->device, &running), "ending in order");
    ledger_set_loss(&run->ledger, LOSS_IS_NOTHING);
  }
  run_boot(run, step->reset);
}

/* What boots when the selected slot does not verify. */
static struct choice instead(const struct run *run, const struct belief *now)
{
  const struct choice factory = {.slot = SLOT_FACTORY, .image = IMAGE_FACTORY};
  return run->engine->slots[SLOT_FACTORY].size != 0 ? factory : now->back;
}

void step_break(struct run *run, const struct step *step)
{
  struct ledger *ledger = &run->ledger;
  struct sim_flash *chip = &run->engine->chip;
  const struct belief now = *ledger_now(ledger);
  const struct built_image *image = &run->engine->images.built[ledger->content[step->slot]];
  const uint32_t address = run->engine->slots[step->slot].offset + image->length / 2;
  if (image->length == 0) {
    return; /* it was cut in this step, and is broken already */
  }
  if (!sim_flash_touch(chip, address, 1)) {
    abort();
  }
  chip->bytes[address] ^= 4U;
  ledger->content[step->slot] = IMAGE_NONE;
  ledger->broken = step->slot;
  if (now.boots.slot == step->slot) {
    const struct choice choice = instead(run, &now);
    const struct belief next = {.boots = choice, .back = choice};
    ledger->hides = now.trial;
    ledger->hidden = now.back;
    ledger_done(ledger, &next);
  }
  run_boot(run, step->reset);
}

void step_survive(struct run *run, const struct step *step)
{
  const struct lb_partition running = step_running(run);
  (void)step;
  if (!runs_on_trial(run)) {
    return;
  }
  ledger_set_loss(&run->ledger, LOSS_MAY_COUNT);
  step_must(run, lb_trial_survive(&run->device, &running), "marking that the trial time has run");
  ledger_set_loss(&run->ledger, LOSS_IS_NOTHING);
}

void step_reach_depot(struct run *run, const struct step *step)
{
  const struct lb_partition running = step_running(run);
  (void)step;
  if (runs_on_trial(run)) {
    step_must(run, lb_trial_reach_depot(&run->device, &running), "marking that the depot was reached");
  }
}

void step_quarter(struct run *run, const struct step *step)
{
  const struct lb_partition running = step_running(run);
  (void)step;
  if (runs_on_trial(run)) {
    step_must(run, lb_trial_count_quarter(&run->device, &running), "marking a quarter of an hour");
  }
}

static void decided(struct run *run, const struct belief *verdict)
{
  struct belief certain = *verdict;
  certain.by_mark = false;
  ledger_done(&run->ledger, &certain);
}

void step_confirm(struct run *run, const struct step *step)
{
  const struct lb_partition running = step_running(run);
  (void)step;
  if (!runs_on_trial(run)) {
    return; /* it is confirmed, or the trial is over */
  }
  const struct choice choice = run->ledger.running;
  const struct belief next = {.boots = choice, .back = choice, .by_mark = true};
  ledger_begin(&run->ledger, &next);
  step_must(run, lb_trial_confirm(&run->device, &running), "confirming");
  decided(run, &next);
}

void step_reject(struct run *run, const struct step *step)
{
  const struct lb_partition running = step_running(run);
  (void)step;
  if (!runs_on_trial(run)) {
    return;
  }
  const struct choice back = ledger_now(&run->ledger)->back;
  const struct belief next = {.boots = back, .back = back, .by_mark = true};
  ledger_begin(&run->ledger, &next);
  step_must(run, lb_trial_reject(&run->device, &running, LB_TRIAL_OPERATOR), "rejecting");
  decided(run, &next);
}
