// SPDX-License-Identifier: MIT
/* Selecting while there are trials: what boots on trial and what does not, and what is never erased on the way. */
#include "lifeboat/bytes.h"
#include "lifeboat/select.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/trial_bytes.h"
#include "tests/unit/support/unit.h"

#define LAST 0xFFFFFFFEU

static int select_image(struct fixture *fixture, const char *label, const struct lb_trial_terms *terms,
                        struct lb_select *select)
{
  struct lb_partition target = fixture_partition(fixture, label);
  int result = lb_select_start(select, &fixture->device, &target, terms);

  if (result) {
    return result;
  }
  do {
    uint32_t operations = fixture->tap.count;

    result = lb_select_step(select);
    assert_true(fixture->tap.count - operations <= 1);
  } while (result == LB_MORE);
  return result;
}

static const struct lb_trial_terms three = {.attempts = 3};

/* Selects, and tells whether it boots on trial. */
static bool selects_on_trial(struct fixture *fixture, const char *label, const struct lb_trial_terms *terms)
{
  struct lb_select select;

  assert_result(select_image(fixture, label, terms, &select), LB_OK);
  assert_string_equal(fixture_selected(fixture), label);
  return select.on_trial;
}

static const char *fallback(struct fixture *fixture)
{
  static struct lb_partition partition;
  struct lb_otadata otadata;

  assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
  assert_result(lb_otadata_fallback(&otadata, &fixture->table, &partition), LB_OK);
  return partition.label;
}

static struct trial_tag tag_of(struct fixture *fixture, uint32_t index)
{
  struct trial_tag tag;

  assert_true(trial_tag_decode(trial_half(fixture, index), &tag));
  assert_int_equal(tag.sequence, lb_load_le32(trial_half(fixture, index)));
  return tag;
}

/* ---- on trial, or not ---- */

static void test_a_new_image(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  struct trial_tag tag;

  (void)state;
  trial_open(&module, true);
  for (uint8_t attempts = 1; attempts <= 16; attempts++) {
    struct lb_trial_terms terms = {.attempts = attempts, .depot_expected = attempts % 2};

    fixture_blank_record(fixture, 0);
    fixture_blank_record(fixture, 1);
    assert_true(selects_on_trial(fixture, "ota_1", &terms));
    tag = tag_of(fixture, 0);
    assert_int_equal(tag.sequence, 2);
    assert_int_equal(tag.kind, KIND_TRIAL);
    assert_int_equal(tag.attempts, attempts);
    assert_int_equal(tag.depot_expected, attempts % 2);
    assert_memory_equal(tag.digest, module.digest[OTA_1], 32);
    assert_string_equal(fallback(fixture), "factory");
    trial_boots(fixture, LB_RESET_COMMANDED, "ota_1", true);
  }
  trial_close(&module);
}

/* Without terms, as a tool with the cable selects, and with no attempts: there is no trial, but the digest is known. */
static void test_no_trial(void **state)
{
  static const struct lb_trial_terms none = {.depot_expected = true};
  struct trial_module module;
  struct fixture *fixture = &module.fixture;

  (void)state;
  trial_open(&module, true);
  for (int turn = 0; turn < 2; turn++) {
    fixture_blank_record(fixture, 0);
    assert_false(selects_on_trial(fixture, "ota_1", turn ? &none : NULL));
    assert_int_equal(tag_of(fixture, 0).kind, KIND_AT_ONCE);
    assert_int_equal(tag_of(fixture, 0).attempts, 0);
    assert_memory_equal(tag_of(fixture, 0).digest, module.digest[OTA_1], 32);
    assert_string_equal(fallback(fixture), "ota_1");
    trial_boots(fixture, LB_RESET_COMMANDED, "ota_1", false);
  }
  trial_close(&module);
}

static bool remembers(void *context, const uint8_t digest[LB_SHA256_SIZE])
{
  return memcmp(context, digest, LB_SHA256_SIZE) == 0;
}

