// SPDX-License-Identifier: MIT
/*
 * Two consoles on one module: while the command of one changes the flash, the other's are refused and it looks on; each
 * gets its own output, and nothing that one does spoils what the other is told.
 */
#include <ftw.h>
#include <unistd.h>

#include "ports/sim/files.h"
#include "tests/unit/support/unit.h"
#include "tests/unit/support/world.h"

#define MINE       0U
#define THEIRS     1U
#define SIZE       300000U
#define ENDLESS    10000000U

#define KNOWN_LINE "Error: Flash operation already in progress - cannot flash again\n"
#define WAIT       "a flash operation is in progress - wait for its end (ESP_ERR_INVALID_STATE, 259)\n"

/* Factory runs, nothing is selected, both slots hold an image. */
static struct world *open_module(void)
{
  struct world *world = unit_allocate(sizeof(*world));

  world_open(world, true);
  world_offer(world, 600, SIZE, "3.1.003");
  world_put_image(world, 0x10000, SIZE, 1);
  world_put_image(world, 0x410000, SIZE, 2);
  world_put_image(world, 0x810000, SIZE, 3);
  world_boot(world, "factory");
  return world;
}

static void close_module(struct world *world)
{
  world_assert_quiet(world);
  world_close(world);
  free(world);
}

static const struct job {
  const char *line;
  const char *last; /* of its output */
} jobs[] = {
    {"ota boot ota_1", "Boot from ota_1 at 0x00810000 (size 0x00400000)\n"},
    {"ota flash http", "  Next boot will be from 'ota_0'\n"},
    {"ota flash vfs " WORLD_FILE, "  Next boot will be from 'ota_0'\n"},
    {"ota flash vfs " WORLD_FILE " to ota_1", "  Next boot will be from 'ota_1'\n"},
    {"ota copy factory ota_1", "  Copied 300000 bytes from factory to ota_1\n"},
    {"ota erase ota_1", "Partition erase complete\n"},
};

#define JOBS (sizeof(jobs) / sizeof(jobs[0]))

/* How many steps a job takes when nobody disturbs it; and all that it says. */
static uint32_t measure(const struct job *job, char *output, size_t size)
{
  struct world *world = open_module();
  uint32_t polls = 0;

  assert_result(world_execute(world, MINE, job->line), LB_MORE);
  while (world_poll(world, MINE) == LB_MORE) {
    assert_true(polls++ < ENDLESS);
  }
  world_assert_said(world, MINE, job->last);
  assert_true(strlen(world->consoles[MINE].output) < size);
  strcpy(output, world->consoles[MINE].output);
  close_module(world);
  return polls;
}

static void assert_ends_with(const char *text, const char *end)
{
  size_t length = strlen(text);

  if (length < strlen(end) || strcmp(text + length - strlen(end), end) != 0) {
    fail_here("\"%s\" does not end with \"%s\"", text, end);
  }
}

/* ---- refused ---- */

static void refuse(struct world *world, const char *line, const char *output, int error)
{
  assert_result(world_execute(world, THEIRS, line), error);
  if (strcmp(world->consoles[THEIRS].output, output) != 0) {
    fail_here("%s: %s", line, world->consoles[THEIRS].output);
  }
  assert_result(world_poll(world, THEIRS), LB_OK);
}

/* All that would change the flash or end the other's work, and that only it is refused. */
static void refuse_all(struct world *world)
{
  static const char *const flashes[] = {"ota flash http",         "ota flash http http://x/y to ota_1",
                                        "ota flash vfs /sd/none", "ota copy factory ota_0",
                                        "ota copy ota_1 ota_1",   "o cop nonsense nonsense"};
  static const char *const others[] = {"ota erase ota_0",  "ota erase ota_1",   "ota boot ota_0",
                                       "ota boot factory", "ota boot nonsense", "ota confirm",
                                       "ota reject",       "module reset",      "m r"};

  for (size_t i = 0; i < sizeof(flashes) / sizeof(flashes[0]); i++) {
    refuse(world, flashes[i], KNOWN_LINE "  " WAIT, MODULE_ERR_UPDATE_RUNNING);
  }
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
    refuse(world, others[i], "Error: " WAIT, MODULE_ERR_UPDATE_RUNNING);
  }
  assert_false(world->module.reset_requested);
  assert_result(world_execute(world, THEIRS, "boot status"), LB_OK);
  assert_result(world_execute(world, THEIRS, "wifi status"), LB_OK);
  assert_result(world_execute(world, THEIRS, "ota partitions list"), LB_OK);
  assert_result(world_execute(world, THEIRS, "help"), LB_OK);
}

