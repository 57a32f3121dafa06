// SPDX-License-Identifier: MIT
/*
 * Finds what of one image is somewhere in another: the other's blocks go into a table by their hash, then a window of
 * one block slides over the first one, its hash kept up to date byte by byte.
 */
#include <stdlib.h>
#include <string.h>

#include "tool/image_compare.h"
#include "tool/report.h"

#define BLOCK      32U
#define FACTOR     0x01000193U
#define TABLE_BITS 20U
#define TABLE_SIZE (1U << TABLE_BITS)
#define PROBES     16U
#define FREE       0U

struct index {
  uint32_t *places; /* TABLE_SIZE offsets of blocks, plus 1 */
  const uint8_t *bytes;
  uint32_t length;
};

static uint32_t hash_block(const uint8_t *bytes)
{
  uint32_t hash = 0;
  for (uint32_t i = 0; i < BLOCK; i++) {
    hash = hash * FACTOR + bytes[i];
  }
  return hash;
}

/* What the oldest byte of a window weighs. */
static uint32_t oldest_weight(void)
{
  uint32_t weight = 1;
  for (uint32_t i = 1; i < BLOCK; i++) {
    weight *= FACTOR;
  }
  return weight;
}

static uint32_t place_of(uint32_t hash, uint32_t probe)
{
  return (((hash * 0x9E3779B1U) >> (32U - TABLE_BITS)) + probe) % TABLE_SIZE;
}

/* Blocks of one value are everywhere and tell nothing. */
static bool is_uniform(const uint8_t *block)
{
  return memcmp(block, block + 1, BLOCK - 1) == 0;
}

static void add_block(struct index *index, uint32_t offset)
{
  uint32_t hash = hash_block(index->bytes + offset);
  for (uint32_t probe = 0; probe < PROBES; probe++) {
    uint32_t *place = &index->places[place_of(hash, probe)];
    if (*place == FREE) {
      *place = offset + 1;
      return;
    }
  }
}

/* How many bytes from `offset` on are found in the index: 0, or at least a block. `before` gets those before them. */
static uint32_t match(const struct index *index, const struct image_side *side, uint32_t offset, uint32_t hash,
                      uint32_t *before)
{
  const uint8_t *bytes = side->bytes.data + offset;
  for (uint32_t probe = 0; probe < PROBES; probe++) {
    uint32_t place = index->places[place_of(hash, probe)];
    if (place == FREE) {
      return 0;
    }
    const uint8_t *there = index->bytes + place - 1;
    if (memcmp(there, bytes, BLOCK) == 0) {
      uint32_t behind = BLOCK;
      while (offset + behind < side->length && place - 1 + behind < index->length && bytes[behind] == there[behind]) {
        behind++;
      }
      *before = 0;
      while (*before < offset && *before < place - 1 && bytes[-1 - (int)*before] == there[-1 - (int)*before]) {
        ++*before;
      }
      return behind;
    }
  }
  return 0;
}

static void scan(const struct index *index, const struct image_side *side, uint8_t *found)
{
  const uint8_t *bytes = side->bytes.data;
  const uint32_t weight = oldest_weight();
  uint32_t offset = 0;
  uint32_t hash = side->length >= BLOCK ? hash_block(bytes) : 0;
  while (offset + BLOCK <= side->length) {
    uint32_t before = 0;
    uint32_t behind = is_uniform(bytes + offset) ? 0 : match(index, side, offset, hash, &before);
    if (behind > 0) {
      memset(found + offset - before, 1, before + behind);
      offset += behind;
      hash = offset + BLOCK <= side->length ? hash_block(bytes + offset) : 0;
    } else {
      hash = offset + BLOCK < side->length ? (hash - bytes[offset] * weight) * FACTOR + bytes[offset + BLOCK] : 0;
      offset++;
    }
  }
}

bool image_find_moved(const struct image_side *a, const struct image_side *b, uint8_t *found)
{
  struct index index = {.places = calloc(TABLE_SIZE, sizeof(uint32_t)), .bytes = a->bytes.data, .length = a->length};
  if (index.places == NULL) {
    report_error("not enough memory");
    return false;
  }
  for (uint32_t offset = 0; offset + BLOCK <= a->length; offset += BLOCK) {
    if (!is_uniform(a->bytes.data + offset)) {
      add_block(&index, offset);
    }
  }
  scan(&index, b, found);
  free(index.places);
  return true;
}
