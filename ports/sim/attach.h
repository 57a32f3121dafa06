// SPDX-License-Identifier: MIT
/*
 * A console attached to a virtual module that runs in another process (`lifeboat console`): the line is edited here,
 * whole lines go to the module, and what its console prints comes back. See console_frame.h for what goes to and fro.
 */
#ifndef PORTS_SIM_ATTACH_H
#define PORTS_SIM_ATTACH_H

#include <stdbool.h>

struct attach_options {
  const char *path; /* of the module's socket */
  bool keep_going;  /* with input that is no terminal: go on behind a command that failed */
};

/* How it ended. */
enum attach_end {
  ATTACH_DONE,       /* end of input or exit, and no command failed */
  ATTACH_FAILED,     /* a command failed (input that is no terminal only), or there is no module: said on stderr */
  ATTACH_HALTED,     /* the module was reset, and nothing on its flash boots: said on stderr */
  ATTACH_INTERRUPTED /* SIGINT or SIGTERM ended a command, or SIGINT the input */
};

/*
 * Attaches, and stays until the end of standard input. Ctrl-C (SIGINT) cancels the command under way in the module, and
 * pressed again detaches without waiting for that; SIGTERM and a terminal that goes away detach, and the command goes
 * on.
 */
enum attach_end attach_run(const struct attach_options *options);

#endif
