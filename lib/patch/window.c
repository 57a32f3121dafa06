// SPDX-License-Identifier: MIT
/* Bytes of base and result, read through the callbacks with a little kept, and the result as it grows. */
#include "lib/patch/patch_parts.h"

#include <string.h>

#define READ_MORE 4U /* bytes beside those that are wanted, where neighbours are no likelier than others to be next */

/*
 * An error of a callback is kept, and none is called any more; what is decoded with bytes of 0 instead is thrown away
 * when the step ends.
 */
static int note(struct lb_patch *patch, int result)
{
  patch->failure = result > LB_OK ? LB_ERR_STATE : result;
  return patch->failure;
}

int lb_patch_read_base(struct lb_patch *patch, uint32_t offset, void *buffer, uint32_t length)
{
  const struct lb_patch_config *config = patch->config;
  return patch->failure == LB_OK ? note(patch, config->read_base(config->context, offset, buffer, length))
                                 : patch->failure;
}

static int read_result(struct lb_patch *patch, uint32_t offset, void *buffer, uint32_t length)
{
  const struct lb_patch_config *config = patch->config;
  return patch->failure == LB_OK ? note(patch, config->read_result(config->context, offset, buffer, length))
                                 : patch->failure;
}

/* How much to read from `offset` on: all there is room for where reading goes on, else little more than is wanted. */
static uint16_t read_size(const struct lb_patch_window *window, uint32_t offset, uint32_t length)
{
  bool goes_on = offset >= window->start && offset - window->start <= window->length;
  uint32_t size = goes_on || length + READ_MORE > window->size ? window->size : length + READ_MORE;
  return (uint16_t)size;
}

/* Moves what is there of the bytes from `offset` on to the window's start. Returns how many those are. */
static uint16_t keep(struct lb_patch_window *window, uint32_t offset)
{
  bool inside = offset >= window->start && offset - window->start < window->length;
  uint32_t first = inside ? offset - window->start : window->length;
  for (uint32_t i = first; i < window->length; i++) {
    window->bytes[i - first] = window->bytes[i];
  }
  return (uint16_t)(window->length - first);
}

const uint8_t *lb_patch_base_bytes(struct lb_patch *patch, struct lb_patch_window *window, uint32_t offset,
                                   uint32_t length)
{
  if (offset >= window->start && offset - window->start <= window->length &&
      length <= window->length - (offset - window->start)) {
    return window->bytes + (offset - window->start);
  }
  uint16_t size = read_size(window, offset, length);
  uint16_t kept = keep(window, offset);
  uint32_t available = offset < patch->base_length ? patch->base_length - offset : 0;
  if (available > size) {
    available = size;
  }
  window->start = offset;
  window->length = size;
  if (available > kept && lb_patch_read_base(patch, offset + kept, window->bytes + kept, available - kept) != LB_OK) {
    available = 0;
  }
  memset(window->bytes + available, 0, size - available);
  return window->bytes;
}

/* Reads bytes that the callback has taken. */
static void read_written(struct lb_patch *patch, uint32_t offset, uint8_t *bytes, uint32_t length)
{
  struct lb_patch_window *window = &patch->result_window;
  if (!(offset >= window->start && offset - window->start <= window->length &&
        length <= window->length - (offset - window->start))) {
    uint32_t available = patch->written - offset;
    uint16_t size = read_size(window, offset, length);
    window->start = offset;
    window->length = (uint16_t)(available < size ? available : size);
    if (read_result(patch, offset, window->bytes, window->length) != LB_OK) {
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

/* The image header or segment headers may be complete now. */
static void look_at_headers(struct lb_patch *patch)
{
  struct lb_patch_image *image = &patch->result_image;
  uint8_t bytes[LB_PATCH_SEGMENT_HEADER];
  if (image->next == LB_PATCH_IMAGE_HEADER && image->count == 0) {
    lb_patch_result_bytes(patch, 0, bytes, 2);
    lb_patch_image_header(image, bytes);
  }
  while (image->known < image->count && patch->position >= image->next &&
         patch->position - image->next >= LB_PATCH_SEGMENT_HEADER) {
    lb_patch_result_bytes(patch, image->next, bytes, LB_PATCH_SEGMENT_HEADER);
    lb_patch_image_segment(image, bytes, patch->result_length);
  }
  if (image->known == image->count) {
    image->next = UINT32_MAX; /* there are no more */
  }
}

void lb_patch_emit(struct lb_patch *patch, const uint8_t *bytes, uint32_t length)
{
  memcpy(patch->output + (patch->position - patch->written), bytes, length);
  patch->position += length;
  for (uint32_t i = 0; i < length; i++) {
    patch->recent = patch->recent << 8 | bytes[i];
  }
  if (patch->position >= patch->result_image.next) {
    look_at_headers(patch);
  }
}
