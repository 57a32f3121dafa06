// SPDX-License-Identifier: MIT
/*
 * Options of commands, on top of getopt_long. Whatever is wrong is reported in one line by these functions; the command
 * then returns TOOL_EXIT_USAGE, and main adds the usage line.
 *
 *   options_start();
 *   while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
 *     if (option == OPTIONS_WRONG) {
 *       return TOOL_EXIT_USAGE;
 *     }
 *     ...                       // optarg is the option's argument
 *   }
 *   ...                         // argv[optind] ... argv[argc - 1] are the words that are no options
 */
#ifndef TOOL_OPTIONS_H
#define TOOL_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/chip.h"

#define OPTIONS_END   (-1)
#define OPTIONS_WRONG '?'

/* Begins with the first word again. */
void options_start(void);

/* The `val` of the next option in `table` (long options only, ended by zeros), OPTIONS_END or OPTIONS_WRONG. */
int options_next(int argc, char **argv, const struct option *table);

/* Are there at least `least` and at most `most` words that are no options? `what` names them: "one IMAGE". */
bool options_words(int argc, int least, int most, const char *what);

/*
 * All of a command line that has no option but --json, and `count` words, which `what` names: "one IMAGE". False: it
 * has something else.
 */
bool options_only_json(int argc, char **argv, int count, const char *what, bool *json);

/*
 * A number, decimal or 0x..., with K or M behind it for 1024 and 1048576, from `least` to `most`. False and an error
 * line that names `option` if `text` is anything else.
 */
bool options_number(const char *option, const char *text, uint32_t least, uint32_t most, uint32_t *value);

/* The chip of that name. False and an error line that lists the names if there is none. */
bool options_chip(const char *text, const struct lb_chip **chip);

#endif
