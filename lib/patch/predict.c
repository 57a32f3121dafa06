// SPDX-License-Identifier: MIT
/*
 * Where an address of the base lies in the result, told from what is known so far: exactly this address, moved before;
 * the map that was sent ahead; how the last addresses of the same page moved; not moved at all; and, for a load of a
 * literal, where the literal that it loaded lies now.
 */
#include "lib/patch/patch_parts.h"

#include <string.h>

#include "lifeboat/bytes.h"

/* ---- what is known ---- */

static struct lb_patch_exact *exact_entry(struct lb_patch *patch, uint32_t address, uint8_t kind)
{
  uint32_t hash = lb_patch_hash(address + (kind == LB_PATCH_LITERAL));
  return &patch->exact[hash >> (32U - patch->profile->exact_bits)];
}

static struct lb_patch_page *page_entry(struct lb_patch *patch, uint32_t address)
{
  return &patch->pages[lb_patch_hash(address >> 12) >> (32U - patch->profile->page_bits)];
}

bool lb_patch_look_up(const struct lb_patch_range *ranges, uint32_t count, uint32_t address, uint32_t *shift)
{
  uint32_t low = 0;
  uint32_t high = count;
  while (low < high) {
    uint32_t middle = (low + high) / 2U;
    if (ranges[middle].start <= address) {
      low = middle + 1U;
    } else {
      high = middle;
    }
  }
  if (low == 0) {
    return false;
  }
  *shift = ranges[low - 1U].shift;
  return true;
}

/* ---- candidates ---- */

struct prediction {
  const struct lb_patch_unit *unit;
  const uint8_t *bytes; /* of the base */
  uint32_t address;     /* of the unit in the result */
  uint32_t target;      /* in the base */
  uint8_t agreed;       /* sources that say the same as the first candidate */
};

static void add(struct lb_patch *patch, struct prediction *what, struct lb_patch_candidates *candidates,
                uint32_t target, uint8_t source)
{
  uint8_t *bytes = candidates->bytes[candidates->count];
  if (source == LB_PATCH_FROM_BASE) {
    memcpy(bytes, what->bytes, LB_PATCH_UNIT);
  } else if (!patch->walker->retarget(bytes, what->bytes, what->unit->kind, what->address, target)) {
    return;
  }
  for (uint32_t i = 0; i < candidates->count; i++) {
    if (memcmp(candidates->bytes[i], bytes, what->unit->length) == 0) {
      if (i == 0) {
        what->agreed |= (uint8_t)(1U << source);
      }
      return;
    }
  }
  candidates->source[candidates->count++] = source;
}

static void move_to_front(struct lb_patch_candidates *candidates, uint32_t index)
{
  uint8_t bytes[LB_PATCH_UNIT];
  uint8_t source = candidates->source[index];
  memcpy(bytes, candidates->bytes[index], LB_PATCH_UNIT);
  for (uint32_t i = index; i > 0; i--) {
    memcpy(candidates->bytes[i], candidates->bytes[i - 1U], LB_PATCH_UNIT);
    candidates->source[i] = candidates->source[i - 1U];
  }
  memcpy(candidates->bytes[0], bytes, LB_PATCH_UNIT);
  candidates->source[0] = source;
}

/* ---- literals by what they hold ---- */

/* What a literal of the base should hold in the result. */
static uint32_t expected_literal(struct lb_patch *patch, uint32_t value)
{
  if (!patch->walker->is_pointer(&patch->base_image, value)) {
    return value;
  }
  const struct lb_patch_exact *exact = exact_entry(patch, value, LB_PATCH_POINTER);
  uint32_t shift;
  if (exact->address == value) {
    return value + exact->shift;
  }
  if (lb_patch_look_up(patch->ranges, patch->range_count, value, &shift)) {
    return value + shift;
  }
  return value + page_entry(patch, value)->shift[0];
}

/* Does the result hold `value` at an address? */
static bool result_holds(struct lb_patch *patch, uint32_t address, uint32_t value)
{
  uint32_t offset;
  uint8_t bytes[4];
  if (!lb_patch_offset(&patch->result_image, address, 4, &offset) || offset > patch->position ||
      patch->position - offset < 4U) {
    return false;
  }
  lb_patch_result_bytes(patch, offset, bytes, 4);
  return lb_load_le32(bytes) == value;
}

#define SEARCH_WORDS 64U /* so far a literal is looked for to both sides */

/*
 * Looks for the literal that holds `value` and lies nearest to `middle`, of two the lower one, and adds the instruction
 * that refers to it as a candidate. All words are visited in their order, since going to and fro would read each anew.
 */
static bool find_content(struct lb_patch *patch, const struct prediction *what, uint32_t middle, uint32_t value,
                         struct lb_patch_candidates *candidates)
{
  uint32_t nearest = SEARCH_WORDS + 1U;
  uint8_t found[LB_PATCH_UNIT];
  for (uint32_t i = 0; i <= 2U * SEARCH_WORDS; i++) {
    uint32_t away = i < SEARCH_WORDS ? SEARCH_WORDS - i : i - SEARCH_WORDS;
    uint32_t target = middle + 4U * i - 4U * SEARCH_WORDS;
    if (i > SEARCH_WORDS && away >= nearest) {
      break;
    }
    uint8_t bytes[LB_PATCH_UNIT];
    if (result_holds(patch, target, value) &&
        patch->walker->retarget(bytes, what->bytes, LB_PATCH_LITERAL, what->address, target)) {
      memcpy(found, bytes, LB_PATCH_UNIT);
      nearest = away;
    }
  }
  if (nearest > SEARCH_WORDS) {
    return false;
  }
  if (candidates->count == LB_PATCH_CANDIDATES) {
    candidates->count--;
  }
  memcpy(candidates->bytes[candidates->count], found, LB_PATCH_UNIT);
  candidates->source[candidates->count++] = LB_PATCH_FROM_CONTENT;
  return true;
}

