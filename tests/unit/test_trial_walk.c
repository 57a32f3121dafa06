// SPDX-License-Identifier: MIT
/*
 * Random walks: updates, `ota boot`, confirming, erasing, rotten bits and resets in any order. After every one of them
 * the one promise that trials are for: if whatever was not confirmed crashes for ever, the module ends in firmware that
 * was confirmed, or in factory. What was confirmed is remembered beside the library, by digest.
 */
#include "lifeboat/boot.h"
#include "lifeboat/erase.h"
#include "lifeboat/select.h"
#include "lifeboat/target.h"
#include "lifeboat/trial.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/trial_bytes.h"
#include "tests/unit/support/unit.h"

#define WALKS       300U /* of each kind of module */
#define OPERATIONS  14U
#define ATTEMPTS    3U
#define CRASHES     8U /* more than a trial bears, and one that follows it */
#define LENGTH      1536U
#define PIECE       100U
#define GOOD_MAX    64U
#define STORY_SIZE  8000U
#define OTADATA_LEN (2U * OTADATA_HALF)

struct module_kind {
  bool factory;
  uint32_t slots;
  bool one_update; /* none after another without a reset, as the module's guard has it */
  bool rots;
};

struct walk {
  struct module_kind kind;
  struct fixture fixture;
  struct lb_boot_decision decision;
  struct lb_verify verify;
  struct unit_random random;
  uint8_t good[GOOD_MAX][LB_SHA256_SIZE]; /* digests of what was confirmed */
  uint32_t goods;
  uint32_t images; /* made so far: no two are the same */
  uint32_t rotten; /* bits: each in another byte, lest one heals */
  bool selected;   /* something, since the last reset */
  char story[STORY_SIZE];
};