/* At its beginning, at its end, and a few times in between. */
static void test_others_are_refused(void **state)
{
  static char alone[sizeof(((struct world_console *)0)->output)];

  (void)state;
  for (size_t i = 0; i < JOBS; i++) {
    uint32_t polls = measure(&jobs[i], alone, sizeof(alone));
    struct world *world = open_module();
    uint32_t done = 0;
    int result = world_execute(world, MINE, jobs[i].line);

    while (result == LB_MORE) {
      if (done < 3 || done % (polls / 5 + 1) == 0 || done + 3 > polls) {
        refuse_all(world);
      }
      done++;
      result = world_poll(world, MINE);
    }
    assert_result(result, LB_OK);
    assert_int_equal(done, polls + 1);
    world_assert_output(world, MINE, alone); /* not a byte of what the other was told */
    assert_null(world->module.flash_user);
    close_module(world);
  }
}

/* And afterwards it is free again, whether it went well or not. */
static void test_free_afterwards(void **state)
{
  static const struct {
    const char *line;
    int result;
  } ends[] = {
      {"ota boot ota_1", LB_OK},
      {"ota boot ota_0", LB_ERR_NOT_BOOTABLE},
      {"ota boot nonsense", LB_ERR_NOT_FOUND},
      {"ota boot", MODULE_ERR_USAGE},
      {"ota flash http", LB_ERR_IMAGE_DIGEST},
      {"ota flash vfs " WORLD_FILE, LB_ERR_IMAGE_DIGEST},
      {"ota flash vfs " WORLD_FILE " to factory", LB_ERR_TARGET_RUNNING},
      {"ota flash vfs " WORLD_FILE " to nonsense", LB_ERR_NOT_FOUND},
      {"ota flash vfs a b c", MODULE_ERR_USAGE},
      {"ota copy factory ota_1", LB_OK},
      {"ota copy ota_0 ota_1", LB_ERR_IMAGE_CHECKSUM},
      {"ota copy factory factory", LB_ERR_TARGET_RUNNING},
      {"ota copy nonsense ota_1", LB_ERR_NOT_FOUND},
      {"ota copy factory nonsense", LB_ERR_NOT_FOUND},
      {"ota erase ota_1", LB_OK},
      {"ota erase factory", LB_ERR_TARGET_RUNNING},
      {"ota erase nonsense", LB_ERR_NOT_FOUND},
  };

  (void)state;
  for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
    struct world *world = open_module();

    sim_flash_bytes(&world->flash)[0x410000 + SIZE / 2] ^= 1; /* ota_0 */
    world->image.bytes[SIZE - 1] ^= 1;
    (void)world_run_on(world, MINE, ends[i].line, ends[i].result);
    assert_null(world->module.flash_user);
    (void)world_run_on(world, THEIRS, "ota erase ota_0", LB_OK);
    close_module(world);
  }
}

/* ---- the other one looks on ---- */

/* Runs `ota status nocheck` on the other console; returns the percent it tells, or -1. */
static int look(struct world *world, const char *line, char *text, size_t size)
{
  const char *at;
  char format[32];
  int percent = -1;

  (void)world_run_on(world, THEIRS, line, LB_OK);
  text[0] = '\0';
  at = strstr(world->consoles[THEIRS].output, "Status:            ");
  if (at) {
    snprintf(format, sizeof(format), "Status:            %%%u[^(](%%d%%%%)", (unsigned)size - 1);
    assert_int_equal(sscanf(at, format, text, &percent), 2);
    assert_ends_with(at, "%)\n"); /* it is the last line */
  }
  return percent;
}