/* The caller remembers that the image was confirmed, or another one was. */
static void test_confirmed_as_the_caller_remembers(void **state)
{
  (void)state;
  for (int turn = 0; turn < 2; turn++) {
    struct trial_module module;
    struct lb_trial_terms terms = {.attempts = 3, .was_confirmed = remembers};

    trial_open(&module, true);
    terms.context = module.digest[turn ? OTA_1 : OTA_0];
    assert_int_equal(selects_on_trial(&module.fixture, "ota_1", &terms), !turn);
    trial_close(&module);
  }
}

/* Back to what was confirmed last: the trial is made void, and nothing is erased. */
static void test_back_to_the_confirmed_one(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;

  (void)state;
  trial_open(&module, true);
  assert_false(selects_on_trial(fixture, "ota_0", NULL));
  assert_true(selects_on_trial(fixture, "ota_1", &three));
  flash_tap_clear(&fixture->tap);
  assert_false(selects_on_trial(fixture, "ota_0", &three));
  assert_int_equal(fixture->tap.erases, 0);
  assert_int_equal(fixture->tap.programs, 1);
  assert_int_equal(lb_load_le32(trial_half(fixture, 1) + 28), 0);
  assert_int_equal(tag_of(fixture, 0).sequence, 1);
  assert_true(selects_on_trial(fixture, "ota_1", &three)); /* never confirmed: on trial again */
  trial_close(&module);
}

/* What is on trial already: nothing is written, its failures stay. */
static void test_the_same_trial_again(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  struct lb_boot_decision decision;

  (void)state;
  trial_open(&module, true);
  assert_true(selects_on_trial(fixture, "ota_1", &three));
  trial_boots(fixture, LB_RESET_COMMANDED, "ota_1", true);
  trial_boots(fixture, LB_RESET_CRASH, "ota_1", true);
  flash_tap_clear(&fixture->tap);
  assert_true(selects_on_trial(fixture, "ota_1", &three));
  assert_int_equal(fixture->tap.count, 0);
  assert_result(trial_boot(fixture, LB_RESET_CRASH, &decision), LB_OK);
  assert_int_equal(decision.attempt, 3);
  assert_false(selects_on_trial(fixture, "ota_1", NULL)); /* with the cable: it counts at once */
  trial_boots(fixture, LB_RESET_CRASH, "ota_1", false);
  trial_close(&module);
}

/* Another image in the slot on trial: a trial of its own. */
static void test_another_image_in_the_slot(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  uint8_t digest[32];

  (void)state;
  trial_open(&module, true);
  assert_false(selects_on_trial(fixture, "ota_0", NULL));
  assert_true(selects_on_trial(fixture, "ota_1", &three));
  trial_put_image(fixture, "ota_1", 99, digest);
  assert_true(selects_on_trial(fixture, "ota_1", &three));
  assert_memory_equal(tag_of(fixture, 1).digest, digest, 32);
  assert_int_equal(lb_load_le32(trial_half(fixture, 1)), 2);
  assert_string_equal(fallback(fixture), "ota_0");
  trial_put_image(fixture, "ota_0", 98, digest); /* and in the confirmed one */
  assert_true(selects_on_trial(fixture, "ota_0", &three));
  trial_close(&module);
}

/* Confirmed here, then selected again: no trial; after it failed: on trial if it is selected all the same. */
static void test_after_the_verdict(void **state)
{
  (void)state;
  for (int good = 0; good < 2; good++) {
    struct trial_module module;
    struct fixture *fixture = &module.fixture;
    struct lb_partition running;
    struct lb_otadata otadata;

    trial_open(&module, true);
    running = fixture_partition(fixture, "ota_1");
    assert_false(selects_on_trial(fixture, "ota_0", NULL));
    assert_true(selects_on_trial(fixture, "ota_1", &three));
    if (good) {
      assert_result(lb_trial_confirm(&fixture->device, &running), LB_OK);
      assert_false(selects_on_trial(fixture, "ota_0", &three));
      assert_string_equal(fallback(fixture), "ota_0");
    } else {
      assert_result(lb_trial_reject(&fixture->device, &running, LB_TRIAL_OPERATOR), LB_OK);
      assert_string_equal(fixture_selected(fixture), "ota_0");
      assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
      assert_true(lb_otadata_has_failed(&otadata, module.digest[OTA_1]));
    }
    assert_int_equal(selects_on_trial(fixture, "ota_1", &three), !good);
    trial_close(&module);
  }
}

