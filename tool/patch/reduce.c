// SPDX-License-Identifier: MIT
/*
 * A map has room for few ranges: the spans that are worth the least are taken for a part of the one before, one after
 * another. A heap finds the next one, so that a file with a million spans takes no hours.
 */
#include <stdlib.h>

#include "tool/patch/plan.h"

#define RANGE_PRICE 48U /* of a range in the patch, as votes count */
#define NONE        UINT32_MAX

/* Spans keep their places; those that are gone are no one's neighbours. */
struct reduction {
  struct patch_span *spans;
  uint32_t count;
  uint32_t *before;
  uint32_t *after;
  uint32_t *heap;   /* spans, the cheapest first */
  uint32_t *place;  /* of each span in the heap, NONE if it is gone */
  uint32_t *prices; /* what the heap is ordered by */
  uint32_t heap_count;
};

/* Would the one behind go, too, since it is as the one before? */
static bool takes_both(const struct reduction *reduction, uint32_t span)
{
  uint32_t after = reduction->after[span];
  return after != NONE && reduction->spans[after].shift == reduction->spans[reduction->before[span]].shift;
}

/* What it would cost to take a span for a part of the one before. */
static uint32_t price(const struct reduction *reduction, uint32_t span)
{
  uint32_t weight = reduction->spans[span].weight;
  return takes_both(reduction, span) ? weight / 2U : weight;
}

static bool is_cheaper(const struct reduction *reduction, uint32_t a, uint32_t b)
{
  const uint32_t *prices = reduction->prices;
  return prices[a] != prices[b] ? prices[a] < prices[b] : a < b;
}

/* ---- the heap ---- */

static void put(struct reduction *reduction, uint32_t at, uint32_t span)
{
  reduction->heap[at] = span;
  reduction->place[span] = at;
}

/* Moves what is at this place of the heap to where it belongs now. */
static void settle(struct reduction *reduction, uint32_t at)
{
  uint32_t span = reduction->heap[at];
  while (at && is_cheaper(reduction, span, reduction->heap[(at - 1U) / 2U])) {
    put(reduction, at, reduction->heap[(at - 1U) / 2U]);
    at = (at - 1U) / 2U;
  }
  for (;;) {
    uint32_t child = 2U * at + 1U;
    if (child + 1U < reduction->heap_count &&
        is_cheaper(reduction, reduction->heap[child + 1U], reduction->heap[child])) {
      child++;
    }
    if (child >= reduction->heap_count || !is_cheaper(reduction, reduction->heap[child], span)) {
      break;
    }
    put(reduction, at, reduction->heap[child]);
    at = child;
  }
  put(reduction, at, span);
}

/* One after another: the heap is in order but for the span that gets its new price. */
static void set_price(struct reduction *reduction, uint32_t span)
{
  if (span != NONE && reduction->place[span] != NONE) {
    reduction->prices[span] = price(reduction, span);
    settle(reduction, reduction->place[span]);
  }
}

/* ---- taking out ---- */

static void take_out(struct reduction *reduction, uint32_t span)
{
  uint32_t before = reduction->before[span];
  uint32_t after = reduction->after[span];
  uint32_t at = reduction->place[span];
  uint32_t last = reduction->heap[--reduction->heap_count];
  reduction->place[span] = NONE;
  if (at < reduction->heap_count) {
    put(reduction, at, last);
    settle(reduction, at);
  }
  reduction->after[before] = after;
  if (after != NONE) {
    reduction->before[after] = before;
  }
  set_price(reduction, before);
  set_price(reduction, after);
  reduction->count--;
}

static void merge(struct reduction *reduction, uint32_t span)
{
  uint32_t before = reduction->before[span];
  uint32_t after = reduction->after[span];
  bool both = takes_both(reduction, span);
  take_out(reduction, span);
  if (both) {
    take_out(reduction, after);
    reduction->spans[before].weight += reduction->spans[after].weight;
    set_price(reduction, before);
  }
}

static void open(struct reduction *reduction)
{
  for (uint32_t i = 0; i < reduction->count; i++) {
    reduction->before[i] = i ? i - 1U : NONE;
    reduction->after[i] = i + 1U < reduction->count ? i + 1U : NONE;
    reduction->place[i] = NONE;
  }
  for (uint32_t i = 1; i < reduction->count; i++) { /* the first one has none before it that it could be a part of */
    reduction->prices[i] = price(reduction, i);
    put(reduction, reduction->heap_count, i);
    settle(reduction, reduction->heap_count++);
  }
}

int patch_reduce(struct patch_span *spans, uint32_t *count, uint32_t limit)
{
  if (*count == 0) {
    return 0;
  }
  size_t all = *count;
  uint32_t *memory = malloc(5U * all * sizeof(*memory));
  if (!memory) {
    return PATCH_NO_MEMORY;
  }
  struct reduction reduction = {spans,
                                .count = *count,
                                .before = memory,
                                .after = memory + all,
                                .heap = memory + 2U * all,
                                .place = memory + 3U * all,
                                .prices = memory + 4U * all};
  open(&reduction);
  while (reduction.heap_count && (reduction.count > limit || reduction.prices[reduction.heap[0]] < RANGE_PRICE)) {
    merge(&reduction, reduction.heap[0]);
  }
  uint32_t left = 0;
  for (uint32_t i = 0; i != NONE; i = reduction.after[i]) {
    spans[left++] = spans[i];
  }
  *count = left;
  free(memory);
  return 0;
}