static void watch_percent(const char *line, bool counts)
{
  struct world *world = open_module();
  char text[32];
  int highest = -1;
  unsigned different = 0;
  uint32_t polls = 0;
  int result;

  assert_int_equal(look(world, "ota status nocheck", text, sizeof(text)), -1);
  result = world_execute(world, MINE, line);
  while (result == LB_MORE) {
    if (polls++ % 20 == 0) {
      int percent =
          look(world, polls % 400 == 1 && world->link ? "ota status" : "ota status nocheck", text, sizeof(text));

      assert_true(percent < 100 || strstr(world->consoles[MINE].output, "was successful"));
      assert_true((percent >= 0) == counts);
      assert_true(percent >= highest);
      different += percent > highest;
      highest = percent;
      assert_true(percent <= 0 || percent >= 99 || strcmp(text, "Flashing ") == 0);
    }
    result = world_poll(world, MINE);
  }
  assert_result(result, LB_OK);
  assert_true(!counts || (different > 20 && highest >= 99));
  assert_int_equal(look(world, "ota status nocheck", text, sizeof(text)), -1);
  close_module(world);
}

static void test_percent(void **state)
{
  (void)state;
  for (size_t i = 0; i < JOBS; i++) {
    bool flashes = strstr(jobs[i].line, "flash") || strstr(jobs[i].line, "copy");

    watch_percent(jobs[i].line, flashes);
  }
}

/* The whole answer, in the middle of an update. */
static void test_status_in_the_middle(void **state)
{
  struct world *world = open_module();
  char expected[512];

  (void)state;
  assert_result(world_execute(world, MINE, "ota flash vfs " WORLD_FILE), LB_MORE);
  while (flash_job_percent(&world->module.flash_job) < 50) {
    assert_result(world_poll(world, MINE), LB_MORE);
  }
  (void)world_run_on(world, THEIRS, "ota status", LB_OK);
  snprintf(expected, sizeof(expected), "Firmware:          3.1.001/factory/main (build idf %s %s %s)\n%s",
           world->module.firmware.description.idf, world->module.firmware.description.date,
           world->module.firmware.description.time,
           "Server Available:  3.1.003\nRunning partition: factory\nBoot partition:    factory\n"
           "Status:            Flashing (50%)\n");
  world_assert_output(world, THEIRS, expected);
  console_cancel(&world->consoles[MINE].console);
  close_module(world);
}

/* ---- reading all slots beside something else: one digest at a time is all that a hash can ---- */

static void assert_images(const struct world *world, unsigned console, bool ota_0, bool ota_1)
{
  world_assert_said(world, console, "Factory image:     3.1.001 (300000 bytes, ");
  world_assert_said(world, console,
                    ota_0 ? "OTA_0 image:       3.1.001 (300000 bytes, " : "OTA_0 image:       none that boots: ");
  world_assert_said(world, console,
                    ota_1 ? "OTA_1 image:       3.1.001 (300000 bytes, " : "OTA_1 image:       none that boots: ");
}

/* Both consoles take turns until both are done. */
static void run_both(struct world *world, const char *mine, const char *theirs, unsigned head_start)
{
  int first = world_execute(world, MINE, mine);

  for (unsigned i = 0; i < head_start && first == LB_MORE; i++) {
    first = world_poll(world, MINE);
  }
  int second = world_execute(world, THEIRS, theirs);
  while (first == LB_MORE || second == LB_MORE) {
    first = first == LB_MORE ? world_poll(world, MINE) : first;
    second = second == LB_MORE ? world_poll(world, THEIRS) : second;
  }
  if (first != LB_OK || second != LB_OK) {
    fail_here("%s: %s, %s: %s\n%s---\n%s", mine, unit_result_name(first), theirs, unit_result_name(second),
              world->consoles[MINE].output, world->consoles[THEIRS].output);
  }
}

static void test_full_status_beside_a_flash(void **state)
{
  (void)state;
  for (unsigned head_start = 0; head_start < 200; head_start += 40) {
    struct world *world = open_module();

    run_both(world, "ota flash vfs " WORLD_FILE, "ota status full", head_start);
    world_assert_said(world, THEIRS, "Factory image:     3.1.001 (300000 bytes, ");
    world_assert_said(world, THEIRS, "OTA_1 image:       3.1.001 (300000 bytes, ");
    close_module(world);
  }
}

static void test_full_status_beside_a_boot(void **state)
{
  struct world *world = open_module();

  (void)state;
  run_both(world, "ota boot ota_1", "ota status full", 5);
  assert_images(world, THEIRS, true, true);
  close_module(world);
}

