// SPDX-License-Identifier: MIT
#include "tests/unit/support/hashes.h"

#include <mbedtls/md.h>

#include "ports/mbedtls/hash.h"
#include "tests/unit/support/unit.h"

const struct lb_hash *unit_sha256(void)
{
  static struct mbedtls_hash state;
  static struct lb_hash hash;

  if (!hash.start) {
    mbedtls_hash_sha256(&hash, &state);
  }
  return &hash;
}

const struct lb_hash *unit_md5(void)
{
  static struct mbedtls_hash state;
  static struct lb_hash hash;

  if (!hash.start) {
    mbedtls_hash_md5(&hash, &state);
  }
  return &hash;
}

void unit_sha256_of(const void *bytes, size_t length, uint8_t digest[LB_SHA256_SIZE])
{
  assert_int_equal(mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), bytes, length, digest), 0);
}

const char *unit_sha256_text(const void *bytes, size_t length)
{
  static char text[2 * LB_SHA256_SIZE + 1];
  uint8_t digest[LB_SHA256_SIZE];

  unit_sha256_of(bytes, length, digest);
  for (size_t i = 0; i < sizeof(digest); i++) {
    snprintf(text + 2 * i, 3, "%02x", digest[i]);
  }
  return text;
}

static int failing_begin(void *context)
{
  struct failing_hash *failing = context;

  return failing->fail_start ? 1 : failing->inner->start(failing->inner->context);
}

static int failing_update(void *context, const void *data, uint32_t length)
{
  struct failing_hash *failing = context;

  if (failing->updates++ == failing->fail_update_at) {
    return 1;
  }
  return failing->inner->update(failing->inner->context, data, length);
}

static int failing_end(void *context, uint8_t *digest)
{
  struct failing_hash *failing = context;

  return failing->fail_finish ? 1 : failing->inner->finish(failing->inner->context, digest);
}

void failing_hash_start(struct failing_hash *failing, const struct lb_hash *inner)
{
  *failing = (struct failing_hash){
      .hash = {.context = failing, .start = failing_begin, .update = failing_update, .finish = failing_end},
      .inner = inner,
      .fail_update_at = 0xFFFFFFFFU,
  };
}
