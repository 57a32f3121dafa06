// SPDX-License-Identifier: MIT
/* Updates by patch, as the module does them (module/flash_patch.h), without its network. */
#include <stdlib.h>
#include <string.h>

#include "module/patch_list.h"
#include "tests/faults/checks.h"
#include "tests/faults/steps_parts.h"

#define PIECE     700U    /* bytes of the patch that come at once */
#define CHUNK     128U    /* that are read of the stage at once */
#define STEPS_MAX 500000U /* of one update: more than any that ends */

struct attempt {
  const struct patch_made *patch;
  uint8_t number; /* of the patch */
  struct lb_partition slot;
  struct lb_partition base;
  bool has_base;
  bool streams;     /* there was no room for a stage */
  uint32_t fetched; /* bytes of the patch */
  uint32_t steps;
};

static void count_step(struct run *run, struct attempt *attempt)
{
  if (++attempt->steps > STEPS_MAX) {
    run_fail(run, 0, "an update by patch goes on for ever");
  }
}

/* A patch that no slot has the base of is tried on what runs: then its digest has to tell. */
static struct attempt prepare(struct run *run, const struct step *step)
{
  struct engine *engine = run->engine;
  struct attempt attempt = {.slot = step->slot == 0 ? step_choose_target(run) : engine->slots[step->slot]};
  const uint32_t number = patches_get(&engine->patches, &engine->images, step->base, step->image, step->profile);
  struct lb_patch_info info;
  attempt.number = (uint8_t)number;
  attempt.patch = &engine->patches.made[number];
  step_must(run, lb_patch_read_header(&info, attempt.patch->bytes), "reading a patch's header");
  attempt.has_base = info.base_length != 0;
  if (attempt.has_base && patch_list_find_base(&run->device, &attempt.slot, info.base_digest, LB_PATCH_BASE_DIGEST,
                                               &attempt.base) != LB_OK) {
    attempt.base = step_running(run);
  }
  return attempt;
}

/* ---- into the stage ---- */

static void note_stage(struct run *run, const struct attempt *attempt, bool whole)
{
  struct ledger *ledger = &run->ledger;
  ledger->has_stage = true;
  ledger->stage_whole = whole;
  ledger->stage_slot = step_slot_number(&attempt->slot);
  ledger->stage_patch = attempt->number;
  ledger->stage_position = run->stage.position;
}

/* Makes a stage in place of whatever is there. */
static int create(struct run *run, struct attempt *attempt, const struct step *step)
{
  const struct lb_stage_subject subject = {
      .source = attempt->patch->source,
      .validator = step->validator,
      .size = attempt->patch->length,
      .image_size = run->engine->images.built[step->image].length,
  };
  int result = lb_stage_start(&run->stage, &run->flash, &attempt->slot, &subject);
  if (result != LB_OK) {
    return result;
  }
  run->ledger.has_stage = false;
  for (result = LB_MORE; result == LB_MORE;) {
    result = lb_stage_create(&run->stage, &subject);
    count_step(run, attempt);
  }
  run->ledger.stage_damaged = false; /* a cut may have left what was there */
  return result;
}

/* Goes on with the stage of this patch, or makes it. */
static int open_stage(struct run *run, struct attempt *attempt, const struct step *step)
{
  struct lb_stage *stage = &run->stage;
  bool same = false;
  int result = lb_stage_open(stage, &run->flash, &attempt->slot);
  if (result == LB_OK) {
    step_must(run, lb_stage_is_about(stage, attempt->patch->source, step->validator, &same), "reading the stage");
    result = same && stage->size == attempt->patch->length ? LB_MORE : LB_ERR_NO_STAGE;
  }
  while (result == LB_MORE) {
    result = lb_stage_measure(stage);
    count_step(run, attempt);
  }
  return result == LB_ERR_NO_STAGE ? create(run, attempt, step) : result;
}

static int fetch(struct run *run, struct attempt *attempt)
{
  struct lb_stage *stage = &run->stage;
  int result = LB_OK;
  attempt->fetched = stage->size - stage->position;
  while (result == LB_OK && stage->position < stage->size) {
    const uint32_t left = stage->size - stage->position;
    uint32_t used = 0;
    result = lb_stage_write(stage, attempt->patch->bytes + stage->position, left < PIECE ? left : PIECE, &used);
    count_step(run, attempt);
    if (result == LB_OK && used > 0) {
      note_stage(run, attempt, false);
    }
  }
  for (result = result == LB_OK ? LB_MORE : result; result == LB_MORE;) {
    result = lb_stage_check(stage);
    count_step(run, attempt);
    if (result >= LB_OK) {
      note_stage(run, attempt, true);
    }
  }
  return result;
}

/* What was there need not come again, but for the sector that was cut; what was whole, not at all. */
static void check_fetched(struct run *run, const struct attempt *attempt, const struct ledger *before)
{
  const uint32_t length = attempt->patch->length;
  if (!before->has_stage || before->stage_damaged || before->stage_patch != attempt->number) {
    return;
  }
  CHECK(run, 8, before->stage_slot == step_slot_number(&attempt->slot), "the patch waits in another slot");
  CHECK(run, 8, !before->stage_whole || attempt->fetched == 0, "%u bytes of a patch were fetched that was whole",
        (unsigned)attempt->fetched);
  CHECK(run, 8, attempt->fetched <= length - before->stage_position + lb_flash_sector(&run->flash),
        "%u bytes of a patch were fetched after %u of %u had been", (unsigned)attempt->fetched,
        (unsigned)before->stage_position, (unsigned)length);
}

