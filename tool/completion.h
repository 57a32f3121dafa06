// SPDX-License-Identifier: MIT
/* Scripts with which a shell completes the command line of `lifeboat`, made from the list of commands. */
#ifndef TOOL_COMPLETION_H
#define TOOL_COMPLETION_H

#include <stdbool.h>
#include <stddef.h>

#include "tool/commands.h"

/* Print the script on stdout. */
void completion_bash(void);
void completion_zsh(void);

/*
 * Walks the first words of all commands, each once: "flash", "image", "module", ... `*index` begins with 0. NULL behind
 * the last. `*is_group` tells whether a second word follows, as in "flash map".
 */
const struct command *completion_next_group(size_t *index, bool *is_group);

/* The length of a command's first word; and its second word, "" if it has none. */
size_t completion_first_word(const struct command *command);
const char *completion_second_word(const struct command *command);

#endif
