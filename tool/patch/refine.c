// SPDX-License-Identifier: MIT
/*
 * What lies between two blocks is parsed again: the cheapest path over all diagonals near the two of them, where a byte
 * that agrees costs little, one that does not a correction, a literal a byte, and a change of diagonal a new block.
 */
#include <stdlib.h>
#include <string.h>

#include "tool/patch/plan.h"

enum { EXTEND = 12, REACH = 160, JOIN = 1200, LONGEST = 3000, DIAGONALS = 2 * JOIN + 2 * REACH };

/*
 * What all gaps may take together, in bytes times diagonals: a second or two. Images come nowhere near it; what is left
 * of other files is not parsed again.
 */
#define MOST_WORK ((int64_t)4 << 30)

/* Prices in hundredths of bits. */
enum { AGREES = 10, DIFFERS = 950, BACK_TO_LITERALS = 50, IMPOSSIBLE = 1 << 28 };

struct gap {
  int64_t first; /* of the result */
  int64_t length;
  int64_t before; /* diagonals of the blocks on both sides, as source minus place */
  int64_t after;
  bool has_before;
  bool has_after;
};

struct paths {
  int64_t diagonals[DIAGONALS + 2];
  int32_t prices[2][DIAGONALS + 3];
  int count;
  int16_t *from; /* for each place and state the state before */
};

static void add_diagonals(struct paths *paths, int64_t low, int64_t high)
{
  for (int64_t d = low; d <= high && paths->count < DIAGONALS; d++) {
    paths->diagonals[paths->count++] = d;
  }
}

/* The state of a diagonal; that of a literal, if it is none of them. */
static int find(const struct paths *paths, int64_t diagonal)
{
  int state = 0;
  while (state < paths->count && paths->diagonals[state] != diagonal) {
    state++;
  }
  return state;
}

static int cheapest(const int32_t *prices, int count)
{
  int best = 0;
  for (int i = 1; i < count; i++) {
    if (prices[i] < prices[best]) {
      best = i;
    }
  }
  return best;
}

/* One byte of the result further. State `count` stands for a literal. */
static void advance(const struct patch_pair *pair, struct paths *paths, int64_t place, const int32_t *prices,
                    int32_t *next, int16_t *from, const struct patch_tuning *tuning)
{
  int states = paths->count + 1;
  int best = cheapest(prices, states);
  int32_t changed = prices[best] + tuning->switch_price * 10;
  for (int i = 0; i < paths->count; i++) {
    int64_t source = place + paths->diagonals[i];
    int32_t price = prices[i];
    from[i] = (int16_t)i;
    if (changed < price) {
      price = changed;
      from[i] = (int16_t)best;
    }
    if (source < 0 || source >= pair->base_length) {
      next[i] = IMPOSSIBLE;
    } else {
      next[i] = price + (pair->base[source] == pair->result[place] ? AGREES : DIFFERS);
    }
  }
  int literal = paths->count;
  bool stay = prices[literal] <= prices[best] + BACK_TO_LITERALS;
  from[literal] = (int16_t)(stay ? literal : best);
  next[literal] = (stay ? prices[literal] : prices[best] + BACK_TO_LITERALS) + tuning->literal_price * 10;
}

static int parse_gap(const struct patch_pair *pair, const struct gap *gap, struct paths *paths, int64_t *sources,
                     const struct patch_tuning *tuning)
{
  paths->count = 0;
  int64_t apart = gap->before - gap->after;
  if (apart < JOIN && apart > -JOIN) {
    add_diagonals(paths, (apart < 0 ? gap->before : gap->after) - REACH,
                  (apart < 0 ? gap->after : gap->before) + REACH);
  } else {
    add_diagonals(paths, gap->before - REACH, gap->before + REACH);
    add_diagonals(paths, gap->after - REACH, gap->after + REACH);
  }
  int states = paths->count + 1;
  int start = gap->has_before ? find(paths, gap->before) : paths->count;
  int end = find(paths, gap->after);
  paths->from = malloc((size_t)(gap->length * states) * sizeof(*paths->from));
  if (!paths->from) {
    return PATCH_NO_MEMORY;
  }
  for (int i = 0; i < states; i++) {
    paths->prices[0][i] = IMPOSSIBLE;
    paths->prices[1][i] = IMPOSSIBLE;
  }
  paths->prices[0][start] = 0;
  for (int64_t t = 0; t < gap->length; t++) {
    advance(pair, paths, gap->first + t, paths->prices[t & 1], paths->prices[~t & 1], paths->from + t * states, tuning);
  }
  const int32_t *prices = paths->prices[gap->length & 1];
  int state = cheapest(prices, states);
  if (gap->has_after && prices[end] <= prices[state] + tuning->switch_price * 10) {
    state = end;
  }
  for (int64_t t = gap->length; t-- > 0;) {
    int64_t place = gap->first + t;
    sources[place] = state < paths->count ? place + paths->diagonals[state] : -1;
    state = paths->from[t * states + state];
  }
  free(paths->from);
  return 0;
}

