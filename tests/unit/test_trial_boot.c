// SPDX-License-Identifier: MIT
/* The bootloader and firmware on trial: how each boot is judged, when it goes back and to what, and what it passes
 * over. */
#include "lifeboat/trial.h"

#include "tests/unit/support/fixture.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/trial_bytes.h"
#include "tests/unit/support/unit.h"

#define PLACES   (512U - AT_BOOTS) /* for boots, in a sector of the miniature geometry */
#define RESERVED 16U               /* of them, for failures */

/* ota_0 was confirmed, ota_1 is on trial: records 0 and 1. */
static void open_on_trial(struct trial_module *module, bool factory, uint8_t attempts)
{
  trial_open(module, factory);
  trial_put(&module->fixture, 0, 1, KIND_AT_ONCE, 0, module->digest[OTA_0]);
  trial_put(&module->fixture, 1, 2, KIND_TRIAL, attempts, module->digest[OTA_1]);
  trial_put_mark(&module->fixture, 0, AT_SETTLED);
  trial_put_mark(&module->fixture, 1, AT_SETTLED);
}

static void break_image(struct fixture *fixture, const char *label)
{
  fixture_bytes(fixture)[fixture_partition(fixture, label).offset + 500] ^= 1;
}

static const enum lb_reset resets[] = {LB_RESET_POWER_ON, LB_RESET_COMMANDED, LB_RESET_CRASH, LB_RESET_WATCHDOG};

/* ---- judging a boot ---- */

static const struct judged {
  uint8_t before;
  uint8_t after[4]; /* for each of resets[] */
} table[] = {
    {0xFF, {0xFF, 0xFF, 0xFF, 0xFF}}, /* no boot yet: nothing to judge */
    {BOOT_STARTED, {BOOT_FAILED, BOOT_CLOSED, BOOT_FAILED, BOOT_FAILED}},
    {0xFE, {0x3E, 0xCE, 0x3E, 0x3E}}, /* the mark was torn */
    {0xFD, {0x3D, 0xCD, 0x3D, 0x3D}},
    {BOOT_SURVIVED, {BOOT_SURVIVED_CLOSED, BOOT_SURVIVED_CLOSED, BOOT_SURVIVED_FAILED, BOOT_SURVIVED_FAILED}},
    {0xF8, {0xC8, 0xC8, 0x38, 0x38}},
    {0xF4, {0xC4, 0xC4, 0x34, 0x34}},
    {BOOT_CLOSED, {BOOT_CLOSED, BOOT_CLOSED, BOOT_CLOSED, BOOT_CLOSED}},
    {0xEC, {0xEC, 0xEC, 0xEC, 0xEC}},
    {0xDC, {0xDC, 0xDC, 0xDC, 0xDC}},
    {BOOT_SURVIVED_CLOSED, {BOOT_SURVIVED_CLOSED, BOOT_SURVIVED_CLOSED, BOOT_SURVIVED_CLOSED, BOOT_SURVIVED_CLOSED}},
    {BOOT_FAILED, {BOOT_FAILED, BOOT_FAILED, BOOT_FAILED, BOOT_FAILED}},
    {0xBC, {BOOT_FAILED, BOOT_FAILED, BOOT_FAILED, BOOT_FAILED}}, /* torn: completed, counted once */
    {0x7C, {BOOT_FAILED, BOOT_FAILED, BOOT_FAILED, BOOT_FAILED}},
    {BOOT_SURVIVED_FAILED, {BOOT_SURVIVED_FAILED, BOOT_SURVIVED_FAILED, BOOT_SURVIVED_FAILED, BOOT_SURVIVED_FAILED}},
    {0x00, {0x00, 0x00, 0x00, 0x00}},
};

static void test_judging(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;

  (void)state;
  open_on_trial(&module, true, 3);
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    for (size_t reset = 0; reset < 4; reset++) {
      uint8_t *boots = trial_half(fixture, 1) + AT_BOOTS;
      struct lb_otadata otadata;
      bool rejected = true;
      bool failed = (table[i].after[reset] & 0xC0) == 0;

      boots[0] = table[i].before;
      flash_tap_clear(&fixture->tap);
      assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
      assert_result(lb_trial_judge(&otadata, &fixture->device, resets[reset], &rejected), LB_OK);
      if (boots[0] != table[i].after[reset]) {
        fail_here("0x%02x becomes 0x%02x at reset %u", table[i].before, boots[0], (unsigned)reset);
      }
      assert_false(rejected);
      assert_int_equal(boots[1], 0xFF);
      assert_int_equal(otadata.active, 1);
      assert_int_equal(otadata.records[1].trial.failures, failed);
      assert_true(fixture->tap.programs <= 1 && fixture->tap.erases == 0);
      boots[0] = 0xFF;
    }
  }
  trial_close(&module);
}

