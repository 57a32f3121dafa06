// SPDX-License-Identifier: MIT
/* Which operations are cut, and what follows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/faults/checks.h"
#include "tests/faults/explore.h"

#define BOOTS_MORE 2U /* after the script, besides those that a trial takes to end */

static uint64_t mix(uint64_t value)
{
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31);
}

/* Chance at a place: from the seed and all that leads there. */
static uint64_t hash_of_path(const struct engine *engine, uint32_t length)
{
  uint64_t hash = mix(engine->seed);
  for (uint32_t i = 0; i < length; i++) {
    hash = mix(hash ^ ((uint64_t)engine->path[i].operation << 8) ^ (uint64_t)engine->path[i].way);
  }
  return hash;
}

/* Is this cut one of those that this engine tries? The path is filled up to it. */
static bool is_planned(struct engine *engine, uint32_t level, uint32_t operation, enum sim_cut way,
                       enum sim_operation kind)
{
  if (!sim_cut_applies(way, kind)) {
    return false;
  }
  if (level == 0 && operation % engine->shards != engine->shard) {
    return false;
  }
  if (engine->part <= 1 || level + 1 < engine->depth) {
    return true;
  }
  engine->path[level] = (struct cut_place){.operation = operation, .way = way};
  return hash_of_path(engine, level + 1) % engine->part == 0;
}

/* ---- running ---- */

/* After the script: the module is switched off and on until a trial would have ended, and a little longer. */
static void run_on(struct run *run)
{
  const struct belief *now = ledger_now(&run->ledger);
  const uint32_t boots = BOOTS_MORE + (now->trial ? now->attempts : 0U);
  run->running_on = true;
  for (uint32_t i = 0; i < boots; i++) {
    run_boot(run, LB_RESET_POWER_ON);
  }
}

/* The script from the step that is due, after a boot if the power had gone. */
static enum run_end run_through(struct run *run)
{
  const struct scenario *scenario = run->engine->scenario;
  const int ended = setjmp(run->ended);
  if (ended) {
    return (enum run_end)ended;
  }
  run_prepare(run);
  run->first_step = run->ledger.step;
  sim_flash_clear_counters(&run->engine->chip);
  if (run->level > 0) {
    check_otadata(run, false);
  }
  run_boot(run, LB_RESET_POWER_ON);
  for (; run->ledger.step < scenario->steps; run->ledger.step++) {
    const struct step *step = &scenario->script[run->ledger.step];
    step->perform(run, step);
    check_untouched(run);
    check_otadata(run, true);
  }
  run->counted = run->operations;
  run_on(run);
  return RUN_WHOLE;
}

static enum run_end run_as(struct run *run, const struct ledger *ledger, enum run_mode mode)
{
  run->mode = mode;
  run->ledger = *ledger;
  return run_through(run);
}

/* The same, and back to where the chip was. */
static enum run_end run_and_rewind(struct run *run, const struct ledger *ledger, enum run_mode mode)
{
  struct sim_flash *chip = &run->engine->chip;
  if (!sim_flash_mark(chip)) {
    abort();
  }
  const enum run_end end = run_as(run, ledger, mode);
  sim_flash_rewind(chip);
  sim_flash_unmark(chip);
  return end;
}

/* ---- cutting ---- */

/* The power goes at this operation, and comes back. */
static struct run *cut(struct run *run, const struct operation *operation, enum sim_cut way)
{
  struct engine *engine = run->engine;
  struct sim_flash *chip = &engine->chip;
  engine->path[run->level] = (struct cut_place){.operation = run->operations, .way = way};
  engine->path_length = run->level + 1;
  if (engine->trace) {
    printf("%u: cut, %s; step %u\n", (unsigned)run->level, sim_cut_name(way), (unsigned)run->ledger.step + 1);
  }
  sim_flash_seed(chip, hash_of_path(engine, engine->path_length));
  sim_flash_cut_at(chip, 1, way);
  (void)operation_do(engine, operation);
  const bool fired = sim_flash_cut_fired(chip) && sim_flash_cut_report(chip)->cut == way;
  if (fired && (run->mode != RUN_CUTTING || engine->counts_this_cut)) {
    engine->counts.fired++;
    engine->counts.by_way[way]++;
    engine->counts.by_depth[engine->path_length]++;
  }
  sim_flash_power_on(chip);
  struct run *recovery = engine->runs[run->level + 1];
  recovery->ledger = run->ledger;
  ledger_cut(&recovery->ledger);
  return recovery;
}

