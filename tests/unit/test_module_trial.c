// SPDX-License-Identifier: MIT
/*
 * The firmware's part of its trial, second by second on a virtual clock: when it is confirmed and when not, what it
 * marks, when it looks for its depot, and that it keeps its hands off the flash while a command changes it.
 */
#include "tests/unit/support/unit.h"
#include "tests/unit/support/world.h"

#define FACTORY_AT 0x10000U
#define OTA_0_AT   0x410000U
#define OTA_1_AT   0x810000U
#define OTADATA_AT 0xD000U
#define SIZE       60000U
#define TIME       120U /* the default of `ota trial.time` */
#define LOOK_EVERY 600U /* seconds */
#define DAY        86400U
#define SECOND_US  1000000U
#define STEPS      64U /* of one second's work */

static unsigned lookups; /* connections to the version file */
static int (*open_really)(void *context, const struct port_request *request, struct port_transfer **transfer);

static int open_and_count(void *context, const struct port_request *request, struct port_transfer **transfer)
{
  lookups += strstr(request->url, "ovms3.ver") ? 1U : 0U;
  return open_really(context, request, transfer);
}

static int read_nothing(struct port_transfer *transfer, void *buffer, uint32_t capacity, uint32_t *got)
{
  (void)transfer;
  (void)buffer;
  (void)capacity;
  *got = 0;
  return PORT_ERR_CLOSED;
}

/* The processor starts: through the bootloader into `expected`. */
static void start(struct world *world, enum lb_reset reset, const char *expected)
{
  if (reset == LB_RESET_COMMANDED) {
    module_stop(&world->module);
  } else if (world->module.port) {
    module_die(&world->module); /* the network notices that nobody is there */
  }
  world->bootloader.reset = reset;
  world->uptime.cause = reset;
  world->uptime.boot_time_ms = sim_clock_now_us(&world->clock) / 1000U;
  world_boot(world, expected);
}

/* Factory runs; both slots hold a firmware that was never confirmed. */
static struct world *open_module(void)
{
  struct world *world = unit_allocate(sizeof(*world));

  world_open(world, true);
  world_put_image(world, FACTORY_AT, SIZE, 1);
  world_put_image(world, OTA_0_AT, SIZE, 2);
  world_put_image(world, OTA_1_AT, SIZE, 3);
  lookups = 0;
  open_really = world->network.open;
  world->network.open = open_and_count;
  start(world, LB_RESET_POWER_ON, "factory");
  return world;
}

static void close_module(struct world *world)
{
  world_assert_quiet(world);
  world_close(world);
  free(world);
}

/* What there is to do now. A lookup of the world's network takes a dozen polls. */
static void work(struct world *world)
{
  for (unsigned i = 0; i < STEPS; i++) {
    sim_clock_checkpoint(&world->clock);
    (void)module_tick(&world->module);
    sim_clock_checkpoint(&world->clock);
  }
  assert_true(sim_clock_longest_us(&world->clock) <= WORLD_LONGEST_US);
}

/* Time passes, a second or more at once. */
static void pass(struct world *world, uint32_t seconds, uint32_t at_once)
{
  for (uint32_t done = 0; done < seconds; done += at_once) {
    sim_clock_spend_us(&world->clock, (uint64_t)at_once * SECOND_US);
    sim_clock_forget_checkpoints(&world->clock);
    work(world);
  }
}

/* ota_1 runs, on trial. */
static struct world *open_trial(bool link)
{
  struct world *world = open_module();

  world->link = link;
  world_run(world, "ota boot ota_1", LB_OK);
  world_assert_output(world, 0, "Boot from ota_1 at 0x00810000 (size 0x00400000)\n");
  start(world, LB_RESET_COMMANDED, "ota_1");
  assert_true(world->module.boot.on_trial);
  lookups = 0;
  return world;
}

static struct lb_otadata otadata_of(struct world *world)
{
  struct lb_otadata otadata;

  assert_result(lb_otadata_read(&otadata, &world->module.device), LB_OK);
  return otadata;
}

