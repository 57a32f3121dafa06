// SPDX-License-Identifier: MIT
/* The map: which addresses of the base lie how much further on in the result. */
#include <stdlib.h>
#include <string.h>

#include "tool/patch/plan.h"

#define LEAST      4U  /* bytes of a range */
#define JOIN       64U /* ranges of the same shift that are nearer than this are one */
/* Starts of ranges are counted from here; no chip has anything below that moves. */
#define LOWEST     0x3C000000U
/* Of more blocks than any two images have in common, the largest ones will do. */
#define MOST_SPANS 0x10000U

static int by_weight(const void *a, const void *b)
{
  const struct patch_span *x = a;
  const struct patch_span *y = b;
  if (x->weight != y->weight) {
    return x->weight < y->weight ? 1 : -1;
  }
  return x->start < y->start ? -1 : x->start > y->start;
}

/* The block as a range of addresses; false if it does not lie in a segment on both sides. */
static bool range_of(const struct patch_block *block, struct patch_picture *base, struct patch_picture *result,
                     struct patch_span *out)
{
  const struct lb_patch_segment *from = lb_patch_segment_at(&base->image, block->source);
  const struct lb_patch_segment *into = lb_patch_segment_at(&result->image, block->place);
  if (!block->from_base || !from || !into) {
    return false;
  }
  uint32_t length = block->length;
  uint32_t room = from->offset + from->length - block->source;
  length = length < room ? length : room;
  room = into->offset + into->length - block->place;
  length = length < room ? length : room;
  out->start = from->load + (block->source - from->offset);
  out->end = out->start + length;
  out->shift = into->load + (block->place - into->offset) - out->start;
  out->weight = length;
  return length >= LEAST;
}

/* Adds what is not covered yet; larger ranges come first. */
static void insert(struct patch_span *map, uint32_t *count, struct patch_span range)
{
  uint32_t low = 0;
  uint32_t high = *count;
  while (low < high) {
    uint32_t middle = (low + high) / 2U;
    if (map[middle].start <= range.start) {
      low = middle + 1U;
    } else {
      high = middle;
    }
  }
  struct patch_span *below = low ? &map[low - 1U] : NULL;
  struct patch_span *above = low < *count ? &map[low] : NULL;
  if (below && below->end > range.start) {
    range.start = below->end;
  }
  if (above && above->start < range.end) {
    range.end = above->start;
  }
  if (range.start >= range.end || range.end - range.start < LEAST) {
    return;
  }
  if (below && below->shift == range.shift && range.start - below->end < JOIN) {
    below->end = range.end;
    if (above && above->shift == below->shift && above->start - below->end < JOIN) {
      below->end = above->end;
      memmove(&map[low], &map[low + 1U], (*count - low - 1U) * sizeof(*map));
      --*count;
    }
  } else if (above && above->shift == range.shift && above->start - range.end < JOIN) {
    above->start = range.start;
  } else {
    memmove(&map[low + 1U], &map[low], (*count - low) * sizeof(*map));
    map[low] = range;
    ++*count;
  }
}

int patch_map_spans(struct patch_plan *map, const struct patch_plan *plan, const struct patch_view *view)
{
  struct patch_span *found = malloc(((size_t)plan->count + 1U) * sizeof(*found));
  uint32_t count = 0;
  free(map->spans);
  map->spans = malloc(((size_t)plan->count + 1U) * sizeof(*map->spans));
  map->span_count = 0;
  if (!found || !map->spans) {
    free(found);
    return PATCH_NO_MEMORY;
  }
  for (uint32_t i = 0; i < plan->count; i++) {
    count += range_of(&plan->blocks[i], view->base, view->result, &found[count]);
  }
  qsort(found, count, sizeof(*found), by_weight);
  for (uint32_t i = 0; i < count && i < MOST_SPANS; i++) {
    insert(map->spans, &map->span_count, found[i]);
  }
  free(found);
  return 0;
}

/* ---- what references tell ---- */

struct votes {
  struct patch_span *spans;
  uint32_t count;
  uint32_t room;
};

static int add_vote(struct votes *votes, uint32_t target, uint32_t shift)
{
  if (votes->count == votes->room) {
    uint32_t room = votes->room ? 2U * votes->room : 4096U;
    struct patch_span *spans = realloc(votes->spans, (size_t)room * sizeof(*spans));
    if (!spans) {
      return PATCH_NO_MEMORY;
    }
    votes->spans = spans;
    votes->room = room;
  }
  votes->spans[votes->count++] = (struct patch_span){target, target, shift, 1};
  return 0;
}

