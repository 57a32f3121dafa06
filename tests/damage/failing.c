// SPDX-License-Identifier: MIT
/*
 * Flash that fails: in each state of a module's life the next update is run once to learn what it and the boots around
 * it read, program and erase. Then each of these operations fails once; and each of the places fails for ever, with the
 * driver saying so or not. Each time what boots is compared with the images that there are, errors have names and ends,
 * what was reported as done stays, and once the flash works again the same update succeeds and is confirmed.
 *
 *   failing [--every N] [--seed N]
 *
 * --every: only one fault in so many, chosen by the seed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lifeboat/error.h"
#include "tests/damage/module_on_flash.h"
#include "tests/damage/tally.h"
#include "tests/unit/support/unit.h"

#define SECONDS    3600U
#define PLACES_MAX 8192U
#define SITUATIONS (2U * 2U * (uint32_t)LIFE_STATES)

enum counted {
  READS_ONCE,
  READS_ALWAYS,
  PROGRAMS_ONCE,
  PROGRAMS_ALWAYS,
  ERASES_ONCE,
  ERASES_ALWAYS,
  SILENT,
  BOOTS,
  HALTS,
  UPDATES_DONE,
  UPDATES_REFUSED,
  CONFIRMED,
  NOT_CONFIRMED,
  CRASH_LOOPS,
  CRASH_LOOPS_ON,
  HISTORY_ERRORS,
  UPDATES_AFTER,
  COUNTED
};

static const char *const names[COUNTED] = {
    "reads that failed once",
    "places that could never be read",
    "programs that failed once",
    "pages that could never be programmed",
    "erases that failed once",
    "sectors that could never be erased",
    "of these without the driver saying so",
    "boots of a verified image",
    "halts where the only image could not be read",
    "updates that succeeded all the same",
    "updates that were refused with a named error",
    "confirmations that succeeded all the same",
    "confirmations that were refused with a named error",
    "crash loops on trial, ended",
    "crash loops without end, where neither factory nor any other way back can be read",
    "errors of the history, named",
    "updates once the flash worked again",
};

static struct options {
  uint32_t every;
  uint64_t seed;
} options = {1, 1};

/* One way of failing. */
struct failure {
  enum life_operation kind;
  bool always; /* at a place, else once at the operation of that number */
  bool silently;
  uint32_t address;
  uint32_t length;
  uint64_t number;
};

struct situation {
  struct life *life;
  struct tally *tally;
  enum life_state state;
  struct failure failure;
  bool trial_due; /* the update is of an image that nothing says was confirmed */
  bool working;   /* nothing fails any more */
  uint32_t places[LIFE_OPERATIONS][PLACES_MAX];
  uint32_t counts[LIFE_OPERATIONS];
  char name[64];
  char place[192];
};

/* ---- what there is to fail ---- */

static void remember(struct situation *situation, enum life_operation kind, uint32_t place)
{
  uint32_t *places = situation->places[kind];
  for (uint32_t i = 0; i < situation->counts[kind]; i++) {
    if (places[i] == place) {
      return;
    }
  }
  if (situation->counts[kind] < PLACES_MAX) {
    places[situation->counts[kind]++] = place;
  }
}

/* Reads by where they begin, programs by page, erases by sector. */
static void watch(void *context, enum life_operation kind, uint32_t address, uint32_t length)
{
  struct situation *situation = context;
  const struct lb_flash *driver = &situation->life->driver;
  if (kind == LIFE_READ) {
    remember(situation, kind, address);
    return;
  }
  const uint32_t unit = kind == LIFE_PROGRAM ? driver->page_size : driver->erase_sizes[0];
  for (uint32_t at = address - address % unit; at < address + length; at += unit) {
    remember(situation, kind, at);
  }
}

