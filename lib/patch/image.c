// SPDX-License-Identifier: MIT
/* The segments of an image: what lies where. */
#include "lib/patch/patch_parts.h"

#include <stddef.h>

#include "lifeboat/bytes.h"

#define MAGIC          0xE9
#define CHECKSUM_START 0xEF

void lb_patch_image_begin(struct lb_patch_image *image)
{
  image->count = 0;
  image->known = 0;
  image->current = 0;
  image->next = LB_PATCH_IMAGE_HEADER;
  image->checksum = CHECKSUM_START;
}

void lb_patch_image_header(struct lb_patch_image *image, const uint8_t *header)
{
  uint8_t count = header[0] == MAGIC ? header[1] : 0;
  image->count = count < image->capacity ? count : image->capacity;
}

void lb_patch_image_segment(struct lb_patch_image *image, const uint8_t *header, uint32_t image_length)
{
  uint32_t offset = image->next + LB_PATCH_SEGMENT_HEADER;
  uint32_t length = lb_load_le32(header + 4);
  if (offset > image_length || length > image_length - offset) {
    image->count = image->known; /* no image after all, or one that goes on in another way */
    return;
  }
  struct lb_patch_segment *segment = &image->segments[image->known++];
  segment->load = lb_load_le32(header);
  segment->length = length;
  segment->offset = offset;
  image->next = offset + length;
}

const struct lb_patch_segment *lb_patch_find_segment(struct lb_patch_image *image, uint32_t offset)
{
  for (uint8_t i = 0; i < image->known; i++) {
    const struct lb_patch_segment *segment = &image->segments[i];
    if (offset - segment->offset < segment->length) {
      image->current = i;
      return segment;
    }
  }
  return NULL;
}

uint32_t lb_patch_address(struct lb_patch_image *image, uint32_t offset)
{
  const struct lb_patch_segment *segment = lb_patch_segment_at(image, offset);
  return segment ? segment->load + (offset - segment->offset) : 0;
}

bool lb_patch_offset(const struct lb_patch_image *image, uint32_t address, uint32_t length, uint32_t *offset)
{
  for (uint32_t i = 0; i < image->known; i++) {
    const struct lb_patch_segment *segment = &image->segments[i];
    uint32_t distance = address - segment->load;
    if (distance < segment->length && length <= segment->length - distance) {
      *offset = segment->offset + distance;
      return true;
    }
  }
  return false;
}

bool lb_patch_belongs(const struct lb_patch_image *image, uint32_t value,
                      uint32_t (*room_behind)(const struct lb_patch_segment *segment))
{
  for (uint32_t i = 0; i < image->known; i++) {
    const struct lb_patch_segment *segment = &image->segments[i];
    if (segment->length && value - segment->load <= segment->length + room_behind(segment)) {
      return true;
    }
  }
  return false;
}