/* A unit in the base and what is in its place in the result: do both refer to something? */
static int vote(struct votes *votes, const struct patch_view *view, uint32_t source, uint32_t place,
                const struct lb_patch_unit *unit)
{
  const uint8_t *bytes = view->base->bytes + source;
  const uint8_t *made = view->result->bytes + place;
  uint32_t from = lb_patch_address(&view->base->image, source);
  uint32_t into = lb_patch_address(&view->result->image, place);
  if (unit->kind == LB_PATCH_PLAIN || !from || !into || !view->walker->same(unit->kind, bytes, made)) {
    return 0;
  }
  uint32_t target = view->walker->target(bytes, unit->kind, from);
  if (target < LOWEST) {
    return 0;
  }
  return add_vote(votes, target, view->walker->target(made, unit->kind, into) - target);
}

static int collect_votes(struct votes *votes, const struct patch_view *view, const struct patch_plan *plan)
{
  for (uint32_t i = 0; i < plan->count; i++) {
    const struct patch_block *block = &plan->blocks[i];
    const struct lb_patch_segment *segment = lb_patch_segment_at(&view->base->image, block->source);
    if (!segment || !block->from_base) {
      continue;
    }
    uint32_t end = segment->offset + segment->length;
    end = end < block->source + block->length ? end : block->source + block->length;
    uint32_t behind = block->source - segment->offset;
    uint32_t offset = (block->source - (behind < 64U ? behind : 64U)) & ~3U;
    offset = offset < segment->offset ? segment->offset : offset;
    while (offset < end) {
      struct lb_patch_unit unit;
      view->walker->unit(&view->base->image, segment, offset, view->base->bytes + offset, &unit);
      if (offset >= block->source && offset + unit.length <= end &&
          vote(votes, view, offset, block->place + (offset - block->source), &unit)) {
        return PATCH_NO_MEMORY;
      }
      offset += unit.length;
    }
  }
  return 0;
}

static int by_start(const void *a, const void *b)
{
  const struct patch_span *x = a;
  const struct patch_span *y = b;
  if (x->start != y->start) {
    return x->start < y->start ? -1 : 1;
  }
  return x->shift < y->shift ? -1 : x->shift > y->shift;
}

/* Makes spans of neighbours that say the same; how often a target is referred to counts little. */
static void join_votes(struct votes *votes)
{
  uint32_t count = 0;
  if (votes->count == 0) {
    return; /* nothing is allocated then */
  }
  qsort(votes->spans, votes->count, sizeof(*votes->spans), by_start);
  for (uint32_t i = 0; i < votes->count; i++) {
    struct patch_span *last = count ? &votes->spans[count - 1U] : NULL;
    const struct patch_span *now = &votes->spans[i];
    if (last && last->shift == now->shift) {
      last->weight += last->end == now->start ? 1U : 8U;
      last->end = now->start;
    } else {
      votes->spans[count] = *now;
      votes->spans[count++].weight = 8U;
    }
  }
  votes->count = count;
}

int patch_map_make(struct patch_plan *plan, const struct patch_view *view, uint32_t limit)
{
  struct votes votes = {0};
  free(plan->ranges);
  plan->ranges = NULL;
  plan->range_count = 0;
  int status = collect_votes(&votes, view, plan);
  if (!status) {
    join_votes(&votes);
    status = patch_reduce(votes.spans, &votes.count, limit);
  }
  if (!status) {
    plan->ranges = malloc(((size_t)votes.count + 1U) * sizeof(*plan->ranges));
    status = plan->ranges ? 0 : PATCH_NO_MEMORY;
  }
  for (uint32_t i = 0; !status && i < votes.count; i++) {
    const struct patch_span *span = &votes.spans[i];
    if (plan->range_count && plan->ranges[plan->range_count - 1U].start == span->start) {
      plan->range_count--; /* nothing lies between the two */
    }
    plan->ranges[plan->range_count++] = (struct lb_patch_range){span->start, span->shift};
  }
  free(votes.spans);
  return status;
}

#define MAP_REACH 0x4000U /* so far from a span it still tells something */

bool patch_map_look_up(const struct patch_plan *plan, uint32_t address, uint32_t *shift)
{
  uint32_t low = 0;
  uint32_t high = plan->span_count;
  while (low < high) {
    uint32_t middle = (low + high) / 2U;
    if (plan->spans[middle].start <= address) {
      low = middle + 1U;
    } else {
      high = middle;
    }
  }
  const struct patch_span *below = low ? &plan->spans[low - 1U] : NULL;
  const struct patch_span *above = low < plan->span_count ? &plan->spans[low] : NULL;
  uint32_t distance_below = !below ? UINT32_MAX : address < below->end ? 0 : address - below->end;
  uint32_t distance_above = above ? above->start - address : UINT32_MAX;
  const struct patch_span *nearest = distance_below <= distance_above ? below : above;
  uint32_t distance = distance_below <= distance_above ? distance_below : distance_above;
  if (!nearest || distance > MAP_REACH) {
    return false;
  }
  *shift = nearest->shift;
  return true;
}