static void set_failure(struct situation *situation)
{
  static const enum sim_fault faults[LIFE_OPERATIONS][2] = {
      {SIM_FAULT_READ_FAILS, SIM_FAULT_READ_FAILS},
      {SIM_FAULT_PROGRAM_FAILS, SIM_FAULT_PROGRAM_IGNORED},
      {SIM_FAULT_ERASE_FAILS, SIM_FAULT_ERASE_IGNORED},
  };
  static const char *const kinds[LIFE_OPERATIONS] = {"read", "program", "erase"};
  const struct failure *failure = &situation->failure;
  struct life *life = situation->life;
  life_fail_at(life, failure->kind, failure->always ? 0 : failure->number, failure->silently);
  if (failure->always) {
    (void)sim_flash_set_fault(&life->flash, faults[failure->kind][failure->silently ? 1 : 0], failure->address,
                              failure->length, SIM_FAULT_ALWAYS);
    snprintf(situation->place, sizeof situation->place, "%s: %s at 0x%x for ever%s", situation->name,
             kinds[failure->kind], (unsigned)failure->address, failure->silently ? ", silently" : "");
  } else {
    snprintf(situation->place, sizeof situation->place, "%s: %s number %u%s", situation->name, kinds[failure->kind],
             (unsigned)failure->number, failure->silently ? ", silently" : "");
  }
  situation->tally->place = situation->place;
  situation->working = false;
}

/* What fails once has failed, or will not any more; a place is mended. */
static void end_failure(struct situation *situation)
{
  sim_flash_clear_faults(&situation->life->flash);
  life_fail_at(situation->life, LIFE_READ, 0, false);
  situation->working = true;
}

static void begin_again(struct situation *situation)
{
  struct life *life = situation->life;
  end_failure(situation);
  sim_flash_rewind(&life->flash);
  sim_flash_unprotect_all(&life->flash);
  sim_flash_clear_counters(&life->flash);
  life->endless = false;
}

/* Can nothing fail from here on? */
static bool is_over(const struct situation *situation)
{
  return situation->working || (!situation->failure.always && situation->life->failed);
}

/* ---- what has to hold ---- */

/* Is there an image that can be read? What fails once may be in its way, and then it is the only one. */
static bool is_excused(struct situation *situation)
{
  struct life *life = situation->life;
  struct lb_partition slots[LIFE_SLOTS];
  uint32_t readable = 0;
  for (uint32_t count = life_slots(life, slots); count > 0; count--) {
    const struct lb_partition *slot = &slots[count - 1];
    const bool hit = situation->failure.always && situation->failure.address >= slot->offset &&
                     situation->failure.address < slot->offset + slot->size;
    readable += !hit && life_image_in(life, slot) != LIFE_NO_IMAGE ? 1U : 0U;
  }
  return situation->failure.kind == LIFE_READ && !situation->working &&
         readable <= (situation->failure.always ? 0U : 1U);
}

static bool boots(struct situation *situation, enum lb_reset reset)
{
  struct life *life = situation->life;
  struct tally *tally = situation->tally;
  int result = life_boot(life, reset);
  if (result == LB_ERR_NOTHING_BOOTS && is_excused(situation)) {
    tally->counts[HALTS]++;
    if (situation->failure.always) {
      return false;
    }
    result = life_boot(life, LB_RESET_POWER_ON); /* somebody turns it off and on */
  }
  if (life->endless) {
    tally_broken(tally, "a boot does not end");
    return false;
  }
  if (result != LB_OK) {
    tally_stranded(tally, "%s", life_result_name(result));
    return false;
  }
  if (life_image_in(life, &life->decision.partition) == LIFE_NO_IMAGE) {
    tally_broken(tally, "%s boots, which is no image that there is", life->decision.partition.label);
    return false;
  }
  if (life_violations(life) > 0) {
    tally_broken(tally, "factory, the running slot or the table was to be changed");
  }
  if (!life_is_named(life->history_error)) {
    tally_broken(tally, "error %d of the history has no name", life->history_error);
  }
  if (situation->working && life->history_error) {
    tally_broken(tally, "the flash works, but not the history: %s", life_result_name(life->history_error));
  }
  tally->counts[HISTORY_ERRORS] += life->history_error ? 1U : 0U;
  tally->counts[BOOTS]++;
  life_protect(life);
  return true;
}

/* Tells what came of it, if that is anything that may come. */
static bool is_done(struct situation *situation, int result, const char *what, enum counted done, enum counted refused)
{
  struct tally *tally = situation->tally;
  if (situation->life->endless) {
    tally_broken(tally, "%s does not end", what);
  } else if (!life_is_named(result)) {
    tally_broken(tally, "%s: error %d has no name", what, result);
  } else if (result != LB_OK && situation->working) {
    tally_broken(tally, "%s failed although the flash works: %s", what, life_result_name(result));
  } else if (result == LB_OK) {
    tally->counts[done]++;
  } else {
    tally->counts[refused]++;
  }
  return result == LB_OK;
}

