// SPDX-License-Identifier: MIT
/* lifeboat completion: prints the script for a shell. */
#include "tool/completion.h"

#include <string.h>

#include "tool/options.h"
#include "tool/report.h"

size_t completion_first_word(const struct command *command)
{
  return strcspn(command->words, " ");
}

const char *completion_second_word(const struct command *command)
{
  const char *rest = command->words + completion_first_word(command);
  return *rest == ' ' ? rest + 1 : rest;
}

static bool same_first_word(const struct command *a, const struct command *b)
{
  size_t length = completion_first_word(a);
  return length == completion_first_word(b) && memcmp(a->words, b->words, length) == 0;
}

const struct command *completion_next_group(size_t *index, bool *is_group)
{
  size_t count = 0;
  const struct command *commands = commands_all(&count);
  while (*index < count) {
    const struct command *command = &commands[(*index)++];
    bool is_first = true;
    for (const struct command *before = commands; before < command; before++) {
      is_first = is_first && !same_first_word(before, command);
    }
    if (is_first) {
      *is_group = completion_second_word(command)[0] != '\0';
      return command;
    }
  }
  return NULL;
}

int completion_command(int argc, char **argv)
{
  static const struct option table[] = {{0}};
  options_start();
  if (options_next(argc, argv, table) != OPTIONS_END || !options_words(argc, 1, 1, "bash or zsh")) {
    return TOOL_EXIT_USAGE;
  }
  if (strcmp(argv[optind], "bash") == 0) {
    completion_bash();
  } else if (strcmp(argv[optind], "zsh") == 0) {
    completion_zsh();
  } else {
    report_error("there is no completion for %s, only for bash and zsh", argv[optind]);
    return TOOL_EXIT_USAGE;
  }
  return TOOL_EXIT_DONE;
}
