// SPDX-License-Identifier: MIT
/* Updates: whole, resumed, lost, refused. */
#include <string.h>

#include "tests/faults/checks.h"
#include "tests/faults/steps_parts.h"

#define PIECE  200U /* bytes that come at once */
#define SOURCE "http://127.0.0.1/ovms3.bin"

uint8_t step_slot_number(const struct lb_partition *slot)
{
  return (uint8_t)SLOT_OTA((uint32_t)slot->subtype - LB_SUBTYPE_OTA_0);
}

struct lb_partition step_choose_target(struct run *run)
{
  struct lb_target *target = &run->work.target;
  const struct lb_partition running = step_running(run);
  int result = lb_target_start(target, &run->device, &running);
  result = result == LB_OK ? LB_MORE : result;
  while (result == LB_MORE) {
    result = lb_target_step(target);
  }
  step_must(run, result, "choosing a slot");
  return target->slot;
}

struct lb_update_config step_configure(struct run *run, const struct step *step, const struct lb_partition *target)
{
  return (struct lb_update_config){
      .device = &run->device,
      .running = step_running(run),
      .target = *target,
      .size = run->engine->images.built[step->image].length,
      .project = "ovms3",
      .sector_buffer = run->sector,
      .trial = step_terms(step),
      .source = step->validator ? SOURCE : NULL,
      .validator = step->validator,
  };
}

/* Goes on with what the journal tells, or begins anew. */
static int begin(struct run *run, const struct lb_update_config *config)
{
  struct lb_update *update = &run->work.update;
  int result = LB_ERR_NO_JOURNAL;
  if (config->validator && config->validator[0] != '\0') {
    result = lb_update_resume(update, config);
    while (result == LB_MORE) {
      result = lb_update_resume_step(update);
    }
  }
  return result == LB_ERR_NO_JOURNAL ? lb_update_start(update, config) : result;
}

/* What a later session may have to rely on. */
static void note_progress(struct run *run, struct choice target)
{
  struct ledger *ledger = &run->ledger;
  const char *validator = run->work.update.config.validator;
  if (lb_update_has_journal(&run->work.update) && validator && validator[0] != '\0') {
    ledger->has_progress = true;
    ledger->progress = target;
    ledger->position = lb_update_position(&run->work.update);
  }
}

/* Gives bytes up to `end`; the result of the first call that is not LB_OK, or LB_OK. */
static int transfer(struct run *run, const struct built_image *image, uint32_t end, struct choice target)
{
  struct lb_update *update = &run->work.update;
  int result = LB_OK;
  while (result == LB_OK && lb_update_position(update) < end) {
    const uint32_t at = lb_update_position(update);
    const uint32_t piece = end - at < PIECE ? end - at : PIECE;
    uint32_t used = 0;
    result = lb_update_write(update, image->bytes + at, piece, &used);
    if (result == LB_OK) {
      note_progress(run, target);
    }
  }
  return result;
}

int step_finish_update(struct run *run)
{
  int result = LB_MORE;
  while (result == LB_MORE) {
    result = lb_update_finish(&run->work.update);
  }
  return result;
}

/*
 * What may be transferred: all of it; or, if an update of this image was cut, what was left and one block. `before` is
 * the ledger as it was before this session.
 */
static void check_transferred(struct run *run, const struct ledger *before, struct choice target, uint32_t transferred)
{
  const struct engine *engine = run->engine;
  const uint32_t length = engine->images.built[target.image].length;
  const uint32_t block = lb_flash_largest_erase(&run->flash);
  if (!before->has_progress || before->progress.image != target.image) {
    return;
  }
  CHECK(run, 8, before->progress.slot == target.slot, "the update goes on in another slot");
  CHECK(run, 8, transferred <= length - before->position + block,
        "%u bytes were transferred after %u of %u had been, with blocks of %u", (unsigned)transferred,
        (unsigned)before->position, (unsigned)length, (unsigned)block);
}

static struct choice begin_writing(struct run *run, const struct lb_partition *slot, enum image_name image)
{
  const struct choice target = {.slot = step_slot_number(slot), .image = (uint8_t)image};
  run->ledger.content[target.slot] = IMAGE_NONE;
  return target;
}

bool step_is_done(const struct run *run, const struct step *step)
{
  return run->ledger.running.image == step->image;
}

