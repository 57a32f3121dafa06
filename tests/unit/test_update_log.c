// SPDX-License-Identifier: MIT
/* The module's history of updates: what an update writes, and how entries follow what otadata says of their trials. */
#include "module/update_log.h"

#include "module/module.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/unit.h"

#define CALLS_MAX 200
#define SOURCE    "http://depot.test/ovms3.bin"

struct world {
  struct fixture fixture;
  struct module module;
  struct update_log *log;
  struct port port;
  struct port_clock clock;
  int64_t now;
};

static int64_t read_utc(void *context)
{
  return ((struct world *)context)->now;
}

/* An image with that version; its digests follow from it. */
static struct lb_image_info image(const char *version)
{
  struct lb_image_info info;

  memset(&info, 0, sizeof(info));
  (void)snprintf(info.description.version, sizeof(info.description.version), "%s", version);
  info.description.present = true;
  memset(info.description.elf_sha256, version[0] + 1, LB_SHA256_SIZE);
  memset(info.digest, version[0], LB_SHA256_SIZE);
  return info;
}

/* What is known of it when only its head has come. */
static struct lb_image_info head(const char *version)
{
  struct lb_image_info info = image(version);

  memset(info.digest, 0, sizeof(info.digest));
  return info;
}

/* Power on: a firmware in that slot; all entries have been gone through once. */
static void boot(struct world *world, const char *slot, const char *version)
{
  struct module *module = &world->module;
  int calls = 0;

  memset(module, 0, sizeof(*module));
  module->port = &world->port;
  module->table = &world->fixture.table;
  module->device = world->fixture.device;
  module->boot.partition = fixture_partition(&world->fixture, slot);
  module->firmware = image(version);
  settings_start(&module->settings, &module->device);
  update_log_start(&module->update_log, module);
  world->log = &module->update_log;
  while (update_log_at_boot(world->log) == LB_MORE) {
    assert_true(calls++ < CALLS_MAX);
  }
}

static struct world *open_world(void)
{
  struct world *world = unit_allocate(sizeof(*world));

  memset(world, 0, sizeof(*world));
  fixture_open_ovms(&world->fixture);
  world->clock = (struct port_clock){.context = world, .utc = read_utc};
  world->port.clock = &world->clock;
  world->now = 1795372200;
  boot(world, "factory", "0");
  return world;
}

static void close_world(struct world *world)
{
  fixture_close(&world->fixture);
  free(world);
}

/* ---- what happens ---- */

/* Calls until it is done; at most one erase each. */
#define DO(world, call)                                                                                                \
  do {                                                                                                                 \
    int result_of_call;                                                                                                \
    int calls_made = 0;                                                                                                \
    do {                                                                                                               \
      flash_tap_clear(&(world)->fixture.tap);                                                                          \
      result_of_call = (call);                                                                                         \
      assert_true((world)->fixture.tap.erases <= 1);                                                                   \
      assert_true(calls_made++ < CALLS_MAX);                                                                           \
    } while (result_of_call == LB_MORE);                                                                               \
    assert_result(result_of_call, LB_OK);                                                                              \
  } while (0)

static void begin(struct world *world, const char *source, const char *slot, const char *version)
{
  const struct update_facts facts = {.source = source, .slot = slot, .size = 1000000};
  const struct lb_image_info info = head(version);

  assert_result(update_log_begin(world->log, &facts), LB_OK);
  DO(world, update_log_image(world->log, &info));
}

static void end(struct world *world, enum lb_history_result result, int cause, const char *version)
{
  const struct lb_image_info info = image(version);

  DO(world, update_log_end(world->log, result, cause, result == LB_HISTORY_FLASHED ? info.digest : NULL));
}

static void review(struct world *world)
{
  update_log_review(world->log);
  DO(world, update_log_at_boot(world->log));
}

/* Otadata selects that slot, which has an image of that version. */
static void choose(struct world *world, uint32_t slot, const char *version, uint8_t attempts)
{
  const struct lb_image_info info = image(version);
  const struct lb_selection selection = {.slot = slot, .digest = info.digest, .attempts = attempts};
  struct lb_otadata otadata;

  assert_result(lb_otadata_read(&otadata, &world->fixture.device), LB_OK);
  DO(world, lb_otadata_select_slot(&otadata, &world->fixture.device, &selection));
}

static void choose_factory(struct world *world)
{
  struct lb_otadata otadata;

  assert_result(lb_otadata_read(&otadata, &world->fixture.device), LB_OK);
  DO(world, lb_otadata_select_factory(&otadata, &world->fixture.device));
}