static void test_full_status_beside_a_copy(void **state)
{
  (void)state;
  for (unsigned head_start = 0; head_start < 200; head_start += 40) {
    struct world *world = open_module();

    run_both(world, "ota copy factory ota_1", "ota status full", head_start);
    world_assert_said(world, THEIRS, "Factory image:     3.1.001 (300000 bytes, ");
    world_assert_said(world, THEIRS, "OTA_0 image:       3.1.001 (300000 bytes, ");
    close_module(world);
  }
}

static void test_full_status_on_both(void **state)
{
  (void)state;
  for (unsigned head_start = 0; head_start < 100; head_start += 20) {
    struct world *world = open_module();

    run_both(world, "ota status full", "ota status full", head_start);
    assert_images(world, MINE, true, true);
    assert_images(world, THEIRS, true, true);
    close_module(world);
  }
}

/* ---- cancelling ---- */

/* Each job is cancelled after some steps; at once the other console takes over and gets to its end. */
static void test_cancel_frees_the_flash(void **state)
{
  static char alone[sizeof(((struct world_console *)0)->output)];

  (void)state;
  for (size_t i = 0; i < JOBS; i++) {
    uint32_t polls = measure(&jobs[i], alone, sizeof(alone));

    for (unsigned part = 0; part < 8; part++) {
      struct world *world = open_module();

      assert_result(world_execute(world, MINE, jobs[i].line), LB_MORE);
      for (uint32_t done = 0; done < polls * part / 7; done++) {
        assert_result(world_poll(world, MINE), LB_MORE);
      }
      console_cancel(&world->consoles[MINE].console);
      if (!strstr(world->consoles[MINE].output, "was successful")) { /* then it is done, but for the settings */
        world_assert_said(world, MINE, "the command was cancelled - give it again (ESP_ERR_INVALID_STATE, 259)\n");
      }
      assert_result(world_poll(world, MINE), LB_OK);
      world_assert_quiet(world); /* nothing is left open */
      (void)world_run_on(world, THEIRS, "ota flash http to ota_1", LB_OK);
      (void)world_run_on(world, THEIRS, "module reset", LB_OK);
      assert_true(world->module.reset_requested);
      world_boot(world, "ota_1");
      close_module(world);
    }
  }
}

/* Whoever cancels an erase in its middle is told what that leaves behind (console.h), as with an update. */
static void test_cancelled_erase_tells_what_it_leaves(void **state)
{
  struct world *world = open_module();

  (void)state;
  assert_result(world_execute(world, MINE, "ota erase ota_1"), LB_MORE);
  for (int i = 0; i < 10; i++) {
    assert_result(world_poll(world, MINE), LB_MORE);
  }
  console_cancel(&world->consoles[MINE].console);
  world_assert_said(world, MINE, "ota_1 is incomplete and will not boot");
  close_module(world);
}

/* What is cancelled on the other console frees nothing of this one. */
static void test_cancelling_something_else(void **state)
{
  struct world *world = open_module();
  int result;

  (void)state;
  assert_result(world_execute(world, MINE, "ota flash vfs " WORLD_FILE), LB_MORE);
  for (int i = 0; i < 50; i++) {
    assert_result(world_poll(world, MINE), LB_MORE);
  }
  assert_result(world_execute(world, THEIRS, "ota status full"), LB_MORE);
  for (int i = 0; i < 10; i++) {
    assert_result(world_poll(world, THEIRS), LB_MORE);
  }
  console_cancel(&world->consoles[THEIRS].console);
  assert_ptr_equal(world->module.flash_user, &world->consoles[MINE].console);
  console_cancel(&world->consoles[THEIRS].console); /* nothing is under way there */
  refuse_all(world);
  do {
    result = world_poll(world, MINE);
  } while (result == LB_MORE);
  assert_result(result, LB_OK);
  close_module(world);
}

/* ---- a busy console ---- */