static void test_begin_boot(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  struct lb_otadata otadata;

  (void)state;
  open_on_trial(&module, true, 3);
  assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
  for (uint32_t boot = 0; boot < 5; boot++) {
    assert_result(lb_trial_begin_boot(&otadata, &fixture->device), LB_OK);
    assert_int_equal(otadata.records[1].trial.boots, boot + 1);
    assert_int_equal(trial_half(fixture, 1)[AT_BOOTS + boot], BOOT_STARTED);
    assert_int_equal(trial_half(fixture, 1)[AT_BOOTS + boot + 1], 0xFF);
    assert_int_equal(fixture->tap.programs, boot + 1);
  }
  trial_put_mark(fixture, 1, AT_CONFIRMED);
  assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
  assert_result(lb_trial_begin_boot(&otadata, &fixture->device), LB_OK);
  assert_int_equal(fixture->tap.programs, 5); /* no trial any more */
  trial_close(&module);
}

/* ---- attempts ---- */

static enum lb_trial_cause cause_of(enum lb_reset reset)
{
  return reset == LB_RESET_CRASH ? LB_TRIAL_CRASHED : reset == LB_RESET_WATCHDOG ? LB_TRIAL_HUNG : LB_TRIAL_POWER;
}

/* Boots until the trial has failed: exactly `attempts` boots on trial, each of which ends that way. */
static void fail_trial(struct fixture *fixture, uint32_t attempts, enum lb_reset how, const char *trial,
                       const char *back)
{
  struct lb_boot_decision decision;

  for (uint32_t attempt = 1; attempt <= attempts; attempt++) {
    assert_result(trial_boot(fixture, attempt == 1 ? LB_RESET_COMMANDED : how, &decision), LB_OK);
    assert_string_equal(decision.partition.label, trial);
    assert_true(decision.on_trial && !decision.went_back);
    assert_int_equal(decision.reason, LB_BOOT_SELECTED);
    assert_int_equal(decision.attempt, attempt);
    assert_int_equal(decision.attempts, attempts);
  }
  assert_result(trial_boot(fixture, how, &decision), LB_OK);
  assert_string_equal(decision.partition.label, back);
  assert_string_equal(decision.failed.label, trial);
  assert_true(decision.went_back && !decision.on_trial);
  assert_int_equal(decision.reason, LB_BOOT_WENT_BACK);
  assert_int_equal(decision.cause, cause_of(how));
  assert_result(decision.selected_error, LB_OK);
}

static void test_attempts(void **state)
{
  static const uint8_t attempts[] = {1, 3, 16};
  static const enum lb_reset how[] = {LB_RESET_CRASH, LB_RESET_WATCHDOG, LB_RESET_POWER_ON};

  (void)state;
  for (size_t i = 0; i < 18; i++) {
    struct trial_module module;
    struct fixture *fixture = &module.fixture;

    open_on_trial(&module, i % 2, attempts[i / 6]);
    fail_trial(fixture, attempts[i / 6], how[i / 2 % 3], "ota_1", "ota_0");
    assert_memory_equal(trial_half(fixture, 1) + 24, "\4\0\0\0", 4); /* for ESP-IDF's tools: ABORTED */
    for (size_t reset = 0; reset < 4; reset++) {                     /* and there it stays, and nothing is written */
      flash_tap_clear(&fixture->tap);
      trial_boots(fixture, resets[reset], "ota_0", false);
      assert_int_equal(fixture->tap.count, 0);
    }
    trial_close(&module);
  }
}