/*
 * Two records of one slot: what either names was confirmed there. One that names nothing means whatever was there until
 * the later one was written.
 */
static void test_two_records_of_one_slot(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  struct lb_otadata otadata;

  (void)state;
  trial_open(&module, true);
  for (uint32_t late = 0; late < 2; late++) {
    for (int untagged = 0; untagged < 2; untagged++) {
      trial_put(fixture, late, 3, KIND_AT_ONCE, 0, module.digest[OTA_0]);
      trial_put(fixture, 1 - late, 1, KIND_AT_ONCE, 0, module.digest[OTA_1]);
      if (untagged) {
        fixture_put_record(fixture, 1 - late, 1, UNDEFINED);
      }
      assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
      assert_true(lb_otadata_was_confirmed(&otadata, &fixture->table, 0, module.digest[OTA_0]));
      assert_int_equal(lb_otadata_was_confirmed(&otadata, &fixture->table, 0, module.digest[OTA_1]), !untagged);
      assert_false(lb_otadata_was_confirmed(&otadata, &fixture->table, 0, module.digest[FACTORY]));
      assert_false(lb_otadata_was_confirmed(&otadata, &fixture->table, 1, module.digest[OTA_0]));
      flash_tap_clear(&fixture->tap);
      assert_false(selects_on_trial(fixture, "ota_0", &three));
      assert_int_equal(fixture->tap.count, 0);
    }
  }
  trial_close(&module);
}

/* ESP-IDF's records say nothing of the image: it counts as confirmed; without any, and without factory, so does ota_0.
 */
static void test_records_that_say_nothing(void **state)
{
  (void)state;
  for (int factory = 0; factory < 2; factory++) {
    struct trial_module module;
    struct fixture *fixture = &module.fixture;

    trial_open(&module, factory);
    assert_int_equal(selects_on_trial(fixture, "ota_0", &three), factory);
    fixture_blank_record(fixture, 0);
    assert_true(selects_on_trial(fixture, "ota_1", &three));
    fixture_put_record(fixture, 0, 4, UNDEFINED);
    flash_tap_clear(&fixture->tap);
    assert_false(selects_on_trial(fixture, "ota_1", &three));
    assert_int_equal(fixture->tap.count, 0);
    trial_put(fixture, 0, 4, KIND_AT_ONCE, 0, NULL); /* a tag that does not know the image, as well */
    assert_false(selects_on_trial(fixture, "ota_1", &three));
    trial_close(&module);
  }
}

/* As an update does, which has written the slot anew: only a record that names the image says that it was confirmed. */
static bool selects_written_anew(struct fixture *fixture, const char *label)
{
  struct lb_partition target = fixture_partition(fixture, label);
  struct lb_select select;
  struct lb_otadata otadata;
  int result;

  assert_result(lb_select_start(&select, &fixture->device, &target, &three), LB_OK);
  assert_false(select.written_anew);
  select.written_anew = true;
  do {
    result = lb_select_step(&select);
  } while (result == LB_MORE);
  assert_result(result, LB_OK);
  assert_string_equal(fixture_selected(fixture), label);
  assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
  assert_int_equal(lb_otadata_on_trial(&otadata, otadata.active), select.on_trial); /* what it says is so */
  return select.on_trial;
}

static void test_written_anew(void **state)
{
  (void)state;
  for (unsigned i = 0; i < 8; i++) {
    struct trial_module module;
    struct fixture *fixture = &module.fixture;
    bool active = i & 4; /* the record of the slot is the active one */
    uint32_t sequence = active ? 3 : 1;
    bool named = i % 4 == 1;

    trial_open(&module, true);
    trial_put(fixture, 1, 2, KIND_AT_ONCE, 0, module.digest[OTA_1]);
    if (i % 4 == 0) {
      fixture_put_record(fixture, 0, sequence, UNDEFINED);
    } else { /* of this image, of another one, or of one that is not known */
      trial_put(fixture, 0, sequence, KIND_AT_ONCE, 0, i % 4 < 3 ? module.digest[i % 4 == 1 ? OTA_0 : OTA_1] : NULL);
    }
    assert_int_equal(selects_written_anew(fixture, "ota_0"), !named);
    trial_close(&module);
  }
}

