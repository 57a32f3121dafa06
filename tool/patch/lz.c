// SPDX-License-Identifier: MIT
/*
 * Copies within the result: the cheapest way through it, where literals have the prices that the model gave them in a
 * run without copies, and copies are found in chains of places with equal beginnings.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tool/patch/plan.h"

#define HASH_BITS 18U
#define NONE      UINT32_MAX

enum { LEAST = 3, LONGEST_TRIED = 273, CHAIN = 24, SIZES = 300, LONG = 1024 };

struct node {
  float price;
  uint32_t length;   /* of what ends here: 0 is a literal */
  uint32_t distance; /* of the copy */
  uint32_t repeats[LB_PATCH_REPEATS];
};

struct lz {
  const uint8_t *bytes;
  uint32_t length;
  uint32_t end;          /* of the gap between copies from the base */
  const float *literals; /* bits of each byte as a literal */
  struct node *nodes;
  uint32_t *head;
  uint32_t *chain;
  float lengths[SIZES];
};

static uint32_t hash_of(const uint8_t *bytes)
{
  uint32_t value = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16;
  return (value * 0x9E3779B1U) >> (32U - HASH_BITS);
}

static uint32_t common(const struct lz *lz, uint32_t source, uint32_t place)
{
  uint32_t length = 0;
  while (place + length < lz->end && lz->bytes[source + length] == lz->bytes[place + length]) {
    length++;
  }
  return length;
}

static void reach(struct lz *lz, uint32_t place, uint32_t length, uint32_t distance, float price)
{
  struct node *node = &lz->nodes[place + length];
  if (price >= node->price) {
    return;
  }
  const struct node *from = &lz->nodes[place];
  uint32_t index = 0;
  node->price = price;
  node->length = length;
  node->distance = distance;
  while (index + 1U < LB_PATCH_REPEATS && from->repeats[index] != distance) {
    index++;
  }
  memcpy(node->repeats, from->repeats, sizeof(node->repeats));
  memmove(&node->repeats[1], &from->repeats[0], index * sizeof(node->repeats[0]));
  node->repeats[0] = distance;
}

static void reach_all(struct lz *lz, uint32_t place, uint32_t least, uint32_t longest, uint32_t distance, float price)
{
  float start = lz->nodes[place].price + price;
  if (longest > LONGEST_TRIED) {
    reach(lz, place, longest, distance, start + lz->lengths[SIZES - 1U] + 4.0F);
    longest = LONGEST_TRIED;
  }
  for (uint32_t length = least; length <= longest; length++) {
    reach(lz, place, length, distance, start + lz->lengths[length]);
  }
}

/* Over a copy from the base, which stays as it is. */
static void pass(struct lz *lz, uint32_t place, uint32_t length)
{
  struct node *node = &lz->nodes[place + length];
  node->price = lz->nodes[place].price;
  node->length = length;
  node->distance = 0;
  memcpy(node->repeats, lz->nodes[place].repeats, sizeof(node->repeats));
}

/* To a literal, and along the last distances. Returns the longest copy. */
static uint32_t repeat(struct lz *lz, uint32_t place)
{
  struct node *node = &lz->nodes[place];
  struct node *next = &lz->nodes[place + 1U];
  /* a literal behind a copy ends it, which costs a little */
  float literal = node->price + lz->literals[place] + (node->length ? 1.0F : 0.3F);
  if (literal < next->price) {
    next->price = literal;
    next->length = 0;
    memcpy(next->repeats, node->repeats, sizeof(next->repeats));
  }
  float begin = node->length ? 1.0F : 2.0F;
  uint32_t longest = 0;
  for (uint32_t i = 0; i < LB_PATCH_REPEATS; i++) {
    uint32_t distance = node->repeats[i];
    uint32_t length = distance && distance <= place ? common(lz, place - distance, place) : 0;
    reach_all(lz, place, 2, length, distance, begin + 1.5F + (float)i);
    longest = length > longest ? length : longest;
  }
  return longest;
}

/*
 * From a place that the cheapest path has reached on to all that can be reached from it. Returns the longest copy that
 * was found.
 */