/* The cause is that of the last attempt; between them boots that ended in order count nothing. */
static void test_mixed_attempts(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  struct lb_boot_decision decision;

  (void)state;
  open_on_trial(&module, true, 3);
  trial_boots(fixture, LB_RESET_COMMANDED, "ota_1", true);
  trial_boots(fixture, LB_RESET_CRASH, "ota_1", true);
  trial_boots(fixture, LB_RESET_COMMANDED, "ota_1", true);
  trial_boots(fixture, LB_RESET_POWER_ON, "ota_1", true);
  trial_boots(fixture, LB_RESET_COMMANDED, "ota_1", true);
  assert_result(trial_boot(fixture, LB_RESET_WATCHDOG, &decision), LB_OK);
  assert_true(decision.went_back);
  assert_int_equal(decision.cause, LB_TRIAL_HUNG);
  assert_string_equal(decision.partition.label, "ota_0");
  trial_close(&module);
}

/* The failures were marked and the verdict was not, because the power went: it is found at the next boot. */
static void test_a_verdict_that_is_missing(void **state)
{
  static const enum lb_trial_cause causes[] = {LB_TRIAL_POWER, LB_TRIAL_UNKNOWN, LB_TRIAL_CRASHED, LB_TRIAL_HUNG};

  (void)state;
  for (size_t reset = 0; reset < 4; reset++) {
    struct trial_module module;
    struct lb_boot_decision decision;

    open_on_trial(&module, true, 2);
    memset(trial_half(&module.fixture, 1) + AT_BOOTS, BOOT_FAILED, 2);
    assert_result(trial_boot(&module.fixture, resets[reset], &decision), LB_OK);
    assert_true(decision.went_back);
    assert_string_equal(decision.partition.label, "ota_0");
    assert_int_equal(decision.cause, causes[reset]);
    trial_close(&module);
  }
}

/* The trial time has run: the power may go as often as it likes, a crash still counts. */
static void test_survived(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  struct lb_partition running;
  struct lb_boot_decision decision;

  (void)state;
  open_on_trial(&module, true, 2);
  running = fixture_partition(fixture, "ota_1");
  for (uint32_t turn = 0; turn < 20; turn++) {
    trial_boots(fixture, LB_RESET_POWER_ON, "ota_1", true);
    assert_result(lb_trial_survive(&fixture->device, &running), LB_OK);
  }
  for (uint32_t turn = 1; turn <= 2; turn++) {
    assert_result(trial_boot(fixture, LB_RESET_CRASH, &decision), LB_OK);
    assert_int_equal(decision.went_back, turn == 2);
    assert_int_equal(decision.attempt, turn == 2 ? 0 : 2);
    if (turn < 2) {
      assert_result(lb_trial_survive(&fixture->device, &running), LB_OK);
    }
  }
  assert_string_equal(decision.partition.label, "ota_0");
  trial_close(&module);
}

/* Ended in order, then the power is switched off: never a failed attempt. */
static void test_closed(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  struct lb_partition running;

  (void)state;
  open_on_trial(&module, true, 1);
  running = fixture_partition(fixture, "ota_1");
  for (uint32_t turn = 0; turn < 20; turn++) {
    trial_boots(fixture, LB_RESET_POWER_ON, "ota_1", true);
    assert_result(lb_trial_close(&fixture->device, &running), LB_OK);
  }
  trial_close(&module);
}

/* Hundreds of boots in order use up all places but the reserved ones. Then still each crash counts, and only crashes.
 */
static void test_places_run_out(void **state)
{
  static const uint8_t attempts[] = {1, 3, 16};

  (void)state;
  for (size_t i = 0; i < 6; i++) {
    struct trial_module module;
    struct fixture *fixture = &module.fixture;
    struct lb_boot_decision decision;
    struct lb_partition running;
    bool closes = i % 2;
    uint8_t most = attempts[i / 2];
    const uint8_t *boots;

    open_on_trial(&module, true, most);
    running = fixture_partition(fixture, "ota_1");
    boots = trial_half(fixture, 1) + AT_BOOTS;
    for (uint32_t turn = 0; turn < 400; turn++) {
      assert_result(trial_boot(fixture, closes ? LB_RESET_POWER_ON : LB_RESET_COMMANDED, &decision), LB_OK);
      assert_true(decision.on_trial);
      assert_int_equal(decision.attempt, 1);
      if (closes) {
        assert_result(lb_trial_close(&fixture->device, &running), LB_OK);
      }
    }
    for (uint32_t at = PLACES - RESERVED; at < PLACES; at++) {
      assert_int_equal(boots[at], 0xFF);
    }
    for (uint32_t failure = 1; failure <= most; failure++) {
      assert_result(trial_boot(fixture, failure % 2 ? LB_RESET_CRASH : LB_RESET_WATCHDOG, &decision), LB_OK);
      if (failure < most) {
        assert_string_equal(decision.partition.label, "ota_1");
        assert_int_equal(decision.attempt, failure + 1);
        trial_boots(fixture, LB_RESET_COMMANDED, "ota_1", true); /* these count nothing */
        trial_boots(fixture, LB_RESET_POWER_ON, "ota_1", true);
      }
    }
    assert_true(decision.went_back);
    assert_string_equal(decision.partition.label, "ota_0");
    for (uint32_t at = PLACES; at < OTADATA_HALF - AT_BOOTS; at++) {
      assert_int_equal(boots[at], 0xFF);
    }
    trial_close(&module);
  }
}