/* Does otadata have the running firmware on trial? */
static bool is_on_trial(struct world *world)
{
  struct lb_otadata otadata;
  int result = module_trial_find(&world->module, &otadata);

  assert_true(result == LB_OK || result == LB_ERR_NOT_ON_TRIAL);
  return result == LB_OK;
}

static struct lb_trial active_trial(struct world *world)
{
  struct lb_otadata otadata = otadata_of(world);

  assert_int_not_equal(otadata.active, LB_OTADATA_NONE);
  return otadata.records[otadata.active].trial;
}

static void assert_confirmed(struct world *world)
{
  struct lb_otadata otadata = otadata_of(world);

  assert_false(is_on_trial(world));
  assert_true(active_trial(world).confirmed);
  assert_int_equal(otadata.records[otadata.active].state, LB_OTADATA_VALID);
  assert_true(world->module.trial.confirmed);
  assert_false(world->module.reset_requested);
}

/* ---- confirmed ---- */

static void confirmed_by_the_depot(void **state)
{
  struct world *world = open_trial(true);

  (void)state;
  world->consoles[0].output_length = 0;
  world->consoles[0].output[0] = '\0';
  pass(world, TIME - 1, 1);
  assert_true(is_on_trial(world));
  assert_int_equal(lookups, 0);
  pass(world, 1, 1);
  assert_confirmed(world);
  assert_int_equal(lookups, 1);
  assert_true(active_trial(world).depot_reached);
  world_assert_output(world, 0, ""); /* nobody is disturbed */
  world_run(world, "boot status", LB_OK);
  world_assert_said(world, 0, "  Its trial has ended well: ota_1 is confirmed\n");
  pass(world, 2 * LOOK_EVERY, 1);
  assert_int_equal(lookups, 1);
  start(world, LB_RESET_CRASH, "ota_1"); /* a confirmed one stays, whatever it does */
  start(world, LB_RESET_CRASH, "ota_1");
  start(world, LB_RESET_CRASH, "ota_1");
  start(world, LB_RESET_WATCHDOG, "ota_1");
  assert_false(world->module.boot.on_trial);
  close_module(world);
}

static void not_without_the_depot(void **state)
{
  struct world *world = open_trial(false);

  (void)state;
  pass(world, DAY / 2, 10);
  assert_true(is_on_trial(world));
  assert_int_equal(lookups, 0);
  world_run(world, "boot status", LB_OK);
  world_assert_said(world, 0,
                    "  On trial: attempt 1 of 3, 120 second(s) of 120 run\n"
                    "  It is confirmed when it has reached its depot, or by `ota confirm`\n");
  world->link = true; /* it is looked for at once */
  pass(world, 1, 1);
  assert_confirmed(world);
  assert_int_equal(lookups, 1);
  close_module(world);
}

static void looked_for_every_ten_minutes(void **state)
{
  static const char *const portals[] = {"<html>Please log in</html>\n", "", NULL};
  struct world *world = open_trial(true);

  (void)state;
  world->version = portals[0];
  pass(world, TIME, 1);
  assert_int_equal(lookups, 1);
  pass(world, LOOK_EVERY - 1, 1);
  assert_int_equal(lookups, 1);
  for (unsigned i = 0; i < sizeof(portals) / sizeof(portals[0]); i++) {
    world->version = portals[i];
    pass(world, LOOK_EVERY, 1);
    assert_int_equal(lookups, 2 + i);
    assert_true(is_on_trial(world));
  }
  world->version = "3.1.003\nMended.\n";
  pass(world, LOOK_EVERY, 1);
  assert_int_equal(lookups, 5);
  assert_confirmed(world);
  close_module(world);
}

/* In vain at first; the network goes and comes back before ten minutes are over. */
static void looked_for_when_the_link_comes_back(void **state)
{
  struct world *world = open_trial(true);

  (void)state;
  world->version = NULL;
  pass(world, TIME, 1);
  assert_int_equal(lookups, 1);
  world->version = "3.1.003\n";
  world->link = false;
  pass(world, 5, 1);
  world->link = true;
  pass(world, 1, 1);
  assert_int_equal(lookups, 2);
  assert_confirmed(world);
  close_module(world);
}

