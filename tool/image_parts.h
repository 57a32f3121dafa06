// SPDX-License-Identifier: MIT
/* The pieces of a program that an image is made of: where each is loaded or mapped, and its bytes. */
#ifndef TOOL_IMAGE_PARTS_H
#define TOOL_IMAGE_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/chip.h"

#define IMAGE_PARTS_MAX 128U
#define IMAGE_MAP_PAGE  0x10000U /* flash is mapped in pages of this size */

struct image_part {
  uint32_t load;   /* a multiple of 4 once arranged */
  uint32_t length; /* the same */
  uint8_t *data;   /* owned by the list */
};

struct image_parts {
  uint32_t count;
  struct image_part parts[IMAGE_PARTS_MAX];
};

/*
 * Adds a copy of `length` bytes. False and an error line that begins with `source` if there is nothing to add, no room
 * or no memory, or if it does not lie in the address space.
 */
bool image_parts_add(struct image_parts *parts, const char *source, uint32_t load, const void *data, uint32_t length);

/*
 * Sorts by address, merges those that touch (gaps below 4 bytes are alignment), and pads to multiples of 4. False and
 * an error line if two overlap, one does not begin at a multiple of 4 or leaves the chip's mapped addresses in the
 * middle, or two mapped ones share a page, since no image can hold such.
 */
bool image_parts_arrange(struct image_parts *parts, const struct lb_chip *chip);

/* Moves the part at `index` to the front; the others keep their order. */
void image_parts_move_first(struct image_parts *parts, uint32_t index);

void image_parts_free(struct image_parts *parts);

#endif
