// SPDX-License-Identifier: MIT
/* A firmware that runs, but crashes or hangs when it is told to: `test crash`, `test hang`. */
#include "module/console.h"
#include "ports/sifive_u/product.h"

static int test_crash(struct console *console, int argc, char **argv)
{
  (void)console;
  (void)argc;
  (void)argv;
  /* A load from where nothing is: the crash tells the address. */
  (void)*(const volatile uint32_t *)(uintptr_t)0xDEAD0000U;
  return 0;
}

static int test_hang(struct console *console, int argc, char **argv)
{
  static volatile bool hangs = true;

  (void)console;
  (void)argc;
  (void)argv;
  while (hangs) {
  }
  return 0;
}

static const struct command test_commands[] = {
    {.words = {"test", "crash"}, .arguments = "", .summary = "Crash at once", .start = test_crash},
    {.words = {"test", "hang"}, .arguments = "", .summary = "Hang until the watchdog bites", .start = test_hang},
};

const struct product product = {.commands = test_commands,
                                .command_count = sizeof test_commands / sizeof test_commands[0]};