static void status_reaches_the_depot_too(void **state)
{
  struct world *world = open_trial(true);

  (void)state;
  world_run(world, "ota status", LB_OK);
  work(world);
  assert_true(is_on_trial(world));
  assert_true(active_trial(world).depot_reached);
  lookups = 0;
  world->link = false;
  pass(world, TIME - 1, 1);
  assert_true(is_on_trial(world));
  pass(world, 1, 1);
  assert_confirmed(world);
  assert_int_equal(lookups, 0);
  close_module(world);
}

/* What it reached in one run counts in the next; the time has to run in one. */
static void depot_in_one_run_and_time_in_the_next(void **state)
{
  struct world *world = open_trial(true);

  (void)state;
  world_run(world, "ota status", LB_OK);
  pass(world, TIME - 1, 1);
  start(world, LB_RESET_COMMANDED, "ota_1");
  world->link = false;
  pass(world, TIME - 1, 1);
  assert_true(is_on_trial(world));
  pass(world, 1, 1);
  assert_confirmed(world);
  close_module(world);
}

static void word_of_an_operator(void **state)
{
  struct world *world = open_trial(false);

  (void)state;
  pass(world, 20, 1);
  world_run(world, "ota confirm", LB_OK);
  world_assert_said(world, 0, "Firmware in ota_1 will be confirmed in 100 second(s), if it runs until then\n");
  pass(world, 99, 1);
  assert_true(is_on_trial(world));
  world_run(world, "boot status", LB_OK);
  world_assert_said(world, 0,
                    "  On trial: attempt 1 of 3, 119 second(s) of 120 run\n"
                    "  It is confirmed when it has run 120 second(s)\n");
  pass(world, 1, 1);
  assert_confirmed(world);
  assert_false(active_trial(world).depot_reached);
  world_run(world, "ota confirm", LB_ERR_NOT_ON_TRIAL);
  world_assert_output(world, 0,
                      "Error: ota_1 is not on trial - there is nothing to confirm (ESP_ERR_INVALID_STATE, 259)\n");
  close_module(world);
}

/*
 * Found by tests/network: a cut in the verdict, or in the mark of the depot, may leave it so that the bootloader does
 * not see it and the firmware does. It is completed, or it would be gone with the next reading.
 */
static void completes_half_marks(void **state)
{
  static const uint8_t zeros[8] = {0};
  static const unsigned marks[] = {128, 160}; /* confirmed, reached its depot */

  (void)state;
  for (unsigned i = 0; i < 2; i++) {
    struct world *world = open_trial(false);
    uint8_t *half = sim_flash_bytes(&world->flash) + OTADATA_AT;

    half += otadata_of(world).active == 1 ? 0x1000 : 0;
    half[marks[i]] = 0xFC;
    work(world);
    assert_memory_equal(half + marks[i], zeros, sizeof(zeros));
    assert_int_equal(is_on_trial(world), i == 1);
    pass(world, TIME, 1);
    assert_confirmed(world);
    close_module(world);
  }
}

static void word_behind_the_time(void **state)
{
  struct world *world = open_trial(false);

  (void)state;
  pass(world, 500, 5);
  world_run(world, "ota confirm", LB_OK);
  world_assert_output(world, 0, "Firmware in ota_1 is confirmed\n");
  assert_confirmed(world);
  close_module(world);
}

/* ---- rejected ---- */

static void rejected_by_an_operator(void **state)
{
  struct world *world = open_trial(true);

  (void)state;
  world_run(world, "ota reject", LB_OK);
  world_assert_output(world, 0, "Firmware in ota_1 is rejected\n  The module goes back to factory\n");
  assert_true(world->module.reset_requested);
  start(world, LB_RESET_COMMANDED, "factory");
  world_run(world, "ota reject", LB_ERR_NOT_ON_TRIAL);
  world_assert_said(world, 0, "Error: factory is not on trial - select another firmware with `ota boot SLOT`");
  assert_false(world->module.reset_requested);
  close_module(world);
}

