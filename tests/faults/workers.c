// SPDX-License-Identifier: MIT
#include "tests/faults/workers.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct message {
  uint32_t scenario;
  struct outcome_of_scenario outcome;
};

static double processor_seconds(void)
{
  return (double)clock() / CLOCKS_PER_SEC;
}

void campaign_do(const struct campaign *campaign, const struct scenario *scenario, uint32_t shard,
                 struct outcome_of_scenario *outcome)
{
  struct engine *engine = malloc(sizeof *engine);
  const double started = processor_seconds();
  if (!engine) {
    abort();
  }
  engine_open(engine, scenario);
  const uint32_t thin = scenario->thin != 0 ? scenario->thin : 1U;
  const bool real = scenario->geometry == GEOMETRY_REAL;
  engine->seed = campaign->seed;
  engine->verbose = campaign->verbose;
  engine->depth = real ? 1 : 2;
  engine->part = real ? campaign->part_real : campaign->part;
  engine->part *= thin;
  engine->shard = shard;
  engine->shards = SHARDS;
  engine_explore(engine);
  engine_walk(engine, (campaign->walks + thin - 1U) / thin, campaign->walk_length);
  outcome->counts = engine->counts;
  outcome->seconds = processor_seconds() - started;
  engine_close(engine);
  free(engine);
}

static bool is_wanted(const struct campaign *campaign, uint32_t index)
{
  return !campaign->only || strcmp(campaign->only, scenario_at(index)->name) == 0;
}

/* Pieces of long scenarios first would be best; the order of the table is good enough with this many. */
static void work(const struct campaign *campaign, atomic_uint *next, uint32_t pieces, int to)
{
  for (;;) {
    const uint32_t piece = atomic_fetch_add(next, 1);
    struct message message;
    if (piece >= pieces) {
      return;
    }
    memset(&message, 0, sizeof message);
    message.scenario = piece / SHARDS;
    if (!is_wanted(campaign, message.scenario)) {
      continue;
    }
    campaign_do(campaign, scenario_at(message.scenario), piece % SHARDS, &message.outcome);
    if (write(to, &message, sizeof message) != (ssize_t)sizeof message) { /* shorter than PIPE_BUF: whole or not */
      abort();
    }
  }
}

static void add_counts(struct counts *sum, const struct counts *more)
{
  sum->planned += more->planned;
  sum->fired += more->fired;
  sum->stranded += more->stranded;
  sum->broken += more->broken;
  sum->operations = more->operations;
  for (uint32_t i = 0; i < SIM_CUT_WAYS; i++) {
    sum->by_way[i] += more->by_way[i];
  }
  for (uint32_t i = 0; i <= MAX_DEPTH; i++) {
    sum->by_depth[i] += more->by_depth[i];
  }
  for (uint32_t i = 0; i <= PROMISES; i++) {
    sum->checks[i] += more->checks[i];
  }
}

static void gather(int from, struct outcome_of_scenario *outcomes)
{
  struct message message;
  while (read(from, &message, sizeof message) == (ssize_t)sizeof message) {
    add_counts(&outcomes[message.scenario].counts, &message.outcome.counts);
    outcomes[message.scenario].seconds += message.outcome.seconds;
  }
}

static uint32_t count_pieces(void)
{
  uint32_t scenarios = 0;
  while (scenarios < SCENARIOS_MAX && scenario_at(scenarios)) {
    scenarios++;
  }
  return scenarios * SHARDS;
}

bool campaign_run(const struct campaign *campaign, uint32_t processes, struct outcome_of_scenario *outcomes)
{
  const uint32_t pieces = count_pieces();
  bool well = true;
  int ends[2];
  atomic_uint *next = mmap(NULL, sizeof *next, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (next == MAP_FAILED || pipe(ends) != 0) {
    return false;
  }
  atomic_init(next, 0);
  (void)fflush(NULL);
  for (uint32_t i = 0; i < processes; i++) {
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      work(campaign, next, pieces, ends[1]);
      exit(0);
    }
    well = well && child > 0;
  }
  close(ends[1]);
  gather(ends[0], outcomes);
  close(ends[0]);
  for (uint32_t i = 0; i < processes; i++) {
    int status = 0;
    well = wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 && well;
  }
  munmap(next, sizeof *next);
  return well;
}
