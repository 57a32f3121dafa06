// SPDX-License-Identifier: MIT
/*
 * What a module does on its link without any command: the marks of its trial, the background of its history, and the
 * looks for its depot; and what has to have come of it.
 */
#ifndef TESTS_NETWORK_LIFE_H
#define TESTS_NETWORK_LIFE_H

#include "tests/damage/tally.h"
#include "tests/network/module_on_link.h"

#define LIFE_TRIAL_S 14400U /* in which a trial ends well, though the peer has not run out of bad behaviour yet */

/* Runs for so many seconds of the clock. False: the power went. */
bool life_pass(struct module_on_link *link, struct peer *peer, uint32_t seconds);

/* Runs until the trial of the running firmware has ended and the history knows, at most LIFE_TRIAL_S. False: as above.
 */
bool life_trial(struct module_on_link *link, struct peer *peer);

/* Nothing is under way: no update counts as begun. */
void life_check_history(struct module_on_link *link, struct tally *tally);

/* The running firmware has been confirmed because it reached its depot, and the history says that of its update. */
void life_check_confirmed(struct module_on_link *link, struct tally *tally);

#endif
