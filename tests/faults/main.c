// SPDX-License-Identifier: MIT
/* The explorer's front: options, and the summary. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/faults/workers.h"

static const char usage[] = "usage: faults [--quick] [--scenario NAME] [--seed N] [--verbose]\n"
                            "       faults --list\n"
                            "       faults --replay SCENARIO:OPERATION:WAY[:OPERATION:WAY...]:SEED\n";

#define EXIT_BROKEN 1
#define EXIT_USAGE  2

#define WALKS       40U /* of each shard of a scenario */

static const struct scenario *find_scenario(const char *name, size_t length)
{
  const struct scenario *scenario;
  for (uint32_t i = 0; (scenario = scenario_at(i)) != NULL; i++) {
    if (strlen(scenario->name) == length && strncmp(scenario->name, name, length) == 0) {
      return scenario;
    }
  }
  return NULL;
}

static int list(void)
{
  const struct scenario *scenario;
  for (uint32_t i = 0; (scenario = scenario_at(i)) != NULL; i++) {
    puts(scenario->name);
  }
  return 0;
}

/* ---- replay ---- */

static bool parse_way(const char *text, size_t length, enum sim_cut *way)
{
  for (uint32_t i = 0; i < SIM_CUT_WAYS; i++) {
    const char *name = sim_cut_name((enum sim_cut)i);
    if (strlen(name) == length && strncmp(name, text, length) == 0) {
      *way = (enum sim_cut)i;
      return true;
    }
  }
  return false;
}

/* ":OPERATION:WAY" as often as it is there, then ":SEED". */
static bool parse_path(const char *text, struct engine *engine)
{
  while (*text == ':') {
    char *end = NULL;
    const unsigned long long number = strtoull(text + 1, &end, 10);
    if (end == text + 1) {
      return false;
    }
    if (*end == '\0') {
      engine->seed = number;
      return engine->wanted_length > 0;
    }
    const char *way = end + 1;
    const size_t length = strcspn(way, ":");
    struct cut_place *place = &engine->path[engine->wanted_length];
    if (engine->wanted_length == MAX_DEPTH || !parse_way(way, length, &place->way)) {
      return false;
    }
    place->operation = (uint32_t)number;
    engine->wanted_length++;
    text = way + length;
  }
  return false;
}

static int summarize(const struct counts *counts)
{
  printf("%" PRIu64 " cuts planned, %" PRIu64 " fired, %" PRIu64 " stranded, %" PRIu64 " promises broken\n",
         counts->planned, counts->fired, counts->stranded, counts->broken);
  return counts->planned == counts->fired && counts->stranded == 0 && counts->broken == 0 ? 0 : EXIT_BROKEN;
}

static int replay(const char *text)
{
  struct engine *engine = malloc(sizeof *engine);
  const size_t length = strcspn(text, ":");
  const struct scenario *scenario = find_scenario(text, length);
  int status = EXIT_USAGE;
  if (!engine) {
    abort();
  }
  if (scenario) {
    engine_open(engine, scenario);
    engine->verbose = true;
    engine->trace = true;
    if (parse_path(text + length, engine)) {
      (void)engine_replay(engine);
      status = summarize(&engine->counts);
    }
    engine_close(engine);
  }
  if (status == EXIT_USAGE) {
    fputs(usage, stderr);
  }
  free(engine);
  return status;
}

/* ---- campaign ---- */