static void confirm(struct world *world, const char *slot)
{
  const struct lb_partition partition = fixture_partition(&world->fixture, slot);

  assert_result(lb_trial_confirm(&world->fixture.device, &partition), LB_OK);
}

static void reject(struct world *world, const char *slot, enum lb_trial_cause cause)
{
  const struct lb_partition partition = fixture_partition(&world->fixture, slot);

  assert_result(lb_trial_reject(&world->fixture.device, &partition, cause), LB_OK);
}

/* A whole update onto an OTA slot, selected on trial. */
static void update(struct world *world, uint32_t slot, const char *version)
{
  begin(world, SOURCE, slot == 0 ? "ota_0" : "ota_1", version);
  choose(world, slot, version, 3);
  end(world, LB_HISTORY_FLASHED, LB_OK, version);
}

static struct lb_history_entry entry(struct world *world, uint32_t index)
{
  const struct lb_history *history = update_log_history(world->log);
  struct lb_history_entry found;

  assert_non_null(history);
  assert_result(lb_history_get(history, index, &found), LB_OK);
  return found;
}

static void assert_count(struct world *world, uint32_t count)
{
  const struct lb_history *history = update_log_history(world->log);

  assert_non_null(history);
  assert_int_equal(history->count, count);
}

/* The entry at an index has that number, result and cause. */
static void assert_entry(struct world *world, uint32_t index, uint32_t number, enum lb_history_result result, int cause)
{
  struct lb_history_entry found = entry(world, index);

  if (found.number != number || found.result != result || found.cause != cause) {
    fail_here("entry %u is number %u, result %d, cause %d", index, found.number, (int)found.result, (int)found.cause);
  }
}

static bool failed_before(struct world *world, const char *version, bool complete, struct lb_history_entry *found)
{
  const struct lb_image_info info = complete ? image(version) : head(version);

  return update_log_failed_before(world->log, &info, complete, found);
}

static bool was_confirmed(struct world *world, const char *version)
{
  const struct lb_image_info info = image(version);

  return update_log_was_confirmed(world->log, info.digest);
}

/* ---- an update ---- */

static void test_refused_before_the_flash_is_touched(void **state)
{
  struct world *world = open_world();
  const struct update_facts facts = {.source = SOURCE, .slot = "ota_0", .size = 5};
  const struct lb_image_info info = head("1");

  (void)state;
  flash_tap_clear(&world->fixture.tap);
  assert_result(update_log_image(world->log, &info), LB_OK); /* nothing was begun */
  assert_result(update_log_begin(world->log, &facts), LB_OK);
  assert_result(update_log_end(world->log, LB_HISTORY_FAILED, LB_ERR_IMAGE_CHIP, NULL), LB_OK);
  assert_result(update_log_image(world->log, &info), LB_OK); /* nor is it any more */
  assert_result(update_log_end(world->log, LB_HISTORY_FAILED, LB_ERR_IMAGE_CHIP, NULL), LB_OK);
  assert_result(update_log_at_boot(world->log), LB_OK);
  assert_int_equal(world->fixture.tap.programs + world->fixture.tap.erases, 0);
  assert_count(world, 0);
  close_world(world);
}

static void test_what_is_written(void **state)
{
  struct world *world = open_world();
  struct lb_image_info info = image("3.3.001");
  struct lb_history_entry found;

  (void)state;
  boot(world, "factory", "3.1.001");
  begin(world, SOURCE, "ota_0", "3.3.001");
  found = entry(world, 0);
  assert_true(update_log_is_under_way(world->log, &found));
  assert_int_equal(found.result, LB_HISTORY_BEGUN);
  assert_int_equal(found.size, 1000000);
  assert_string_equal(found.source, SOURCE);
  assert_string_equal(found.slot, "ota_0");
  assert_string_equal(found.from_slot, "factory");
  assert_string_equal(found.version, "3.3.001");
  assert_string_equal(found.from_version, "3.1.001");
  assert_memory_equal(found.elf_sha256, info.description.elf_sha256, LB_SHA256_SIZE);
  assert_true(found.begun == world->now && found.ended == 0);
  DO(world, update_log_image(world->log, &info)); /* its digest is known now */
  found = entry(world, 0);
  assert_memory_equal(found.digest, info.digest, LB_SHA256_SIZE);
  world->now += 60;
  end(world, LB_HISTORY_FAILED, LB_ERR_READ_BACK, "3.3.001");
  found = entry(world, 0);
  assert_false(update_log_is_under_way(world->log, &found));
  assert_true(found.begun == world->now - 60 && found.ended == world->now);
  assert_memory_equal(found.digest, info.digest, LB_SHA256_SIZE);
  review(world);
  assert_entry(world, 0, 1, LB_HISTORY_FAILED, LB_ERR_READ_BACK);
  assert_count(world, 1);
  close_world(world);
}