/* A day of running, over several runs, without the depot that factory has reached. */
static void rejected_for_the_depot(void **state)
{
  static const uint32_t runs[] = {900 * 20 + 899, 900 * 50 + 1, 900 * 25 + 10};
  struct world *world = open_module();

  (void)state;
  pass(world, TIME, 1);
  assert_int_equal(lookups, 1); /* factory has reached it */
  world_run(world, "ota boot ota_1", LB_OK);
  world->link = false;
  for (unsigned i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
    start(world, LB_RESET_COMMANDED, "ota_1");
    assert_true(world->module.boot.on_trial);
    pass(world, runs[i], 1);
    assert_false(world->module.reset_requested);
  }
  assert_int_equal(active_trial(world).quarters, 95);
  pass(world, 889, 1);
  assert_false(world->module.reset_requested);
  pass(world, 1, 1);
  assert_true(world->module.reset_requested);
  world->module.reset_requested = false;
  start(world, LB_RESET_COMMANDED, "factory");
  assert_int_equal(otadata_of(world).records[0].trial.cause, LB_TRIAL_NO_DEPOT);
  close_module(world);
}

/* A word is as good as the depot, also on the last day. */
static void word_instead_of_the_depot(void **state)
{
  struct world *world = open_module();

  (void)state;
  pass(world, TIME, 1);
  world_run(world, "ota boot ota_1", LB_OK);
  world->link = false;
  start(world, LB_RESET_COMMANDED, "ota_1");
  pass(world, DAY - 10, 10);
  assert_true(is_on_trial(world));
  world_run(world, "ota confirm", LB_OK);
  pass(world, 2 * DAY, 100);
  assert_confirmed(world);
  close_module(world);
}

static void stays_where_there_never_was_a_depot(void **state)
{
  struct world *world = open_trial(false);

  (void)state;
  pass(world, 3 * DAY, 60);
  assert_true(is_on_trial(world));
  assert_false(world->module.reset_requested);
  assert_int_equal(active_trial(world).quarters, LB_TRIAL_QUARTERS);
  close_module(world);
}

/* Found in review: the last quarter of the day came before the trial time had run, and the word counted for nothing. */
static void word_late_with_a_long_time(void **state)
{
  struct world *world = open_module();

  (void)state;
  pass(world, TIME, 1);
  world_run(world, "config set ota trial.time 3600", LB_OK);
  world_run(world, "ota boot ota_1", LB_OK);
  world->link = false;
  start(world, LB_RESET_COMMANDED, "ota_1");
  pass(world, 95 * 900 + 10, 10);
  assert_int_equal(active_trial(world).quarters, 95);
  start(world, LB_RESET_COMMANDED, "ota_1");
  world_run(world, "ota confirm", LB_OK);
  world_assert_said(world, 0, "Firmware in ota_1 will be confirmed in 3600 second(s), if it runs until then\n");
  pass(world, 3590, 10);
  assert_int_equal(active_trial(world).quarters, LB_TRIAL_QUARTERS);
  assert_false(world->module.reset_requested);
  assert_true(is_on_trial(world));
  pass(world, 10, 10);
  assert_confirmed(world);
  close_module(world);
}

/* The same with the depot: reached in an early run, all of which are shorter than the trial time. */
static void depot_early_with_a_long_time(void **state)
{
  struct world *world = open_module();

  (void)state;
  pass(world, TIME, 1);
  world_run(world, "config set ota trial.time 3600", LB_OK);
  world_run(world, "ota boot ota_1", LB_OK);
  start(world, LB_RESET_COMMANDED, "ota_1");
  world_run(world, "ota status", LB_OK);
  work(world);
  assert_true(active_trial(world).depot_reached);
  world->link = false;
  for (unsigned i = 0; i < LB_TRIAL_QUARTERS / 3 + 1; i++) {
    start(world, LB_RESET_COMMANDED, "ota_1");
    pass(world, 3 * 900 + 10, 10);
    assert_false(world->module.reset_requested);
  }
  assert_int_equal(active_trial(world).quarters, LB_TRIAL_QUARTERS);
  pass(world, 900, 10);
  assert_confirmed(world);
  close_module(world);
}

/* ---- attempts ---- */