/* What esptool and otatool write over a trial: their record counts, and the trial is made void at the next boot. */
static void test_esp_idf_selects_over_a_trial(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;

  (void)state;
  trial_open(&module, true);
  assert_true(selects_on_trial(fixture, "ota_1", &three)); /* record 0, sequence 2 */
  fixture_put_record(fixture, 1, 3, UNDEFINED);
  trial_boots(fixture, LB_RESET_POWER_ON, "ota_0", false);
  assert_int_equal(lb_load_le32(trial_half(fixture, 0) + 28), 0);
  assert_string_equal(fallback(fixture), "ota_0");
  fixture_put_record(fixture, 0, 4, LB_OTADATA_PENDING_VERIFY); /* ESP-IDF's own trial is none of ours */
  trial_boots(fixture, LB_RESET_POWER_ON, "ota_1", false);
  trial_boots(fixture, LB_RESET_CRASH, "ota_1", false);
  fixture_blank_record(fixture, 0);
  fixture_blank_record(fixture, 1); /* erase_otadata */
  trial_boots(fixture, LB_RESET_POWER_ON, "factory", false);
  trial_close(&module);
}

static void test_factory_is_never_on_trial(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;

  (void)state;
  trial_open(&module, true);
  assert_true(selects_on_trial(fixture, "ota_1", &three));
  assert_false(selects_on_trial(fixture, "factory", &three));
  for (uint32_t at = 0; at < 2 * OTADATA_HALF; at++) {
    assert_int_equal(trial_half(fixture, 0)[at], 0xFF);
  }
  trial_boots(fixture, LB_RESET_CRASH, "factory", false);
  trial_close(&module);
}

/* ---- what it refuses ---- */

static void test_refusals(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  struct lb_selection selection = {.slot = 0, .digest = module.digest[OTA_0], .attempts = 17};

  (void)state;
  trial_open(&module, true);
  assert_result(trial_select(fixture, &selection), LB_ERR_ARGUMENT);
  selection.attempts = 1;
  selection.digest = NULL;
  assert_result(trial_select(fixture, &selection), LB_ERR_ARGUMENT);
  selection.digest = module.digest[OTA_0];
  selection.slot = 2;
  assert_result(trial_select(fixture, &selection), LB_ERR_NOT_FOUND);
  assert_int_equal(fixture->tap.count, 0);
  selection.slot = 1;
  selection.attempts = 16;
  assert_result(trial_select(fixture, &selection), LB_OK);
  trial_close(&module);
}

/* A selection that never began. */
static void test_no_selection(void **state)
{
  struct trial_module module;
  struct lb_partition target;
  struct lb_select select;

  (void)state;
  trial_open(&module, true);
  target = fixture_partition(&module.fixture, "nvs");
  assert_result(lb_select_start(&select, &module.fixture.device, &target, &three), LB_ERR_NOT_FOUND);
  assert_result(lb_select_step(&select), LB_ERR_NOT_FOUND);
  select.result = LB_OK;
  assert_result(lb_select_step(&select), LB_ERR_STATE);
  trial_close(&module);
}

static void test_retire(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  struct lb_otadata otadata;

  (void)state;
  trial_open(&module, true);
  assert_false(selects_on_trial(fixture, "ota_0", NULL));
  assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
  flash_tap_clear(&fixture->tap);
  assert_result(lb_otadata_retire_trial(&otadata, &fixture->device), LB_OK);
  assert_int_equal(fixture->tap.count, 0);
  assert_true(selects_on_trial(fixture, "ota_1", &three));
  for (int error = 0; error < 2; error++) {
    flash_tap_clear(&fixture->tap);
    fixture->tap.fail_program_at = error ? TAP_NEVER : 0;
    assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
    assert_result(lb_otadata_retire_trial(&otadata, &fixture->device), error ? LB_MORE : LB_ERR_FLASH_PROGRAM);
  }
  assert_result(lb_otadata_retire_trial(&otadata, &fixture->device), LB_OK);
  assert_int_equal(otadata.active, 0);
  assert_string_equal(fixture_selected(fixture), "ota_0");
  trial_close(&module);
}