/* ---- what becomes of its trial ---- */

static void test_confirmed(void **state)
{
  struct world *world = open_world();

  (void)state;
  update(world, 0, "1");
  review(world);
  assert_entry(world, 0, 1, LB_HISTORY_FLASHED, LB_OK);
  boot(world, "ota_0", "1");
  assert_entry(world, 0, 1, LB_HISTORY_FLASHED, LB_OK);
  assert_false(was_confirmed(world, "1"));
  confirm(world, "ota_0");
  world->now += 500;
  review(world);
  assert_entry(world, 0, 1, LB_HISTORY_CONFIRMED, LB_OK);
  assert_true(entry(world, 0).ended == world->now);
  assert_true(was_confirmed(world, "1"));
  assert_false(was_confirmed(world, "2"));
  assert_false(failed_before(world, "1", true, NULL));
  update(world, 1, "2"); /* what is confirmed stays so */
  boot(world, "ota_1", "2");
  assert_entry(world, 0, 2, LB_HISTORY_FLASHED, LB_OK);
  assert_entry(world, 1, 1, LB_HISTORY_CONFIRMED, LB_OK);
  close_world(world);
}

static void test_rejected(void **state)
{
  struct world *world = open_world();
  struct lb_history_entry found;

  (void)state;
  assert_false(update_log_last_rejected(world->log, &found));
  update(world, 0, "1");
  boot(world, "ota_0", "1");
  reject(world, "ota_0", LB_TRIAL_HUNG);
  world->now += 900;
  boot(world, "factory", "0");
  assert_entry(world, 0, 1, LB_HISTORY_REJECTED, LB_TRIAL_HUNG);
  assert_true(failed_before(world, "1", true, &found));
  assert_true(found.number == 1 && found.cause == LB_TRIAL_HUNG && found.ended == world->now);
  assert_true(failed_before(world, "1", false, NULL));
  assert_false(failed_before(world, "2", true, NULL));
  assert_false(failed_before(world, "2", false, NULL));
  assert_false(was_confirmed(world, "1"));
  update(world, 1, "2"); /* its record is overwritten: the history remembers it */
  boot(world, "ota_1", "2");
  confirm(world, "ota_1");
  review(world);
  assert_entry(world, 0, 2, LB_HISTORY_CONFIRMED, LB_OK);
  assert_true(failed_before(world, "1", true, &found));
  assert_int_equal(found.number, 1);
  assert_true(update_log_last_rejected(world->log, &found));
  assert_int_equal(found.number, 1);
  update(world, 0, "1"); /* forced, and this time it works */
  boot(world, "ota_0", "1");
  assert_true(failed_before(world, "1", true, NULL));
  confirm(world, "ota_0");
  review(world);
  assert_false(failed_before(world, "1", true, NULL));
  assert_false(failed_before(world, "1", false, NULL));
  assert_true(was_confirmed(world, "1"));
  assert_entry(world, 0, 3, LB_HISTORY_CONFIRMED, LB_OK);
  assert_entry(world, 2, 1, LB_HISTORY_REJECTED, LB_TRIAL_HUNG);
  close_world(world);
}

/* Without nvs, or with another history, otadata's own tag remains. */
static void test_only_otadata_knows(void **state)
{
  struct world *world = open_world();
  struct lb_history_entry found;

  (void)state;
  choose(world, 0, "1", 3);
  reject(world, "ota_0", LB_TRIAL_CRASHED);
  assert_true(failed_before(world, "1", true, &found));
  assert_int_equal(found.number, 0);
  assert_int_equal(found.result, LB_HISTORY_REJECTED);
  assert_int_equal(found.cause, LB_TRIAL_CRASHED);
  assert_true(found.ended == 0);
  assert_false(failed_before(world, "1", false, NULL)); /* a tag has no ELF's digest */
  assert_false(failed_before(world, "2", true, NULL));
  close_world(world);
}

static void test_superseded(void **state)
{
  struct world *world = open_world();

  (void)state;
  update(world, 0, "1");
  choose_factory(world);
  review(world);
  assert_entry(world, 0, 1, LB_HISTORY_SUPERSEDED, LB_OK);
  choose(world, 0, "1", 3); /* by hand, once more */
  review(world);
  assert_entry(world, 0, 1, LB_HISTORY_SUPERSEDED, LB_OK);
  confirm(world, "ota_0");
  review(world);
  assert_entry(world, 0, 1, LB_HISTORY_CONFIRMED, LB_OK);
  close_world(world);
}

