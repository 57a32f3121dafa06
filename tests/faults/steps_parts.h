// SPDX-License-Identifier: MIT
/* What the files of steps share among themselves. */
#ifndef TESTS_FAULTS_STEPS_PARTS_H
#define TESTS_FAULTS_STEPS_PARTS_H

#include "tests/faults/steps.h"

/* A result that has to be LB_OK, else the run ends: the operation did not succeed. */
void step_must(struct run *run, int result, const char *what);

struct lb_partition step_running(const struct run *run);

/* Has the step's image been written already? Then the module runs it. */
bool step_is_done(const struct run *run, const struct step *step);

/* The slot that the library chooses for an update, and the number of a slot. */
struct lb_partition step_choose_target(struct run *run);
uint8_t step_slot_number(const struct lb_partition *slot);

/* How a session for the step's image is begun. */
struct lb_update_config step_configure(struct run *run, const struct step *step, const struct lb_partition *target);

/* From here on the slot may hold the image, and may be selected: what is the case once it is. */
struct belief step_begin_update(struct run *run, const struct step *step, struct choice target);

/* The session's image has come: it is verified and selected. */
int step_finish_update(struct run *run);
void step_end_update(struct run *run, struct choice target, const struct belief *next);

/* Writes the step's image into the slot from its bytes. */
void step_update_slot(struct run *run, const struct step *step, const struct lb_partition *slot);

/* Says what the trial's terms are. */
struct lb_trial_terms step_terms(const struct step *step);

#endif