/* Every place taken, by rot or by whatever: nothing is written behind the sector, and it boots. */
static void test_no_place_at_all(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;

  (void)state;
  open_on_trial(&module, true, 3);
  memset(trial_half(fixture, 1) + AT_BOOTS, BOOT_CLOSED, PLACES);
  for (size_t turn = 0; turn < 12; turn++) {
    trial_boots(fixture, resets[turn % 4], "ota_1", true);
  }
  assert_int_equal(trial_half(fixture, 1)[512], 0xFF);
  assert_int_equal(fixture->tap.count, 0);
  trial_close(&module);
}

/* ---- where it goes back to ---- */

static void test_goes_back_without_a_confirmed_record(void **state)
{
  (void)state;
  for (unsigned factory = 0; factory < 2; factory++) {
    struct trial_module module;
    struct fixture *fixture = &module.fixture;

    trial_open(&module, factory);
    trial_put(fixture, 0, 2, KIND_TRIAL, 2, module.digest[OTA_1]);
    fail_trial(fixture, 2, LB_RESET_CRASH, "ota_1", factory ? "factory" : "ota_0");
    trial_boots(fixture, LB_RESET_POWER_ON, factory ? "factory" : "ota_0", false);
    trial_close(&module);
  }
}

/* On the module's own chip, in both layouts. */
static void test_goes_back_in_both_layouts(void **state)
{
  (void)state;
  for (unsigned i = 0; i < 4; i++) {
    struct fixture fixture;
    uint8_t digest[3][32];
    bool factory = i & 1;
    bool confirmed = i & 2;

    if (factory) {
      fixture_open_ovms(&fixture);
    } else {
      fixture_open_7m(&fixture);
    }
    trial_put_images(&fixture, digest, factory);
    trial_put(&fixture, 1, 2, KIND_TRIAL, 3, digest[OTA_1]);
    if (confirmed) {
      fixture_put_record(&fixture, 0, 1, UNDEFINED); /* as ESP-IDF's tools write it */
    }
    fail_trial(&fixture, 3, LB_RESET_CRASH, "ota_1", confirmed || !factory ? "ota_0" : "factory");
    fixture_close(&fixture);
  }
}

/* What it goes back to does not verify: factory, then any other, and what failed at the very last. */
static void test_the_failed_one_is_the_last_resort(void **state)
{
  (void)state;
  for (unsigned factory = 0; factory < 2; factory++) {
    struct trial_module module;
    struct fixture *fixture = &module.fixture;
    struct lb_boot_decision decision;

    open_on_trial(&module, factory, 1);
    trial_boots(fixture, LB_RESET_COMMANDED, "ota_1", true);
    break_image(fixture, "ota_0");
    if (factory) {
      assert_result(trial_boot(fixture, LB_RESET_CRASH, &decision), LB_OK);
      assert_true(decision.went_back);
      assert_string_equal(decision.partition.label, "factory");
      assert_int_equal(decision.reason, LB_BOOT_FALLBACK_FACTORY);
      break_image(fixture, "factory");
    }
    for (unsigned turn = 0; turn < 5; turn++) {
      assert_result(trial_boot(fixture, LB_RESET_CRASH, &decision), LB_OK);
      assert_string_equal(decision.partition.label, "ota_1");
      assert_int_equal(decision.reason, LB_BOOT_FALLBACK_OTHER);
      assert_false(decision.on_trial);
    }
    break_image(fixture, "ota_1");
    assert_result(trial_boot(fixture, LB_RESET_CRASH, &decision), LB_ERR_NOTHING_BOOTS);
    trial_close(&module);
  }
}