static void crashes_go_back(void **state)
{
  static const enum lb_reset resets[] = {LB_RESET_CRASH, LB_RESET_WATCHDOG};
  (void)state;
  for (unsigned i = 0; i < 2; i++) {
    struct world *world = open_trial(false);

    start(world, resets[i], "ota_1");
    assert_int_equal(world->module.boot.attempt, 2);
    pass(world, TIME + 10, 1); /* a crash counts whenever it comes */
    start(world, resets[i], "ota_1");
    assert_int_equal(world->module.boot.attempt, 3);
    start(world, resets[i], "factory");
    assert_true(world->module.boot.went_back);
    assert_int_equal(world->module.boot.cause, i == 0 ? LB_TRIAL_CRASHED : LB_TRIAL_HUNG);
    close_module(world);
  }
}

static void power_counts_before_the_time_only(void **state)
{
  struct world *world = open_trial(false);

  (void)state;
  for (unsigned i = 0; i < 5; i++) {
    pass(world, TIME, 1);
    start(world, LB_RESET_POWER_ON, "ota_1");
    assert_int_equal(world->module.boot.attempt, 1);
  }
  pass(world, TIME - 1, 1);
  start(world, LB_RESET_POWER_ON, "ota_1");
  assert_int_equal(world->module.boot.attempt, 2);
  start(world, LB_RESET_POWER_ON, "ota_1");
  assert_int_equal(world->module.boot.attempt, 3);
  pass(world, TIME - 1, 1);
  start(world, LB_RESET_POWER_ON, "factory");
  assert_int_equal(world->module.boot.cause, LB_TRIAL_POWER);
  close_module(world);
}

static void ending_in_order_never_counts(void **state)
{
  struct world *world = open_trial(false);

  (void)state;
  for (unsigned i = 0; i < 20; i++) {
    start(world, LB_RESET_COMMANDED, "ota_1");
    assert_int_equal(world->module.boot.attempt, 1);
  }
  for (unsigned i = 0; i < 20; i++) { /* switched off in order, and on again */
    module_stop(&world->module);
    start(world, LB_RESET_POWER_ON, "ota_1");
    assert_int_equal(world->module.boot.attempt, 1);
  }
  close_module(world);
}

static void settings_say_how_long_and_how_often(void **state)
{
  struct world *world = open_module();

  (void)state;
  world->link = false;
  world_run(world, "config set ota trial.attempts 0", MODULE_ERR_SETTING);
  world_run(world, "config set ota trial.attempts 17", MODULE_ERR_SETTING);
  world_run(world, "config set ota trial.attempts 1x", MODULE_ERR_SETTING);
  world_run(world, "config set ota trial.time 0", MODULE_ERR_SETTING);
  world_run(world, "config set ota trial.time 86401", MODULE_ERR_SETTING);
  world_run(world, "config set ota trial.time 4294967297", MODULE_ERR_SETTING);
  world_run(world, "config set ota trial.attempts 1", LB_OK);
  world_run(world, "ota boot ota_1", LB_OK);
  start(world, LB_RESET_COMMANDED, "ota_1");
  assert_int_equal(world->module.boot.attempts, 1);
  pass(world, 30, 1);
  world_run(world, "ota confirm", LB_OK);
  world_run(world, "config set ota trial.time 40", LB_OK);
  pass(world, 9, 1);
  assert_true(is_on_trial(world));
  pass(world, 1, 1);
  assert_confirmed(world);
  world_run(world, "ota boot ota_0", LB_OK);
  start(world, LB_RESET_COMMANDED, "ota_0");
  start(world, LB_RESET_CRASH, "ota_1");
  close_module(world);
}

/* ---- the depot mark of confirmed firmware ---- */