static void plan(struct engine *engine, const struct run *run)
{
  for (uint32_t i = 0; i < run->counted; i++) {
    for (uint32_t way = 0; way < SIM_CUT_WAYS; way++) {
      engine->counts.planned +=
          is_planned(engine, run->level, i + 1, (enum sim_cut)way, (enum sim_operation)run->kinds[i]);
    }
  }
}

/* Goes through a recovery, and, if it is not too deep, through all cuts of it. */
static void explore_recovery(struct run *recovery)
{
  struct engine *engine = recovery->engine;
  const struct ledger ledger = recovery->ledger;
  if (recovery->level >= engine->depth) {
    (void)run_as(recovery, &ledger, RUN_COUNTING);
    return;
  }
  if (run_and_rewind(recovery, &ledger, RUN_COUNTING) != RUN_WHOLE) {
    return; /* it has been told, and what comes after it says nothing more */
  }
  plan(engine, recovery);
  engine->path_length = recovery->level;
  (void)run_as(recovery, &ledger, RUN_EXPLORING);
}

static void explore_here(struct run *run, const struct operation *operation)
{
  struct engine *engine = run->engine;
  const uint64_t violations = sim_flash_counters(&engine->chip)->violations;
  for (uint32_t i = 0; i < SIM_CUT_WAYS; i++) {
    const enum sim_cut way = (enum sim_cut)i;
    if (!is_planned(engine, run->level, run->operations, way, operation->kind)) {
      continue;
    }
    if (!sim_flash_mark(&engine->chip)) {
      abort();
    }
    explore_recovery(cut(run, operation, way));
    sim_flash_rewind(&engine->chip);
    sim_flash_unmark(&engine->chip);
    engine->path_length = run->level;
    run_protect(run); /* the recovery had its own */
  }
  engine->chip.counters.violations = violations;
}

/* ---- along one path ---- */

/* Has no walk been here before? */
static bool is_new(struct engine *engine, uint64_t hash)
{
  uint32_t at = (uint32_t)(hash % PLACES_KNOWN);
  while (engine->known[at] != 0 && engine->known[at] != hash) {
    at = (at + 1) % PLACES_KNOWN;
  }
  const bool found = engine->known[at] == hash;
  engine->known[at] = hash;
  engine->known_count += !found;
  if (engine->known_count == PLACES_KNOWN) {
    abort(); /* more walks than this is made for */
  }
  return !found;
}

/* One of the script's operations that belong to this shard, of which there is one at least. */
static uint32_t index_of_shard(const struct engine *engine, const struct run *run, uint32_t chance)
{
  const uint32_t first = (engine->shard + engine->shards - 1) % engine->shards; /* operations count from 1 */
  const uint32_t count = (run->counted - first + engine->shards - 1) / engine->shards;
  return first + chance % count * engine->shards;
}

/*
 * Chooses one of the operations that a run was found to do, and a way of cutting it. A cut that is not deep enough to
 * be new, or that a walk made before, is made, and not counted.
 */
static void choose_place(struct engine *engine, const struct run *run)
{
  struct cut_place *place = &engine->path[run->level];
  const uint64_t chance = mix(engine->walk_seed ^ hash_of_path(engine, run->level));
  const uint32_t index =
      run->level == 0 ? index_of_shard(engine, run, (uint32_t)chance) : (uint32_t)(chance % run->counted);
  uint32_t way = (uint32_t)(chance >> 40) % SIM_CUT_WAYS;
  while (!sim_cut_applies((enum sim_cut)way, (enum sim_operation)run->kinds[index])) {
    way = (way + 1) % SIM_CUT_WAYS;
  }
  *place = (struct cut_place){.operation = index + 1, .way = (enum sim_cut)way};
  engine->wanted_length = run->level + 1;
  engine->counts_this_cut = run->level >= engine->depth && is_new(engine, hash_of_path(engine, run->level + 1));
  engine->counts.planned += engine->counts_this_cut;
}

/* Goes on with a walk: false if it has come to its end, because it is long enough, or nothing is left to be cut. */
static bool extend_walk(struct run *recovery, const struct ledger *ledger)
{
  struct engine *engine = recovery->engine;
  const enum run_end end = run_and_rewind(recovery, ledger, RUN_COUNTING);
  if (end != RUN_WHOLE || recovery->counted == 0 || engine->walk_length <= recovery->level) {
    return false;
  }
  choose_place(engine, recovery);
  return true;
}

