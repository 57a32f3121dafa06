// SPDX-License-Identifier: MIT
#include "boot/load.h"

#include <string.h>

#define PIECE 4096U /* read at once: each read feeds the watchdog */

struct loading {
  const struct lb_flash *flash;
  const struct lb_hash *sha256;
  uint32_t address; /* of the image */
};

static int hash(const struct loading *loading, const void *bytes, uint32_t length)
{
  return loading->sha256->update(loading->sha256->context, bytes, length) ? LB_ERR_HASH : LB_OK;
}

/* What lies between segments, and behind the last one. */
static int hash_flash(const struct loading *loading, uint32_t from, uint32_t to)
{
  uint8_t bytes[64];
  int err = LB_OK;
  while (!err && from < to) {
    const uint32_t length = to - from < sizeof bytes ? to - from : (uint32_t)sizeof bytes;
    err = lb_flash_read(loading->flash, loading->address + from, bytes, length);
    if (!err) {
      err = hash(loading, bytes, length);
    }
    from += length;
  }
  return err;
}

static int load_one(const struct loading *loading, const struct lb_image_segment *segment)
{
  uint8_t *memory = (uint8_t *)(uintptr_t)segment->load; /* NOLINT(performance-no-int-to-ptr): a load address is one */
  int err = LB_OK;
  for (uint32_t at = 0; !err && at < segment->length; at += PIECE) {
    const uint32_t length = segment->length - at < PIECE ? segment->length - at : PIECE;
    err = lb_flash_read(loading->flash, loading->address + segment->offset + at, memory + at, length);
    if (!err) {
      err = hash(loading, memory + at, length);
    }
  }
  return err;
}

int load_segments(const struct lb_flash *flash, const struct lb_hash *sha256, uint32_t address,
                  const struct lb_image_info *info)
{
  const struct loading loading = {.flash = flash, .sha256 = sha256, .address = address};
  uint8_t digest[LB_SHA256_SIZE];
  uint32_t hashed = 0;
  int err = sha256->start(sha256->context) ? LB_ERR_HASH : LB_OK;
  for (uint32_t i = 0; !err && i < info->segment_count; i++) {
    const struct lb_image_segment *segment = &info->segments[i];
    err = hash_flash(&loading, hashed, segment->offset);
    if (!err) {
      err = load_one(&loading, segment);
    }
    hashed = segment->offset + segment->length;
  }
  if (!err) {
    err = hash_flash(&loading, hashed, info->length - LB_SHA256_SIZE);
  }
  if (!err && sha256->finish(sha256->context, digest)) {
    err = LB_ERR_HASH;
  }
  if (!err && memcmp(digest, info->digest, sizeof digest) != 0) {
    err = LB_ERR_IMAGE_DIGEST;
  }
  return err;
}
