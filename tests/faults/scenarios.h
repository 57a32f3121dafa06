// SPDX-License-Identifier: MIT
/*
 * The tables of scenarios, one a file; each ends with an entry without a name. A new file: declare its table here, and
 * add it to the list in scenarios.c.
 */
#ifndef TESTS_FAULTS_SCENARIOS_H
#define TESTS_FAULTS_SCENARIOS_H

#include "tests/faults/steps.h"

#define UNDEFINED 0xFFFFFFFFU /* the state of a record without rollback */

extern const struct scenario scenarios_update[];
extern const struct scenario scenarios_resume[];
extern const struct scenario scenarios_select[];
extern const struct scenario scenarios_slots[];
extern const struct scenario scenarios_trial[];
extern const struct scenario scenarios_fallback[];
extern const struct scenario scenarios_patch[];
extern const struct scenario scenarios_real[];

#endif
