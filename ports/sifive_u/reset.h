// SPDX-License-Identifier: MIT
/* The board's reset line, and why it was pulled. */
#ifndef PORTS_SIFIVE_U_RESET_H
#define PORTS_SIFIVE_U_RESET_H

#include "lifeboat/trial.h"

/* Leaves the cause in retained memory and pulls the reset line. Does not return. */
_Noreturn void reset_board(enum lb_reset cause);

/*
 * For programs that have nothing to start: says so, waits RESET_RETRY_S, in which somebody may attach a cable, and
 * resets. A chip that was not ready or misread answers next time. `cause` is what the next start finds: the one of this
 * start as long as no trial has been judged by it, else LB_RESET_COMMANDED, which none counts.
 */
#define RESET_RETRY_S 10U
_Noreturn void reset_after_pause(enum lb_reset cause);

/* Why the processor started: what was left there, else power-on. */
enum lb_reset reset_cause(void);

/* From now on a reset that nobody announced counts as power-on. The bootloader's, once it has read the cause. */
void reset_forget_cause(void);

#endif