/* A second line on a console whose command is under way is refused, and the command goes on as if nothing had been. */
static void test_busy_console(void **state)
{
  static const char *const lines[] = {"ota status", "ota boot ota_0", "module reset", "nonsense",
                                      "",           "# nothing",      "exit",         "ota erase ota_1"};
  static char alone[sizeof(((struct world_console *)0)->output)];

  (void)state;
  for (size_t i = 0; i < JOBS; i++) {
    uint32_t polls = measure(&jobs[i], alone, sizeof(alone));
    struct world *world = open_module();
    struct console *console = &world->consoles[MINE].console;
    uint32_t done = 1;
    int result = world_execute(world, MINE, jobs[i].line);

    assert_result(result, LB_MORE);
    for (; result == LB_MORE; done++) {
      if (done == 1 || done == polls / 2) {
        for (size_t j = 0; j < sizeof(lines) / sizeof(lines[0]); j++) {
          assert_result(console_execute(console, lines[j]), LB_ERR_STATE);
          assert_ends_with(world->consoles[MINE].output,
                           "Error: the operation is not possible now - begin it anew (ESP_ERR_INVALID_STATE, 259)\n");
        }
      }
      result = world_poll(world, MINE);
    }
    assert_result(result, LB_OK);
    assert_int_equal(done, polls + 2);
    assert_ends_with(world->consoles[MINE].output, jobs[i].last);
    assert_false(world->module.reset_requested);
    assert_false(world->module.exit_requested);
    close_module(world);
  }
}

/* ---- files ---- */

struct card {
  struct sim_files files;
  char folder[64];
};

static void open_card(struct world *world, struct card *card)
{
  sim_files_open(&card->files);
  strcpy(card->folder, "/tmp/lifeboat-card-XXXXXX");
  assert_non_null(mkdtemp(card->folder));
  assert_result(sim_files_mount(&card->files, "sd", card->folder), LB_OK);
  world->port.files = &card->files.port;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
  (void)status;
  (void)type;
  (void)walk;
  return remove(path);
}

