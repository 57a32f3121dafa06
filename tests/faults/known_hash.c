// SPDX-License-Identifier: MIT
#include "tests/faults/known_hash.h"

#include <string.h>

static const uint32_t all = (1U << IMAGES) - 2U; /* but IMAGE_NONE */

static int start(void *context)
{
  struct known_hash *known = context;
  known->candidates = all;
  known->last = IMAGE_NONE;
  known->length = 0;
  known->is_real = false;
  return 0;
}

static const struct built_image *image(const struct known_hash *known, int name)
{
  return &known->images->built[name];
}

/* What is hashed leaves out the digest itself. */
static uint32_t hashed_length(const struct built_image *built)
{
  return built->length - LB_SHA256_SIZE;
}

static bool goes_on(const struct built_image *built, uint32_t at, const void *data, uint32_t length)
{
  const uint32_t end = hashed_length(built);
  return at <= end && length <= end - at && memcmp(built->bytes + at, data, length) == 0;
}

/* What came so far is the beginning of a known image; it is hashed now after all. */
static int become_real(struct known_hash *known)
{
  int err = known->real.start(known->real.context);
  if (err == 0 && known->length > 0) {
    err = known->real.update(known->real.context, image(known, known->last)->bytes, known->length);
  }
  known->is_real = true;
  return err;
}

static int update(void *context, const void *data, uint32_t length)
{
  struct known_hash *known = context;
  uint32_t remaining = 0;
  int last = IMAGE_NONE;
  if (length == 0) {
    return 0;
  }
  for (int name = IMAGE_NONE + 1; !known->is_real && name < IMAGES; name++) {
    if ((known->candidates >> name & 1U) != 0 && goes_on(image(known, name), known->length, data, length)) {
      remaining |= 1U << name;
      last = name;
    }
  }
  if (remaining != 0) {
    known->candidates = remaining;
    known->last = last;
    known->length += length;
    return 0;
  }
  const int err = known->is_real ? 0 : become_real(known);
  return err ? err : known->real.update(known->real.context, data, length);
}

static int finish(void *context, uint8_t *digest)
{
  struct known_hash *known = context;
  for (int name = IMAGE_NONE + 1; !known->is_real && name < IMAGES; name++) {
    const struct built_image *built = image(known, name);
    if ((known->candidates >> name & 1U) != 0 && known->length == hashed_length(built)) {
      memcpy(digest, built->info.digest, LB_SHA256_SIZE);
      return 0;
    }
  }
  const int err = known->is_real ? 0 : become_real(known);
  return err ? err : known->real.finish(known->real.context, digest);
}

void known_hash_start(struct known_hash *known, const struct images *images)
{
  memset(known, 0, sizeof *known);
  known->images = images;
  mbedtls_hash_sha256(&known->real, &known->real_state);
  known->hash = (struct lb_hash){.context = known, .start = start, .update = update, .finish = finish};
}