/* The same image in another slot is the same image. */
static void test_a_copy_is_passed_over_too(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  uint8_t digest[32];

  (void)state;
  open_on_trial(&module, true, 1);
  trial_put_image(fixture, "factory", OTA_1 + 1, digest);
  assert_memory_equal(digest, module.digest[OTA_1], 32);
  trial_boots(fixture, LB_RESET_COMMANDED, "ota_1", true);
  trial_boots(fixture, LB_RESET_CRASH, "ota_0", false);
  break_image(fixture, "ota_0"); /* both others are the image that failed: factory is the first of them */
  trial_boots(fixture, LB_RESET_POWER_ON, "factory", false);
  trial_close(&module);
}

/* A slot that was written anew is not what failed there. */
static void test_another_image_in_the_slot_is_not_passed_over(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  uint8_t digest[32];

  (void)state;
  open_on_trial(&module, false, 1);
  trial_boots(fixture, LB_RESET_COMMANDED, "ota_1", true);
  trial_boots(fixture, LB_RESET_CRASH, "ota_0", false);
  trial_put_image(fixture, "ota_1", 77, digest);
  break_image(fixture, "ota_0");
  trial_boots(fixture, LB_RESET_POWER_ON, "ota_1", false);
  trial_close(&module);
}

/* Rejected by the running firmware: the next boot, of whatever kind, goes back; that is told as what is selected now.
 */
static void test_rejected_while_running(void **state)
{
  (void)state;
  for (size_t reset = 0; reset < 4; reset++) {
    struct trial_module module;
    struct lb_partition running;

    open_on_trial(&module, true, 3);
    running = fixture_partition(&module.fixture, "ota_1");
    trial_boots(&module.fixture, LB_RESET_COMMANDED, "ota_1", true);
    assert_result(lb_trial_reject(&module.fixture.device, &running, LB_TRIAL_NO_DEPOT), LB_OK);
    trial_boots(&module.fixture, resets[reset], "ota_0", false);
    trial_close(&module);
  }
}

/* Confirmed: no crash counts any more, and nothing is written. */
static void test_confirmed(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  struct lb_partition running;

  (void)state;
  open_on_trial(&module, true, 1);
  running = fixture_partition(fixture, "ota_1");
  trial_boots(fixture, LB_RESET_COMMANDED, "ota_1", true);
  assert_result(lb_trial_confirm(&fixture->device, &running), LB_OK);
  flash_tap_clear(&fixture->tap);
  for (size_t turn = 0; turn < 8; turn++) {
    trial_boots(fixture, resets[turn % 4], "ota_1", false);
  }
  assert_int_equal(fixture->tap.count, 0);
  break_image(fixture, "ota_1"); /* what fails to verify falls back to factory, as ever */
  trial_boots(fixture, LB_RESET_POWER_ON, "factory", false);
  trial_close(&module);
}

/* An image on trial that does not verify: as ever, and no attempt is marked. */
static void test_a_broken_one_on_trial(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;

  (void)state;
  open_on_trial(&module, true, 1);
  break_image(fixture, "ota_1");
  trial_boots(fixture, LB_RESET_COMMANDED, "factory", false);
  trial_boots(fixture, LB_RESET_CRASH, "factory", false);
  assert_int_equal(fixture->tap.count, 0);
  trial_close(&module);
}

/* ---- what is told ---- */

struct said {
  char text[1000];
};

static void report(void *context, enum lb_boot_event event, int result, const struct lb_partition *partition,
                   const struct lb_image_info *image)
{
  static const char *const names[] = {"table", "copy", "selected", "tried", "rejected", "passed", "marks"};
  struct said *said = context;
  size_t end = strlen(said->text);

  assert_true(!image || event == LB_BOOT_EVENT_TRIED || event == LB_BOOT_EVENT_PASSED);
  assert_in_range(event, 0, 6);
  if (event == LB_BOOT_EVENT_REJECTED) {
    snprintf(said->text + end, sizeof(said->text) - end, "rejected cause %d %s; ", result, partition->label);
  } else if (event != LB_BOOT_EVENT_TABLE) {
    snprintf(said->text + end, sizeof(said->text) - end, "%s %s %s; ", names[event], unit_result_name(result),
             partition ? partition->label : "-");
  }
}

