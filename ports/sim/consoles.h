// SPDX-License-Identifier: MIT
/*
 * The further consoles of a virtual module: the socket of `--listen` and whoever is attached to it. Whoever runs the
 * module's own console calls consoles_work() again and again; all functions accept NULL, for a module without them.
 */
#ifndef PORTS_SIM_CONSOLES_H
#define PORTS_SIM_CONSOLES_H

#include <stdbool.h>

#include "ports/sim/clock.h"
#include "ports/sim/console_frame.h"

#define CONSOLES_MOST 4U /* attached at the same time, those whose client has gone among them */

struct consoles; /* all of it is allocated by consoles_open */

/* Listens at `path` for consoles on `module`. NULL: it has been said on stderr why not. Both stay the caller's. */
struct consoles *consoles_open(const char *path, struct module *module);

/*
 * One round of all: takes new ones in, and each does a bounded piece of what it has to do. Does not wait. When one
 * asks for a reset (module->reset_requested), the round ends.
 */
void consoles_work(struct consoles *consoles);

/* Is there more to do at once? */
bool consoles_are_busy(const struct consoles *consoles);

/* Is a command under way on one of them? */
bool consoles_have_job(const struct consoles *consoles);

/*
 * Nothing to do: waits, at most `ms`, until `fd` (-1: none) is readable, something comes from a client or a signal
 * comes. `job`: something is under way, so that simulated time passes, and the network is waited for as well.
 */
void consoles_wait(struct consoles *consoles, struct sim_clock *clock, int fd, bool job, uint32_t ms);

/* Abandons all commands that are under way; their clients are told. */
void consoles_cancel(struct consoles *consoles);

/* The same, because the module is reset. */
void consoles_reset(struct consoles *consoles);

/* After a reset: a fresh console for everybody. */
void consoles_restart(struct consoles *consoles);

/* Abandons the commands, hangs up on everybody, listens no longer and removes the socket. */
void consoles_close(struct consoles *consoles, enum frame_farewell reason);

#endif
