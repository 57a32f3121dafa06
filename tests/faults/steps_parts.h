// SPDX-License-Identifier: MIT
/* What the files of steps share among themselves. */
#ifndef TESTS_FAULTS_STEPS_PARTS_H
#define TESTS_FAULTS_STEPS_PARTS_H

#include "tests/faults/steps.h"

/* A result that has to be LB_OK, else the run ends: the operation did not succeed. */
void step_must(struct run *run, int result, const char *what);

struct lb_partition step_running(const struct run *run);

/* Says what the trial's terms are. */
struct lb_trial_terms step_terms(const struct step *step);

#endif