static void assert_said(struct fixture *fixture, enum lb_reset reset, const char *text)
{
  static struct lb_table table_room;
  static struct lb_verify verify;
  struct said said = {""};
  const struct lb_boot_log log = {.context = &said, .report = report};
  struct lb_device device = fixture->device;
  struct lb_boot_decision decision;

  assert_result(lb_boot(&device, &table_room, &verify, &log, reset, &decision), LB_OK);
  assert_string_equal(said.text, text);
}

static void test_log(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;

  (void)state;
  open_on_trial(&module, true, 1);
  assert_said(fixture, LB_RESET_COMMANDED, "selected LB_OK ota_1; tried LB_OK ota_1; ");
  assert_said(fixture, LB_RESET_WATCHDOG, "rejected cause 2 ota_1; selected LB_OK ota_0; tried LB_OK ota_0; ");
  break_image(fixture, "ota_0");
  break_image(fixture, "factory");
  assert_said(fixture, LB_RESET_WATCHDOG,
              "selected LB_OK ota_0; tried LB_ERR_IMAGE_CHECKSUM ota_0; tried LB_ERR_IMAGE_CHECKSUM factory; "
              "tried LB_OK ota_1; passed LB_OK ota_1; tried LB_ERR_IMAGE_CHECKSUM factory; "
              "tried LB_ERR_IMAGE_CHECKSUM ota_0; tried LB_OK ota_1; ");
  trial_close(&module);
}

/* ---- marks that cannot be made ---- */

static void break_otadata(struct fixture *fixture, enum sim_fault fault)
{
  assert_true(sim_flash_set_fault(&fixture->flash, fault, OTADATA_AT, 2 * OTADATA_HALF, SIM_FAULT_ALWAYS));
}

/* A firmware whose failures cannot be counted does not boot: what was confirmed last does, then factory. */
static void test_marks_that_cannot_be_made(void **state)
{
  static const enum sim_fault faults[] = {SIM_FAULT_PROGRAM_FAILS, SIM_FAULT_PROGRAM_IGNORED};

  (void)state;
  for (size_t i = 0; i < 8; i++) {
    struct trial_module module;
    struct fixture *fixture = &module.fixture;
    struct lb_boot_decision decision;
    bool booted = i & 2;
    bool settled = i & 4;
    int error = i % 2 ? LB_ERR_READ_BACK : LB_ERR_FLASH_PROGRAM;

    open_on_trial(&module, true, 1);
    if (!settled) {
      memset(trial_half(fixture, 1) + AT_SETTLED, 0xFF, 8);
    }
    trial_half(fixture, 1)[AT_BOOTS] = booted ? BOOT_STARTED : 0xFF;
    break_otadata(fixture, faults[i % 2]);
    assert_result(trial_boot(fixture, LB_RESET_CRASH, &decision), LB_OK);
    assert_string_equal(decision.partition.label, "ota_0");
    assert_string_equal(decision.selected.label, "ota_1");
    assert_result(decision.selected_error, error);
    assert_int_equal(decision.reason, LB_BOOT_WENT_BACK);
    assert_false(decision.on_trial || decision.went_back);
    break_image(fixture, "ota_0");
    trial_boots(fixture, LB_RESET_CRASH, "factory", false);
    break_image(fixture, "factory");
    trial_boots(fixture, LB_RESET_CRASH, "ota_1", false); /* better than nothing */
    break_image(fixture, "ota_1");
    assert_result(trial_boot(fixture, LB_RESET_CRASH, &decision), LB_ERR_NOTHING_BOOTS);
    trial_close(&module);
  }
}

static void test_log_of_marks(void **state)
{
  struct trial_module module;

  (void)state;
  open_on_trial(&module, true, 1);
  break_otadata(&module.fixture, SIM_FAULT_PROGRAM_FAILS);
  assert_said(&module.fixture, LB_RESET_COMMANDED,
              "selected LB_OK ota_1; tried LB_OK ota_1; marks LB_ERR_FLASH_PROGRAM ota_1; tried LB_OK ota_0; ");
  trial_close(&module);
}

