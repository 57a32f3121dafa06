// SPDX-License-Identifier: MIT
/* The base before anything is made of it: where its segments are, and whether it is the right one. */
#include "lib/patch/patch_parts.h"

#include <string.h>

void lb_patch_read_base_segments(struct lb_patch *patch)
{
  struct lb_patch_image *image = &patch->base_image;
  uint8_t bytes[LB_PATCH_SEGMENT_HEADER];
  if (patch->base_length < LB_PATCH_IMAGE_HEADER + LB_PATCH_SEGMENT_HEADER ||
      lb_patch_read_base(patch, 0, bytes, 2) != LB_OK) {
    return;
  }
  lb_patch_image_header(image, bytes);
  while (image->known < image->count && image->next <= patch->base_length - LB_PATCH_SEGMENT_HEADER) {
    if (lb_patch_read_base(patch, image->next, bytes, LB_PATCH_SEGMENT_HEADER) != LB_OK) {
      return;
    }
    lb_patch_image_segment(image, bytes, patch->base_length);
  }
}

/* Is what was hashed the base that the patch is made for? */
static int compare(struct lb_patch *patch)
{
  const struct lb_hash *sha256 = patch->config->sha256;
  uint8_t digest[LB_SHA256_SIZE];
  if (sha256->finish(sha256->context, digest) != 0) {
    return LB_ERR_HASH;
  }
  if (patch->base_length && memcmp(digest, patch->info.base_digest, LB_PATCH_BASE_DIGEST) != 0) {
    return LB_ERR_PATCH_BASE;
  }
  if (patch->info.base_sealed) {
    uint8_t own[LB_SHA256_SIZE];
    int result = lb_patch_read_base(patch, patch->base_length - LB_SHA256_SIZE, own, LB_SHA256_SIZE);
    if (result != LB_OK) {
      return result;
    }
    if (memcmp(digest, own, LB_SHA256_SIZE) != 0) {
      return LB_ERR_PATCH_BASE;
    }
  }
  return LB_OK;
}

int lb_patch_check_base(struct lb_patch *patch)
{
  const struct lb_hash *sha256 = patch->config->sha256;
  uint32_t room;
  uint8_t *buffer = lb_patch_unused(patch, &room);
  uint32_t left = patch->base_length - (patch->info.base_sealed ? LB_SHA256_SIZE : 0) - patch->source;
  uint32_t length = left < room ? left : room;
  if (!left) {
    return compare(patch);
  }
  length = length < LB_PATCH_STEP ? length : LB_PATCH_STEP;
  int result = lb_patch_read_base(patch, patch->source, buffer, length);
  if (result != LB_OK) {
    return result;
  }
  patch->source += length;
  return sha256->update(sha256->context, buffer, length) == 0 ? LB_MORE : LB_ERR_HASH;
}