/* The same image in the other slot, and another one in the same slot. */
static void test_superseded_by_updates(void **state)
{
  struct world *world = open_world();

  (void)state;
  update(world, 0, "1");
  update(world, 1, "1");
  review(world);
  assert_entry(world, 0, 2, LB_HISTORY_FLASHED, LB_OK);
  assert_entry(world, 1, 1, LB_HISTORY_SUPERSEDED, LB_OK);
  update(world, 1, "2");
  review(world);
  assert_entry(world, 0, 3, LB_HISTORY_FLASHED, LB_OK);
  assert_entry(world, 1, 2, LB_HISTORY_SUPERSEDED, LB_OK);
  begin(world, SOURCE, "ota_1", "2"); /* the very same once more */
  end(world, LB_HISTORY_FLASHED, LB_OK, "2");
  review(world);
  assert_entry(world, 0, 4, LB_HISTORY_FLASHED, LB_OK);
  assert_entry(world, 1, 3, LB_HISTORY_SUPERSEDED, LB_OK);
  close_world(world);
}

/* What was confirmed before boots without a trial. */
static void test_counts_at_once(void **state)
{
  struct world *world = open_world();

  (void)state;
  begin(world, SOURCE, "ota_0", "1");
  choose(world, 0, "1", 0);
  end(world, LB_HISTORY_FLASHED, LB_OK, "1");
  review(world);
  assert_entry(world, 0, 1, LB_HISTORY_CONFIRMED, LB_OK);
  close_world(world);
}

/* ---- interruptions ---- */

static void test_interrupted_and_gone_on_with(void **state)
{
  struct world *world = open_world();
  const int64_t first = world->now;

  (void)state;
  begin(world, SOURCE, "ota_0", "1");
  world->now += 100;
  boot(world, "factory", "0");
  assert_entry(world, 0, 1, LB_HISTORY_INTERRUPTED, LB_OK);
  assert_true(entry(world, 0).ended == world->now);
  begin(world, SOURCE, "ota_0", "1");
  assert_entry(world, 0, 1, LB_HISTORY_BEGUN, LB_OK);
  assert_true(entry(world, 0).begun == first && entry(world, 0).ended == 0);
  end(world, LB_HISTORY_INTERRUPTED, -225, "1");
  assert_entry(world, 0, 1, LB_HISTORY_INTERRUPTED, -225);
  review(world);
  assert_entry(world, 0, 1, LB_HISTORY_INTERRUPTED, -225);
  begin(world, SOURCE, "ota_0", "1");
  choose(world, 0, "1", 3);
  end(world, LB_HISTORY_FLASHED, LB_OK, "1");
  assert_entry(world, 0, 1, LB_HISTORY_FLASHED, LB_OK);
  assert_count(world, 1);
  begin(world, SOURCE, "ota_0", "1"); /* that one was not interrupted */
  assert_count(world, 2);
  close_world(world);
}

static void test_interrupted_and_given_up(void **state)
{
  struct world *world = open_world();

  (void)state;
  begin(world, SOURCE, "ota_0", "1");
  boot(world, "factory", "0");
  begin(world, SOURCE, "ota_1", "1"); /* onto another slot */
  assert_entry(world, 0, 2, LB_HISTORY_BEGUN, LB_OK);
  boot(world, "factory", "0");
  begin(world, "/sd/other.bin", "ota_0", "1"); /* from elsewhere */
  assert_entry(world, 0, 3, LB_HISTORY_BEGUN, LB_OK);
  end(world, LB_HISTORY_FAILED, LB_ERR_IMAGE_DIGEST, "1");
  begin(world, SOURCE, "ota_0", "1"); /* the slot has been overwritten meanwhile */
  assert_entry(world, 0, 4, LB_HISTORY_BEGUN, LB_OK);
  begin(world, SOURCE, "ota_1", "1"); /* other updates came between: what was done last has to be on top */
  assert_entry(world, 0, 5, LB_HISTORY_BEGUN, LB_OK);
  boot(world, "factory", "0");
  assert_entry(world, 3, 2, LB_HISTORY_INTERRUPTED, LB_OK);
  assert_count(world, 5);
  close_world(world);
}

