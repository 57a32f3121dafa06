// SPDX-License-Identifier: MIT
/*
 * The suite on the virtual module's port: flash file, virtual clock, and resets that close the file and open it again.
 *
 *   port_suite FLASH            the port as it is: all checks pass
 *   port_suite FLASH --broken   broken in each way of `breakages`, one at a time: every time some check fails
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ports/sim/flash.h"
#include "tests/port/suite.h"

#define FLASH_SIZE  (4U << 20)
#define SCRATCH     0x100000U
#define SCRATCH_END 0x180000U
#define PROTECTED   0x9000U /* from 0 on */
#define GUARDED     0x10000U
#define GUARDED_END 0x50000U

enum breakage {
  NONE,
  PROGRAM_SETS_BITS,
  PROGRAM_WRAPS,
  ERASE_LEAVES_END,
  ERASE_TOO_MUCH,
  READ_IGNORES_LENGTH,
  NO_GUARD,
  ONE_GUARD,
  SLOW_PROGRAM,
  SLOW_ERASE,
  HOOK_NOT_POLLED,
  WRONG_GEOMETRY,
  CLOCK_GOES_BACK,
  CLOCK_SLOW,
  IDLE_TOO_LONG,
  IDLE_RETURNS,
  CAUSE_LOST,
  FLASH_FORGETS,
  BREAKAGES
};

static const char *const breakages[BREAKAGES] = {
    [NONE] = "nothing",
    [PROGRAM_SETS_BITS] = "programming sets bits",
    [PROGRAM_WRAPS] = "programming shifts within the page",
    [ERASE_LEAVES_END] = "erasing leaves the last page",
    [ERASE_TOO_MUCH] = "erasing takes the page behind",
    [READ_IGNORES_LENGTH] = "reading rounds the length up",
    [NO_GUARD] = "nothing is protected",
    [ONE_GUARD] = "only one range is protected",
    [SLOW_PROGRAM] = "programming takes too long",
    [SLOW_ERASE] = "erasing takes too long",
    [HOOK_NOT_POLLED] = "nobody polls the hook",
    [WRONG_GEOMETRY] = "the geometry is wrong",
    [CLOCK_GOES_BACK] = "the clock goes back",
    [CLOCK_SLOW] = "the clock is slow",
    [IDLE_TOO_LONG] = "idle lasts too long",
    [IDLE_RETURNS] = "idle returns at once",
    [CAUSE_LOST] = "the cause of a reset is lost",
    [FLASH_FORGETS] = "what was programmed is lost",
};

struct board {
  enum breakage breakage;
  const char *path;
  struct sim_flash flash;
  struct sim_clock clock;
  struct lb_flash driver; /* the chip's, with what is broken in between */
  struct port_clock broken_clock;
  struct port_idle hook;
  unsigned readings;
  enum lb_reset cause;
  bool quiet;
};

/* ---- the broken driver and clock; without a breakage they pass everything on ---- */

static int read_flash(void *context, uint32_t address, void *buffer, uint32_t length)
{
  struct board *board = context;
  uint8_t rounded[512];
  const uint32_t more = (length + 3U) & ~3U;
  if (board->breakage != READ_IGNORES_LENGTH || more > sizeof rounded || address + more > FLASH_SIZE) {
    return board->flash.driver.read(board->flash.driver.context, address, buffer, length);
  }
  const int err = board->flash.driver.read(board->flash.driver.context, address, rounded, more);
  memcpy(buffer, rounded, more > length + 1U ? length + 1U : more); /* one byte too many is enough */
  return err;
}

static int program_flash(void *context, uint32_t address, const void *data, uint32_t length)
{
  struct board *board = context;
  uint8_t *bytes = sim_flash_bytes(&board->flash);
  const uint32_t page = address & ~(board->driver.page_size - 1U);
  if (board->breakage == PROGRAM_SETS_BITS) {
    memcpy(bytes + address, data, length);
    return 0;
  }
  if (board->breakage == PROGRAM_WRAPS && address != page) {
    return board->flash.driver.program(board->flash.driver.context, page, data, length);
  }
  if (board->breakage == SLOW_PROGRAM) {
    sim_clock_spend_us(&board->clock, 1500);
  }
  return board->flash.driver.program(board->flash.driver.context, address, data, length);
}

static int erase_flash(void *context, uint32_t address, uint32_t length)
{
  struct board *board = context;
  uint8_t *bytes = sim_flash_bytes(&board->flash);
  const uint32_t page = board->driver.page_size;
  uint8_t last[512];
  memcpy(last, bytes + address + length - page, page);
  const struct port_idle nobody = {0};
  board->flash.idle = board->breakage == HOOK_NOT_POLLED ? nobody : board->hook;
  const int err = board->flash.driver.erase(board->flash.driver.context, address, length);
  if (err == 0 && board->breakage == ERASE_LEAVES_END) {
    memcpy(bytes + address + length - page, last, page);
  }
  if (err == 0 && board->breakage == ERASE_TOO_MUCH && address + length + page <= FLASH_SIZE) {
    memset(bytes + address + length, 0xFF, page);
  }
  if (board->breakage == SLOW_ERASE) {
    sim_clock_spend_us(&board->clock, 5000000);
  }
  return err;
}

