// SPDX-License-Identifier: MIT
/*
 * Bit rot: each bit of the partition table and its copy, of otadata, of the heads of the slots and of the journal of an
 * interrupted update is flipped, in each state of a module's life; others by chance, and two at once by chance. Each
 * time the module boots, what boots is compared with the images that there are, and the update that comes next has to
 * succeed and to be confirmed.
 *
 *   rot [--every N] [--random N] [--seed N]
 *
 * --every: of the bits that are tried one by one only one in so many, another one in each state. --random: flips by
 * chance in each state.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lifeboat/error.h"
#include "tests/damage/module_on_flash.h"
#include "tests/damage/tally.h"
#include "tests/unit/support/unit.h"

#define HEAD_BITS  (8U * LB_IMAGE_HEAD_SIZE)
#define SECONDS    3600U
#define RESETS     4U
#define NO_BIT     0xFFFFFFFFU
#define SITUATIONS (2U * 2U * (uint32_t)LIFE_STATES)

enum counted {
  TABLE_BITS,
  OTADATA_BITS,
  HEAD_BITS_TRIED,
  JOURNAL_BITS,
  RANDOM_BITS,
  PAIRS,
  BOOTS,
  COPY_USED,
  OTHER_BOOTED,
  NONE_LEFT,
  UPDATES,
  RESUMED,
  CONFIRMED,
  CRASH_LOOPS,
  TRIAL_LOST,
  COUNTED
};

static const char *const names[COUNTED] = {
    "bits of the partition table and its copy",
    "bits of otadata",
    "bits of the slots' heads",
    "bits of journals",
    "bits by chance in slots, nvs and the rest",
    "pairs of bits by chance",
    "boots of a verified image",
    "of them by the copy of the table",
    "times another slot booted than without the damage",
    "times the only image, or the table twice, was hit, and the bootloader said so",
    "updates afterwards",
    "of them resumed",
    "confirmations",
    "crash loops on trial",
    NULL, /* trials that a flipped bit ended: told, and none are expected */
};

static struct options {
  uint32_t every;
  uint32_t random;
  uint64_t seed;
} options = {1, 2000, 1};

/* One state of life, and what is flipped in it. */
struct situation {
  struct life *life;
  struct tally *tally;
  enum life_state state;
  uint32_t usual; /* address of the slot that boots without damage */
  uint32_t bits[2];
  bool trial_due; /* the update is of an image that nothing says was confirmed */
  char place[160];
};

/* ---- the damage ---- */

static void flip(struct situation *situation, uint32_t bit)
{
  struct sim_flash *flash = &situation->life->flash;
  if (bit != NO_BIT) {
    (void)sim_flash_touch(flash, bit / 8, 1);
    sim_flash_bytes(flash)[bit / 8] ^= (uint8_t)(1U << (bit % 8));
  }
}

static void damage(struct situation *situation, enum lb_reset reset)
{
  static const char *const resets[RESETS] = {"power", "command", "crash", "watchdog"};
  struct life *life = situation->life;
  sim_flash_rewind(&life->flash);
  sim_flash_unprotect_all(&life->flash);
  sim_flash_clear_counters(&life->flash);
  life->endless = false;
  flip(situation, situation->bits[0]);
  flip(situation, situation->bits[1]);
  snprintf(situation->place + strcspn(situation->place, ":"), 80, ": bit 0x%x.%u, 0x%x.%u, reset by %s",
           (unsigned)(situation->bits[0] / 8), (unsigned)(situation->bits[0] % 8), (unsigned)(situation->bits[1] / 8),
           (unsigned)(situation->bits[1] % 8), resets[reset]);
  situation->tally->place = situation->place;
}

/* Have both copies of the table been hit, or is no image whole? Then nothing can boot. */
static bool is_beyond_help(struct life *life)
{
  const uint8_t *bytes = sim_flash_bytes(&life->flash);
  const bool table = memcmp(bytes + LB_TABLE_ADDRESS, life->made.bytes, LB_TABLE_SIZE) == 0 ||
                     memcmp(bytes + LB_TABLE_COPY_ADDRESS, life->made.bytes, LB_TABLE_SIZE) == 0;
  return !table || !life_any_image(life);
}