/* Does the slot boot that the update was reported to have gone to? */
static bool check_flashed(struct situation *situation, const struct life_update *update)
{
  struct life *life = situation->life;
  const bool expected = is_over(situation);
  if (life_image_in(life, &update->target) != (int)update->image) {
    tally_broken(situation->tally, "the update succeeded, but it is not in %s", update->target.label);
  }
  if (!boots(situation, LB_RESET_COMMANDED)) {
    return false;
  }
  const bool same = lb_partition_same(&life->decision.partition, &update->target);
  if (!same && expected) {
    tally_broken(situation->tally, "%s was flashed, but %s boots", update->target.label,
                 life->decision.partition.label);
  }
  /* Where otadata cannot be read this once, what boots by default is just the new image, by chance. */
  const bool by_default = situation->failure.kind == LIFE_READ && life->decision.reason == LB_BOOT_DEFAULT;
  if (same && situation->trial_due && !life->decision.on_trial && !by_default) {
    tally_broken(situation->tally, "%s was never confirmed and is not on trial", update->target.label);
  }
  return same;
}

/* Confirms what is on trial; what was reported as confirmed boots again and is no more on trial. */
static bool confirm(struct situation *situation)
{
  struct life *life = situation->life;
  const struct lb_partition running = life->decision.partition;
  if (!life->decision.on_trial) {
    return true;
  }
  if (!is_done(situation, life_confirm(life), "the confirmation", CONFIRMED, NOT_CONFIRMED)) {
    return false;
  }
  const bool expected = is_over(situation) || situation->failure.kind != LIFE_READ;
  if (!boots(situation, LB_RESET_POWER_ON)) {
    return false;
  }
  if (expected && (life->decision.on_trial || !lb_partition_same(&life->decision.partition, &running))) {
    tally_broken(situation->tally, "%s was confirmed, but %s boots%s", running.label, life->decision.partition.label,
                 life->decision.on_trial ? " on trial" : "");
  }
  return true;
}

/* A boot, the next update, its boot, its confirmation; as far as it goes. */
static void live(struct situation *situation)
{
  struct life_update update = life_next_update(situation->state);
  if (!boots(situation, LB_RESET_COMMANDED) || !confirm(situation)) {
    return;
  }
  update.force = update.force || situation->working; /* it may have failed its trial for want of marks */
  const int running = life_image_in(situation->life, &situation->life->decision.partition);
  situation->trial_due = !situation->working && running != (int)update.image;
  const int result = life_update(situation->life, &update);
  if (is_done(situation, result, "the update", situation->working ? UPDATES_AFTER : UPDATES_DONE, UPDATES_REFUSED) &&
      check_flashed(situation, &update)) {
    (void)confirm(situation);
  }
}

/* Without factory, and with otadata or the slot of the confirmed firmware unreadable for ever, nothing else is left. */
static bool has_way_back(const struct situation *situation)
{
  const struct failure *failure = &situation->failure;
  const struct lb_partition otadata = life_partition(situation->life, "otadata");
  struct lb_partition slots[LIFE_SLOTS];
  const uint32_t count = life_slots(situation->life, slots);
  const bool unreadable = failure->kind == LIFE_READ && failure->always &&
                          ((failure->address >= otadata.offset && failure->address < otadata.offset + otadata.size) ||
                           failure->address >= slots[0].offset);
  return count == LIFE_SLOTS || !unreadable;
}

/* Firmware on trial that only crashes is left, whatever cannot be marked. */
static void crash_on(struct situation *situation)
{
  struct life *life = situation->life;
  for (uint32_t i = 0; i <= LIFE_ATTEMPTS; i++) {
    if (!boots(situation, LB_RESET_CRASH)) {
      return;
    }
    if (!life->decision.on_trial && life_image_in(life, &life->decision.partition) != 2) {
      situation->tally->counts[CRASH_LOOPS]++;
      if (situation->failure.kind != LIFE_READ && life_image_in(life, &life->decision.partition) != 1) {
        tally_broken(situation->tally, "the confirmed firmware can be read, but %s boots",
                     life->decision.partition.label);
      }
      return;
    }
  }
  if (!has_way_back(situation)) {
    situation->tally->counts[CRASH_LOOPS_ON]++;
    return;
  }
  tally_broken(situation->tally, "%s crashes for ever", life->decision.partition.label);
}

