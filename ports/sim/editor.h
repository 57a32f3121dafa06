// SPDX-License-Identifier: MIT
/* Lines from a person at a terminal, edited with libedit. For input.c. */
#ifndef PORTS_SIM_EDITOR_H
#define PORTS_SIM_EDITOR_H

#include "ports/sim/input.h"

struct editor;

/* NULL without memory or terminal. */
struct editor *editor_open(const struct input_host *host);

/* The next line, as input_line() has it. */
const char *editor_line(struct editor *editor);

void editor_redisplay(struct editor *editor);

/* NULL does nothing. */
void editor_close(struct editor *editor);

#endif
