// SPDX-License-Identifier: MIT
/* What run.c and explore.c share; nobody else includes this. */
#ifndef TESTS_FAULTS_EXPLORE_H
#define TESTS_FAULTS_EXPLORE_H

#include "tests/faults/engine.h"

struct operation {
  enum sim_operation kind;
  uint32_t address;
  uint32_t length;
  const void *data;
};

enum run_end { RUN_WHOLE, RUN_FAILED, RUN_CUT };

/* run.c */
struct run *run_new(struct engine *engine, uint32_t level);
void run_free(struct run *run);
void run_prepare(struct run *run); /* its ledger is the caller's */
void run_protect(struct run *run); /* factory and what runs */
int operation_do(struct engine *engine, const struct operation *operation);

/* explore.c: an operation is about to happen in this run. */
void explore_operation(struct run *run, const struct operation *operation);

#endif