static void try_failure(struct situation *situation, const struct failure *failure)
{
  static const enum counted counted[LIFE_OPERATIONS][2] = {
      {READS_ONCE, READS_ALWAYS}, {PROGRAMS_ONCE, PROGRAMS_ALWAYS}, {ERASES_ONCE, ERASES_ALWAYS}};
  begin_again(situation);
  situation->failure = *failure;
  set_failure(situation);
  live(situation);
  /* What fails silently may have been believed; the module has to come through that by itself. */
  end_failure(situation);
  live(situation);
  if (situation->state == LIFE_ON_TRIAL) {
    begin_again(situation);
    set_failure(situation);
    crash_on(situation);
  }
  situation->tally->counts[counted[failure->kind][failure->always ? 1 : 0]]++;
  situation->tally->counts[SILENT] += failure->silently ? 1U : 0U;
}

/* ---- all of them ---- */

static bool is_chosen(struct unit_random *random)
{
  return unit_random_below(random, options.every) == 0;
}

static void try_kind(struct situation *situation, enum life_operation kind, uint64_t operations,
                     struct unit_random *random)
{
  const struct lb_flash *driver = &situation->life->driver;
  const uint32_t lengths[LIFE_OPERATIONS] = {1, driver->page_size, driver->erase_sizes[0]};
  for (uint32_t silently = 0; silently < (kind == LIFE_READ ? 1U : 2U); silently++) {
    for (uint64_t number = 1; number <= operations; number++) {
      if (is_chosen(random)) {
        try_failure(situation, &(struct failure){.kind = kind, .number = number, .silently = silently == 1});
      }
    }
    for (uint32_t i = 0; i < situation->counts[kind]; i++) {
      if (is_chosen(random)) {
        try_failure(situation, &(struct failure){.kind = kind,
                                                 .always = true,
                                                 .silently = silently == 1,
                                                 .address = situation->places[kind][i],
                                                 .length = lengths[kind]});
      }
    }
  }
}

/* The life without failures, to learn what it does. */
static void learn(struct situation *situation, uint64_t operations[LIFE_OPERATIONS])
{
  struct life *life = situation->life;
  begin_again(situation);
  life->watch = watch;
  life->watch_context = situation;
  situation->tally->place = situation->name;
  live(situation);
  life->watch = NULL;
  memcpy(operations, life->operations, sizeof life->operations);
}

static void run_situation(uint32_t number, struct tally *tally)
{
  const enum life_chip chip = number % 2 ? LIFE_REAL : LIFE_MINIATURE;
  const enum life_layout layout = number / 2 % 2 ? LIFE_WITHOUT_FACTORY : LIFE_WITH_FACTORY;
  struct unit_random random = {.state = options.seed * 1000003U + number};
  uint64_t operations[LIFE_OPERATIONS];
  struct life *life = unit_allocate(sizeof *life);
  struct situation *situation = unit_allocate(sizeof *situation);
  situation->tally = tally;
  situation->life = life;
  situation->state = (enum life_state)(number / 4);
  life_open(life, chip, layout, situation->state);
  snprintf(situation->name, sizeof situation->name, "%s, %s, %s", life_state_name(situation->state),
           chip == LIFE_REAL ? "real" : "miniature", layout == LIFE_WITH_FACTORY ? "factory" : "no factory");
  if (sim_flash_mark(&life->flash)) {
    learn(situation, operations);
    for (uint32_t kind = 0; kind < LIFE_OPERATIONS; kind++) {
      try_kind(situation, (enum life_operation)kind, operations[kind], &random);
    }
  } else {
    tally_broken(tally, "no memory");
  }
  life_close(life);
  free(situation);
  free(life);
}

int main(int argc, char **argv)
{
  static struct tally total;
  for (int i = 1; i < argc; i += 2) {
    const char *value = i + 1 < argc ? argv[i + 1] : "";
    if (strcmp(argv[i], "--every") == 0 && tally_number(value) > 0) {
      options.every = (uint32_t)tally_number(value);
    } else if (strcmp(argv[i], "--seed") == 0 && *value) {
      options.seed = tally_number(value);
    } else {
      fprintf(stderr, "usage: failing [--every N] [--seed N]\n");
      return 2;
    }
  }
  printf("failing: %u situations, one fault in %u, seed 0x%llx\n", (unsigned)SITUATIONS, (unsigned)options.every,
         (unsigned long long)options.seed);
  tally_share_out(&total, SITUATIONS, run_situation, SECONDS);
  return tally_end(&total, "failing", names, COUNTED);
}
