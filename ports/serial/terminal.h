// SPDX-License-Identifier: MIT
/*
 * A console for a person at a bare UART: prompt, editing, history, completion, and the command that is under way.
 * Bytes go in as they come, text goes out where the console wrote it before. No heap, and no knowledge of the
 * terminal but what every emulator of a VT100 does; lines longer than TERMINAL_COLUMNS scroll sideways.
 *
 *   console_start(&console, &module, uart, uart_write);
 *   terminal_start(&terminal, &console);
 *   for (;;) {
 *     while (a byte has come)
 *       terminal_key(&terminal, byte);
 *     if (!terminal_step(&terminal))
 *       nothing to do here until a byte comes, or the network or the clock have something for the command
 *   }
 *
 * Tab completes, `?` explains (in a URL it is an ordinary character), Ctrl-C gives the line up or cancels the command,
 * arrows, Home, End, Delete, Ctrl-A -E -B -F -P -N -D -K -U -W -L do what they do in a shell.
 */
#ifndef PORTS_SERIAL_TERMINAL_H
#define PORTS_SERIAL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "module/console.h"
#include "ports/serial/keys.h"
#include "ports/serial/line.h"
#include "ports/serial/line_history.h"

#define TERMINAL_COLUMNS 80U   /* what a line is shown in; a terminal may be wider */
#define TERMINAL_AHEAD   1024U /* bytes typed ahead while a command runs; a line that does not fit is dropped whole */

/* Read nothing of it; owned by the caller. */
struct terminal {
  struct console *console;
  void *output_context; /* the console's own, which writes to the UART */
  void (*write)(void *output_context, const char *text, size_t length);
  struct keys keys;
  struct line line;
  struct line_history history;
  uint32_t browsed;     /* how many lines back in the history; 0: at the line that is being typed */
  bool is_running;      /* a command is under way */
  bool is_shown;        /* prompt and line are on the screen, with the cursor in its place */
  bool at_line_start;   /* while nothing is shown: what was written last ended with its line */
  bool is_scrolled;     /* not all of the line is on the screen */
  uint32_t ahead_first; /* of the ring of typed bytes */
  uint32_t ahead_count;
  uint32_t cancels; /* how many of them are Ctrl-C */
  bool is_dropping; /* until the end of a line that did not fit */
  uint8_t ahead[TERMINAL_AHEAD];
};

/*
 * Begins on a console that has been started. From now on what the console writes goes through the terminal, which
 * makes "\r\n" of "\n" and keeps the line that is being typed out of the way, to where it went before. `console` and
 * `terminal` stay until the end.
 */
void terminal_start(struct terminal *terminal, struct console *console);

/* Takes a byte that was typed. What it does is done by terminal_step. */
void terminal_key(struct terminal *terminal, uint8_t byte);

/*
 * Does what the next byte that has come asks for, which may begin a command; or the next bounded piece of the command
 * that is under way (console_poll). True: there is more to do at once. False: the caller may sleep until a
 * byte comes, or, while a command waits, as console_wait_ms says.
 */
bool terminal_step(struct terminal *terminal);

#endif