static struct gap gap_behind(const struct patch_plan *plan, uint32_t index, int64_t base_length, int64_t result_length)
{
  const struct patch_block *before = index ? &plan->blocks[index - 1U] : NULL;
  const struct patch_block *after = index < plan->count ? &plan->blocks[index] : NULL;
  int64_t start = before ? (int64_t)before->place + before->length : 0;
  int64_t end = after ? after->place : result_length;
  int64_t room_before = before ? (before->length > EXTEND ? EXTEND : (int64_t)before->length - 1) : 0;
  int64_t room_after = after ? (after->length > EXTEND ? EXTEND : (int64_t)after->length - 1) : 0;
  struct gap gap = {.first = start - room_before, .has_before = before, .has_after = after};
  gap.length = end + room_after - gap.first;
  gap.before = before ? (int64_t)before->source - before->place : 0;
  gap.after = after ? (int64_t)after->source - after->place : base_length - result_length;
  if (start >= end && gap.before == gap.after) {
    gap.length = 0;
  }
  return gap;
}

/* Makes blocks of the sources of all bytes, -1 being a literal. */
static int collect(struct patch_plan *plan, const int64_t *sources, uint32_t length)
{
  plan->count = 0;
  for (uint32_t place = 0; place < length;) {
    uint32_t first = place++;
    if (sources[first] < 0) {
      continue;
    }
    while (place < length && sources[place] == sources[place - 1U] + 1) {
      place++;
    }
    struct patch_block block = {first, (uint32_t)sources[first], place - first, true};
    if (patch_plan_add(plan, &block)) {
      return PATCH_NO_MEMORY;
    }
  }
  return 0;
}

/* Where each byte of the result comes from, -1 if it is a literal. */
static int64_t *sources_of(const struct patch_plan *plan, uint32_t length)
{
  int64_t *sources = malloc(((size_t)length + 1U) * sizeof(*sources));
  for (uint32_t i = 0; sources && i < length; i++) {
    sources[i] = -1;
  }
  for (uint32_t i = 0; sources && i < plan->count; i++) {
    for (uint32_t j = 0; j < plan->blocks[i].length; j++) {
      sources[plan->blocks[i].place + j] = (int64_t)plan->blocks[i].source + j;
    }
  }
  return sources;
}

int patch_refine(struct patch_job *job, struct patch_plan *plan, const struct patch_pair *pair,
                 const struct patch_tuning *tuning)
{
  int64_t *sources = sources_of(plan, pair->result_length);
  struct paths *paths = malloc(sizeof(*paths));
  int status = sources && paths ? 0 : PATCH_NO_MEMORY;
  int64_t work = 0;
  int64_t told = 0;
  for (uint32_t i = 0; !status && i <= plan->count; i++) {
    struct gap gap = gap_behind(plan, i, pair->base_length, pair->result_length);
    if (gap.length > 0 && gap.length <= LONGEST && work < MOST_WORK) {
      status = parse_gap(pair, &gap, paths, sources, tuning);
      work += gap.length * paths->count;
    }
    if (!status && gap.first >= told) {
      told = gap.first + PATCH_PIECE;
      status = patch_job_at(job, (uint32_t)gap.first, pair->result_length);
    }
  }
  if (!status) {
    status = collect(plan, sources, pair->result_length);
  }
  free(sources);
  free(paths);
  return status;
}