static double wall_seconds(void)
{
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void add(struct counts *sum, const struct counts *more)
{
  sum->planned += more->planned;
  sum->fired += more->fired;
  sum->stranded += more->stranded;
  sum->broken += more->broken;
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

static void print_scenario(const struct scenario *scenario, const struct outcome_of_scenario *outcome)
{
  const struct counts *counts = &outcome->counts;
  printf("%-26s %5" PRIu64 " operations, %7" PRIu64 " cuts planned, %7" PRIu64 " fired, %" PRIu64 " stranded, %" PRIu64
         " broken, %6.1f s\n",
         scenario->name, counts->operations, counts->planned, counts->fired, counts->stranded, counts->broken,
         outcome->seconds);
}

static void print_counts(const struct counts *sum)
{
  printf("ways:");
  for (uint32_t way = 0; way < SIM_CUT_WAYS; way++) {
    printf(" %s %" PRIu64, sim_cut_name((enum sim_cut)way), sum->by_way[way]);
  }
  printf("\ncuts in a row:");
  for (uint32_t depth = 1; depth <= MAX_DEPTH && sum->by_depth[depth] != 0; depth++) {
    printf(" %u: %" PRIu64, (unsigned)depth, sum->by_depth[depth]);
  }
  printf("\nchecks of promises:");
  for (uint32_t promise = 1; promise <= PROMISES; promise++) {
    printf(" %u: %" PRIu64, (unsigned)promise, sum->checks[promise]);
  }
  printf("\n");
}

/* Every scenario, every way and every promise has to have had its turn. */
static bool is_complete(const struct campaign *campaign, const struct counts *sum)
{
  bool complete = true;
  for (uint32_t way = 0; way < SIM_CUT_WAYS; way++) {
    complete = complete && sum->by_way[way] != 0;
  }
  for (uint32_t promise = 1; promise <= PROMISES; promise++) {
    complete = complete && sum->checks[promise] != 0;
  }
  return complete || campaign->only;
}

#define CUTS_AT_LEAST 1000000U /* of a full run */

static int explore(const struct campaign *campaign)
{
  static struct outcome_of_scenario outcomes[SCENARIOS_MAX];
  const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  const double started = wall_seconds();
  struct counts sum = {0};
  bool enough = true;
  const struct scenario *scenario;
  printf("seed %" PRIu64 "\n", campaign->seed);
  bool well = campaign_run(campaign, processors > 1 ? (uint32_t)processors : 1U, outcomes);
  for (uint32_t i = 0; i < SCENARIOS_MAX && (scenario = scenario_at(i)) != NULL; i++) {
    if (!campaign->only || strcmp(campaign->only, scenario->name) == 0) {
      print_scenario(scenario, &outcomes[i]);
      add(&sum, &outcomes[i].counts);
      well = well && outcomes[i].counts.fired != 0;
    }
  }
  print_counts(&sum);
  printf("%.0f seconds\n", wall_seconds() - started);
  if (!is_complete(campaign, &sum)) {
    printf("a way or a promise had no turn\n");
    enough = false;
  }
  if (campaign->part == 1 && !campaign->only && sum.fired < CUTS_AT_LEAST) {
    printf("fewer than %u cuts\n", CUTS_AT_LEAST);
    enough = false;
  }
  if (!well) {
    printf("a scenario fired no cut, or a process died\n");
  }
  return summarize(&sum) == 0 && well && enough ? 0 : EXIT_BROKEN;
}

#define QUICK 10U /* one in so many */

static void sample(struct campaign *campaign, uint32_t part)
{
  campaign->part = part;
  campaign->part_real = part;
  campaign->walks = WALKS / part + 1U;
}

int main(int argc, char **argv)
{
  struct campaign campaign = {.seed = 1, .part = 1, .part_real = 1, .walks = WALKS, .walk_length = 6};
  for (int i = 1; i < argc; i++) {
    const bool more = i + 1 < argc;
    if (strcmp(argv[i], "--list") == 0) {
      return list();
    }
    if (strcmp(argv[i], "--replay") == 0 && more) {
      return replay(argv[i + 1]);
    }
    if (strcmp(argv[i], "--quick") == 0) {
      sample(&campaign, QUICK);
    } else if (strcmp(argv[i], "--sample") == 0 && more && strtoul(argv[i + 1], NULL, 10) > 0) {
      sample(&campaign, (uint32_t)strtoul(argv[++i], NULL, 10));
    } else if (strcmp(argv[i], "--verbose") == 0) {
      campaign.verbose = true;
    } else if (strcmp(argv[i], "--seed") == 0 && more) {
      campaign.seed = strtoull(argv[++i], NULL, 0);
    } else if (strcmp(argv[i], "--scenario") == 0 && more && find_scenario(argv[i + 1], strlen(argv[i + 1]))) {
      campaign.only = argv[++i];
    } else {
      fputs(usage, stderr);
      return EXIT_USAGE;
    }
  }
  return explore(&campaign);
}