/* Found by `make network`: the newest verdict on an image counts, so its entry must not lie below an older one. */
static void test_gone_on_with_after_another(void **state)
{
  struct world *world = open_world();

  (void)state;
  begin(world, SOURCE, "ota_0", "1");
  boot(world, "factory", "0");
  update(world, 1, "1");
  reject(world, "ota_1", LB_TRIAL_CRASHED);
  review(world);
  assert_entry(world, 0, 2, LB_HISTORY_REJECTED, LB_TRIAL_CRASHED);
  update(world, 0, "1"); /* with force, where the first one was interrupted */
  confirm(world, "ota_0");
  review(world);
  assert_entry(world, 0, 3, LB_HISTORY_CONFIRMED, LB_OK);
  assert_entry(world, 1, 2, LB_HISTORY_REJECTED, LB_TRIAL_CRASHED);
  choose_factory(world); /* from now on only the history knows */
  assert_true(was_confirmed(world, "1"));
  assert_false(failed_before(world, "1", true, NULL));
  close_world(world);
}

static void test_abandoned(void **state)
{
  struct world *world = open_world();

  (void)state;
  begin(world, SOURCE, "ota_0", "1");
  review(world); /* nothing while it is under way */
  assert_entry(world, 0, 1, LB_HISTORY_BEGUN, LB_OK);
  update_log_abandon(world->log);
  DO(world, update_log_at_boot(world->log));
  assert_entry(world, 0, 1, LB_HISTORY_INTERRUPTED, LB_OK);
  close_world(world);
}

/* The power goes between selecting and the last word of the entry: that it was flashed is found out. */
static void test_selected_but_not_told(void **state)
{
  for (int digest_noted = 0; digest_noted < 2; digest_noted++) {
    struct world *world = open_world();
    struct lb_image_info info = image("1");

    (void)state;
    begin(world, SOURCE, "ota_0", "1");
    if (digest_noted) {
      DO(world, update_log_image(world->log, &info));
    }
    choose(world, 0, "1", 3);
    boot(world, digest_noted ? "factory" : "ota_0", digest_noted ? "0" : "1");
    assert_entry(world, 0, 1, LB_HISTORY_FLASHED, LB_OK);
    struct lb_history_entry found = entry(world, 0);
    assert_memory_equal(found.digest, info.digest, LB_SHA256_SIZE);
    close_world(world);
  }
}

/* With its digest noted, but not selected yet, it was interrupted; also if something else runs in another slot. */
static void test_complete_but_not_selected(void **state)
{
  struct world *world = open_world();
  struct lb_image_info info = image("1");

  (void)state;
  begin(world, SOURCE, "ota_0", "1");
  DO(world, update_log_image(world->log, &info));
  boot(world, "ota_1", "1");
  assert_entry(world, 0, 1, LB_HISTORY_INTERRUPTED, LB_OK);
  begin(world, SOURCE, "ota_1", "2");
  boot(world, "ota_1", "3");
  assert_entry(world, 0, 2, LB_HISTORY_INTERRUPTED, LB_OK);
  close_world(world);
}

/* ---- what it took and cost ---- */

static void assert_transfer(struct world *world, uint32_t number, uint32_t transferred, const char *patch_base)
{
  struct lb_history_entry found = entry(world, 0);

  if (found.number != number || found.transferred != transferred || strcmp(found.patch_base, patch_base) != 0) {
    fail_here("update %u: %u bytes, base \"%s\"", found.number, found.transferred, found.patch_base);
  }
}

static void begin_only(struct world *world, const char *source, const char *slot)
{
  const struct update_facts facts = {.source = source, .slot = slot, .size = 1000000};

  assert_result(update_log_begin(world->log, &facts), LB_OK);
}

static void image_came(struct world *world, const struct lb_image_info info)
{
  DO(world, update_log_image(world->log, &info));
}

/* Counting changes no flash; it is written with the head, with the digest and at the end, also of a failed update. */
static void test_transferred(void **state)
{
  static const enum lb_history_result results[] = {LB_HISTORY_FLASHED, LB_HISTORY_FAILED, LB_HISTORY_INTERRUPTED};

  (void)state;
  for (uint32_t i = 0; i < 3; i++) {
    struct world *world = open_world();
    begin_only(world, SOURCE, "ota_0");
    update_log_transfer(world->log, 500, "ota_1");
    update_log_transfer(world->log, 60, NULL);
    image_came(world, head("1"));
    assert_transfer(world, 1, 560, "ota_1");
    flash_tap_clear(&world->fixture.tap);
    update_log_transfer(world->log, 2, NULL);
    assert_result(update_log_image(world->log, &(struct lb_image_info){0}), LB_OK);
    assert_int_equal(world->fixture.tap.programs + world->fixture.tap.erases, 0);
    assert_transfer(world, 1, 560, "ota_1");
    image_came(world, image("1"));
    assert_transfer(world, 1, 562, "ota_1");
    update_log_transfer(world->log, 1, "-");
    end(world, results[i], LB_OK, "1");
    assert_transfer(world, 1, 563, "-");
    boot(world, "factory", "0"); /* what became of it is written anew: that stays */
    assert_transfer(world, 1, 563, "-");
    close_world(world);
  }
}

