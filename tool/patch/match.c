// SPDX-License-Identifier: MIT
/*
 * Matches after the method of bsdiff: go on along one diagonal, and leave it for a longer exact match that is better by
 * some bytes; then extend both ways while more than half of the bytes agree.
 */
#include <divsufsort.h>
#include <stdlib.h>
#include <string.h>

#include "tool/patch/plan.h"

int32_t *patch_suffixes(const uint8_t *bytes, uint32_t length)
{
  int32_t *suffixes = malloc(((size_t)length + 1U) * sizeof(*suffixes));
  if (suffixes && divsufsort(bytes, suffixes, (saidx_t)length) != 0) {
    free(suffixes);
    return NULL; /* it is its memory that divsufsort lacks: nothing else can fail */
  }
  return suffixes;
}

struct search {
  const uint8_t *base;
  const uint8_t *result;
  int64_t base_length;
  int64_t result_length;
  const int32_t *suffixes;
};

/*
 * Bytes of which no more is looked at: what agrees longer is found again at its end, and in files with long runs of the
 * same bytes to look at all of them would take hours.
 */
#define LONGEST   4096
#define LONG_STEP 32

static int64_t common(const struct search *search, int64_t source, int64_t place)
{
  int64_t longest = search->base_length - source;
  int64_t length = 0;
  if (longest > search->result_length - place) {
    longest = search->result_length - place;
  }
  longest = longest < LONGEST ? longest : LONGEST;
  while (length < longest && search->base[source + length] == search->result[place + length]) {
    length++;
  }
  return length;
}

/* The longest match of what begins at `place`. */
static int64_t longest_match(const struct search *search, int64_t place, int64_t *source)
{
  int64_t low = 0;
  int64_t high = search->base_length - 1;
  while (high - low >= 2) {
    int64_t middle = low + (high - low) / 2;
    int64_t at = search->suffixes[middle];
    int64_t length = search->base_length - at;
    if (length > search->result_length - place) {
      length = search->result_length - place;
    }
    length = length < LONGEST ? length : LONGEST;
    if (memcmp(search->base + at, search->result + place, (size_t)length) < 0) {
      low = middle;
    } else {
      high = middle;
    }
  }
  int64_t first = common(search, search->suffixes[low], place);
  int64_t second = common(search, search->suffixes[high], place);
  *source = search->suffixes[first > second ? low : high];
  return first > second ? first : second;
}

static bool agree(const struct search *search, int64_t source, int64_t place)
{
  return source >= 0 && source < search->base_length && search->base[source] == search->result[place];
}

/* How far a match reaches forward from (source, place) up to `end`, most of its bytes agreeing. */
static int64_t extend_forward(const struct search *search, int64_t source, int64_t place, int64_t end)
{
  int64_t score = 0;
  int64_t best = 0;
  int64_t length = 0;
  for (int64_t i = 0; place + i < end && source + i < search->base_length;) {
    score += search->base[source + i] == search->result[place + i] ? 1 : -1;
    i++;
    if (score > best) {
      best = score;
      length = i;
    }
  }
  return length;
}

static int64_t extend_backward(const struct search *search, int64_t source, int64_t place, int64_t start)
{
  int64_t score = 0;
  int64_t best = 0;
  int64_t length = 0;
  for (int64_t i = 1; place >= start + i && source >= i; i++) {
    score += search->base[source - i] == search->result[place - i] ? 1 : -1;
    if (score > best) {
      best = score;
      length = i;
    }
  }
  return length;
}

/* Two matches overlap by some bytes: how many of them the first one keeps. */
static int64_t divide_overlap(const struct search *search, int64_t first, int64_t second, int64_t place,
                              int64_t overlap)
{
  int64_t score = 0;
  int64_t best = 0;
  int64_t keep = 0;
  for (int64_t i = 0; i < overlap; i++) {
    score += search->base[first + i] == search->result[place + i];
    score -= search->base[second + i] == search->result[place + i];
    if (score > best) {
      best = score;
      keep = i + 1;
    }
  }
  return keep;
}

struct scan {
  int64_t place; /* looked at up to here */
  int64_t length;
  int64_t source;
  int64_t last_place; /* where the last match that was taken begins */
  int64_t last_source;
  int64_t distance; /* its diagonal */
};

/* Goes on to the next match that is worth leaving the diagonal for; tells whether it is another one, or the end. */
static bool next_match(const struct search *search, struct scan *scan, int gain)
{
  int64_t agreeing = 0;
  int64_t ahead = scan->place += scan->length;
  for (; scan->place < search->result_length; scan->place++) {
    scan->length = longest_match(search, scan->place, &scan->source);
    for (; ahead < scan->place + scan->length; ahead++) {
      agreeing += agree(search, ahead + scan->distance, ahead);
    }
    if ((scan->length == agreeing && scan->length != 0) || scan->length > agreeing + gain) {
      break;
    }
    /* while the diagonal is about as good as a long match, not each place is looked at */
    int64_t step = scan->length >= LONGEST / 2 ? LONG_STEP : 1;
    while (step-- > 1) {
      agreeing -= agree(search, scan->place + scan->distance, scan->place);
      scan->place++;
    }
    agreeing -= agree(search, scan->place + scan->distance, scan->place);
  }
  return scan->length != agreeing || scan->place == search->result_length;
}

static int take_match(struct patch_plan *plan, const struct search *search, struct scan *scan)
{
  bool end = scan->place >= search->result_length;
  int64_t forward = extend_forward(search, scan->last_source, scan->last_place, scan->place);
  int64_t backward = end ? 0 : extend_backward(search, scan->source, scan->place, scan->last_place);
  int64_t overlap = (scan->last_place + forward) - (scan->place - backward);
  if (overlap > 0) {
    int64_t keep = divide_overlap(search, scan->last_source + forward - overlap, scan->source - backward,
                                  scan->place - backward, overlap);
    forward += keep - overlap;
    backward -= keep;
  }
  struct patch_block block = {(uint32_t)scan->last_place, (uint32_t)scan->last_source, (uint32_t)forward, true};
  scan->last_place = scan->place - backward;
  scan->last_source = scan->source - backward;
  scan->distance = scan->source - scan->place;
  return forward > 0 ? patch_plan_add(plan, &block) : 0;
}

int patch_match(struct patch_job *job, struct patch_plan *plan, const struct patch_pair *pair, const int32_t *suffixes,
                const struct patch_tuning *tuning)
{
  struct search search = {pair->base, pair->result, pair->base_length, pair->result_length, suffixes};
  struct scan scan = {0};
  int64_t told = 0;
  plan->count = 0;
  int status = 0;
  while (!status && scan.place < search.result_length) {
    if (next_match(&search, &scan, tuning->switch_gain)) {
      status = take_match(plan, &search, &scan);
    }
    if (!status && scan.place >= told) {
      told = scan.place + PATCH_PIECE;
      status = patch_job_at(job, (uint32_t)scan.place, pair->result_length);
    }
  }
  return status;
}