static void confirmed_firmware_looks_once(void **state)
{
  struct world *world = open_trial(false);

  (void)state;
  pass(world, TIME, 1);
  world_run(world, "ota confirm", LB_OK);
  start(world, LB_RESET_COMMANDED, "ota_1");
  pass(world, 3 * TIME, 1);
  assert_int_equal(lookups, 0);
  world->link = true;
  world->version = NULL;
  pass(world, 3 * LOOK_EVERY, 1);
  assert_int_equal(lookups, 1); /* in vain, and it leaves it at that */
  world->version = "3.1.003\n";
  start(world, LB_RESET_COMMANDED, "ota_1");
  assert_false(module_trial_terms(&world->module).depot_expected);
  pass(world, TIME, 1);
  assert_int_equal(lookups, 2);
  assert_true(active_trial(world).depot_reached);
  start(world, LB_RESET_POWER_ON, "ota_1");
  assert_true(module_trial_terms(&world->module).depot_expected);
  pass(world, 3 * LOOK_EVERY, 1);
  assert_int_equal(lookups, 2);
  close_module(world);
}

/* ---- whose flash it is ---- */

static void waits_for_a_command_that_changes_the_flash(void **state)
{
  struct world *world = open_trial(true);
  uint8_t before[0x2000];

  (void)state;
  pass(world, TIME - 1, 1);
  memcpy(before, sim_flash_bytes(&world->flash) + OTADATA_AT, sizeof(before));
  assert_result(world_execute(world, 1, "ota erase ota_0"), LB_MORE);
  pass(world, 900 * 3, 1);
  assert_memory_equal(before, sim_flash_bytes(&world->flash) + OTADATA_AT, sizeof(before));
  while (world_poll(world, 1) == LB_MORE) {
    work(world);
  }
  world_assert_said(world, 1, "Partition erase complete\n");
  assert_memory_equal(before, sim_flash_bytes(&world->flash) + OTADATA_AT, sizeof(before));
  work(world); /* now it makes up for it */
  assert_confirmed(world);
  close_module(world);
}

/* Begins an update on the second console, and works on it until it has come to that stage. */
static void flash_until(struct world *world, enum flash_job_stage stage)
{
  unsigned polls = 0;

  assert_result(world_execute(world, 1, "ota flash http http://depot.test/a.bin to ota_0"), LB_MORE);
  while (world->module.flash_job.stage != stage || (stage == FLASH_JOB_TRANSFERRING && polls < 1000)) {
    assert_result(world_poll(world, 1), LB_MORE);
    (void)module_tick(&world->module);
    assert_true(polls++ < 100000);
  }
}

/* Found in review: an update of ten minutes, and a loss of power in it was a failed attempt. */
static void time_runs_during_an_update(void **state)
{
  struct world *world = open_trial(true);

  (void)state;
  world->version = NULL;
  for (unsigned i = 0; i < 5; i++) {
    flash_until(world, FLASH_JOB_TRANSFERRING);
    pass(world, TIME + 5, 1);
    assert_false(world->module.reset_requested);
    assert_int_equal(world->module.flash_job.stage, FLASH_JOB_TRANSFERRING);
    start(world, LB_RESET_POWER_ON, "ota_1");
    assert_int_equal(world->module.boot.attempt, 1);
  }
  flash_until(world, FLASH_JOB_TRANSFERRING); /* without that time it is one */
  start(world, LB_RESET_POWER_ON, "ota_1");
  assert_int_equal(world->module.boot.attempt, 2);
  close_module(world);
}

/* The link is lost, and the job waits to try again: a minute, and another one. */
static void time_runs_while_an_update_waits(void **state)
{
  struct world *world = open_trial(true);

  (void)state;
  flash_until(world, FLASH_JOB_TRANSFERRING);
  world->link = false;
  world->network.read = read_nothing;
  while (world->module.flash_job.stage != FLASH_JOB_WAITING) {
    assert_result(world_poll(world, 1), LB_MORE);
  }
  pass(world, TIME + 5, 1);
  start(world, LB_RESET_POWER_ON, "ota_1");
  assert_int_equal(world->module.boot.attempt, 1);
  close_module(world);
}