/* Nothing without an update, nothing of the one before in the next, and no more than fits. */
static void test_transferred_of_each_update(void **state)
{
  struct world *world = open_world();

  (void)state;
  update_log_transfer(world->log, 77, "ota_0");
  update_log_found(world->log, 77);
  begin(world, SOURCE, "ota_0", "1");
  update_log_transfer(world->log, 500, "ota_1");
  end(world, LB_HISTORY_FLASHED, LB_OK, "1");
  assert_transfer(world, 1, 500, "ota_1");
  update_log_transfer(world->log, 77, "ota_0");
  begin(world, SOURCE, "ota_0", "2");
  end(world, LB_HISTORY_FLASHED, LB_OK, "2");
  assert_transfer(world, 2, 0, "");
  begin(world, SOURCE, "ota_0", "3");
  update_log_transfer(world->log, UINT32_MAX - 1, "a label that is too long");
  update_log_transfer(world->log, 2, NULL);
  end(world, LB_HISTORY_FLASHED, LB_OK, "3");
  assert_transfer(world, 3, UINT32_MAX, "a label that is ");
  close_world(world);
}

/* In one life: it starts over, before and after its entry is there, and falls back from a patch to the image. */
static void test_transferred_starting_over(void **state)
{
  struct world *world = open_world();

  (void)state;
  begin_only(world, SOURCE, "ota_0");
  update_log_found(world->log, 30);
  update_log_transfer(world->log, 5, "ota_1");
  begin_only(world, SOURCE, "ota_0");
  image_came(world, head("1"));
  assert_transfer(world, 1, 35, "");
  update_log_transfer(world->log, 100, "-");
  begin_only(world, SOURCE, "ota_0");
  update_log_transfer(world->log, 1000, NULL);
  image_came(world, head("1"));
  assert_transfer(world, 1, 1135, "");
  update_log_transfer(world->log, 1000, "ota_1");
  update_log_transfer(world->log, 0, "");
  end(world, LB_HISTORY_FLASHED, LB_OK, "1");
  assert_transfer(world, 1, 2135, "");
  assert_count(world, 1);
  close_world(world);
}

/* After a loss of power: what the entry knows, or what is found in the flash, whichever is more. */
static void test_transferred_gone_on_with(void **state)
{
  struct world *world = open_world();

  (void)state;
  begin_only(world, SOURCE, "ota_0");
  update_log_transfer(world->log, 4096, NULL);
  image_came(world, head("1"));
  update_log_transfer(world->log, 100000, NULL); /* that is lost */
  boot(world, "factory", "0");
  assert_transfer(world, 1, 4096, "");
  begin_only(world, SOURCE, "ota_0");
  update_log_found(world->log, 65536);
  update_log_transfer(world->log, 1000, NULL);
  image_came(world, head("1"));
  assert_transfer(world, 1, 66536, "");
  end(world, LB_HISTORY_INTERRUPTED, -225, "1");
  begin_only(world, SOURCE, "ota_0"); /* in the same life */
  update_log_found(world->log, 65536);
  update_log_transfer(world->log, 500, "ota_1");
  image_came(world, head("1"));
  assert_transfer(world, 1, 67036, "ota_1");
  update_log_abandon(world->log);
  DO(world, update_log_at_boot(world->log));
  begin_only(world, SOURCE, "ota_0"); /* the base is not taken over */
  image_came(world, head("1"));
  assert_transfer(world, 1, 67036, "");
  end(world, LB_HISTORY_FLASHED, LB_OK, "1");
  assert_transfer(world, 1, 67036, "");
  begin_only(world, "/sd/other.bin", "ota_0"); /* that is another one */
  update_log_found(world->log, 12);
  image_came(world, head("1"));
  assert_transfer(world, 2, 12, "");
  close_world(world);
}

