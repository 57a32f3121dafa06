// SPDX-License-Identifier: MIT
/* SIGINT and SIGTERM as two marks that the main loop looks at. */
#ifndef PORTS_SIM_SIGNALS_H
#define PORTS_SIM_SIGNALS_H

#include <stdbool.h>

/* From now on both signals only leave marks; system calls that wait are interrupted by them. */
void signals_catch(void);

/* Has SIGINT come since the last call? */
bool signals_take_interrupt(void);

/* Is there one of both that has not been taken? */
bool signals_pending(void);

/* Has SIGTERM (or SIGHUP) come? It stays so. */
bool signals_terminated(void);

#endif
