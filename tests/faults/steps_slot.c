// SPDX-License-Identifier: MIT
/* Slots and settings: copied, erased, selected, stored. */
#include <string.h>

#include "tests/faults/checks.h"
#include "tests/faults/steps_parts.h"

void step_must(struct run *run, int result, const char *what)
{
  if (result != LB_OK) {
    run_fail(run, 0, "%s failed with %s: %s", what, lb_error_info(result)->name, lb_error_info(result)->cause);
  }
}

struct lb_partition step_running(const struct run *run)
{
  return run->decision.partition;
}

struct lb_trial_terms step_terms(const struct step *step)
{
  return (struct lb_trial_terms){.attempts = step->attempts};
}

#define COPY_PIECE 128U

/* As the module's `ota copy` does it: an update that reads from the other slot, and is not selected. */
void step_copy(struct run *run, const struct step *step)
{
  struct engine *engine = run->engine;
  struct lb_update *update = &run->work.update;
  const enum image_name name = (enum image_name)run->ledger.content[step->from];
  const uint32_t length = engine->images.built[name].length;
  uint8_t bytes[COPY_PIECE];
  const struct lb_update_config config = {
      .device = &run->device,
      .running = step_running(run),
      .target = engine->slots[step->slot],
      .size = length,
      .only_write = true,
      .sector_buffer = run->sector,
  };
  run->ledger.content[step->slot] = IMAGE_NONE;
  step_must(run, lb_update_start(update, &config), "beginning the copy");
  for (uint32_t at = 0; at < length;) {
    const uint32_t piece = length - at < COPY_PIECE ? length - at : COPY_PIECE;
    uint32_t used = 0;
    step_must(run, lb_flash_read(&run->flash, engine->slots[step->from].offset + at, bytes, piece), "reading");
    step_must(run, lb_update_write(update, bytes, piece, &used), "copying");
    at += used;
  }
  int result = LB_MORE;
  while (result == LB_MORE) {
    result = lb_update_finish(update);
  }
  step_must(run, result, "finishing the copy");
  CHECK(run, 5, check_image_in(run, step->slot) == name, "the copy is done, and its slot is not whole");
  run->ledger.content[step->slot] = (uint8_t)name;
}

void step_erase(struct run *run, const struct step *step)
{
  struct lb_erase *erase = &run->work.erase;
  const struct lb_partition running = step_running(run);
  const struct lb_partition *slot = &run->engine->slots[step->slot];
  bool blank = false;
  run->ledger.content[step->slot] = IMAGE_NONE;
  int result = lb_erase_start(erase, &run->device, &running, slot);
  result = result == LB_OK ? LB_MORE : result;
  while (result == LB_MORE) {
    result = lb_erase_step(erase);
  }
  step_must(run, result, "erasing");
  step_must(run, lb_flash_is_blank(&run->flash, slot->offset, slot->size, &blank), "reading");
  CHECK(run, 5, blank, "the slot was erased, and is not blank");
}

static int select_slot(struct run *run, const struct step *step)
{
  struct lb_select *select = &run->work.select;
  const struct lb_trial_terms terms = step_terms(step);
  int result = lb_select_start(select, &run->device, &run->engine->slots[step->slot], &terms);
  result = result == LB_OK ? LB_MORE : result;
  while (result == LB_MORE) {
    result = lb_select_step(select);
  }
  return result;
}

void step_select(struct run *run, const struct step *step)
{
  const struct choice choice = {.slot = step->slot, .image = run->ledger.content[step->slot]};
  const struct belief *now = ledger_now(&run->ledger);
  if (now->boots.slot == choice.slot && now->boots.image == choice.image && !now->trial && run->level > 0 &&
      step->attempts != 0) {
    return; /* it ran on trial and has been confirmed since */
  }
  struct belief next = ledger_selection(&run->ledger, choice, step->attempts);
  if (now->trial && now->boots.slot == choice.slot && next.trial) {
    next = *now; /* it is on trial already */
  }
  ledger_begin(&run->ledger, &next);
  step_must(run, select_slot(run, step), "selecting");
  ledger_done(&run->ledger, &next);
}

static int store(struct run *run, const char *text)
{
  struct lb_nvs *nvs = &run->work.nvs;
  int result = lb_nvs_open(nvs, &run->flash, &run->engine->nvs, true);
  result = result == LB_OK ? LB_MORE : result;
  while (result == LB_MORE) {
    result = lb_nvs_set_string(nvs, "ota", "server", text);
  }
  return result;
}

void step_set(struct run *run, const struct step *step)
{
  run->ledger.setting_next = step->text;
  int result = store(run, step->text);
  if (result == LB_ERR_READ_BACK) {
    result = store(run, step->text); /* bits that a cut left weak were found out: the user is told, and tries again */
  }
  step_must(run, result, "storing a setting");
  run->ledger.setting = step->text;
  run->ledger.setting_next = NULL;
  check_setting(run);
}
