// SPDX-License-Identifier: MIT
/*
 * Where a console's lines come from: a person at a terminal, with prompt, editing, history and completion; or a pipe or
 * file, where nothing is printed that was not asked for. Used by the module itself and by consoles attached to one.
 */
#ifndef PORTS_SIM_INPUT_H
#define PORTS_SIM_INPUT_H

#include <stdbool.h>

#include "module/console.h"

enum input_event {
  INPUT_READY,       /* standard input can be read, or has ended */
  INPUT_INTERRUPTED, /* SIGINT came */
  INPUT_END          /* there shall be no more input */
};

/* Who reads the lines. */
struct input_host {
  void *context;
  /* Waits for standard input, and meanwhile does whatever else there is to do. */
  enum input_event (*wait)(void *context);
  /* Calls `candidate` for each word that may stand where the last word of `line` is, as console_complete() does. */
  void (*complete)(void *context, const char *line, void (*candidate)(void *candidate_context, const char *word),
                   void *candidate_context);
  /* Prints on standard output what may follow `line`. */
  void (*explain)(void *context, const char *line);
};

struct input;

/* Opens standard input. NULL without memory. The host stays the caller's. */
struct input *input_open(const struct input_host *host);

/* Is there a person at a terminal? */
bool input_is_terminal(const struct input *input);

/*
 * The next line without its end, valid until the next call; NULL at the end of input. Of a line that is too long for a
 * console only so much is returned that the console refuses it. Lines of a pipe that have come already are returned
 * without waiting.
 */
const char *input_line(struct input *input);

/* Did SIGINT end the input? At a terminal it only gives the line up. */
bool input_was_interrupted(const struct input *input);

/* Shows prompt and line again, from `wait`, after something was printed; the cursor has to be at a line's beginning. */
void input_redisplay(struct input *input);

/* NULL does nothing. */
void input_close(struct input *input);

#endif
