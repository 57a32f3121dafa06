// SPDX-License-Identifier: MIT
/* The last lines that were typed, as many as fit into a few bytes. */
#ifndef PORTS_SERIAL_LINE_HISTORY_H
#define PORTS_SERIAL_LINE_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#define LINE_HISTORY_SIZE 2048U /* more than one line of a console */

/* All zero: empty. */
struct line_history {
  uint32_t count;                /* lines */
  uint32_t used;                 /* bytes */
  char bytes[LINE_HISTORY_SIZE]; /* each with a NUL behind it, the oldest first */
};

/* Adds a line as the newest; as many of the oldest as have to are forgotten. One that never fits is left out. */
void line_history_add(struct line_history *history, const char *text);

/* Forgets the newest. */
void line_history_drop(struct line_history *history);

/* The line so many before the newest: 0 is that one. NULL: there are not so many. */
const char *line_history_at(const struct line_history *history, uint32_t back);

#endif
