// SPDX-License-Identifier: MIT
/*
 * Lines on a module's console. The first byte is how the network behaves, the second after how many steps a command is
 * interrupted (0: never). Then lines: each is completed and explained up to its end, and executed unless it begins with
 * a tab. Whatever they are: they end; nothing reaches the terminal that could steer it; factory and the running slot
 * stay as they are; and the module boots.
 */
#include <stdlib.h>
#include <string.h>

#include "module/console.h"
#include "tests/fuzz/board.h"
#include "tests/fuzz/fuzz.h"

#define LINES      12U
#define POLLS      3000U
#define TICKS      200U
#define CANDIDATES 200U
#define IDLE_MS    500U

static struct board board;
static struct bootloader bootloader;
static struct module_uptime uptime;
static struct module module;
static struct console console;
static uint8_t before[BOARD_FLASH];

static void check_text(void *context, const char *text, size_t length)
{
  (void)context;
  for (size_t i = 0; i < length; i++) {
    unsigned char byte = (unsigned char)text[i];
    FUZZ_REQUIRE((byte >= 0x20 && byte != 0x7F) || byte == '\n' || byte == '\t' || byte == '\r');
  }
}

static void check_log(void *context, const char *text)
{
  check_text(context, text, strlen(text));
}

static void boot(enum lb_reset reset)
{
  board.flash.idle.poll = NULL;
  bootloader = (struct bootloader){.device = {.flash = board.port.flash,
                                              .sha256 = board.port.sha256,
                                              .md5 = board.port.md5,
                                              .chip = board.port.chip,
                                              .revision = board.port.revision},
                                   .reset = reset,
                                   .log = check_log};
  FUZZ_REQUIRE(bootloader_run(&bootloader) == LB_OK);
  module_start(&module, &board.port, &bootloader.table, &bootloader.decision, &bootloader.verify.image.info, &uptime);
  console_start(&console, &module, NULL, check_text);
  memcpy(before, sim_flash_bytes(&board.flash), sizeof(before));
}

/* What runs, and factory, are as they were at the last boot. */
static void check_flash(void)
{
  const uint8_t *bytes = sim_flash_bytes(&board.flash);
  const struct lb_partition *running = &module.boot.partition;

  FUZZ_REQUIRE(memcmp(bytes, before, 0x9000) == 0);
  FUZZ_REQUIRE(memcmp(bytes + 0xf000, before + 0xf000, 0x11000) == 0);
  FUZZ_REQUIRE(memcmp(bytes + running->offset, before + running->offset, running->size) == 0);
  FUZZ_REQUIRE(board.flash.counters.refused == 0);
}

static void take_candidate(void *context, const char *word)
{
  unsigned *count = context;

  (*count)++;
  FUZZ_REQUIRE(*count <= CANDIDATES && word[0] != '\0');
}

static void complete(const char *line)
{
  unsigned count = 0;

  console_complete(&console, line, take_candidate, &count);
  FUZZ_REQUIRE(console_explain(&console, line) <= command_count);
}

static void attend(bool idle)
{
  bool more = module_tick(&module);

  if (idle && !more) {
    board.clock.port.idle(board.clock.port.context, IDLE_MS);
  }
}

static void restart(void)
{
  console_cancel(&console);
  module_stop(&module);
  check_flash();
  FUZZ_REQUIRE(board_is_quiet(&board));
  module.reset_requested = false;
  boot(LB_RESET_COMMANDED);
}

static void execute(const char *line, uint32_t interrupt_at)
{
  int result = console_execute(&console, line);

  for (uint32_t polls = 0; result == LB_MORE; polls++) {
    if (polls == POLLS || (interrupt_at > 0 && polls == interrupt_at)) {
      console_cancel(&console);
      break;
    }
    result = console_poll(&console);
    if (result == LB_MORE) {
      attend(console_is_waiting(&console));
    }
  }
  for (uint32_t ticks = 0; ticks < TICKS && module_tick(&module); ticks++) {
  }
  FUZZ_REQUIRE(!console.job.step && !module.flash_user);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  uint8_t network = fuzz_take_byte(&input);
  uint32_t interrupt_at = fuzz_take_byte(&input);

  if (!board.flash.bytes) {
    board_open(&board);
  }
  board_reset(&board, network);
  memset(&uptime, 0, sizeof(uptime));
  sim_flash_clear_counters(&board.flash);
  boot(LB_RESET_POWER_ON);
  for (uint32_t lines = 0; lines < LINES && input.length > 0; lines++) {
    char *line = fuzz_take_string_to(&input, '\n');
    complete(line);
    if (line[0] != '\t') {
      execute(line, interrupt_at);
    }
    free(line);
    if (module.reset_requested) {
      restart();
    }
  }
  restart();
  return 0;
}