/* Only the one mark, once; and none while the update itself selects, or another command holds the flash. */
static void one_mark_during_an_update(void **state)
{
  struct world *world = open_trial(true);
  uint8_t before[0x2000];
  uint8_t after[0x2000];
  unsigned changed = 0;

  (void)state;
  flash_until(world, FLASH_JOB_TRANSFERRING);
  memcpy(before, sim_flash_bytes(&world->flash) + OTADATA_AT, sizeof(before));
  pass(world, 2000, 1);
  memcpy(after, sim_flash_bytes(&world->flash) + OTADATA_AT, sizeof(after));
  for (size_t i = 0; i < sizeof(before); i++) {
    changed += before[i] != after[i] ? 1U : 0U;
  }
  assert_int_equal(changed, 1);
  assert_true(is_on_trial(world));
  while (world->module.flash_job.stage == FLASH_JOB_TRANSFERRING) {
    assert_result(world_poll(world, 1), LB_MORE);
  }
  assert_false(flash_job_leaves_otadata(&world->module.flash_job));
  console_cancel(&world->consoles[1].console);
  assert_false(flash_job_leaves_otadata(&world->module.flash_job));
  close_module(world);
}

/* Firmware that was selected away from has nothing to mark, and does not read otadata again and again. */
static void no_mark_when_something_else_is_selected(void **state)
{
  struct world *world = open_trial(true);
  uint8_t before[0x2000];

  (void)state;
  world_run(world, "ota boot factory", LB_OK);
  flash_until(world, FLASH_JOB_TRANSFERRING);
  memcpy(before, sim_flash_bytes(&world->flash) + OTADATA_AT, sizeof(before));
  pass(world, TIME, 1);
  const uint64_t reads = world->flash.counters.reads;
  pass(world, TIME, 1);
  assert_int_equal(world->flash.counters.reads, reads);
  assert_memory_equal(before, sim_flash_bytes(&world->flash) + OTADATA_AT, sizeof(before));
  console_cancel(&world->consoles[1].console);
  close_module(world);
}

/* A crash leaves nothing open, and marks nothing. */
static void crash_in_the_middle_of_everything(void **state)
{
  struct world *world = open_trial(true);
  uint8_t before[0x2000];

  (void)state;
  sim_clock_spend_us(&world->clock, (uint64_t)TIME * SECOND_US);
  sim_clock_forget_checkpoints(&world->clock);
  while (!module_is_looking(&world->module)) {
    (void)module_tick(&world->module);
  }
  assert_result(world_execute(world, 1, "ota flash http http://depot.test/a.bin to ota_0"), LB_MORE);
  while (world->module.flash_job.stage != FLASH_JOB_CONNECTING || !world->module.flash_job.source.transfer) {
    assert_result(world_poll(world, 1), LB_MORE);
  }
  assert_true(world->transfers[0].open && world->transfers[1].open);
  memcpy(before, sim_flash_bytes(&world->flash) + OTADATA_AT, sizeof(before));
  module_die(&world->module);
  assert_false(module_is_looking(&world->module));
  assert_memory_equal(before, sim_flash_bytes(&world->flash) + OTADATA_AT, sizeof(before));
  module_die(&world->module); /* once more does no harm */
  close_module(world);
}

static void verdicts_wait_for_a_command_that_changes_the_flash(void **state)
{
  static const char *const lines[] = {"ota confirm", "ota reject"};
  struct world *world = open_trial(true);

  (void)state;
  assert_result(world_execute(world, 1, "ota erase ota_0"), LB_MORE);
  for (unsigned i = 0; i < 2; i++) {
    assert_result(world_execute(world, 0, lines[i]), MODULE_ERR_UPDATE_RUNNING);
    world_assert_output(world, 0,
                        "Error: a flash operation is in progress - wait for its end (ESP_ERR_INVALID_STATE, 259)\n");
  }
  console_cancel(&world->consoles[1].console);
  assert_true(is_on_trial(world));
  close_module(world);
}

/* Something else was selected meanwhile: there is nothing left to confirm. */
static void lets_go_when_something_else_is_selected(void **state)
{
  struct world *world = open_trial(true);

  (void)state;
  world_run(world, "ota boot factory", LB_OK);
  pass(world, 2 * TIME, 1);
  assert_false(world->module.trial.confirmed);
  assert_false(world->module.reset_requested);
  assert_int_equal(otadata_of(world).active, LB_OTADATA_NONE);
  close_module(world);
}