/* ---- what was confirmed last stays ---- */

struct watch {
  struct fixture *fixture;
  char before[LB_LABEL_SIZE]; /* what a failed trial went back to when the operation began */
  char after[LB_LABEL_SIZE];  /* and what it has to go back to when it is over */
  uint32_t looks;
};

/* At each operation of the flash: a failed trial would go back to one of the two. */
static void look(void *context, const struct tap_operation *operation, const void *data)
{
  struct watch *watch = context;
  const char *now = fallback(watch->fixture);

  (void)operation;
  (void)data;
  watch->looks++;
  if (strcmp(now, watch->before) != 0 && strcmp(now, watch->after) != 0) {
    fail_here("from %s to %s: %s in between", watch->before, watch->after, now);
  }
}

static void walk(struct trial_module *module, struct watch *watch, struct unit_random *random)
{
  static const char *const labels[] = {"ota_0", "ota_1", "ota_2"};
  struct fixture *fixture = &module->fixture;
  struct lb_partition running;
  struct lb_otadata otadata;
  const char *label = labels[unit_random_below(random, 3)];
  uint32_t what = unit_random_below(random, 8);
  int result = LB_OK;

  snprintf(watch->before, sizeof(watch->before), "%s", fallback(fixture));
  snprintf(watch->after, sizeof(watch->after), "%s", watch->before);
  assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
  assert_result(lb_otadata_selected(&otadata, &fixture->table, &running), LB_OK);
  if (what < 4) {
    uint8_t digest[32] = {(uint8_t)unit_random_below(random, 4)};
    struct lb_selection selection = {
        .slot = (uint32_t)(label[4] - '0'), .digest = digest, .attempts = what ? 3 : 0, .depot_expected = what == 2};

    digest[1] = 1; /* all zero means that it is not known */
    if (!what) {
      snprintf(watch->after, sizeof(watch->after), "%s", label);
    }
    result = trial_select(fixture, &selection);
    assert_string_equal(fixture_selected(fixture), label);
  } else if (what == 4 && unit_random_below(random, 4) == 0) {
    snprintf(watch->after, sizeof(watch->after), "factory");
    result = trial_select_factory(fixture);
  } else if (lb_otadata_on_trial(&otadata, otadata.active)) {
    if (what == 5) {
      snprintf(watch->after, sizeof(watch->after), "%s", running.label);
      result = lb_trial_confirm(&fixture->device, &running);
    } else if (what == 6) {
      result = lb_trial_reject(&fixture->device, &running, LB_TRIAL_OPERATOR);
    } else {
      result = lb_trial_settle(&otadata, &fixture->device);
    }
  }
  assert_result(result, LB_OK);
  assert_string_equal(fallback(fixture), watch->after);
}

static void test_what_was_confirmed_last_stays(void **state)
{
  struct unit_random random;
  uint32_t looks = 0;

  (void)state;
  unit_random_seed(&random, "selecting at random", 7);
  for (uint32_t turn = 0; turn < 40; turn++) {
    struct trial_module module;
    struct watch watch = {.fixture = &module.fixture};

    fixture_open_miniature(&module.fixture, true, 3);
    if (turn % 4) { /* near the end of the count, too */
      fixture_put_record(&module.fixture, turn % 2, LAST - turn % 9, UNDEFINED);
    }
    module.fixture.tap.before = look;
    module.fixture.tap.before_context = &watch;
    for (uint32_t steps = 0; steps < 60; steps++) {
      walk(&module, &watch, &random);
    }
    looks += watch.looks;
    fixture_close(&module.fixture);
  }
  assert_true(looks > 3000);
}