/* LB_OK: it waits and is whole; LB_ERR_STAGE_ROOM; LB_ERR_PATCH_...: it is not what was sent. */
static int stage_patch(struct run *run, struct attempt *attempt, const struct step *step)
{
  const struct ledger before = run->ledger;
  const uint8_t slot = step_slot_number(&attempt->slot);
  const enum image_name held = check_image_in(run, slot);
  int result = open_stage(run, attempt, step);
  if (result == LB_OK) {
    result = fetch(run, attempt);
    check_fetched(run, attempt, &before);
    CHECK(run, 8, result == LB_OK || before.stage_damaged, "a patch came whole and is found to be bad: %s",
          lb_error_info(result)->name);
  }
  CHECK(run, 5, check_image_in(run, slot) == held, "a patch was staged, and the slot's image is no longer the same");
  return result;
}

static void discard(struct run *run, const struct attempt *attempt)
{
  bool discarded;
  run->ledger.has_stage = false;
  step_must(run, lb_stage_discard(&run->flash, &attempt->slot, &discarded), "discarding the stage");
  run->ledger.stage_damaged = false;
  CHECK(run, 8, lb_stage_open(&run->stage, &run->flash, &attempt->slot) == LB_ERR_NO_STAGE,
        "a stage is there that was discarded");
}

/* ---- into the slot ---- */

static int give(struct run *run, struct attempt *attempt)
{
  const struct patch_made *patch = attempt->patch;
  uint8_t chunk[CHUNK];
  int result = LB_OK;
  for (uint32_t given = 0; result == LB_OK && given < patch->length;) {
    const uint32_t piece = patch->length - given < CHUNK ? patch->length - given : CHUNK;
    uint32_t used = 0;
    if (attempt->streams) {
      memcpy(chunk, patch->bytes + given, piece);
    } else {
      step_must(run, lb_stage_read(&run->stage, given, chunk, piece), "reading the stage");
    }
    result = lb_update_patch_write(&run->by_patch, chunk, piece, &used);
    given += used;
    count_step(run, attempt);
  }
  for (result = result == LB_OK ? LB_MORE : result; result == LB_MORE;) {
    result = lb_update_patch_finish(&run->by_patch);
    count_step(run, attempt);
  }
  return result;
}

static int apply(struct run *run, struct attempt *attempt, const struct step *step)
{
  struct lb_update_config config = step_configure(run, step, &attempt->slot);
  config.source = attempt->patch->source;
  config.validator = "";
  config.reserved = attempt->streams ? 0 : lb_stage_reserved(&run->stage);
  int result = lb_update_start(&run->work.update, &config);
  if (result == LB_OK) {
    result =
        lb_update_patch_start(&run->by_patch, &run->decoder.patch, lb_patch_memory(attempt->patch->profile),
                              &run->work.update, attempt->has_base ? &attempt->base : NULL, &run->sha256_patch.hash);
  }
  step_must(run, result, "beginning the update by patch");
  return give(run, attempt);
}

/* LB_OK: the image is there and selected. Else why the patch cannot be used. */
static int update_by_patch(struct run *run, struct attempt *attempt, const struct step *step)
{
  const struct choice target = {.slot = step_slot_number(&attempt->slot), .image = (uint8_t)step->image};
  const struct ledger before = run->ledger;
  const uint32_t operations = run->operations;
  run->ledger.content[target.slot] = IMAGE_NONE;
  run->ledger.has_progress = false;
  const struct belief next = step_begin_update(run, step, target);
  int result = apply(run, attempt, step);
  if (result != LB_OK) {
    CHECK(run, 7, result != LB_ERR_PATCH_BASE || run->operations == operations,
          "a patch for another base changed the flash");
    if (run->operations == operations) {
      run->ledger = before;
    }
    return result;
  }
  step_must(run, step_finish_update(run), "finishing the update by patch");
  step_end_update(run, target, &next);
  return LB_OK;
}

/* ---- steps ---- */

/* A recovery may find a damaged patch gone already, and then that it comes well. */
static void check_reason(struct run *run, const struct step *step, int result)
{
  const struct lb_error_info *info = lb_error_info(result);
  CHECK(run, 10, result == step->expected || (run->level > 0 && result == LB_OK), "the patch ends with %s, not with %s",
        info->name, lb_error_info(step->expected)->name);
  CHECK(run, 10, result == LB_OK || (strlen(info->cause) > 8 && strlen(info->remedy) > 8), "%s has no words",
        info->name);
}

void step_patch(struct run *run, const struct step *step)
{
  if (step_is_done(run, step)) {
    return;
  }
  struct attempt attempt = prepare(run, step);
  int result = stage_patch(run, &attempt, step);
  attempt.streams = result == LB_ERR_STAGE_ROOM;
  if (result == LB_OK || attempt.streams) {
    result = update_by_patch(run, &attempt, step);
  }
  check_reason(run, step, result);
  if (!attempt.streams) {
    discard(run, &attempt);
  }
  if (result != LB_OK) {
    step_update_slot(run, step, &attempt.slot);
  }
}

void step_stage(struct run *run, const struct step *step)
{
  struct attempt attempt = prepare(run, step);
  step_must(run, stage_patch(run, &attempt, step), "staging");
}

void step_damage_stage(struct run *run, const struct step *step)
{
  struct ledger *ledger = &run->ledger;
  struct sim_flash *chip = &run->engine->chip;
  struct lb_stage stage;
  step_must(run, lb_stage_open(&stage, &run->flash, &run->engine->slots[ledger->stage_slot]), "finding the stage");
  if (!sim_flash_touch(chip, stage.start + step->bytes, 1)) {
    abort();
  }
  chip->bytes[stage.start + step->bytes] ^= 0x10U;
  ledger->stage_damaged = true;
}