/* A trial that failed, and whose rejection cannot be written: it does not boot either. */
static void test_rejection_that_cannot_be_written(void **state)
{
  (void)state;
  for (uint32_t number = 0; number < 5; number++) { /* the boot, the verdict, its mirror, the mark of that */
    for (unsigned drop = 0; drop < 2; drop++) {
      struct trial_module module;
      struct fixture *fixture = &module.fixture;
      struct lb_boot_decision decision;

      open_on_trial(&module, true, 1);
      trial_half(fixture, 1)[AT_BOOTS] = BOOT_STARTED;
      *(drop ? &fixture->tap.drop_program_at : &fixture->tap.fail_program_at) = number;
      assert_result(trial_boot(fixture, LB_RESET_CRASH, &decision), LB_OK);
      assert_string_equal(decision.partition.label, "ota_0");
      assert_int_equal(decision.went_back, number == 4);
      flash_tap_clear(&fixture->tap);
      assert_result(trial_boot(fixture, LB_RESET_CRASH, &decision), LB_OK);
      assert_string_equal(decision.partition.label, "ota_0");
      assert_int_equal(trial_half(fixture, 1)[24], 4);
      trial_close(&module);
    }
  }
}

/* Each read of a boot fails in turn: something that verifies boots, and never an error. */
static void test_failing_reads(void **state)
{
  struct trial_module module;
  struct fixture *fixture = &module.fixture;
  uint8_t *before;
  uint32_t reads;

  (void)state;
  open_on_trial(&module, true, 3);
  trial_half(fixture, 1)[AT_BOOTS] = BOOT_STARTED;
  before = fixture_snapshot(fixture);
  trial_boots(fixture, LB_RESET_CRASH, "ota_1", true);
  reads = fixture->tap.reads;
  for (uint32_t at = 0; at < reads; at++) {
    struct lb_boot_decision decision;

    fixture_restore(fixture, before);
    flash_tap_clear(&fixture->tap);
    fixture->tap.fail_read_at = at;
    assert_result(trial_boot(fixture, LB_RESET_CRASH, &decision), LB_OK);
    flash_tap_clear(&fixture->tap);
    assert_result(trial_boot(fixture, LB_RESET_CRASH, &decision), LB_OK);
  }
  assert_true(reads > 30);
  free(before);
  trial_close(&module);
}

/* ---- telling what would boot ---- */

static void test_preview(void **state)
{
  static const uint8_t boots[] = {0xFF, BOOT_STARTED, BOOT_FAILED, BOOT_CLOSED};
  static struct lb_table table_room;
  static struct lb_verify verify;

  (void)state;
  for (unsigned i = 0; i < 4 * 6; i++) {
    struct trial_module module;
    struct fixture *fixture = &module.fixture;
    struct lb_boot_decision decision;
    struct lb_device device;
    uint8_t *before;
    unsigned how = i / 4;
    bool rejected = how == 2;
    bool trial = how != 1 && !rejected;

    open_on_trial(&module, true, 3);
    trial_half(fixture, 1)[AT_BOOTS] = boots[i % 4];
    if (how == 1 || rejected) {
      trial_put_mark(fixture, 1, rejected ? AT_REJECTED : AT_CONFIRMED);
    } else if (how == 3) { /* what a boot would settle first */
      memset(trial_half(fixture, 1) + AT_SETTLED, 0xFF, 8);
    } else if (how == 4) { /* and what is only broken */
      memset(trial_half(fixture, 0), 0x5A, 32);
    } else if (how == 5) {
      break_image(fixture, "ota_1");
      trial = false;
    }
    before = fixture_snapshot(fixture);
    device = fixture->device;
    assert_result(lb_boot_preview(&device, &table_room, &verify, NULL, &decision), LB_OK);
    assert_string_equal(decision.partition.label, rejected ? "ota_0" : how == 5 ? "factory" : "ota_1");
    assert_int_equal(decision.on_trial, trial);
    assert_int_equal(decision.attempt, !trial ? 0 : boots[i % 4] == BOOT_FAILED ? 2 : 1);
    assert_int_equal(decision.attempts, trial ? 3 : 0);
    assert_false(decision.went_back);
    assert_int_equal(fixture->tap.count, 0);
    assert_true(fixture_same(fixture, before, 0, fixture->flash.driver.size));
    free(before);
    trial_close(&module);
  }
}