/* The place on engine->path that comes next is cut, and nothing of this run happens afterwards. */
static void cut_on_path(struct run *run, const struct operation *operation)
{
  struct engine *engine = run->engine;
  const struct cut_place *place = &engine->path[run->level];
  if (run->level >= engine->wanted_length || run->operations != place->operation) {
    return;
  }
  struct run *recovery = cut(run, operation, place->way);
  const struct ledger ledger = recovery->ledger;
  if (engine->walk_length == 0 || extend_walk(recovery, &ledger)) {
    (void)run_as(recovery, &ledger, RUN_CUTTING);
  }
  longjmp(run->ended, RUN_CUT);
}

/* What was broken is excused only until it is written. */
static void note_broken_slot(struct run *run, const struct operation *operation)
{
  const uint8_t broken = run->ledger.broken;
  if (broken != NO_SLOT) {
    const struct lb_partition *slot = &run->engine->slots[broken];
    const bool inside = operation->address >= slot->offset && operation->address - slot->offset < slot->size;
    run->ledger.broken = inside ? (uint8_t)NO_SLOT : broken;
  }
}

#define BYTES_PRINTED 8U

static void print_operation(const struct run *run, const struct operation *operation)
{
  const uint8_t *bytes = operation->data;
  printf("%u: operation %u, %s of %u bytes at 0x%x", (unsigned)run->level, (unsigned)run->operations + 1,
         operation->kind == SIM_OPERATION_ERASE ? "erase" : "program", (unsigned)operation->length,
         (unsigned)operation->address);
  for (uint32_t i = 0; bytes && i < operation->length && i < BYTES_PRINTED; i++) {
    printf("%s%02x", i == 0 ? ": " : " ", bytes[i]);
  }
  printf("\n");
}

void explore_operation(struct run *run, const struct operation *operation)
{
  if (run->operations + 1 >= MAX_OPERATIONS) {
    run_fail(run, 0, "it goes on for ever");
  }
  if (run->engine->trace) {
    print_operation(run, operation);
  }
  if (run->running_on) {
    return;
  }
  run->kinds[run->operations++] = (uint8_t)operation->kind;
  note_broken_slot(run, operation);
  if (run->mode == RUN_EXPLORING && run->level < run->engine->depth) {
    explore_here(run, operation);
  } else if (run->mode == RUN_CUTTING) {
    cut_on_path(run, operation);
  }
}

/* ---- from outside ---- */

static struct ledger first_ledger(const struct engine *engine)
{
  struct ledger ledger;
  ledger_start(&ledger, engine->scenario->boots);
  ledger.broken = engine->scenario->broken;
  for (uint32_t slot = 0; slot < SLOTS; slot++) {
    ledger.content[slot] =
        slot == engine->scenario->broken ? (uint8_t)IMAGE_NONE : (uint8_t)engine->scenario->content[slot];
  }
  return ledger;
}

uint32_t engine_count(struct engine *engine)
{
  const struct ledger ledger = first_ledger(engine);
  struct run *run = engine->runs[0];
  engine->path_length = 0;
  if (run_and_rewind(run, &ledger, RUN_COUNTING) != RUN_WHOLE) {
    return 0;
  }
  return run->counted;
}

void engine_explore(struct engine *engine)
{
  const struct ledger ledger = first_ledger(engine);
  engine->counts.operations = engine_count(engine);
  if (engine->counts.operations != 0) {
    plan(engine, engine->runs[0]);
    engine->path_length = 0;
    (void)run_and_rewind(engine->runs[0], &ledger, RUN_EXPLORING);
  }
}

void engine_walk(struct engine *engine, uint32_t walks, uint32_t length)
{
  const struct ledger ledger = first_ledger(engine);
  const uint32_t first = (engine->shard + engine->shards - 1) % engine->shards;
  if (engine_count(engine) <= first) {
    return;
  }
  engine->walk_length = length < MAX_DEPTH ? length : MAX_DEPTH;
  const uint32_t counted = engine->runs[0]->counted;
  for (uint32_t walk = 0; walk < walks; walk++) {
    engine->walk_seed = mix(engine->seed + engine->shard + (uint64_t)walk * engine->shards);
    engine->path_length = 0;
    engine->runs[0]->counted = counted;
    choose_place(engine, engine->runs[0]);
    (void)run_and_rewind(engine->runs[0], &ledger, RUN_CUTTING);
  }
  engine->walk_length = 0;
}

bool engine_replay(struct engine *engine)
{
  const struct ledger ledger = first_ledger(engine);
  const uint64_t before = engine->counts.fired;
  engine->path_length = 0;
  engine->walk_length = 0;
  engine->counts_this_cut = true;
  engine->counts.planned += engine->wanted_length;
  (void)run_and_rewind(engine->runs[0], &ledger, RUN_CUTTING);
  return engine->counts.fired - before == engine->wanted_length;
}
