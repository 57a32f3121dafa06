// SPDX-License-Identifier: MIT
/*
 * Wear: thousands of updates in a row, in the patterns that owners and developers have. The sector that is erased most
 * may be erased at most 1.1 times an update. The history is kept on the real chip, as a module keeps it.
 *
 *   wear [--updates N] [--seed N]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lifeboat/error.h"
#include "tests/damage/module_on_flash.h"
#include "tests/damage/tally.h"
#include "tests/unit/support/unit.h"

#define SECONDS          3600U
#define PER_UPDATE_TENTH 11U /* erases of the worst sector in ten updates, at most */

enum counted { UPDATES, BOOTS, REJECTED, RESUMED, PATTERNS, COUNTED };

static const char *const names[COUNTED] = {
    "updates", "boots", "trials that failed", "updates that were cut and resumed", "patterns, each on both chips",
};

static struct options {
  uint32_t updates;
  uint64_t seed;
} options = {10000, 1};

struct wearing {
  struct life *life;
  struct tally *tally;
  struct unit_random random;
  bool failed;
};

/* ---- what happens in a life ---- */

static bool is(struct wearing *wearing, int result, int expected, const char *what)
{
  if (result != expected && !wearing->failed) {
    tally_broken(wearing->tally, "%s: %s", what, life_result_name(result));
    wearing->failed = true;
  }
  return !wearing->failed;
}

static void boot(struct wearing *wearing, enum lb_reset reset)
{
  wearing->tally->counts[BOOTS]++;
  (void)is(wearing, life_boot(wearing->life, reset), LB_OK, "a boot");
}

/* Image 1 is the one that was confirmed at the beginning; the others take turns, and are welcome after a failure, too.
 */
static uint32_t image_of(uint32_t number)
{
  return 2 + number % 2;
}

static void update(struct wearing *wearing, uint32_t number)
{
  struct life_update update = {.image = image_of(number), .force = true};
  (void)is(wearing, life_update(wearing->life, &update), LB_OK, "an update");
  wearing->tally->counts[UPDATES]++;
}

static void confirm(struct wearing *wearing)
{
  boot(wearing, LB_RESET_COMMANDED);
  if (wearing->life->decision.on_trial) {
    (void)is(wearing, life_confirm(wearing->life), LB_OK, "a confirmation");
  }
}

static void crash(struct wearing *wearing)
{
  boot(wearing, LB_RESET_COMMANDED);
  for (uint32_t i = 0; i < LIFE_ATTEMPTS && wearing->life->decision.on_trial; i++) {
    boot(wearing, LB_RESET_CRASH);
    wearing->tally->counts[REJECTED] += wearing->life->decision.went_back ? 1U : 0U;
  }
}

/* ---- patterns; each call is one update ---- */

static void in_turn(struct wearing *wearing, uint32_t number)
{
  update(wearing, number);
  confirm(wearing);
}

static void without_booting(struct wearing *wearing, uint32_t number)
{
  update(wearing, number);
}

static void into_the_same_slot(struct wearing *wearing, uint32_t number)
{
  struct life_update what = {.image = image_of(number), .slot = "ota_1", .force = true};
  (void)is(wearing, life_update(wearing->life, &what), LB_OK, "an update to ota_1");
  wearing->tally->counts[UPDATES]++;
}

/* Each of them into the slot that was booted from factory, which goes on trial and is left by the operator. */
static void booted_from_factory(struct wearing *wearing, uint32_t number)
{
  into_the_same_slot(wearing, number);
  boot(wearing, LB_RESET_COMMANDED);
  (void)is(wearing, lb_trial_reject(&wearing->life->device, &wearing->life->decision.partition, LB_TRIAL_OPERATOR),
           LB_OK, "a rejection");
  boot(wearing, LB_RESET_COMMANDED);
}

static void the_same_again(struct wearing *wearing, uint32_t number)
{
  (void)number;
  update(wearing, 0);
}

static void rejected_in_turn(struct wearing *wearing, uint32_t number)
{
  update(wearing, number);
  if (number % 2) {
    crash(wearing);
  } else {
    confirm(wearing);
  }
}

static void always_rejected(struct wearing *wearing, uint32_t number)
{
  update(wearing, number);
  crash(wearing);
}

/* The link is lost somewhere, or the power goes, and then the same update goes on. */
static void cut_and_resume(struct wearing *wearing, uint32_t number)
{
  struct life *life = wearing->life;
  struct life_update what = {.image = image_of(number), .force = true};
  const uint32_t length = life->images[what.image].length;
  what.stop_after = LB_IMAGE_HEAD_SIZE + unit_random_below(&wearing->random, length - LB_IMAGE_HEAD_SIZE);
  (void)is(wearing, life_update(life, &what), LB_MORE, "an update that is cut");
  if (number % 2) {
    boot(wearing, LB_RESET_POWER_ON);
  }
  what.stop_after = 0;
  (void)is(wearing, life_update(life, &what), LB_OK, "an update that goes on");
  wearing->tally->counts[RESUMED] += what.resumed_at > 0 ? 1U : 0U;
  wearing->tally->counts[UPDATES]++;
}

static void cut_and_resumed(struct wearing *wearing, uint32_t number)
{
  cut_and_resume(wearing, number);
  confirm(wearing);
}

/* A block that was cut is erased twice: the same one each time, where an image has but few. So both halves count. */
static void cut_and_rejected(struct wearing *wearing, uint32_t number)
{
  cut_and_resume(wearing, number);
  crash(wearing);
  wearing->tally->counts[UPDATES]++;
}

