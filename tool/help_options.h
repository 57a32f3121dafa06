// SPDX-License-Identifier: MIT
/*
 * The options and arguments of a command, read out of what its --help says: one text, from which people and shells
 * learn the same. An option has a line of its own that begins with two blanks:
 *
 *   "  --layout ovms|7m      where the slots lie\n"
 *
 * Behind the name, after one blank, may stand its argument: the words there are, or what it means (FILE, DIR, N, ...).
 * Behind two blanks or more follows the description.
 */
#ifndef TOOL_HELP_OPTIONS_H
#define TOOL_HELP_OPTIONS_H

#include <stdbool.h>

#define HELP_WORD_SIZE        64U
#define HELP_DESCRIPTION_SIZE 160U

/* What a shell can offer for an argument. */
enum help_kind {
  HELP_NOTHING,   /* a number, a version: only its writer knows */
  HELP_FILE,      /* FILE, IMAGE, OUT, PATH, PATCH, ... */
  HELP_DIRECTORY, /* DIR */
  HELP_WORDS      /* one of several, with | between them */
};

struct help_option {
  char name[HELP_WORD_SIZE];     /* with the hyphens: "--layout" */
  char argument[HELP_WORD_SIZE]; /* as the help has it; "" if it takes none */
  char description[HELP_DESCRIPTION_SIZE];
};

struct help_argument {
  char name[HELP_WORD_SIZE]; /* "FILE", "bash|zsh" */
  bool repeats;              /* "IMAGE..." */
};

/* The next option in `*help`, which moves behind it. False behind the last one. */
bool help_next_option(const char **help, struct help_option *option);

/*
 * The next argument that is no option in `*usage`, the arguments of a usage line: those before the first option and
 * before alternatives in parentheses; brackets around one are left out. False behind the last one.
 */
bool help_next_argument(const char **usage, struct help_argument *argument);

/* What to offer for the argument of that name. */
enum help_kind help_kind_of(const char *argument);

/* The same for an option: for --chip, whose argument's name does not tell, the chips, in `words`. */
enum help_kind help_option_kind(const struct help_option *option, char words[HELP_DESCRIPTION_SIZE]);

#endif