/* The count ends, in every state of both records: the same, byte for byte where it counts. */
static void test_trials_at_the_end_of_the_count(void **state)
{
  (void)state;
  for (unsigned i = 0; i < 8; i++) {
    struct trial_module module;
    struct fixture *fixture = &module.fixture;
    struct watch watch = {.fixture = fixture};
    bool on_trial = i & 1; /* the record with the last number; the other one is none, or confirmed */
    bool other = i & 2;
    bool trial_again = i & 4;
    uint8_t digest[32] = {5};
    struct lb_selection selection = {.slot = 0, .digest = digest, .attempts = trial_again ? 2 : 0};
    struct lb_otadata otadata;
    struct trial_tag tag;

    trial_open(&module, true);
    trial_put(fixture, 0, LAST, on_trial ? KIND_TRIAL : KIND_AT_ONCE, on_trial ? 3 : 0, module.digest[OTA_1]);
    if (other) {
      trial_put(fixture, 1, LAST - 1, KIND_AT_ONCE, 0, module.digest[OTA_0]); /* ota_0 */
    }
    snprintf(watch.before, sizeof(watch.before), "%s", fallback(fixture));
    snprintf(watch.after, sizeof(watch.after), "%s", trial_again ? watch.before : "ota_0");
    fixture->tap.before = look;
    fixture->tap.before_context = &watch;
    assert_result(trial_select(fixture, &selection), LB_OK);
    assert_string_equal(fixture_selected(fixture), "ota_0");
    assert_string_equal(fallback(fixture), watch.after);
    assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
    tag = tag_of(fixture, (uint32_t)otadata.active);
    assert_memory_equal(tag.digest, digest, 32);
    assert_int_equal(tag.kind, trial_again ? KIND_TRIAL : KIND_AT_ONCE);
    assert_int_equal(tag.attempts, selection.attempts);
    if (otadata.records[1 - otadata.active].usable) { /* the copy of what counted before */
      tag = tag_of(fixture, 1 - (uint32_t)otadata.active);
      assert_int_equal(tag.sequence, on_trial ? 1 : 2);
      assert_memory_equal(tag.digest, module.digest[on_trial ? OTA_0 : OTA_1], 32);
      assert_int_equal(tag.kind, KIND_AT_ONCE);
      assert_int_equal(tag.attempts, 0);
    }
    trial_close(&module);
  }
}

/* ---- what goes wrong ---- */

/* ota_0 was confirmed and runs, ota_1 is selected on trial; or ota_1 is on trial and ota_2's number would be its own.
 */
static void put_before(struct trial_module *module, unsigned start)
{
  struct fixture *fixture = &module->fixture;

  trial_open(module, true);
  trial_put(fixture, 0, start == 2 ? LAST - 1 : 1, KIND_AT_ONCE, 0, module->digest[OTA_0]);
  trial_put_mark(fixture, 0, AT_SETTLED);
  if (start == 1) {
    trial_put(fixture, 1, 2, KIND_TRIAL, 3, module->digest[FACTORY]);
  }
}

static void test_failures(void **state)
{
  (void)state;
  for (unsigned i = 0; i < 3 * 4; i++) {
    static const int errors[] = {LB_ERR_FLASH_READ, LB_ERR_FLASH_PROGRAM, LB_ERR_FLASH_ERASE, LB_ERR_READ_BACK};
    uint32_t failures = 0;
    int result;

    do {
      struct trial_module module;
      struct fixture *fixture = &module.fixture;
      struct flash_tap *tap = &module.fixture.tap;
      struct lb_select select;

      put_before(&module, i / 4);
      *(i % 4 == 0   ? &tap->fail_read_at
        : i % 4 == 1 ? &tap->fail_program_at
        : i % 4 == 2 ? &tap->fail_erase_at
                     : &tap->drop_program_at) = failures;
      result = select_image(fixture, "ota_1", &three, &select);
      if (result) {
        assert_result(result, errors[i % 4]);
        assert_result(lb_select_step(&select), result);
        failures++;
      }
      flash_tap_clear(tap);
      assert_string_equal(fallback(fixture), "ota_0");
      trial_boots(fixture, LB_RESET_COMMANDED, strcmp(fixture_selected(fixture), "ota_1") ? "ota_0" : "ota_1",
                  strcmp(fixture_selected(fixture), "ota_1") == 0);
      assert_true(selects_on_trial(fixture, "ota_1", &three));
      trial_close(&module);
    } while (result);
    assert_true(failures >= (i % 4 == 2 ? 1U : 2U));
  }
}

