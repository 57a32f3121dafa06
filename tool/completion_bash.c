// SPDX-License-Identifier: MIT
/*
 * The script for bash: a table of commands, and a function that walks it. An option stands there as --name, or as
 * --name=KIND if it takes an argument; KIND is file, directory, value or the words there are with | between them.
 */
#include <stdio.h>
#include <string.h>

#include "tool/completion.h"
#include "tool/help_options.h"

static const char beginning[] =
    "# Completion of lifeboat for bash. Made by 'lifeboat completion bash'; to use it now:\n"
    "#   source <(lifeboat completion bash)\n"
    "# and in every new shell: put that line into ~/.bashrc.\n"
    "\n"
    "# Sets COMPREPLY for what may stand here: file, directory, value or words with | between them.\n"
    "_lifeboat_offer()\n"
    "{\n"
    "  local IFS=$'\\n'\n"
    "  case $1 in\n"
    "    file) compopt -o filenames; COMPREPLY=($(compgen -f -- \"$2\")) ;;\n"
    "    directory) compopt -o filenames; COMPREPLY=($(compgen -d -- \"$2\")) ;;\n"
    "    value | '') ;;\n"
    "    *) COMPREPLY=($(compgen -W \"${1//|/$IFS}\" -- \"$2\")) ;;\n"
    "  esac\n"
    "}\n"
    "\n"
    "# Sets `options` and `arguments` of a command.\n"
    "_lifeboat_describe()\n"
    "{\n"
    "  options= arguments=\n"
    "  case $1 in\n";

static const char behind_commands[] = "  esac\n"
                                      "}\n"
                                      "\n"
                                      "# What takes the place of the argument of option $1: nothing if it takes none.\n"
                                      "_lifeboat_kind()\n"
                                      "{\n"
                                      "  local option\n"
                                      "  for option in $options; do\n"
                                      "    [[ $option == \"$1\"=* ]] && kind=${option#*=} && return 0\n"
                                      "  done\n"
                                      "  return 1\n"
                                      "}\n"
                                      "\n";

static const char walker[] =
    "_lifeboat()\n"
    "{\n"
    "  local IFS=$' \\t\\n' options arguments kind option names= position=0 i\n"
    "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} first=1 start=2\n"
    "  COMPREPLY=()\n"
    "  # bash makes three words of --option=value\n"
    "  if [[ $current == = ]]; then\n"
    "    current=\n"
    "  elif [[ $previous == = ]]; then\n"
    "    previous=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "  fi\n"
    "  [[ ${COMP_WORDS[1]} == help ]] && ((COMP_CWORD > 1)) && first=2 start=3\n"
    "  local command=${COMP_WORDS[first]} first_words second_words\n"
    "  _lifeboat_words \"$command\"\n"
    "  if ((COMP_CWORD == first)); then\n"
    "    _lifeboat_offer \"$first_words\" \"$current\"\n"
    "    return\n"
    "  fi\n"
    "  if [[ $second_words ]]; then\n"
    "    if ((COMP_CWORD == first + 1)); then\n"
    "      _lifeboat_offer \"$second_words\" \"$current\"\n"
    "      return\n"
    "    fi\n"
    "    command+=\" ${COMP_WORDS[first + 1]}\"\n"
    "    start=$((start + 1))\n"
    "  fi\n"
    "  ((first == 2)) && return\n"
    "  _lifeboat_describe \"$command\"\n"
    "  if _lifeboat_kind \"$previous\"; then\n"
    "    _lifeboat_offer \"$kind\" \"$current\"\n"
    "    return\n"
    "  fi\n"
    "  if [[ $current == -* ]]; then\n"
    "    for option in $options --help; do\n"
    "      names+=\"${option%%=*}|\"\n"
    "    done\n"
    "    _lifeboat_offer \"${names%|}\" \"$current\"\n"
    "    return\n"
    "  fi\n"
    "  # how many words that are no options stand before this one\n"
    "  for ((i = start; i < COMP_CWORD; i++)); do\n"
    "    if _lifeboat_kind \"${COMP_WORDS[i]}\"; then\n"
    "      i=$((i + 1))\n"
    "      [[ ${COMP_WORDS[i]} == = ]] && i=$((i + 1))\n"
    "    elif [[ ${COMP_WORDS[i]} != -* ]]; then\n"
    "      position=$((position + 1))\n"
    "    fi\n"
    "  done\n"
    "  set -- $arguments\n"
    "  if ((position >= $#)) && [[ ${!#} == *... ]]; then\n"
    "    _lifeboat_offer \"${!#%...}\" \"$current\"\n"
    "  elif ((position < $#)); then\n"
    "    shift $position\n"
    "    _lifeboat_offer \"${1%...}\" \"$current\"\n"
    "  fi\n"
    "}\n"
    "\n"
    "complete -F _lifeboat lifeboat\n";

static const char *kind_word(enum help_kind kind, const char *words)
{
  switch (kind) {
  case HELP_FILE:
    return "file";
  case HELP_DIRECTORY:
    return "directory";
  case HELP_WORDS:
    return words;
  case HELP_NOTHING:
    break;
  }
  return "value";
}

static void put_command(const struct command *command)
{
  struct help_option option;
  struct help_argument argument;
  const char *help = command->help;
  const char *usage = command->arguments;
  const char *separator = "";
  printf("    '%s')\n      options='", command->words);
  while (help_next_option(&help, &option)) {
    char words[HELP_DESCRIPTION_SIZE];
    enum help_kind kind = help_option_kind(&option, words);
    printf("%s%s", separator, option.name);
    if (option.argument[0] != '\0') {
      printf("=%s", kind_word(kind, words));
    }
    separator = " ";
  }
  fputs("'\n      arguments='", stdout);
  separator = "";
  while (help_next_argument(&usage, &argument)) {
    printf("%s%s%s", separator, kind_word(help_kind_of(argument.name), argument.name), argument.repeats ? "..." : "");
    separator = " ";
  }
  puts("' ;;");
}

/* The words that may stand first, and those that may follow a given one. */
static void put_words(void)
{
  size_t count = 0;
  const struct command *commands = commands_all(&count);
  const struct command *group = NULL;
  size_t index = 0;
  bool is_group = false;
  fputs("# Sets `first_words`, and `second_words` for the first word $1.\n_lifeboat_words()\n{\n  first_words='",
        stdout);
  while ((group = completion_next_group(&index, &is_group)) != NULL) {
    printf("%.*s|", (int)completion_first_word(group), group->words);
  }
  fputs("help|--help|--version'\n  second_words=\n  case $1 in\n", stdout);
  index = 0;
  while ((group = completion_next_group(&index, &is_group)) != NULL) {
    size_t length = completion_first_word(group);
    const char *separator = "";
    if (!is_group) {
      continue;
    }
    printf("    %.*s) second_words='", (int)length, group->words);
    for (size_t i = 0; i < count; i++) {
      if (strncmp(commands[i].words, group->words, length + 1) == 0) {
        printf("%s%s", separator, completion_second_word(&commands[i]));
        separator = "|";
      }
    }
    puts("' ;;");
  }
  fputs("  esac\n}\n\n", stdout);
}

void completion_bash(void)
{
  size_t count = 0;
  const struct command *commands = commands_all(&count);
  fputs(beginning, stdout);
  for (size_t i = 0; i < count; i++) {
    put_command(&commands[i]);
  }
  fputs(behind_commands, stdout);
  put_words();
  fputs(walker, stdout);
}