static void test_last_finished(void **state)
{
  struct world *world = open_world();
  struct lb_history_entry found;

  (void)state;
  assert_false(update_log_last_finished(world->log, &found));
  begin(world, SOURCE, "ota_0", "1");
  assert_false(update_log_last_finished(world->log, &found));
  end(world, LB_HISTORY_FAILED, LB_ERR_READ_BACK, "1");
  assert_false(update_log_last_finished(world->log, &found));
  update(world, 0, "1");
  begin(world, SOURCE, "ota_1", "2");
  assert_true(update_log_last_finished(world->log, &found));
  assert_int_equal(found.number, 2);
  end(world, LB_HISTORY_INTERRUPTED, LB_OK, "2");
  assert_true(update_log_last_finished(world->log, &found));
  assert_int_equal(found.number, 2);
  reject(world, "ota_0", LB_TRIAL_HUNG);
  review(world);
  assert_true(update_log_last_finished(world->log, &found));
  assert_true(found.number == 2 && found.result == LB_HISTORY_REJECTED);
  choose_factory(world);
  update(world, 1, "2"); /* what was interrupted goes on */
  choose_factory(world);
  review(world);
  assert_true(update_log_last_finished(world->log, &found));
  assert_true(found.number == 3 && found.result == LB_HISTORY_SUPERSEDED);
  close_world(world);
}

/* ---- without a history ---- */

static void test_nvs_cannot_be_used(void **state)
{
  struct world *world = open_world();
  struct lb_history_entry found;
  uint32_t count;
  const struct lb_partition *rows = layout_ovms(&count);

  (void)state;
  lb_table_start(&world->fixture.table); /* a table without nvs */
  for (uint32_t i = 1; i < count; i++) {
    assert_result(lb_table_add(&world->fixture.table, &rows[i]), LB_OK);
  }
  boot(world, "factory", "0");
  assert_null(update_log_history(world->log));
  assert_result(update_log_error(world->log), LB_ERR_NOT_FOUND);
  flash_tap_clear(&world->fixture.tap);
  update(world, 0, "1");
  assert_null(update_log_history(world->log));
  assert_false(failed_before(world, "1", true, NULL));
  assert_false(was_confirmed(world, "1"));
  assert_false(update_log_last_rejected(world->log, &found));
  reject(world, "ota_0", LB_TRIAL_OPERATOR);
  assert_true(failed_before(world, "1", true, &found));
  assert_int_equal(found.cause, LB_TRIAL_OPERATOR);
  close_world(world);
}

/* A user's settings come before the history: its oldest entries go, until none is left; then there is no room. */
static void test_settings_come_first(void **state)
{
  struct world *world = open_world();
  char value[SETTINGS_VALUE_SIZE];
  char key[LB_NVS_NAME_SIZE];
  uint32_t count = 10;
  int result = LB_OK;

  (void)state;
  memset(value, 0, sizeof(value));
  memset(value, 'v', sizeof(value) - 1);
  for (uint32_t i = 0; i < count; i++) {
    update(world, i % 2, i % 2 == 0 ? "1" : "2");
  }
  for (uint32_t i = 0; result == LB_OK; i++) {
    assert_true(i < CALLS_MAX);
    (void)snprintf(key, sizeof(key), "k%u", i);
    do {
      result = settings_set(&world->module.settings, "many", key, value);
    } while (result == LB_MORE);
    boot(world, "factory", "0");
    uint32_t left = update_log_history(world->log)->count;
    assert_true(left <= count);
    count = left;
    for (uint32_t j = 0; j < count; j++) {
      assert_int_equal(entry(world, j).number, 10 - j);
    }
  }
  assert_result(result, LB_ERR_NVS_NOT_ENOUGH_SPACE);
  assert_int_equal(count, 0);
  assert_result(settings_set(&world->module.settings, "lifeboat", "update.0", "x"), MODULE_ERR_SETTING);
  assert_result(settings_remove(&world->module.settings, "lifeboat", "update.0"), LB_ERR_NVS_NOT_FOUND);
  result = LB_OK;
  for (uint32_t i = 0; result >= LB_OK; i++) { /* what is left */
    (void)snprintf(key, sizeof(key), "s%u", i);
    result = settings_set(&world->module.settings, "many", key, "");
  }
  assert_result(result, LB_ERR_NVS_NOT_ENOUGH_SPACE);
  begin(world, SOURCE, "ota_0", "3"); /* no room at all: the update goes on */
  end(world, LB_HISTORY_FAILED, LB_ERR_READ_BACK, "3");
  assert_result(update_log_error(world->log), LB_ERR_NVS_NOT_ENOUGH_SPACE);
  assert_count(world, 0);
  close_world(world);
}