enum { CONTENT_MOVED = 12, CONTENT_FOUND, CONTENT_NOT_FOUND, CONTENT_NO_HELP };

/* Brings the candidate whose literal holds the right value to the front, or finds one. */
static uint8_t prefer_content(struct lb_patch *patch, const struct prediction *what,
                              struct lb_patch_candidates *candidates)
{
  const struct lb_patch_walker *walker = patch->walker;
  uint32_t slot;
  if (!lb_patch_offset(&patch->base_image, what->target, 4, &slot)) {
    return CONTENT_NO_HELP;
  }
  uint32_t value = expected_literal(patch, lb_load_le32(lb_patch_base_bytes(patch, &patch->slot_window, slot, 4)));
  for (uint32_t i = 0; i < candidates->count; i++) {
    if (result_holds(patch, walker->target(candidates->bytes[i], LB_PATCH_LITERAL, what->address), value)) {
      move_to_front(candidates, i);
      return i ? CONTENT_MOVED : CONTENT_NO_HELP;
    }
  }
  uint32_t middle = walker->target(candidates->bytes[0], LB_PATCH_LITERAL, what->address);
  if (!find_content(patch, what, middle, value, candidates)) {
    return CONTENT_NOT_FOUND;
  }
  move_to_front(candidates, candidates->count - 1U);
  return CONTENT_FOUND;
}

/* Does the base have a function at an address of code, as what refers to it says? Data is not judged. */
static bool is_plausible(struct lb_patch *patch, uint32_t target)
{
  uint32_t offset;
  if (!lb_patch_offset(&patch->base_image, target, 1, &offset)) {
    return true;
  }
  for (uint32_t i = 0; i < patch->base_image.known; i++) {
    const struct lb_patch_segment *segment = &patch->base_image.segments[i];
    if (offset - segment->offset < segment->length && !patch->walker->is_code(segment)) {
      return true;
    }
  }
  return patch->walker->is_function(lb_patch_base_bytes(patch, &patch->slot_window, offset, 4), target);
}

void lb_patch_predict(struct lb_patch *patch, const struct lb_patch_unit *unit, const struct lb_patch_place *place,
                      const uint8_t *bytes, struct lb_patch_candidates *candidates)
{
  struct prediction what = {.unit = unit, .bytes = bytes, .address = place->address};
  candidates->count = 0;
  candidates->context = 0;
  if (!place->base_address || !place->address) {
    return;
  }
  what.target = patch->walker->target(bytes, unit->kind, place->base_address);
  const struct lb_patch_exact *exact = exact_entry(patch, what.target, unit->kind);
  if (exact->address == what.target) {
    add(patch, &what, candidates, what.target + exact->shift, LB_PATCH_FROM_EXACT);
  }
  uint8_t known = candidates->count;
  uint32_t shift = 0;
  bool plausible = unit->kind == LB_PATCH_LITERAL || is_plausible(patch, what.target);
  if (lb_patch_look_up(patch->ranges, patch->range_count, what.target, &shift)) {
    add(patch, &what, candidates, what.target + shift, LB_PATCH_FROM_MAP);
  }
  const struct lb_patch_page *page = page_entry(patch, what.target);
  add(patch, &what, candidates, what.target + page->shift[0], LB_PATCH_FROM_PAGE);
  add(patch, &what, candidates, what.target + page->shift[1], LB_PATCH_FROM_PAGE_BEFORE);
  add(patch, &what, candidates, what.target, LB_PATCH_FROM_BASE);
  if (unit->kind == LB_PATCH_LITERAL && patch->walker->loads_literals) {
    add(patch, &what, candidates, patch->literal_slot + 4U, LB_PATCH_FROM_NEXT);
  }
  uint8_t context = (uint8_t)(known | (what.agreed >> LB_PATCH_FROM_MAP & 1U) << 1 | (uint32_t)plausible << 2);
  if (unit->kind != LB_PATCH_LITERAL || !patch->walker->loads_literals) {
    candidates->context = (uint8_t)(context | (what.agreed >> LB_PATCH_FROM_BASE & 1U) << 3);
    return;
  }
  uint8_t content = prefer_content(patch, &what, candidates);
  candidates->context = content == CONTENT_NO_HELP ? context : content;
}

/* ---- learning ---- */

void lb_patch_learn(struct lb_patch *patch, const struct lb_patch_unit *unit, const struct lb_patch_place *place,
                    const uint8_t *bytes, const uint8_t *made)
{
  if (!place->base_address || !place->address) {
    return;
  }
  uint8_t kind = unit->kind;
  if (!patch->walker->same(kind, bytes, made)) {
    return; /* it has become something else */
  }
  uint32_t target = patch->walker->target(bytes, kind, place->base_address);
  uint32_t shift = patch->walker->target(made, kind, place->address) - target;
  if (kind == LB_PATCH_LITERAL) {
    uint32_t slot = target + shift;
    if (slot - patch->literal_slot < 1024U || patch->literal_slot - slot > 1024U) {
      patch->literal_slot = slot;
    }
  }
  struct lb_patch_exact *exact = exact_entry(patch, target, kind);
  exact->address = target;
  exact->shift = shift;
  struct lb_patch_page *page = page_entry(patch, target);
  if (page->shift[0] != shift) {
    page->shift[1] = page->shift[0];
    page->shift[0] = shift;
  }
}
