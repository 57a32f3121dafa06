// SPDX-License-Identifier: MIT
#include "tool/image_parts.h"

#include <stdlib.h>
#include <string.h>

#include "tool/report.h"

bool image_parts_add(struct image_parts *parts, const char *source, uint32_t load, const void *data, uint32_t length)
{
  if (length == 0) {
    report_error("%s: the segment at 0x%08x is empty", source, load);
    return false;
  }
  if (length > UINT32_MAX - load || load == 0) {
    report_error("%s: %u bytes at 0x%08x do not lie in the chip's address space", source, length, load);
    return false;
  }
  if (parts->count == IMAGE_PARTS_MAX) {
    report_error("%s: more than %u segments", source, IMAGE_PARTS_MAX);
    return false;
  }
  struct image_part *part = &parts->parts[parts->count];
  part->data = malloc(length);
  if (part->data == NULL) {
    report_error("not enough memory for %s", source);
    return false;
  }
  memcpy(part->data, data, length);
  part->load = load;
  part->length = length;
  parts->count++;
  return true;
}

static int compare(const void *a, const void *b)
{
  const struct image_part *first = a;
  const struct image_part *second = b;
  return (first->load > second->load) - (first->load < second->load);
}

/* Appends zeros up to `gap`, then `length` bytes. */
static bool append(struct image_part *part, uint32_t gap, const uint8_t *data, uint32_t length)
{
  uint8_t *grown = realloc(part->data, (size_t)part->length + gap + length);
  if (grown == NULL) {
    report_error("not enough memory");
    return false;
  }
  memset(grown + part->length, 0, gap);
  if (length > 0) {
    memcpy(grown + part->length + gap, data, length);
  }
  part->data = grown;
  part->length += gap + length;
  return true;
}

static bool same_kind(const struct lb_chip *chip, uint32_t a, uint32_t b)
{
  return lb_chip_maps(chip, a) == lb_chip_maps(chip, b) && lb_chip_maps_data(chip, a) == lb_chip_maps_data(chip, b);
}

/* Puts `next` behind or into `part`, which lies below it. */
static bool merge_into(struct image_part *part, struct image_part *next)
{
  bool good = append(part, next->load - (part->load + part->length), next->data, next->length);
  free(next->data);
  next->data = NULL;
  return good;
}

static bool merge(struct image_parts *parts, const struct lb_chip *chip)
{
  uint32_t kept = 0;
  bool good = true;
  for (uint32_t i = 1; i < parts->count; i++) {
    struct image_part *part = &parts->parts[kept];
    struct image_part *next = &parts->parts[i];
    uint32_t end = part->load + part->length;
    if (good && next->load < end) {
      report_error("the segments at 0x%08x and 0x%08x overlap", part->load, next->load);
      good = false;
    }
    if (good && next->load - end < 4 && same_kind(chip, part->load, next->load)) {
      good = merge_into(part, next);
    } else {
      /* also after an error, so that the list stays whole and can be freed */
      kept++;
      struct image_part moved = *next;
      next->data = NULL;
      parts->parts[kept] = moved;
    }
  }
  parts->count = parts->count > 0 ? kept + 1 : 0;
  return good;
}

static bool check_place(const struct image_part *part, const struct lb_chip *chip)
{
  if (part->load % 4 != 0) {
    report_error("the segment at 0x%08x does not begin at a multiple of 4", part->load);
    return false;
  }
  if (!same_kind(chip, part->load, part->load + part->length - 1)) {
    report_error("the segment at 0x%08x (%u bytes) begins inside the addresses that %s maps to flash, and ends outside",
                 part->load, part->length, chip->name);
    return false;
  }
  return true;
}

/* Two mapped segments in one page would have to lie in one page of the flash too, and cannot: a header is between. */
static bool check_pages(const struct image_part *part, const struct image_part *next, const struct lb_chip *chip)
{
  uint32_t last = part->load + part->length - 1;
  if (lb_chip_maps(chip, part->load) && lb_chip_maps(chip, next->load) &&
      last / IMAGE_MAP_PAGE == next->load / IMAGE_MAP_PAGE) {
    report_error("the segments at 0x%08x and 0x%08x lie in the same 64 KB page of mapped flash; merge them or move one",
                 part->load, next->load);
    return false;
  }
  return true;
}

bool image_parts_arrange(struct image_parts *parts, const struct lb_chip *chip)
{
  qsort(parts->parts, parts->count, sizeof(parts->parts[0]), compare);
  if (!merge(parts, chip)) {
    return false;
  }
  for (uint32_t i = 0; i < parts->count; i++) {
    struct image_part *part = &parts->parts[i];
    if (!check_place(part, chip) || (i > 0 && !check_pages(part - 1, part, chip))) {
      return false;
    }
  }
  for (uint32_t i = 0; i < parts->count; i++) {
    struct image_part *part = &parts->parts[i];
    if (!append(part, (4 - part->length % 4) % 4, NULL, 0)) {
      return false;
    }
  }
  return true;
}

void image_parts_move_first(struct image_parts *parts, uint32_t index)
{
  struct image_part part = parts->parts[index];
  memmove(&parts->parts[1], &parts->parts[0], index * sizeof(part));
  parts->parts[0] = part;
}

void image_parts_free(struct image_parts *parts)
{
  for (uint32_t i = 0; i < parts->count; i++) {
    free(parts->parts[i].data);
  }
  parts->count = 0;
}
