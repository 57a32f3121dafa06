// SPDX-License-Identifier: MIT
#include "lib/patch/patch_parts.h"

#include <string.h>

#include "lifeboat/bytes.h"

#define IMAGE_HEADER   24U
#define SEGMENT_HEADER 8U

void lb_patch_image_begin(struct lb_patch_image *image)
{
  image->count = 0;
  image->known = 0;
  image->current = 0;
  image->next = IMAGE_HEADER;
  image->checksum = 0xEF;
}

void lb_patch_image_header(struct lb_patch_image *image, uint8_t segment_count)
{
  image->count = segment_count < image->capacity ? segment_count : image->capacity;
}

void lb_patch_image_segment(struct lb_patch_image *image, const uint8_t *header, uint32_t image_length)
{
  uint32_t offset = image->next + SEGMENT_HEADER;
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

const struct lb_patch_segment *lb_patch_segment_at(struct lb_patch_image *image, uint32_t offset)
{
  for (uint32_t i = 0; i < image->known; i++) {
    /* the one of the last time first */
    uint32_t index = i == 0 ? image->current : i <= image->current ? i - 1U : i;
    const struct lb_patch_segment *segment = &image->segments[index];
    if (offset >= segment->offset && offset - segment->offset < segment->length) {
      image->current = (uint8_t)index;
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

/* What is zeroed at the start lies in no segment, but in the RAM behind the one that is loaded there. */
static uint32_t room_behind(const struct lb_patch_segment *segment)
{
  if (segment->load >= 0x80000000U) {
    return 0x60000U; /* the emulated board, which has nothing but RAM */
  }
  return segment->load >= 0x3FC00000U && segment->load < 0x40000000U ? 0x20000U : 0;
}

bool lb_patch_is_pointer(const struct lb_patch_image *image, uint32_t value)
{
  if (value < 0x3C000000U || (value >= 0x50010000U && value < 0x80000000U) || value >= 0x90000000U) {
    return false;
  }
  for (uint32_t i = 0; i < image->known; i++) {
    const struct lb_patch_segment *segment = &image->segments[i];
    if (value - segment->load <= segment->length + room_behind(segment) && segment->length) {
      return true;
    }
  }
  return false;
}

/* ---- windows ---- */

const uint8_t *lb_patch_base_bytes(struct lb_patch *patch, struct lb_patch_window *window, uint32_t offset,
                                   uint32_t length)
{
  if (offset >= window->start && offset - window->start <= window->length &&
      length <= window->length - (offset - window->start)) {
    return window->bytes + (offset - window->start);
  }
  uint32_t available = offset < patch->base_length ? patch->base_length - offset : 0;
  if (available > window->size) {
    available = window->size;
  }
  window->start = offset;
  window->length = window->size;
  if (available && patch->read_base(patch->context, offset, window->bytes, available) != 0) {
    patch->failed_read = true;
    available = 0;
  }
  memset(window->bytes + available, 0, window->size - available);
  return window->bytes;
}

/* Reads bytes that the callback has taken. */
static void read_written(struct lb_patch *patch, uint32_t offset, uint8_t *bytes, uint32_t length)
{
  struct lb_patch_window *window = &patch->result_window;
  if (!(offset >= window->start && offset - window->start <= window->length &&
        length <= window->length - (offset - window->start))) {
    uint32_t available = patch->written - offset;
    window->start = offset;
    window->length = (uint16_t)(available < window->size ? available : window->size);
    if (patch->read_result(patch->context, offset, window->bytes, window->length) != 0) {
      patch->failed_read = true;
      memset(window->bytes, 0, window->length);
    }
  }
  memcpy(bytes, window->bytes + (offset - window->start), length);
}

void lb_patch_result_bytes(struct lb_patch *patch, uint32_t offset, uint8_t *bytes, uint32_t length)
{
  uint32_t old = offset < patch->written ? patch->written - offset : 0;
  if (old > length) {
    old = length;
  }
  if (old) {
    read_written(patch, offset, bytes, old);
  }
  if (old < length) {
    memcpy(bytes + old, patch->output + (offset + old - patch->written), length - old);
  }
}

/* ---- the result as it grows ---- */

/* The image header or a segment header may be complete now. */
static void look_at_headers(struct lb_patch *patch)
{
  struct lb_patch_image *image = &patch->result_image;
  uint8_t bytes[SEGMENT_HEADER];
  if (patch->position >= IMAGE_HEADER && image->count == 0 && image->known == 0 && image->next == IMAGE_HEADER) {
    lb_patch_result_bytes(patch, 0, bytes, 2);
    lb_patch_image_header(image, bytes[1]);
    if (bytes[0] != 0xE9 || image->count == 0) {
      image->next = UINT32_MAX;
    }
  }
  if (image->known < image->count && patch->position - image->next >= SEGMENT_HEADER &&
      patch->position >= image->next) {
    lb_patch_result_bytes(patch, image->next, bytes, SEGMENT_HEADER);
    lb_patch_image_segment(image, bytes, patch->result_length);
  }
}

void lb_patch_emit(struct lb_patch *patch, const uint8_t *bytes, uint32_t length)
{
  memcpy(patch->output + (patch->position - patch->written), bytes, length);
  patch->position += length;
  for (uint32_t i = 0; i < length; i++) {
    patch->recent = patch->recent << 8 | bytes[i];
  }
  if (patch->walker && patch->result_image.next < patch->position) {
    look_at_headers(patch);
  }
}