/* Erases that do nothing, at each of them. */
static void test_erases_that_do_nothing(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  struct lb_select select;

  (void)state;
  put_before(&module, 1);
  fixture->tap.skip_erases = true;
  assert_result(select_image(fixture, "ota_1", &three, &select), LB_ERR_READ_BACK);
  trial_boots(fixture, LB_RESET_COMMANDED, "ota_0", false);
  trial_close(&module);
}

/* The power goes at each operation, in each way: the old selection, the new one, or what was confirmed last; and again.
 */
static void test_cuts(void **state)
{
  static const char *const targets[] = {"ota_1", "ota_1", "ota_1", "factory"};
  uint32_t fired = 0;
  uint64_t seed = 0;

  (void)state;
  for (unsigned start = 0; start < 4; start++) {
    for (uint32_t number = 1; number <= 14; number++) {
      for (int way = 0; way < SIM_CUT_WAYS * 10; way++) {
        struct trial_module module;
        struct fixture *fixture = &module.fixture;
        struct lb_boot_decision decision;
        struct lb_select select;

        put_before(&module, start == 3 ? 1 : start);
        sim_flash_seed(&fixture->flash, ++seed);
        sim_flash_cut_at(&fixture->flash, number, (enum sim_cut)(way % SIM_CUT_WAYS));
        int result = select_image(fixture, targets[start], &three, &select);
        bool cut = sim_flash_cut_fired(&fixture->flash);
        assert_int_equal(result == LB_OK, !cut);
        fired += cut;
        sim_flash_power_on(&fixture->flash);
        sim_flash_cut_at(&fixture->flash, 0, SIM_CUT_BEFORE);
        assert_result(trial_boot(fixture, LB_RESET_POWER_ON, &decision), LB_OK);
        if (strcmp(decision.partition.label, "ota_0") != 0 && strcmp(decision.partition.label, targets[start]) != 0 &&
            !(start == 3 && strcmp(decision.partition.label, "ota_1") == 0)) {
          fail_here("start %u, cut %u, way %d: %s boots", start, (unsigned)number, way, decision.partition.label);
        }
        trial_boots(fixture, LB_RESET_COMMANDED, decision.partition.label, decision.on_trial);
        assert_result(select_image(fixture, targets[start], &three, &select), LB_OK);
        trial_boots(fixture, LB_RESET_COMMANDED, targets[start], start != 3);
        trial_close(&module);
      }
    }
  }
  print_message("selecting on trial: %u cuts fired\n", (unsigned)fired);
  assert_true(fired >= 650);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_new_image),
      cmocka_unit_test(test_no_trial),
      cmocka_unit_test(test_confirmed_as_the_caller_remembers),
      cmocka_unit_test(test_back_to_the_confirmed_one),
      cmocka_unit_test(test_the_same_trial_again),
      cmocka_unit_test(test_another_image_in_the_slot),
      cmocka_unit_test(test_after_the_verdict),
      cmocka_unit_test(test_two_records_of_one_slot),
      cmocka_unit_test(test_records_that_say_nothing),
      cmocka_unit_test(test_written_anew),
      cmocka_unit_test(test_esp_idf_selects_over_a_trial),
      cmocka_unit_test(test_factory_is_never_on_trial),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_no_selection),
      cmocka_unit_test(test_retire),
      cmocka_unit_test(test_what_was_confirmed_last_stays),
      cmocka_unit_test(test_trials_at_the_end_of_the_count),
      cmocka_unit_test(test_failures),
      cmocka_unit_test(test_erases_that_do_nothing),
      cmocka_unit_test(test_cuts),
  };

  return cmocka_run_group_tests_name("selecting on trial", tests, NULL, NULL);
}