static uint64_t now_ms(void *context)
{
  struct board *board = context;
  const uint64_t now = board->clock.port.now_ms(board->clock.port.context);
  if (board->breakage == CLOCK_GOES_BACK && ++board->readings % 1000U == 0) {
    return now > 0 ? now - 1U : 0;
  }
  return board->breakage == CLOCK_SLOW ? now * 9U / 10U : now;
}

static void idle(void *context, uint32_t ms)
{
  struct board *board = context;
  if (board->breakage == IDLE_RETURNS) {
    sim_clock_spend_us(&board->clock, 1000);
    return;
  }
  board->clock.port.idle(board->clock.port.context, board->breakage == IDLE_TOO_LONG ? ms + 500U : ms);
}

/* ---- resets ---- */

static void reset(void *context)
{
  ((struct board *)context)->cause = LB_RESET_COMMANDED;
}

static void crash(void *context)
{
  ((struct board *)context)->cause = LB_RESET_CRASH;
}

static void hang(void *context)
{
  ((struct board *)context)->cause = LB_RESET_WATCHDOG;
}

static void print(void *context, const char *text)
{
  if (!((struct board *)context)->quiet) {
    fputs(text, stdout);
  }
}

/* ---- starts ---- */

static void fail(const char *what, const char *path)
{
  fprintf(stderr, "Error: %s: %s\n", path, what);
  exit(EXIT_FAILURE);
}

static void make_flash(const char *path)
{
  static uint8_t blank[4096];
  FILE *file = fopen(path, "wb");
  memset(blank, 0xFF, sizeof blank);
  for (uint32_t at = 0; file && at < FLASH_SIZE; at += (uint32_t)sizeof blank) {
    if (fwrite(blank, 1, sizeof blank, file) != sizeof blank) {
      fail("cannot be written", path);
    }
  }
  if (!file || fclose(file) != 0) {
    fail("cannot be made", path);
  }
}

/* Everything from power-on or a reset to the next one, with nothing left but the file and the cause. */
static enum port_suite_result start(struct board *board)
{
  sim_clock_start(&board->clock, SIM_CLOCK_VIRTUAL);
  if (sim_flash_open_file(&board->flash, board->path, SIM_FLASH_READ_WRITE)) {
    fail("cannot be opened", board->path);
  }
  sim_flash_set_timing(&board->flash, &sim_timing_w25q128jv, &board->clock);
  if (board->breakage != NO_GUARD && board->breakage != ONE_GUARD) {
    sim_flash_protect(&board->flash, 0, PROTECTED);
  }
  if (board->breakage != NO_GUARD) {
    sim_flash_protect(&board->flash, GUARDED, GUARDED_END - GUARDED);
  }
  board->driver = board->flash.driver;
  board->driver.context = board;
  board->driver.read = read_flash;
  board->driver.program = program_flash;
  board->driver.erase = erase_flash;
  board->driver.erase_sizes[1] = board->breakage == WRONG_GEOMETRY ? 24576U : board->driver.erase_sizes[1];
  board->broken_clock = (struct port_clock){.context = board, .now_ms = now_ms, .idle = idle};
  board->hook = (struct port_idle){0};
  struct port_suite suite = {
      .flash = &board->driver,
      .idle = &board->hook,
      .scratch = SCRATCH,
      .scratch_size = SCRATCH_END - SCRATCH,
      .guarded = {{.start = 0, .size = PROTECTED}, {.start = GUARDED, .size = GUARDED_END - GUARDED}},
      .program_ms = 3,
      .program_average_ms = 1,
      .erase_ms = 2000,
      .clock = &board->broken_clock,
      .reference = &board->clock.port,
      .idle_sleeps = true,
      .cause = board->breakage == CAUSE_LOST ? LB_RESET_POWER_ON : board->cause,
      .reset = reset,
      .crash = crash,
      .hang = hang,
      .print = print,
      .context = board,
  };
  const enum port_suite_result result = port_suite_run(&suite);
  if (board->breakage == FLASH_FORGETS) {
    memset(sim_flash_bytes(&board->flash) + SCRATCH, 0xFF, 4096);
  }
  sim_flash_close(&board->flash);
  return result;
}

static enum port_suite_result run(const char *path, enum breakage breakage, bool quiet)
{
  static struct board board;
  memset(&board, 0, sizeof board);
  board.breakage = breakage;
  board.path = path;
  board.quiet = quiet;
  board.cause = LB_RESET_POWER_ON;
  make_flash(path);
  enum port_suite_result result = PORT_SUITE_RESET;
  while (result == PORT_SUITE_RESET) {
    result = start(&board);
  }
  remove(path);
  return result;
}

int main(int argc, char **argv)
{
  const bool broken = argc == 3 && strcmp(argv[2], "--broken") == 0;
  if (argc != 2 && !broken) {
    fputs("Usage: port_suite FLASH [--broken]\n", stderr);
    return 2;
  }
  if (!broken) {
    return run(argv[1], NONE, false) == PORT_SUITE_PASSED ? EXIT_SUCCESS : EXIT_FAILURE;
  }
  int status = EXIT_SUCCESS;
  for (int breakage = NONE; breakage < BREAKAGES; breakage++) {
    const bool passed = run(argv[1], (enum breakage)breakage, true) == PORT_SUITE_PASSED;
    const bool right = passed == (breakage == NONE);
    printf("broken: %s: %s%s\n", breakages[breakage], passed ? "all checks passed" : "noticed", right ? "" : ", WRONG");
    status = right ? status : EXIT_FAILURE;
  }
  return status;
}
