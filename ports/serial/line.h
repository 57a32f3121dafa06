// SPDX-License-Identifier: MIT
/* A line that is being edited: bytes of UTF-8 and a cursor between its characters. */
#ifndef PORTS_SERIAL_LINE_H
#define PORTS_SERIAL_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "module/console.h"

/* One byte longer than a console takes, so that it refuses a line that is too long instead of executing a part. */
#define LINE_MOST CONSOLE_LINE_SIZE

/* All zero: empty. */
struct line {
  uint32_t length; /* bytes, without the NUL behind them */
  uint32_t cursor; /* byte before which it stands */
  char text[LINE_MOST + 1];
};

/* Makes it empty; or that text, of which what does not fit is left out, with the cursor at its end. */
void line_clear(struct line *line);
void line_set(struct line *line, const char *text);

/* Inserts bytes before the cursor. False: they do not fit, and nothing changed. */
bool line_insert(struct line *line, const char *text, uint32_t length);

/* Removes the bytes from `first` up to `end`; the cursor stays where it is in the text. */
void line_remove(struct line *line, uint32_t first, uint32_t end);

/* Where the character before or behind a place begins; `place` itself at the line's beginning or end. */
uint32_t line_before(const struct line *line, uint32_t place);
uint32_t line_behind(const struct line *line, uint32_t place);

/* Where the word before the cursor begins. */
uint32_t line_word(const struct line *line);

/* Columns of the characters from `first` up to `end`: one each. */
uint32_t line_columns(const struct line *line, uint32_t first, uint32_t end);

#endif