/* ---- what has to hold ---- */

/* Boots, and compares what boots with the images there are. */
static bool boots(struct situation *situation, enum lb_reset reset)
{
  struct life *life = situation->life;
  struct tally *tally = situation->tally;
  const int result = life_boot(life, reset);
  if (result != LB_OK) {
    if (!is_beyond_help(life)) {
      tally_stranded(tally, "%s", life_result_name(result));
    } else if (!life_is_named(result)) {
      tally_broken(tally, "error %d has no name", result);
    } else {
      tally->counts[NONE_LEFT]++;
    }
    return false;
  }
  if (life_image_in(life, &life->decision.partition) == LIFE_NO_IMAGE) {
    tally_broken(tally, "%s boots, which is no image that there is", life->decision.partition.label);
    return false;
  }
  tally->counts[BOOTS]++;
  tally->counts[COPY_USED] += life->table.address == LB_TABLE_COPY_ADDRESS ? 1U : 0U;
  if (life_violations(life) > 0) {
    tally_broken(tally, "factory, the running slot or the table was to be changed");
  }
  life_protect(life);
  return true;
}

/* The new image is what boots, first on trial, then confirmed. */
static void check_confirmed(struct situation *situation, const struct life_update *update)
{
  struct life *life = situation->life;
  struct tally *tally = situation->tally;
  if (!boots(situation, LB_RESET_COMMANDED)) {
    return;
  }
  if (!lb_partition_same(&life->decision.partition, &update->target) ||
      life_image_in(life, &update->target) != (int)update->image) {
    tally_broken(tally, "%s was flashed, but %s boots", update->target.label, life->decision.partition.label);
    return;
  }
  if (!life->decision.on_trial && situation->trial_due) {
    tally_broken(tally, "%s was never confirmed and is not on trial", update->target.label);
  }
  const int err = life->decision.on_trial ? life_confirm(life) : LB_OK;
  if (err) {
    tally_broken(tally, "the confirmation failed: %s", life_result_name(err));
    return;
  }
  if (boots(situation, LB_RESET_POWER_ON) &&
      (!lb_partition_same(&life->decision.partition, &update->target) || life->decision.on_trial)) {
    tally_broken(tally, "the confirmation was lost: %s boots", life->decision.partition.label);
    return;
  }
  tally->counts[CONFIRMED]++;
}

/* The firmware that runs gets the next update; if it is on trial it is confirmed first. */
static void check_update(struct situation *situation, struct life_update update)
{
  struct life *life = situation->life;
  struct tally *tally = situation->tally;
  const int running = life_image_in(life, &life->decision.partition);
  int err = life->decision.on_trial ? life_confirm(life) : LB_OK;
  situation->trial_due = running != (int)update.image && situation->bits[1] == NO_BIT;
  if (err == LB_OK) {
    err = life_update(life, &update);
  }
  if (err || life->endless) {
    tally_broken(tally, "the update from %s %s: %s", life->decision.partition.label,
                 life->endless ? "does not end" : "failed", life_result_name(err));
    return;
  }
  if (!life_is_named(life->history_error)) {
    tally_broken(tally, "error %d of the history has no name", life->history_error);
  }
  tally->counts[UPDATES]++;
  tally->counts[RESUMED] += update.resumed_at > 0 ? 1U : 0U;
  check_confirmed(situation, &update);
}

/* Whatever was decided about the damage, the next boot decides it again. */
static bool boots_the_same(struct situation *situation)
{
  const struct lb_boot_decision before = situation->life->decision;
  const struct lb_boot_decision *after = &situation->life->decision;
  if (!boots(situation, LB_RESET_COMMANDED)) {
    return false;
  }
  if (!lb_partition_same(&before.partition, &after->partition) || before.on_trial != after->on_trial) {
    tally_broken(situation->tally, "%s boots, and then %s", before.partition.label, after->partition.label);
    return false;
  }
  return true;
}