/* A mark that cannot be made is told, and tried again. */
static void flash_that_does_not_take_marks(void **state)
{
  struct world *world = open_trial(true);

  (void)state;
  assert_true(sim_flash_set_fault(&world->flash, SIM_FAULT_PROGRAM_FAILS, OTADATA_AT, 0x2000, SIM_FAULT_ALWAYS));
  pass(world, TIME + 5, 1);
  assert_true(is_on_trial(world));
  world_run(world, "boot status", LB_OK);
  world_assert_said(world, 0, "  That could not be marked on the flash: ");
  assert_result(world_execute(world, 0, "ota confirm"), LB_ERR_FLASH_PROGRAM);
  sim_flash_clear_faults(&world->flash);
  pass(world, 15, 1);
  assert_confirmed(world);
  close_module(world);
}

/* ---- module wait ---- */

static void wait_lets_time_pass(void **state)
{
  static const char *const wrong[] = {"0", "604801", "1.5", "-1", "", "99999999999999999999", "1s"};
  struct world *world = open_module();
  char line[64];

  (void)state;
  for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    snprintf(line, sizeof(line), "module wait \"%s\"", wrong[i]);
    assert_result(world_execute(world, 0, line), MODULE_ERR_USAGE);
  }
  assert_result(world_execute(world, 0, "module wait 2"), LB_MORE);
  assert_result(world_poll(world, 0), LB_MORE);
  assert_true(console_is_waiting(&world->consoles[0].console));
  assert_in_range(console_wait_ms(&world->consoles[0].console), 900, 1000);
  sim_clock_spend_us(&world->clock, 1800000);
  assert_result(world_poll(world, 0), LB_MORE);
  assert_in_range(console_wait_ms(&world->consoles[0].console), 1, 200);
  sim_clock_spend_us(&world->clock, 200000);
  assert_result(world_poll(world, 0), LB_OK);
  world_assert_output(world, 0, "");
  assert_int_equal(console_wait_ms(&world->consoles[0].console), 0);
  assert_result(world_execute(world, 0, "module wait 604800"), LB_MORE);
  console_cancel(&world->consoles[0].console);
  world_assert_output(world, 0, "Error: the command was cancelled - give it again (ESP_ERR_INVALID_STATE, 259)\n");
  sim_clock_forget_checkpoints(&world->clock);
  close_module(world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(confirmed_by_the_depot),
      cmocka_unit_test(not_without_the_depot),
      cmocka_unit_test(looked_for_every_ten_minutes),
      cmocka_unit_test(looked_for_when_the_link_comes_back),
      cmocka_unit_test(status_reaches_the_depot_too),
      cmocka_unit_test(depot_in_one_run_and_time_in_the_next),
      cmocka_unit_test(word_of_an_operator),
      cmocka_unit_test(completes_half_marks),
      cmocka_unit_test(word_behind_the_time),
      cmocka_unit_test(rejected_by_an_operator),
      cmocka_unit_test(rejected_for_the_depot),
      cmocka_unit_test(word_instead_of_the_depot),
      cmocka_unit_test(word_late_with_a_long_time),
      cmocka_unit_test(depot_early_with_a_long_time),
      cmocka_unit_test(stays_where_there_never_was_a_depot),
      cmocka_unit_test(crashes_go_back),
      cmocka_unit_test(power_counts_before_the_time_only),
      cmocka_unit_test(ending_in_order_never_counts),
      cmocka_unit_test(settings_say_how_long_and_how_often),
      cmocka_unit_test(confirmed_firmware_looks_once),
      cmocka_unit_test(waits_for_a_command_that_changes_the_flash),
      cmocka_unit_test(time_runs_during_an_update),
      cmocka_unit_test(time_runs_while_an_update_waits),
      cmocka_unit_test(one_mark_during_an_update),
      cmocka_unit_test(no_mark_when_something_else_is_selected),
      cmocka_unit_test(crash_in_the_middle_of_everything),
      cmocka_unit_test(verdicts_wait_for_a_command_that_changes_the_flash),
      cmocka_unit_test(lets_go_when_something_else_is_selected),
      cmocka_unit_test(flash_that_does_not_take_marks),
      cmocka_unit_test(wait_lets_time_pass),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
