// SPDX-License-Identifier: MIT
/* The script for zsh: one _arguments for each command, with the descriptions of --help. */
#include <stdio.h>
#include <string.h>

#include "tool/completion.h"
#include "tool/help_options.h"

static const char beginning[] =
    "#compdef lifeboat\n"
    "# Completion of lifeboat for zsh. Made by 'lifeboat completion zsh'; to use it in every new shell, write it to a\n"
    "# file _lifeboat in a folder of $fpath. To use it now, after compinit:\n"
    "#   source <(lifeboat completion zsh)\n"
    "\n";

static const char walker[] = "_lifeboat()\n"
                             "{\n"
                             "  local first\n"
                             "  if (( CURRENT == 2 )); then\n"
                             "    _lifeboat_first all\n"
                             "    return\n"
                             "  fi\n"
                             "  if [[ $words[2] == help ]]; then\n"
                             "    if (( CURRENT == 3 )); then\n"
                             "      _lifeboat_first\n"
                             "    elif (( CURRENT == 4 )); then\n"
                             "      _lifeboat_second $words[3]\n"
                             "    fi\n"
                             "    return\n"
                             "  fi\n"
                             "  first=$words[2]\n"
                             "  if _lifeboat_is_group $first; then\n"
                             "    if (( CURRENT == 3 )); then\n"
                             "      _lifeboat_second $first\n"
                             "      return\n"
                             "    fi\n"
                             "    first+=\" $words[3]\"\n"
                             "    shift words\n"
                             "    (( CURRENT-- ))\n"
                             "  fi\n"
                             "  shift words\n"
                             "  (( CURRENT-- ))\n"
                             "  _lifeboat_arguments $first\n"
                             "}\n"
                             "\n"
                             "# read from $fpath it is run as a function, sourced it registers itself\n"
                             "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n"
                             "  _lifeboat \"$@\"\n"
                             "else\n"
                             "  compdef _lifeboat lifeboat\n"
                             "fi\n";

/* Inside single quotes, with a backslash before each of the `special` characters. */
static void put_escaped(const char *text, size_t length, const char *special)
{
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '\'') {
      fputs("'\\''", stdout);
    } else {
      printf("%s%c", strchr(special, text[i]) != NULL ? "\\" : "", text[i]);
    }
  }
}

/* ":MESSAGE:ACTION" */
static void put_action(const char *name, enum help_kind kind, const char *words)
{
  putchar(':');
  put_escaped(kind == HELP_WORDS ? "value" : name, kind == HELP_WORDS ? 5 : strlen(name), ":\\");
  putchar(':');
  if (kind == HELP_FILE) {
    fputs("_files", stdout);
  } else if (kind == HELP_DIRECTORY) {
    fputs("_files -/", stdout);
  } else if (kind == HELP_WORDS) {
    putchar('(');
    for (; *words != '\0'; words++) {
      putchar(*words == '|' ? ' ' : *words);
    }
    putchar(')');
  }
}

static void put_option(const struct help_option *option)
{
  char words[HELP_DESCRIPTION_SIZE];
  enum help_kind kind = help_option_kind(option, words);
  bool repeats = strstr(option->description, "may be repeated") != NULL;
  bool takes_argument = option->argument[0] != '\0';
  printf(" \\\n        '%s%s%s[", repeats ? "*" : "", option->name, takes_argument ? "=" : "");
  put_escaped(option->description, strlen(option->description), "[]:\\");
  putchar(']');
  if (takes_argument) {
    put_action(option->argument, kind, words);
  }
  putchar('\'');
}

static void put_arguments(const struct command *command)
{
  const char *help = command->help;
  const char *usage = command->arguments;
  struct help_option option;
  struct help_argument argument;
  printf("    '%s')\n      _arguments \\\n        '--help[tell about this command]'", command->words);
  while (help_next_option(&help, &option)) {
    put_option(&option);
  }
  for (unsigned number = 1; help_next_argument(&usage, &argument); number++) {
    if (argument.repeats) {
      fputs(" \\\n        '*", stdout);
    } else {
      printf(" \\\n        '%u", number);
    }
    put_action(argument.name, help_kind_of(argument.name), argument.name);
    putchar('\'');
  }
  puts(" ;;");
}

static void put_described(const char *word, size_t length, const char *description)
{
  fputs("    '", stdout);
  put_escaped(word, length, ":\\");
  putchar(':');
  put_escaped(description, strlen(description), "\\");
  puts("'");
}

static void put_first(void)
{
  const struct command *group = NULL;
  size_t index = 0;
  bool is_group = false;
  puts("_lifeboat_first()\n{\n  local -a found\n  found=(");
  while ((group = completion_next_group(&index, &is_group)) != NULL) {
    size_t length = completion_first_word(group);
    char text[HELP_WORD_SIZE];
    (void)snprintf(text, sizeof(text), "commands about %.*s", (int)length, group->words);
    put_described(group->words, length, is_group ? text : group->summary);
  }
  puts("  )\n  [[ $1 == all ]] && found+=('help:tell about a command' '--help:list the commands' "
       "'--version:tell the version')\n  _describe -t commands 'lifeboat command' found\n}\n");
}

static void put_second(void)
{
  size_t count = 0;
  const struct command *commands = commands_all(&count);
  const struct command *group = NULL;
  size_t index = 0;
  bool is_group = false;
  puts("_lifeboat_second()\n{\n  local -a found\n  case $1 in");
  while ((group = completion_next_group(&index, &is_group)) != NULL) {
    size_t length = completion_first_word(group);
    if (!is_group) {
      continue;
    }
    printf("  %.*s) found=(\n", (int)length, group->words);
    for (size_t i = 0; i < count; i++) {
      if (strncmp(commands[i].words, group->words, length + 1) == 0) {
        const char *second = completion_second_word(&commands[i]);
        put_described(second, strlen(second), commands[i].summary);
      }
    }
    puts("    ) ;;");
  }
  puts("  esac\n  _describe -t commands \"lifeboat $1 command\" found\n}\n");
}

static void put_is_group(void)
{
  const struct command *group = NULL;
  size_t index = 0;
  bool is_group = false;
  const char *separator = "";
  fputs("_lifeboat_is_group()\n{\n  [[ $1 == (", stdout);
  while ((group = completion_next_group(&index, &is_group)) != NULL) {
    if (is_group) {
      printf("%s%.*s", separator, (int)completion_first_word(group), group->words);
      separator = "|";
    }
  }
  puts(") ]]\n}\n");
}

void completion_zsh(void)
{
  size_t count = 0;
  const struct command *commands = commands_all(&count);
  fputs(beginning, stdout);
  put_first();
  put_second();
  put_is_group();
  puts("_lifeboat_arguments()\n{\n  case $1 in");
  for (size_t i = 0; i < count; i++) {
    put_arguments(&commands[i]);
  }
  puts("  esac\n}\n");
  fputs(walker, stdout);
}