static void close_card(struct card *card)
{
  sim_files_close(&card->files);
  assert_int_equal(nftw(card->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void put_file(const struct card *card, const char *name, char fill, size_t length)
{
  char path[128];

  snprintf(path, sizeof(path), "%s/%s", card->folder, name);
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  for (size_t i = 0; i < length; i++) {
    assert_int_equal(fputc(fill, file), fill);
  }
  assert_int_equal(fclose(file), 0);
}

/* The file's length if it has nothing but `fill` in it, else -1; -2: there is none. */
static long file_of(const struct card *card, const char *name, char fill)
{
  char path[128];
  long length = 0;
  bool only = true;

  snprintf(path, sizeof(path), "%s/%s", card->folder, name);
  FILE *file = fopen(path, "rb");
  if (!file) {
    return -2;
  }
  for (int byte; (byte = fgetc(file)) != EOF; length++) {
    only = only && byte == fill;
  }
  fclose(file);
  return only ? length : -1;
}

/*
 * Both consoles copy to the same name at the same time. Whichever wins: at no moment has the file that name before it
 * is whole, also when the other one is then cancelled.
 */
static void test_two_copies_to_one_name(void **state)
{
  (void)state;
  for (unsigned cancels = 0; cancels < 2; cancels++) {
    struct world *world = open_module();
    struct card card;

    open_card(world, &card);
    put_file(&card, "a", 'a', 40000);
    put_file(&card, "b", 'b', 90000);
    int first = world_execute(world, MINE, "vfs cp /sd/a /sd/target");
    assert_result(first, LB_MORE);
    int second = world_execute(world, THEIRS, "vfs cp /sd/b /sd/target");
    while (first == LB_MORE || second == LB_MORE) {
      first = first == LB_MORE ? world_poll(world, MINE) : first;
      if (first != LB_MORE && cancels && second == LB_MORE) {
        console_cancel(&world->consoles[THEIRS].console);
        second = MODULE_ERR_CANCELLED;
      }
      second = second == LB_MORE ? world_poll(world, THEIRS) : second;
      long as_a = file_of(&card, "target", 'a');
      long as_b = file_of(&card, "target", 'b');
      if (!(as_a == -2 || as_a == 40000 || as_b == 90000)) {
        fail_here("the target has %ld bytes", as_a < 0 ? as_b : as_a);
      }
    }
    assert_true((first == LB_OK) != (second == LB_OK)); /* one of them is told that the name is taken */
    assert_int_equal(file_of(&card, "target.part", 'a'), -2);
    close_card(&card);
    close_module(world);
  }
}

/* Files and flash have nothing to do with each other. */
static void test_copy_of_a_file_beside_an_erase(void **state)
{
  struct world *world = open_module();
  struct card card;

  (void)state;
  open_card(world, &card);
  put_file(&card, "a", 'a', 90000);
  run_both(world, "ota erase ota_1", "vfs cp /sd/a /sd/b", 3);
  assert_int_equal(file_of(&card, "b", 'a'), 90000);
  world_assert_output(world, THEIRS, "");
  assert_result(world_execute(world, THEIRS, "vfs rm /sd/a"), LB_OK);
  assert_int_equal(file_of(&card, "a", 'a'), -2);
  close_card(&card);
  close_module(world);
}

/* ---- settings ---- */

/* Both change settings at the same time, through several turns of the pages of nvs, and beside an update. */
static void change_settings(struct world *world, unsigned round)
{
  char mine[64];
  char theirs[64];
  char said[64];

  snprintf(mine, sizeof(mine), "config set test m%u mine-%u", round % 5, round);
  snprintf(theirs, sizeof(theirs), "config set test t%u theirs-%u", round % 3, round);
  run_both(world, mine, theirs, round % 3);
  (void)world_run_on(world, THEIRS, "config list test", LB_OK);
  snprintf(said, sizeof(said), "test m%u: mine-%u\n", round % 5, round);
  world_assert_said(world, THEIRS, said);
  snprintf(said, sizeof(said), "test t%u: theirs-%u\n", round % 3, round);
  world_assert_said(world, THEIRS, said);
}

static void test_settings_on_both(void **state)
{
  struct world *world = open_module();

  (void)state;
  memset(sim_flash_bytes(&world->flash) + 0x9000, 0xFF, 0x4000); /* nvs */
  for (unsigned round = 0; round < 500; round++) {
    change_settings(world, round);
  }
  world_boot(world, "factory");
  (void)world_run_on(world, MINE, "config list test", LB_OK);
  world_assert_said(world, MINE, "test m4: mine-499\n");
  world_assert_said(world, MINE, "test t0: theirs-498\n");
  close_module(world);
}

/* An update remembers where its image came from, in the settings too, and that may be the moment of another change. */
static void test_settings_beside_an_update(void **state)
{
  (void)state;
  for (unsigned late = 0; late < 12; late++) {
    struct world *world = open_module();
    char line[64];
    unsigned round = 0;
    int result = world_execute(world, MINE, "ota flash vfs " WORLD_FILE);

    while (result == LB_MORE && world->module.flash_job.stage != FLASH_JOB_REMEMBERING) {
      result = world_poll(world, MINE);
    }
    int other = LB_OK;
    while (result == LB_MORE || other == LB_MORE || round < 200) {
      if (other != LB_MORE) {
        snprintf(line, sizeof(line), "config set test k%u value-%u", round % 3, round);
        other = round++ < 200 ? world_execute(world, THEIRS, line) : LB_OK;
      }
      other = other == LB_MORE ? world_poll(world, THEIRS) : other;
      if (round > late * 16) {
        result = result == LB_MORE ? world_poll(world, MINE) : result;
      }
    }
    assert_result(result, LB_OK);
    assert_result(other, LB_OK);
    (void)world_run_on(world, THEIRS, "config list", LB_OK);
    world_assert_said(world, THEIRS, "ota vfs.mru: " WORLD_FILE "\n");
    world_assert_said(world, THEIRS, "test k1: value-199\n");
    close_module(world);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_others_are_refused),
      cmocka_unit_test(test_free_afterwards),
      cmocka_unit_test(test_percent),
      cmocka_unit_test(test_status_in_the_middle),
      cmocka_unit_test(test_full_status_beside_a_flash),
      cmocka_unit_test(test_full_status_beside_a_boot),
      cmocka_unit_test(test_full_status_beside_a_copy),
      cmocka_unit_test(test_full_status_on_both),
      cmocka_unit_test(test_cancel_frees_the_flash),
      cmocka_unit_test(test_cancelled_erase_tells_what_it_leaves),
      cmocka_unit_test(test_cancelling_something_else),
      cmocka_unit_test(test_busy_console),
      cmocka_unit_test(test_two_copies_to_one_name),
      cmocka_unit_test(test_copy_of_a_file_beside_an_erase),
      cmocka_unit_test(test_settings_on_both),
      cmocka_unit_test(test_settings_beside_an_update),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
