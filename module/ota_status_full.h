// SPDX-License-Identifier: MIT
/* What `ota status full` adds to `ota status`; works on console->job.state.status. */
#ifndef MODULE_OTA_STATUS_FULL_H
#define MODULE_OTA_STATUS_FULL_H

struct console;

/* Prints what is known at once. LB_MORE: go on with the steps. */
int status_full_start(struct console *console);

/* Reads the next piece of the slots and prints a line for each. LB_MORE, LB_OK, LB_ERR_... */
int status_full_step(struct console *console);

#endif