static uint32_t advance(struct lz *lz, uint32_t place)
{
  uint32_t best = repeat(lz, place);
  if (place + LEAST > lz->length || best >= LONG) {
    return best;
  }
  float begin = lz->nodes[place].length ? 1.0F : 2.0F;
  uint32_t repeated = best;
  best = LEAST - 1U;
  uint32_t source = lz->head[hash_of(lz->bytes + place)];
  for (int tried = 0; tried < CHAIN && source != NONE; tried++, source = lz->chain[source]) {
    if (place + best < lz->end && lz->bytes[source + best] != lz->bytes[place + best]) {
      continue;
    }
    uint32_t length = common(lz, source, place);
    if (length > best) {
      float price = begin + 3.5F + log2f((float)(place - source)) * 0.95F;
      reach_all(lz, place, best + 1U, length, place - source, price);
      best = length;
    }
  }
  return best > repeated ? best : repeated;
}

static void add_place(struct lz *lz, uint32_t place)
{
  if (place + LEAST <= lz->length) {
    uint32_t *head = &lz->head[hash_of(lz->bytes + place)];
    lz->chain[place] = *head;
    *head = place;
  }
}

/* Makes the plan of the cheapest way; `fixed` are the copies from the base. */
static int collect(struct patch_plan *plan, const struct lz *lz)
{
  struct patch_plan fixed = {.blocks = plan->blocks, .count = plan->count};
  uint32_t count = 0;
  for (uint32_t end = lz->length; end > 0; end -= lz->nodes[end].length ? lz->nodes[end].length : 1U) {
    count += lz->nodes[end].length != 0;
  }
  struct patch_block *blocks = malloc(((size_t)count + 1U) * sizeof(*blocks));
  if (!blocks) {
    return PATCH_NO_MEMORY;
  }
  plan->blocks = blocks;
  plan->count = count;
  plan->room = count + 1U;
  for (uint32_t end = lz->length; end > 0;) {
    const struct node *node = &lz->nodes[end];
    end -= node->length ? node->length : 1U;
    if (node->length && node->distance) {
      blocks[--count] = (struct patch_block){end, end - node->distance, node->length, false};
    } else if (node->length) {
      blocks[--count] = fixed.blocks[--fixed.count];
    }
  }
  free(fixed.blocks);
  return 0;
}

static int open(struct lz *lz)
{
  size_t places = (size_t)lz->length + 1U;
  lz->nodes = malloc(places * sizeof(*lz->nodes));
  lz->head = malloc(sizeof(*lz->head) << HASH_BITS);
  lz->chain = malloc(places * sizeof(*lz->chain));
  if (!lz->nodes || !lz->head || !lz->chain) {
    return PATCH_NO_MEMORY;
  }
  for (uint32_t i = 0; i < SIZES; i++) {
    lz->lengths[i] = 1.0F + 1.6F * log2f((float)i - 0.9F > 1.0F ? (float)i - 0.9F : 1.0F);
  }
  for (size_t i = 1; i < places; i++) {
    lz->nodes[i].price = 1e30F;
  }
  memset(lz->nodes, 0, sizeof(*lz->nodes));
  memset(lz->head, 0xFF, sizeof(*lz->head) << HASH_BITS);
  return 0;
}

/* Finds the cheapest way through all of it; the copies of the plan stay. */
static int walk(struct patch_job *job, struct lz *lz, const struct patch_plan *plan)
{
  uint32_t index = 0;
  for (uint32_t place = 0, told = 0; place < lz->length;) {
    const struct patch_block *block = index < plan->count ? &plan->blocks[index] : NULL;
    uint32_t next = place + 1U;
    lz->end = block ? block->place : lz->length;
    if (place == lz->end) {
      pass(lz, place, block->length);
      index++;
      next = place + block->length;
    } else {
      /* behind a long copy the way goes on at its end: to look at each place within would take too long */
      uint32_t longest = advance(lz, place);
      next = longest >= LONG ? place + longest : next;
    }
    while (place < next) {
      add_place(lz, place++);
    }
    if (place >= told) {
      told = place + PATCH_PIECE;
      int status = patch_job_at(job, place, lz->length);
      if (status) {
        return status;
      }
    }
  }
  return 0;
}

int patch_lz(struct patch_job *job, struct patch_plan *plan, const uint8_t *bytes, uint32_t length,
             const float *literals)
{
  struct lz lz = {.bytes = bytes, .length = length, .literals = literals};
  int status = open(&lz);
  if (!status) {
    status = walk(job, &lz, plan);
  }
  if (!status) {
    status = collect(plan, &lz);
  }
  free(lz.nodes);
  free(lz.head);
  free(lz.chain);
  return status;
}
