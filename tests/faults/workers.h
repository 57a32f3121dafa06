// SPDX-License-Identifier: MIT
/* Work shared out to processes: each takes the next piece when it has done one, and tells what came of it. */
#ifndef TESTS_FAULTS_WORKERS_H
#define TESTS_FAULTS_WORKERS_H

#include "tests/faults/engine.h"

#define SCENARIOS_MAX 128U
#define SHARDS        8U /* pieces of a scenario */

struct campaign {
  uint64_t seed;
  bool verbose;
  uint32_t part;        /* of the cuts after cuts on the miniature geometry one in so many */
  uint32_t part_real;   /* of the cuts on the real geometry one in so many */
  uint32_t walks;       /* random walks for each shard */
  uint32_t walk_length; /* cuts in each of them, at most */
  const char *only;     /* name of the one scenario, or NULL */
};

struct outcome_of_scenario {
  struct counts counts;
  double seconds; /* of processor time */
};

/* One shard, in this process. */
void campaign_do(const struct campaign *campaign, const struct scenario *scenario, uint32_t shard,
                 struct outcome_of_scenario *outcome);

/* All of them with `processes`. False if a process died. `outcomes` has SCENARIOS_MAX elements. */
bool campaign_run(const struct campaign *campaign, uint32_t processes, struct outcome_of_scenario *outcomes);

#endif
