// SPDX-License-Identifier: MIT
#include "tool/patch/plan.h"

#include <stdlib.h>
#include <string.h>

int patch_plan_add(struct patch_plan *plan, const struct patch_block *block)
{
  if (plan->count == plan->room) {
    uint32_t room = plan->room ? 2U * plan->room : 1024U; /* at most one for each byte of 16 MB */
    struct patch_block *blocks = realloc(plan->blocks, (size_t)room * sizeof(*blocks));
    if (!blocks) {
      return PATCH_NO_MEMORY;
    }
    plan->blocks = blocks;
    plan->room = room;
  }
  plan->blocks[plan->count++] = *block;
  return 0;
}

void patch_plan_free(struct patch_plan *plan)
{
  free(plan->blocks);
  free(plan->spans);
  free(plan->ranges);
  memset(plan, 0, sizeof(*plan));
}

void patch_picture_open(struct patch_picture *picture, const uint8_t *bytes, uint32_t length, bool segments)
{
  struct lb_patch_image *image = &picture->image;
  picture->bytes = bytes;
  picture->length = length;
  image->segments = picture->segments;
  image->capacity = 16;
  lb_patch_image_begin(image);
  if (!segments || length < 32U || bytes[0] != 0xE9) {
    return;
  }
  lb_patch_image_header(image, bytes);
  while (image->known < image->count && image->next + 8U <= length) {
    lb_patch_image_segment(image, bytes + image->next, length);
  }
}
