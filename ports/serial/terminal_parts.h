// SPDX-License-Identifier: MIT
/* What the files of the terminal share: its screen, and completion. */
#ifndef PORTS_SERIAL_TERMINAL_PARTS_H
#define PORTS_SERIAL_TERMINAL_PARTS_H

#include "ports/serial/terminal.h"

/* Writes text as the console has it: each "\n" ends a line of the screen. */
void terminal_write(struct terminal *terminal, const char *text, size_t length);
void terminal_write_text(struct terminal *terminal, const char *text);

/* A struct console's write function; the context is the terminal. Prompt and line make room for what is written. */
void terminal_write_console(void *context, const char *text, size_t length);

void terminal_bell(struct terminal *terminal);

/* Shows prompt and line as they are now, or their new state in place of the old one. */
void terminal_show(struct terminal *terminal);

/* Shows a character that was inserted before the cursor. */
void terminal_show_inserted(struct terminal *terminal, const char *text, uint32_t length);

/* Takes prompt and line off the screen. */
void terminal_hide(struct terminal *terminal);

/* Leaves them there, whole, and goes on in the next line of the screen, with `mark` behind them. */
void terminal_leave(struct terminal *terminal, const char *mark);

/* An empty screen, with nothing shown. */
void terminal_clear(struct terminal *terminal);

/* Tab: completes the word before the cursor, or lists what it may become. */
void terminal_complete(struct terminal *terminal);

#endif