static void try_reset(struct situation *situation, enum lb_reset reset)
{
  damage(situation, reset);
  const bool rejected = situation->state == LIFE_REJECTED;
  if (!boots(situation, reset)) {
    return;
  }
  situation->tally->counts[OTHER_BOOTED] += situation->life->decision.partition.offset != situation->usual ? 1U : 0U;
  if (rejected && situation->bits[1] == NO_BIT &&
      life_image_in(situation->life, &situation->life->decision.partition) == 2 &&
      situation->life->decision.selected_error == LB_OK) {
    tally_broken(situation->tally, "the image that failed its trial is selected again");
  }
  if (boots_the_same(situation)) {
    check_update(situation, life_next_update(situation->state));
  }
}

/* Whatever has rotted: firmware on trial that does nothing but crash is left after a few times. */
static void try_crash_loop(struct situation *situation)
{
  struct life *life = situation->life;
  damage(situation, LB_RESET_CRASH);
  situation->tally->counts[CRASH_LOOPS]++;
  for (uint32_t i = 0; i <= LIFE_ATTEMPTS; i++) {
    if (!boots(situation, LB_RESET_CRASH)) {
      return;
    }
    if (life_image_in(life, &life->decision.partition) != 2) {
      return;
    }
  }
  if (situation->bits[1] == NO_BIT) {
    tally_broken(situation->tally, "%s crashes for ever", life->decision.partition.label);
  } else {
    situation->tally->counts[TRIAL_LOST]++;
  }
}

/* Another image, whose validator differs in a bit, must not be mixed with what the journal is about. */
static void try_other_image(struct situation *situation)
{
  damage(situation, LB_RESET_POWER_ON);
  if (boots(situation, LB_RESET_POWER_ON)) {
    check_update(situation, (struct life_update){.image = 3});
  }
}

static void try_bits(struct situation *situation, uint32_t first, uint32_t second, bool of_otadata)
{
  const bool on_trial = situation->state == LIFE_ON_TRIAL;
  situation->bits[0] = first;
  situation->bits[1] = second;
  for (uint32_t reset = 0; reset < (on_trial && of_otadata ? RESETS : 1U); reset++) {
    try_reset(situation, (enum lb_reset)reset);
  }
  if (on_trial && of_otadata) {
    try_crash_loop(situation);
  }
}

/* ---- which bits ---- */

static void try_range(struct situation *situation, uint32_t address, uint32_t length, enum counted counted)
{
  const uint32_t phase = (uint32_t)situation->state * 7U % options.every;
  for (uint32_t bit = 8 * address + phase; bit < 8 * (address + length); bit += options.every) {
    try_bits(situation, bit, NO_BIT, counted == OTADATA_BITS);
    if (counted == JOURNAL_BITS) {
      try_other_image(situation);
    }
    situation->tally->counts[counted]++;
  }
}

static void try_each_bit(struct situation *situation)
{
  struct life *life = situation->life;
  struct lb_partition slots[LIFE_SLOTS];
  const struct lb_partition otadata = life_partition(life, "otadata");
  const uint32_t sector = life->flash.driver.erase_sizes[0];
  /* Behind the first sector of a half there is never anything; on the real chip a half is one sector. */
  for (uint32_t half = 0; half < LB_OTADATA_RECORDS; half++) {
    try_range(situation, otadata.offset + half * (LB_OTADATA_SIZE / 2), sector, OTADATA_BITS);
  }
  for (uint32_t count = life_slots(life, slots); count > 0; count--) {
    const struct lb_partition *slot = &slots[count - 1];
    try_range(situation, slot->offset, LB_IMAGE_HEAD_SIZE, HEAD_BITS_TRIED);
    if (situation->state == LIFE_INTERRUPTED && lb_partition_is_ota(slot) && slot->offset != situation->usual) {
      try_range(situation, slot->offset + slot->size - sector, sector, JOURNAL_BITS);
    }
  }
  /* The table has nothing to do with the state: two of them are enough. */
  if (situation->state == LIFE_FRESH || situation->state == LIFE_INTERRUPTED) {
    try_range(situation, LB_TABLE_ADDRESS, LB_TABLE_SIZE, TABLE_BITS);
    try_range(situation, LB_TABLE_COPY_ADDRESS, LB_TABLE_SIZE, TABLE_BITS);
  }
}

