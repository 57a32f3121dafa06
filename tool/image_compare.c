// SPDX-License-Identifier: MIT
#include "tool/image_compare.h"

#include <stdlib.h>
#include <string.h>

#include "tool/report.h"

#define SECTOR 0x1000U

/* What is known about a byte of B. */
enum mark { MARK_DIFFERENT = 0, MARK_MOVED = 1, MARK_EQUAL = 2 };

/* ---- segments ---- */

static const struct lb_image_segment *segments_of(const struct image_side *side)
{
  return side->file.image.info.segments;
}

static uint32_t segment_count(const struct image_side *side)
{
  return side->file.image.info.segments_known;
}

/* Bytes of a segment that the file has: of a truncated image not all. */
static uint32_t present(const struct image_side *side, uint32_t index)
{
  const struct lb_image_segment *segment = &segments_of(side)[index];
  uint32_t room = segment->offset < side->length ? side->length - segment->offset : 0;
  return segment->length < room ? segment->length : room;
}

/* How many segments before this one have the same load address: padding segments all have 0. */
static uint32_t rank(const struct image_side *side, uint32_t index)
{
  uint32_t count = 0;
  for (uint32_t i = 0; i < index; i++) {
    count += segments_of(side)[i].load == segments_of(side)[index].load ? 1 : 0;
  }
  return count;
}

/* The segment of `other` that belongs to one of `side`. */
static uint32_t partner(const struct image_side *side, uint32_t index, const struct image_side *other)
{
  uint32_t before = rank(side, index);
  for (uint32_t i = 0; i < segment_count(other); i++) {
    if (segments_of(other)[i].load == segments_of(side)[index].load && rank(other, i) == before) {
      return i;
    }
  }
  return IMAGE_NOT_THERE;
}

/* Marks the bytes of a segment of B that a segment of A has at the same addresses. */
static void mark_equal(const struct image_comparison *comparison, uint32_t index_b, uint32_t index_a, uint8_t *marks)
{
  const struct lb_image_segment *a = &segments_of(comparison->a)[index_a];
  const struct lb_image_segment *b = &segments_of(comparison->b)[index_b];
  uint64_t start = a->load > b->load ? a->load : b->load;
  uint64_t end_a = (uint64_t)a->load + present(comparison->a, index_a);
  uint64_t end_b = (uint64_t)b->load + present(comparison->b, index_b);
  for (uint64_t address = start; address < end_a && address < end_b; address++) {
    uint64_t offset = b->offset + (address - b->load);
    if (comparison->b->bytes.data[offset] == comparison->a->bytes.data[a->offset + (address - a->load)]) {
      marks[offset] = MARK_EQUAL;
    }
  }
}

static void mark_segment(const struct image_comparison *comparison, uint32_t index_b, uint8_t *marks)
{
  const struct lb_image_segment *b = &segments_of(comparison->b)[index_b];
  uint32_t same = partner(comparison->b, index_b, comparison->a);
  for (uint32_t i = 0; i < segment_count(comparison->a); i++) {
    bool is_padding = segments_of(comparison->a)[i].load == 0 || b->load == 0;
    if (i == same || !is_padding) {
      mark_equal(comparison, index_b, i, marks);
    }
  }
}

static void count_bytes(struct image_segment_difference *difference, const struct lb_image_segment *segment,
                        uint32_t length, const uint8_t *marks)
{
  for (uint32_t i = 0; i < length; i++) {
    uint8_t mark = marks[segment->offset + i];
    difference->bytes.equal += mark == MARK_EQUAL ? 1 : 0;
    difference->bytes.moved += mark == MARK_MOVED ? 1 : 0;
    difference->bytes.different += mark == MARK_DIFFERENT ? 1 : 0;
    if (mark != MARK_EQUAL && difference->first_offset == IMAGE_NOT_THERE) {
      difference->first_offset = segment->offset + i;
      difference->first_address = segment->load + i;
    }
  }
}

static struct image_segment_difference *add_segment(struct image_comparison *comparison, uint32_t load, uint32_t a,
                                                    uint32_t b)
{
  struct image_segment_difference *difference = &comparison->segments[comparison->segment_count++];
  *difference = (struct image_segment_difference){.load = load, .a = a, .b = b, .first_offset = IMAGE_NOT_THERE};
  return difference;
}

static void compare_segments(struct image_comparison *comparison, uint8_t *marks)
{
  for (uint32_t i = 0; i < segment_count(comparison->b); i++) {
    const struct lb_image_segment *segment = &segments_of(comparison->b)[i];
    uint32_t same = partner(comparison->b, i, comparison->a);
    struct image_segment_difference *difference = add_segment(comparison, segment->load, same, i);
    mark_segment(comparison, i, marks);
    count_bytes(difference, segment, present(comparison->b, i), marks);
    comparison->bytes.equal += difference->bytes.equal;
    comparison->bytes.moved += difference->bytes.moved;
    comparison->bytes.different += difference->bytes.different;
  }
  for (uint32_t i = 0; i < segment_count(comparison->a); i++) {
    if (partner(comparison->a, i, comparison->b) == IMAGE_NOT_THERE) {
      (void)add_segment(comparison, segments_of(comparison->a)[i].load, i, IMAGE_NOT_THERE);
    }
  }
}

/* ---- the whole ---- */

/* Only B's own bytes of its last sector count; what A does not reach is something else. */
static void compare_sectors(struct image_comparison *comparison)
{
  const struct image_side *a = comparison->a;
  const struct image_side *b = comparison->b;
  for (uint32_t start = 0; start < b->length; start += SECTOR) {
    uint32_t length = b->length - start < SECTOR ? b->length - start : SECTOR;
    bool is_reached = start + length <= a->length;
    comparison->sectors++;
    if (!is_reached || memcmp(a->bytes.data + start, b->bytes.data + start, length) != 0) {
      comparison->sectors_differ++;
    }
  }
}

bool image_compare(struct image_comparison *comparison, struct image_side *a, struct image_side *b)
{
  *comparison = (struct image_comparison){.a = a, .b = b};
  comparison->identical = a->length == b->length && memcmp(a->bytes.data, b->bytes.data, a->length) == 0;
  uint8_t *marks = calloc(1, b->length + 1U);
  if (marks == NULL) {
    report_error("not enough memory");
    return false;
  }
  bool good = image_find_moved(a, b, marks);
  if (good) {
    compare_segments(comparison, marks);
    compare_sectors(comparison);
  }
  free(marks);
  return good;
}
