// SPDX-License-Identifier: MIT
/* `lifeboat console`: a further console on a virtual module that runs with --listen. */
#include "ports/sim/attach.h"
#include "tool/commands.h"
#include "tool/options.h"

enum { KEEP_GOING = 256 };

static const struct option table[] = {
    {"keep-going", no_argument, NULL, KEEP_GOING},
    {0},
};

int console_command(int argc, char **argv)
{
  struct attach_options options = {0};
  int option;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (option == OPTIONS_WRONG) {
      return TOOL_EXIT_USAGE;
    }
    options.keep_going = true; /* there is no other option */
  }
  if (!options_words(argc, 1, 1, "the PATH of a module's socket")) {
    return TOOL_EXIT_USAGE;
  }
  options.path = argv[optind];
  switch (attach_run(&options)) {
  case ATTACH_DONE:
    return TOOL_EXIT_DONE;
  case ATTACH_HALTED:
    return TOOL_EXIT_NO_BOOT;
  case ATTACH_INTERRUPTED:
    return TOOL_EXIT_INTERRUPTED;
  case ATTACH_FAILED:
    break;
  }
  return TOOL_EXIT_FAILED;
}