static void test_preview_without_a_table(void **state)
{
  static struct lb_table table_room;
  static struct lb_verify verify;
  struct trial_module module;
  struct lb_boot_decision decision;
  struct lb_device device;

  (void)state;
  trial_open(&module, true);
  device = module.fixture.device;
  memset(fixture_bytes(&module.fixture), 0xFF, 0x9000);
  assert_result(lb_boot_preview(&device, &table_room, &verify, NULL, &decision), LB_ERR_TABLE_EMPTY);
  trial_close(&module);
}

/* ---- a power cut at each operation of a boot ---- */

/* However it was cut: what boots verifies, and a firmware that always crashes is given up after its attempts. */
static void test_cuts(void **state)
{
  static const enum sim_cut ways[] = {SIM_CUT_BEFORE, SIM_CUT_PROGRAM_PREFIX, SIM_CUT_PROGRAM_SUBSET, SIM_CUT_UNSTABLE};
  uint32_t fired = 0;
  uint64_t seed = 0;

  (void)state;
  for (uint32_t number = 1; number <= 12; number++) {
    for (size_t way = 0; way < 4 * 20; way++) {
      struct trial_module module;
      struct fixture *fixture = &module.fixture;
      struct lb_boot_decision decision;
      uint32_t boots = 0;

      open_on_trial(&module, true, 3);
      memset(trial_half(fixture, 1) + AT_SETTLED, 0xFF, 8);
      sim_flash_seed(&fixture->flash, ++seed);
      sim_flash_cut_at(&fixture->flash, number, ways[way % 4]);
      do {
        int result = trial_boot(fixture, boots == 0 ? LB_RESET_COMMANDED : LB_RESET_CRASH, &decision);

        if (sim_flash_cut_fired(&fixture->flash)) {
          fired++;
          sim_flash_power_on(&fixture->flash);
          sim_flash_cut_at(&fixture->flash, 0, SIM_CUT_BEFORE);
          result = trial_boot(fixture, LB_RESET_POWER_ON, &decision);
        }
        assert_result(result, LB_OK);
        boots++;
        assert_true(boots < 8);
      } while (strcmp(decision.partition.label, "ota_1") == 0);
      assert_string_equal(decision.partition.label, "ota_0");
      if (boots < 3 || boots > 5) {
        fail_here("cut %u, %s, seed %u: given up after %u boots, cause %d", (unsigned)number,
                  sim_cut_name(ways[way % 4]), (unsigned)seed, (unsigned)boots, decision.cause);
      } /* the cut itself may count as an attempt or take the mark of one */
      trial_close(&module);
    }
  }
  print_message("boots on trial: %u cuts fired\n", (unsigned)fired);
  assert_true(fired >= 10 * 80);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_judging),
      cmocka_unit_test(test_begin_boot),
      cmocka_unit_test(test_attempts),
      cmocka_unit_test(test_mixed_attempts),
      cmocka_unit_test(test_a_verdict_that_is_missing),
      cmocka_unit_test(test_survived),
      cmocka_unit_test(test_closed),
      cmocka_unit_test(test_places_run_out),
      cmocka_unit_test(test_no_place_at_all),
      cmocka_unit_test(test_goes_back_without_a_confirmed_record),
      cmocka_unit_test(test_goes_back_in_both_layouts),
      cmocka_unit_test(test_the_failed_one_is_the_last_resort),
      cmocka_unit_test(test_a_copy_is_passed_over_too),
      cmocka_unit_test(test_another_image_in_the_slot_is_not_passed_over),
      cmocka_unit_test(test_rejected_while_running),
      cmocka_unit_test(test_confirmed),
      cmocka_unit_test(test_a_broken_one_on_trial),
      cmocka_unit_test(test_log),
      cmocka_unit_test(test_marks_that_cannot_be_made),
      cmocka_unit_test(test_log_of_marks),
      cmocka_unit_test(test_rejection_that_cannot_be_written),
      cmocka_unit_test(test_failing_reads),
      cmocka_unit_test(test_preview),
      cmocka_unit_test(test_preview_without_a_table),
      cmocka_unit_test(test_cuts),
  };

  return cmocka_run_group_tests_name("trial at boot", tests, NULL, NULL);
}