static const struct pattern {
  const char *name;
  enum life_layout layout;
  enum life_state state;
  void (*live)(struct wearing *wearing, uint32_t number);
} patterns[] = {
    {"flashed, booted, confirmed", LIFE_WITH_FACTORY, LIFE_CONFIRMED, in_turn},
    {"the same without factory", LIFE_WITHOUT_FACTORY, LIFE_CONFIRMED, in_turn},
    {"flashed again and again without booting", LIFE_WITH_FACTORY, LIFE_CONFIRMED, without_booting},
    {"the same without factory", LIFE_WITHOUT_FACTORY, LIFE_CONFIRMED, without_booting},
    {"the same image again and again", LIFE_WITH_FACTORY, LIFE_CONFIRMED, the_same_again},
    {"from factory without booting", LIFE_WITH_FACTORY, LIFE_FRESH, without_booting},
    {"from factory into the same slot without booting", LIFE_WITH_FACTORY, LIFE_FRESH, into_the_same_slot},
    {"from factory into the same slot, each rejected", LIFE_WITH_FACTORY, LIFE_FRESH, booted_from_factory},
    {"from the delivered slot without booting, no factory", LIFE_WITHOUT_FACTORY, LIFE_FRESH, without_booting},
    {"every other one fails its trial", LIFE_WITH_FACTORY, LIFE_CONFIRMED, rejected_in_turn},
    {"every one fails its trial", LIFE_WITH_FACTORY, LIFE_CONFIRMED, always_rejected},
    {"every one fails its trial, back to factory", LIFE_WITH_FACTORY, LIFE_FRESH, always_rejected},
    {"every one fails its trial, no factory", LIFE_WITHOUT_FACTORY, LIFE_FRESH, always_rejected},
    {"cut and resumed", LIFE_WITH_FACTORY, LIFE_CONFIRMED, cut_and_resumed},
    {"cut and resumed into the same slot, each half counted", LIFE_WITH_FACTORY, LIFE_CONFIRMED, cut_and_rejected},
    {"cut and resumed, no factory", LIFE_WITHOUT_FACTORY, LIFE_CONFIRMED, cut_and_resumed},
};

#define PATTERN_COUNT (sizeof patterns / sizeof patterns[0])

/* ---- counting ---- */

static const char *label_of(const struct life *life, uint32_t address)
{
  static struct lb_partition partition;
  for (uint32_t i = 0; lb_table_get(&life->made, i, &partition) == LB_OK; i++) {
    if (address >= partition.offset && address - partition.offset < partition.size) {
      return partition.label;
    }
  }
  return "no partition";
}

static void judge(struct wearing *wearing, const struct pattern *pattern, enum life_chip chip, uint64_t updates)
{
  struct life *life = wearing->life;
  const uint32_t sector = life->flash.driver.erase_sizes[0];
  const uint32_t most = sim_flash_wear_max(&life->flash);
  uint32_t address = 0;
  while (sim_flash_wear(&life->flash, address) != most) {
    address += sector;
  }
  printf("wear: %-9s %-52s %6llu updates, worst sector 0x%05x in %s: %6u erases, %.3f an update\n",
         chip == LIFE_REAL ? "real" : "miniature", pattern->name, (unsigned long long)updates, (unsigned)address,
         label_of(life, address), (unsigned)most, updates ? (double)most / (double)updates : 0.0);
  if ((uint64_t)most * 10U > updates * PER_UPDATE_TENTH) {
    tally_broken(wearing->tally, "the worst sector wears too fast");
  }
}

static void run_pattern(uint32_t number, struct tally *tally)
{
  const struct pattern *pattern = &patterns[number / 2];
  const enum life_chip chip = number % 2 ? LIFE_REAL : LIFE_MINIATURE;
  struct life *life = unit_allocate(sizeof *life);
  struct wearing wearing = {.life = life, .tally = tally, .random = {.state = options.seed * 1000003U + number}};
  const uint64_t before = tally->counts[UPDATES];
  tally->place = pattern->name;
  life_open(life, chip, pattern->layout, pattern->state);
  memset(life->flash.wear, 0, life->flash.driver.size / life->flash.driver.erase_sizes[0] * sizeof *life->flash.wear);
  for (uint32_t i = 0; i < options.updates && !wearing.failed; i++) {
    pattern->live(&wearing, i);
  }
  judge(&wearing, pattern, chip, tally->counts[UPDATES] - before);
  (void)is(&wearing, life->history_error, LB_OK, "the history");
  tally->counts[PATTERNS]++;
  life_close(life);
  free(life);
}

int main(int argc, char **argv)
{
  static struct tally total;
  for (int i = 1; i < argc; i += 2) {
    const char *value = i + 1 < argc ? argv[i + 1] : "";
    if (strcmp(argv[i], "--updates") == 0 && tally_number(value) > 0) {
      options.updates = (uint32_t)tally_number(value);
    } else if (strcmp(argv[i], "--seed") == 0 && *value) {
      options.seed = tally_number(value);
    } else {
      fprintf(stderr, "usage: wear [--updates N] [--seed N]\n");
      return 2;
    }
  }
  (void)setvbuf(stdout, NULL, _IOLBF, 0); /* the lines come from several processes */
  printf("wear: %u updates a pattern, seed 0x%llx\n", (unsigned)options.updates, (unsigned long long)options.seed);
  tally_share_out(&total, 2U * (uint32_t)PATTERN_COUNT, run_pattern, SECONDS);
  return tally_end(&total, "wear", names, COUNTED);
}
