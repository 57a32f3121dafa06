// SPDX-License-Identifier: MIT
/*
 * A console: lines go in, text comes out. Long commands are jobs that a caller polls, so that it stays in control.
 *
 *   console_execute(&console, "ota flash http")   LB_MORE: the command is under way
 *   console_poll(&console)                        LB_MORE ... then LB_OK or why it failed
 */
#ifndef MODULE_CONSOLE_H
#define MODULE_CONSOLE_H

#include <stddef.h>

#include "module/command.h"
#include "module/module.h"

#define CONSOLE_PROMPT    "OVMS# "
#define CONSOLE_LINE_SIZE 1024U /* bytes of a line with its NUL */
#define CONSOLE_WORDS     16U   /* words of a line */

struct console {
  struct module *module;
  void *output_context;
  void (*write)(void *output_context, const char *text, size_t length);
  const struct command *command; /* the last one that was found */
  struct command_job job;        /* the command under way, if job.step is set */
  int cause;                     /* while it is being cancelled: MODULE_ERR_CANCELLED or MODULE_ERR_RESET */
  char line[CONSOLE_LINE_SIZE];
};

/* Begins a console on a module; `write` gets all output. */
void console_start(struct console *console, struct module *module, void *output_context,
                   void (*write)(void *output_context, const char *text, size_t length));

/*
 * Executes a line. LB_OK: done (an empty line, or one that begins with #, does nothing); LB_MORE: poll; else the
 * command failed, and has said so in a line that begins with "Error: ". While a command is under way nothing else is
 * begun: LB_ERR_STATE.
 */
int console_execute(struct console *console, const char *line);

/* Does the next bounded piece of the command: at most one erase and one page. LB_MORE, LB_OK, or why it failed. */
int console_poll(struct console *console);

/*
 * Takes the flash for the command that is being started: LB_OK, or MODULE_ERR_UPDATE_RUNNING, which has been told,
 * while another console's command changes it. It is given back when the command ends.
 */
int console_claim_flash(struct console *console);

/* Says that the arguments of the present command do not fit, and how it is used. Returns MODULE_ERR_USAGE. */
int console_refuse_arguments(struct console *console);

/* May the caller sleep before the next poll? Then the command waits for the network, or for the time alone. */
bool console_is_waiting(const struct console *console);

/* The time that it waits for, in milliseconds, at most a second; 0 if it waits for something else or not at all. */
uint32_t console_wait_ms(const struct console *console);

/* Abandons the command under way (Ctrl-C), and says what that leaves behind. */
void console_cancel(struct console *console);

/* The same, but it says that the module was reset: by a crash, the watchdog, or another console's `module reset`. */
void console_reset(struct console *console);

/* For a command's cancel function: says which of the two it was. */
void console_tell_cancelled(struct console *console);

/*
 * What may follow: calls `candidate` for each word that can stand where the last, possibly empty, word of `line` is.
 * A candidate that ends with '/' or ' ' tells whether a further character or a further word follows.
 */
void console_complete(struct console *console, const char *line, void (*candidate)(void *context, const char *word),
                      void *context);

/* Prints the commands that `line` can become, with what they do: the answer to `?`. Returns how many there are. */
unsigned console_explain(struct console *console, const char *line);

#endif
