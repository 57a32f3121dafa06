// SPDX-License-Identifier: MIT
/*
 * Where the virtual module's lines come from: a person at a terminal, with prompt, editing, history and completion by
 * libedit; or a pipe or file, where nothing is printed that was not asked for.
 */
#ifndef PORTS_SIM_INPUT_H
#define PORTS_SIM_INPUT_H

#include <stdbool.h>

#include "module/console.h"

struct input;

/* Opens standard input. NULL without memory. */
struct input *input_open(void);

/* Is there a person at a terminal? */
bool input_is_terminal(const struct input *input);

/* The next line without its end, valid until the next call; NULL at the end of input or after SIGTERM. */
const char *input_line(struct input *input, struct console *console);

void input_close(struct input *input);

#endif