static void tell(struct walk *walk, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tell(struct walk *walk, const char *format, ...)
{
  size_t length = strlen(walk->story);
  va_list arguments;

  va_start(arguments, format);
  (void)vsnprintf(walk->story + length, sizeof(walk->story) - length, format, arguments);
  va_end(arguments);
}

static uint32_t below(struct walk *walk, uint32_t bound)
{
  return unit_random_below(&walk->random, bound);
}

/* ---- what was confirmed ---- */

static bool knows(void *context, const uint8_t digest[LB_SHA256_SIZE])
{
  const struct walk *walk = context;

  for (uint32_t i = 0; i < walk->goods; i++) {
    if (memcmp(walk->good[i], digest, LB_SHA256_SIZE) == 0) {
      return true;
    }
  }
  return false;
}

static bool holds_good(struct walk *walk, const struct lb_partition *slot)
{
  return lb_verify_partition(&walk->verify, &walk->fixture.device, slot) == LB_OK &&
         knows(walk, walk->verify.image.info.digest);
}

static void remember(struct walk *walk, const struct lb_partition *slot)
{
  if (lb_verify_partition(&walk->verify, &walk->fixture.device, slot) == LB_OK) {
    assert_true(walk->goods < GOOD_MAX);
    memcpy(walk->good[walk->goods++], walk->verify.image.info.digest, LB_SHA256_SIZE);
  }
}

/* ---- booting, and the promise ---- */

static int boot(struct walk *walk, enum lb_reset reset, struct lb_boot_decision *decision)
{
  static struct lb_table table;
  struct lb_device device = walk->fixture.device;

  return lb_boot(&device, &table, &walk->verify, NULL, reset, decision);
}

/* A bootloader writes to nothing but otadata (trial_boot asserts that elsewhere), so that is all to be put back. */
static bool ends_well(struct walk *walk)
{
  uint8_t otadata[OTADATA_LEN];
  struct lb_boot_decision decision;

  memcpy(otadata, trial_half(&walk->fixture, 0), OTADATA_LEN);
  int result = boot(walk, LB_RESET_COMMANDED, &decision);
  for (uint32_t i = 0; result == LB_OK && decision.on_trial && i < CRASHES; i++) {
    result = boot(walk, LB_RESET_CRASH, &decision);
  }
  if (result == LB_OK) { /* and there it stays */
    result = boot(walk, LB_RESET_CRASH, &decision);
  }
  bool well = result == LB_OK && holds_good(walk, &decision.partition);
  if (!well) {
    tell(walk, "  when all crashes, it ends in %s (%s)\n", result == LB_OK ? decision.partition.label : "nothing",
         unit_result_name(result));
  }
  memcpy(trial_half(&walk->fixture, 0), otadata, OTADATA_LEN);
  return well;
}

/* ---- what happens ---- */

static struct lb_trial_terms draw_terms(struct walk *walk)
{
  return (struct lb_trial_terms){.attempts = ATTEMPTS, .context = walk, .was_confirmed = below(walk, 2) ? knows : NULL};
}

static struct lb_partition draw_slot(struct walk *walk)
{
  struct lb_partition slot;

  assert_result(lb_table_ota_slot(&walk->fixture.table, below(walk, walk->kind.slots), &slot), LB_OK);
  return slot;
}

static int choose_slot(struct walk *walk, struct lb_partition *slot)
{
  struct lb_target target;
  int result = lb_target_start(&target, &walk->fixture.device, &walk->decision.partition);

  result = result == LB_OK ? LB_MORE : result;
  while (result == LB_MORE) {
    result = lb_target_step(&target);
  }
  *slot = target.slot;
  return result;
}

/* Some bytes of it, and if it is whole, some steps of its end; which may be all. */
static int write_update(struct lb_update *update, const struct built_image *image, uint32_t bytes, uint32_t steps)
{
  int result = LB_OK;

  for (uint32_t at = 0; result == LB_OK && at < bytes;) {
    uint32_t used = 0;

    result = lb_update_write(update, image->bytes + at, bytes - at < PIECE ? bytes - at : PIECE, &used);
    at += used;
  }
  result = result == LB_OK ? LB_MORE : result;
  while (result == LB_MORE && bytes == image->length && steps-- > 0) {
    result = lb_update_finish(update);
  }
  return result;
}

static void update(struct walk *walk, bool explicitly)
{
  static struct lb_update session;
  struct lb_partition slot;
  struct built_image image;
  char version[16];

  if (walk->kind.one_update && walk->selected) {
    return;
  }
  if (explicitly) {
    slot = draw_slot(walk);
  } else {
    assert_result(choose_slot(walk, &slot), LB_OK);
  }
  struct lb_update_config config = fixture_config(&walk->fixture, walk->decision.partition.label, slot.label);
  config.trial = draw_terms(walk);
  (void)snprintf(version, sizeof(version), "%u", (unsigned)walk->images);
  image_make(&image, 1000 + walk->images++, LENGTH, version);
  uint32_t bytes = below(walk, 4) == 0 ? below(walk, LENGTH) : image.length;
  uint32_t steps = below(walk, 3) == 0 ? below(walk, 40) : UINT32_MAX;
  int result = lb_update_start(&session, &config);
  if (result == LB_OK) {
    result = write_update(&session, &image, bytes, steps);
  }
  tell(walk, "  %u bytes flashed to %s%s from %s: %s\n", (unsigned)bytes, slot.label, explicitly ? ", as told," : "",
       walk->decision.partition.label, unit_result_name(result));
  walk->selected = true;
  image_free(&image);
}

static void select_any(struct walk *walk)
{
  struct lb_select select;
  const struct lb_trial_terms terms = draw_terms(walk);
  bool factory = walk->kind.factory && below(walk, walk->kind.slots + 1) == 0;
  const struct lb_partition slot = factory ? fixture_partition(&walk->fixture, "factory") : draw_slot(walk);
  int result = lb_select_start(&select, &walk->fixture.device, &slot, &terms);

  result = result == LB_OK ? LB_MORE : result;
  while (result == LB_MORE) {
    result = lb_select_step(&select);
  }
  tell(walk, "  ota boot %s: %s%s\n", slot.label, unit_result_name(result),
       result == LB_OK && select.on_trial ? " on trial" : "");
  walk->selected = true;
}

static void confirm(struct walk *walk)
{
  int result = lb_trial_confirm(&walk->fixture.device, &walk->decision.partition);

  tell(walk, "  %s confirms itself: %s\n", walk->decision.partition.label, unit_result_name(result));
  if (result == LB_OK) {
    remember(walk, &walk->decision.partition);
  }
}

static void erase(struct walk *walk)
{
  struct lb_erase work;
  const struct lb_partition slot = draw_slot(walk);
  int result = lb_erase_start(&work, &walk->fixture.device, &walk->decision.partition, &slot);

  result = result == LB_OK ? LB_MORE : result;
  while (result == LB_MORE) {
    result = lb_erase_step(&work);
  }
  tell(walk, "  ota erase %s: %s\n", slot.label, unit_result_name(result));
}

/*
 * A bit changes. Without factory it spares what runs, which may be confirmed a moment later without being read again,
 * and what a failed trial goes back to: else nothing would be left that was confirmed and that the bootloader knows of.
 */
static void rot(struct walk *walk)
{
  const struct lb_partition slot = draw_slot(walk);
  uint8_t *byte = fixture_bytes(&walk->fixture) + slot.offset + 512 + walk->rotten;
  struct lb_otadata otadata;
  struct lb_partition fallback;

  assert_result(lb_otadata_read(&otadata, &walk->fixture.device), LB_OK);
  assert_result(lb_otadata_fallback(&otadata, &walk->fixture.table, &fallback), LB_OK);
  if (!walk->kind.factory &&
      (lb_partition_same(&slot, &walk->decision.partition) || lb_partition_same(&slot, &fallback))) {
    return;
  }
  *byte ^= 4;
  walk->rotten++;
  tell(walk, "  a bit of %s rots\n", slot.label);
}

static void operate(struct walk *walk)
{
  switch (below(walk, walk->kind.rots ? 8 : 7)) {
  case 0:
  case 1:
    update(walk, false);
    break;
  case 2:
    update(walk, true);
    break;
  case 3:
    select_any(walk);
    break;
  case 4:
    confirm(walk);
    break;
  case 5:
  case 6:
    erase(walk);
    break;
  default:
    rot(walk);
    break;
  }
}

static bool reset(struct walk *walk)
{
  enum lb_reset kind = (enum lb_reset)below(walk, 4);
  int result = boot(walk, kind, &walk->decision);

  tell(walk, "reset %u: %s%s\n", (unsigned)kind, result == LB_OK ? walk->decision.partition.label : "nothing boots",
       result == LB_OK && walk->decision.on_trial ? " on trial" : "");
  walk->selected = false;
  return result == LB_OK;
}

/* ---- walks ---- */

static void begin(struct walk *walk, const struct module_kind *kind, uint64_t seed)
{
  memset(walk, 0, sizeof(*walk));
  walk->kind = *kind;
  walk->random.state = seed;
  fixture_open_miniature(&walk->fixture, kind->factory, kind->slots);
  if (kind->factory) {
    const struct lb_partition factory = fixture_partition(&walk->fixture, "factory");

    fixture_put_made(&walk->fixture, "factory", 1, 1024);
    remember(walk, &factory);
  }
  const struct lb_partition first = fixture_partition(&walk->fixture, "ota_0");
  fixture_put_made(&walk->fixture, "ota_0", 2, 1024);
  remember(walk, &first);
  if (!kind->factory || below(walk, 2)) {
    fixture_put_record(&walk->fixture, 0, 1, LB_OTADATA_VALID);
  }
  assert_result(boot(walk, LB_RESET_POWER_ON, &walk->decision), LB_OK);
}

static bool go(struct walk *walk)
{
  for (uint32_t i = 0; i < OPERATIONS; i++) {
    operate(walk);
    if (!ends_well(walk) || (below(walk, 3) == 0 && !reset(walk))) {
      return false;
    }
  }
  return true;
}

static void walk_all(const struct module_kind *kind, uint64_t first_seed)
{
  static struct walk walk;

  for (uint32_t i = 0; i < WALKS; i++) {
    begin(&walk, kind, first_seed + i);
    bool well = go(&walk);
    fixture_close(&walk.fixture);
    if (!well) {
      fail_here("walk %u (LIFEBOAT_SEED=%llu makes it the first): %s factory, %u slots%s%s\n%s", (unsigned)i,
                (unsigned long long)(first_seed + i), kind->factory ? "with" : "without", (unsigned)kind->slots,
                kind->one_update ? ", one update at a time" : "", kind->rots ? ", rot" : "", walk.story);
    }
  }
}

static void walk_kinds(const char *test, bool factory, uint32_t slots)
{
  struct unit_random seeds;

  unit_random_seed(&seeds, test, 20261122);
  for (uint32_t i = 0; i < 4; i++) {
    const struct module_kind kind = {
        .factory = factory, .slots = slots, .one_update = (i & 1U) != 0, .rots = (i & 2U) != 0};

    walk_all(&kind, seeds.state);
  }
}

static void test_factory_and_two_slots(void **state)
{
  (void)state;
  walk_kinds(__func__, true, 2);
}

static void test_factory_and_three_slots(void **state)
{
  (void)state;
  walk_kinds(__func__, true, 3);
}

static void test_two_slots(void **state)
{
  (void)state;
  walk_kinds(__func__, false, 2);
}

static void test_three_slots(void **state)
{
  (void)state;
  walk_kinds(__func__, false, 3);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_factory_and_two_slots),
      cmocka_unit_test(test_factory_and_three_slots),
      cmocka_unit_test(test_two_slots),
      cmocka_unit_test(test_three_slots),
  };

  return cmocka_run_group_tests_name("random walks through trials", tests, NULL, NULL);
}