/* A bit of any place that is written in a life, likelier where there is more meaning in it. */
static uint32_t choose(struct situation *situation, struct unit_random *random, bool *of_otadata)
{
  struct life *life = situation->life;
  struct lb_partition slots[LIFE_SLOTS];
  const uint32_t count = life_slots(life, slots);
  const struct lb_partition otadata = life_partition(life, "otadata");
  const struct lb_partition *slot = &slots[unit_random_below(random, count)];
  const uint32_t half = otadata.offset + unit_random_below(random, 2) * (LB_OTADATA_SIZE / 2);
  *of_otadata = false;
  switch (unit_random_below(random, 6)) {
  case 0:
    *of_otadata = true;
    return 8 * half + unit_random_below(random, 8 * 256);
  case 1:
    return 8 * (unit_random_below(random, 2) ? LB_TABLE_ADDRESS : LB_TABLE_COPY_ADDRESS) +
           unit_random_below(random, 8 * 9 * LB_TABLE_ROW);
  case 2:
    return 8 * life_partition(life, "nvs").offset + unit_random_below(random, 8 * 0x4000);
  case 3:
    return 8 * (slot->offset + slot->size) - 1 - unit_random_below(random, 8 * 256);
  default:
    return 8 * slot->offset + unit_random_below(random, 8 * life->images[2].length);
  }
}

static void try_by_chance(struct situation *situation, uint32_t number)
{
  struct unit_random random = {.state = options.seed * 1000003U + number};
  for (uint32_t i = 0; i < options.random; i++) {
    bool first_of_otadata;
    bool second_of_otadata;
    const uint32_t first = choose(situation, &random, &first_of_otadata);
    const uint32_t second = choose(situation, &random, &second_of_otadata);
    try_bits(situation, first, NO_BIT, first_of_otadata);
    situation->tally->counts[RANDOM_BITS]++;
    if (first != second) {
      try_bits(situation, first, second, first_of_otadata || second_of_otadata);
      situation->tally->counts[PAIRS]++;
    }
  }
}

static void run_situation(uint32_t number, struct tally *tally)
{
  const enum life_chip chip = number % 2 ? LIFE_REAL : LIFE_MINIATURE;
  const enum life_layout layout = number / 2 % 2 ? LIFE_WITHOUT_FACTORY : LIFE_WITH_FACTORY;
  struct situation situation = {.tally = tally, .state = (enum life_state)(number / 4), .bits = {NO_BIT, NO_BIT}};
  struct life *life = unit_allocate(sizeof *life);
  life_open(life, chip, layout, situation.state);
  situation.life = life;
  situation.usual = life->decision.partition.offset;
  snprintf(situation.place, sizeof situation.place, "%s, %s, %s", life_state_name(situation.state),
           chip == LIFE_REAL ? "real" : "miniature", layout == LIFE_WITH_FACTORY ? "factory" : "no factory");
  if (!sim_flash_mark(&life->flash)) {
    tally_broken(tally, "no memory");
    return;
  }
  try_each_bit(&situation);
  try_by_chance(&situation, number);
  life_close(life);
  free(life);
}

int main(int argc, char **argv)
{
  static struct tally total;
  for (int i = 1; i < argc; i += 2) {
    const char *value = i + 1 < argc ? argv[i + 1] : "";
    if (strcmp(argv[i], "--every") == 0 && tally_number(value) > 0) {
      options.every = (uint32_t)tally_number(value);
    } else if (strcmp(argv[i], "--random") == 0 && *value) {
      options.random = (uint32_t)tally_number(value);
    } else if (strcmp(argv[i], "--seed") == 0 && *value) {
      options.seed = tally_number(value);
    } else {
      fprintf(stderr, "usage: rot [--every N] [--random N] [--seed N]\n");
      return 2;
    }
  }
  printf("rot: %u situations, one bit in %u, %u by chance in each, seed 0x%llx\n", (unsigned)SITUATIONS,
         (unsigned)options.every, (unsigned)options.random, (unsigned long long)options.seed);
  tally_share_out(&total, SITUATIONS, run_situation, SECONDS);
  printf("rot: %llu trials ended early by two flipped bits\n", (unsigned long long)total.counts[TRIAL_LOST]);
  return tally_end(&total, "rot", names, COUNTED);
}