/*
 * On the way to the new selection a trial that is going on may be over; and one of a broken slot that is written, which
 * hid what was selected before.
 */
static struct belief begin_selection(struct run *run, struct choice target, uint8_t attempts)
{
  struct ledger *ledger = &run->ledger;
  const struct belief now = *ledger_now(ledger);
  struct belief next = ledger_selection(ledger, target, attempts);
  struct belief between = {.boots = now.back, .back = now.back, .by_mark = true};
  bool has_between = now.trial;
  if (ledger->hides && target.slot == ledger->broken) {
    between.boots = between.back = ledger->hidden;
    next.back = next.trial ? ledger->hidden : next.back;
    has_between = true;
  }
  if (has_between) {
    ledger_begin(ledger, &between);
  }
  ledger_begin(ledger, &next);
  return next;
}

struct belief step_begin_update(struct run *run, const struct step *step, struct choice target)
{
  const struct belief next = begin_selection(run, target, step->attempts);
  run->ledger.content[target.slot] = target.image; /* what is there if it boots: nothing else may */
  return next;
}

void step_end_update(struct run *run, struct choice target, const struct belief *next)
{
  CHECK(run, 4, check_image_in(run, target.slot) == target.image, "the update is done, and its slot is not whole");
  ledger_done(&run->ledger, next);
  run->ledger.has_progress = false;
  run->ledger.hides = false;
}

void step_update_slot(struct run *run, const struct step *step, const struct lb_partition *slot)
{
  const struct built_image *image = &run->engine->images.built[step->image];
  const struct ledger before = run->ledger;
  const struct lb_update_config config = step_configure(run, step, slot);
  const struct choice target = begin_writing(run, slot, step->image);
  const struct belief next = step_begin_update(run, step, target);
  step_must(run, begin(run, &config), "beginning the update");
  const uint32_t from = lb_update_position(&run->work.update);
  step_must(run, transfer(run, image, image->length, target), "the update");
  check_transferred(run, &before, target, image->length - from);
  step_must(run, step_finish_update(run), "finishing the update");
  step_end_update(run, target, &next);
}

void step_update(struct run *run, const struct step *step)
{
  if (!step_is_done(run, step)) {
    const struct lb_partition slot = step_choose_target(run);
    step_update_slot(run, step, &slot);
  }
}

void step_update_to(struct run *run, const struct step *step)
{
  if (!step_is_done(run, step) && run->ledger.running.slot == step->from) {
    const struct lb_partition slot = step->slot == NO_SLOT ? step_choose_target(run) : run->engine->slots[step->slot];
    step_update_slot(run, step, &slot);
  }
}

void step_lose_link(struct run *run, const struct step *step)
{
  const struct built_image *image = &run->engine->images.built[step->image];
  const struct lb_partition slot = step_choose_target(run);
  const struct lb_update_config config = step_configure(run, step, &slot);
  const struct choice target = begin_writing(run, &slot, step->image);
  step_must(run, begin(run, &config), "beginning the update");
  step_must(run, transfer(run, image, step->bytes, target), "the update");
}

void step_refused(struct run *run, const struct step *step)
{
  const struct built_image *image = &run->engine->images.built[step->image];
  const uint32_t before = run->operations;
  if (run->ledger.running.slot != step->from) {
    return; /* a cut, and the loss of power that it is, has changed what runs */
  }
  const struct lb_partition slot = step->slot == NO_SLOT ? step_choose_target(run) : run->engine->slots[step->slot];
  const struct lb_update_config config = step_configure(run, step, &slot);
  struct lb_update *update = &run->work.update;
  int result = lb_update_start(update, &config);
  for (uint32_t at = 0; result == LB_OK && at < image->length;) {
    uint32_t used = 0;
    result = lb_update_write(update, image->bytes + at, image->length - at < PIECE ? image->length - at : PIECE, &used);
    at += used;
  }
  const struct lb_error_info *info = lb_error_info(result);
  CHECK(run, 7, result == step->expected && run->operations == before,
        "%s came of an update that is to be refused with %s, after %u operations", info->name,
        lb_error_info(step->expected)->name, (unsigned)(run->operations - before));
  CHECK(run, 10, strlen(info->cause) > 8 && strlen(info->remedy) > 8, "%s has no words", info->name);
}