/* A flash that fails in the middle: the update goes on, the error is known, and the next one is written again. */
static void test_failed_write(void **state)
{
  struct world *world = open_world();
  const struct update_facts facts = {.source = SOURCE, .slot = "ota_0", .size = 1000000};
  const struct lb_image_info info = head("1");
  int result = LB_MORE;

  (void)state;
  update(world, 1, "0");
  assert_result(update_log_error(world->log), LB_OK);
  assert_result(update_log_begin(world->log, &facts), LB_OK);
  flash_tap_clear(&world->fixture.tap);
  world->fixture.tap.fail_program_at = 1;
  while (result == LB_MORE) {
    result = update_log_image(world->log, &info);
  }
  assert_result(result, LB_OK);
  assert_result(update_log_error(world->log), LB_ERR_FLASH_PROGRAM);
  flash_tap_clear(&world->fixture.tap);
  end(world, LB_HISTORY_FAILED, LB_ERR_FLASH_PROGRAM, "1");
  assert_result(update_log_error(world->log), LB_OK);
  assert_count(world, 2);
  assert_entry(world, 0, 2, LB_HISTORY_FAILED, LB_ERR_FLASH_PROGRAM);
  close_world(world);
}

/* ---- cuts ---- */

/* Everything that an update and its review write; the first error, or LB_OK. Nothing of it says that it failed. */
static void whole_update(struct world *world)
{
  const struct update_facts facts = {.source = SOURCE, .slot = "ota_0", .size = 1000000};
  const struct lb_image_info first = head("1");
  const struct lb_image_info all = image("1");
  int calls = 0;

  assert_result(update_log_begin(world->log, &facts), LB_OK);
  while (update_log_image(world->log, &first) == LB_MORE || update_log_image(world->log, &all) == LB_MORE ||
         update_log_end(world->log, LB_HISTORY_FLASHED, LB_OK, all.digest) == LB_MORE ||
         update_log_at_boot(world->log) == LB_MORE) {
    assert_true(calls++ < CALLS_MAX);
  }
}

/*
 * Cut at each operation of the log, the image already being selected: after the next boot there is no entry, or one
 * that says that it was flashed.
 */
static void test_cuts(void **state)
{
  struct world *world = open_world();
  uint64_t fired = 0;
  uint32_t with_entry = 0;

  (void)state;
  update(world, 1, "0");
  choose(world, 0, "1", 3);
  uint8_t *before = fixture_snapshot(&world->fixture);
  for (uint64_t at = 1;; at++) {
    uint32_t found = 0;

    for (int way = 0; way < 3; way++) {
      fixture_restore(&world->fixture, before);
      boot(world, "factory", "0");
      sim_flash_seed(&world->fixture.flash, at * 3 + (uint64_t)way);
      sim_flash_cut_at(&world->fixture.flash, at, way == 0 ? SIM_CUT_BEFORE : SIM_CUT_TORN);
      whole_update(world);
      found += sim_flash_cut_fired(&world->fixture.flash) ? 1U : 0U;
      sim_flash_cut_at(&world->fixture.flash, 0, SIM_CUT_BEFORE);
      sim_flash_power_on(&world->fixture.flash);
      boot(world, "ota_0", "1");
      assert_result(update_log_error(world->log), LB_OK);
      if (update_log_history(world->log)->count == 2) {
        assert_entry(world, 0, 2, LB_HISTORY_FLASHED, LB_OK);
        with_entry++;
      } else {
        assert_count(world, 1);
      }
    }
    if (found == 0) {
      break;
    }
    assert_int_equal(found, 3);
    fired += found;
  }
  assert_true(fired > 30 && with_entry > 20);
  print_message("%llu cuts, all fired\n", (unsigned long long)fired);
  free(before);
  close_world(world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_refused_before_the_flash_is_touched),
      cmocka_unit_test(test_what_is_written),
      cmocka_unit_test(test_confirmed),
      cmocka_unit_test(test_rejected),
      cmocka_unit_test(test_only_otadata_knows),
      cmocka_unit_test(test_superseded),
      cmocka_unit_test(test_superseded_by_updates),
      cmocka_unit_test(test_counts_at_once),
      cmocka_unit_test(test_interrupted_and_gone_on_with),
      cmocka_unit_test(test_interrupted_and_given_up),
      cmocka_unit_test(test_gone_on_with_after_another),
      cmocka_unit_test(test_abandoned),
      cmocka_unit_test(test_selected_but_not_told),
      cmocka_unit_test(test_complete_but_not_selected),
      cmocka_unit_test(test_transferred),
      cmocka_unit_test(test_transferred_of_each_update),
      cmocka_unit_test(test_transferred_starting_over),
      cmocka_unit_test(test_transferred_gone_on_with),
      cmocka_unit_test(test_last_finished),
      cmocka_unit_test(test_nvs_cannot_be_used),
      cmocka_unit_test(test_settings_come_first),
      cmocka_unit_test(test_failed_write),
      cmocka_unit_test(test_cuts),
  };

  return cmocka_run_group_tests_name("update_log", tests, NULL, NULL);
}
