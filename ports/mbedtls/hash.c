// SPDX-License-Identifier: MIT
#include "ports/mbedtls/hash.h"

/* Releasing before starting lets a digest be started anew in the middle, whatever an implementation keeps in it. */
static int sha256_start(void *context)
{
  struct mbedtls_hash *hash = context;
  mbedtls_sha256_free(&hash->state.sha256);
  mbedtls_sha256_init(&hash->state.sha256);
  return mbedtls_sha256_starts_ret(&hash->state.sha256, 0);
}

static int sha256_update(void *context, const void *data, uint32_t length)
{
  struct mbedtls_hash *hash = context;
  return mbedtls_sha256_update_ret(&hash->state.sha256, data, length);
}

static int sha256_finish(void *context, uint8_t *digest)
{
  struct mbedtls_hash *hash = context;
  int err = mbedtls_sha256_finish_ret(&hash->state.sha256, digest);
  mbedtls_sha256_free(&hash->state.sha256);
  return err;
}

void mbedtls_hash_sha256(struct lb_hash *hash, struct mbedtls_hash *context)
{
  mbedtls_sha256_init(&context->state.sha256);
  *hash = (struct lb_hash){.context = context, .start = sha256_start, .update = sha256_update, .finish = sha256_finish};
}

static int md5_start(void *context)
{
  struct mbedtls_hash *hash = context;
  mbedtls_md5_free(&hash->state.md5);
  mbedtls_md5_init(&hash->state.md5);
  return mbedtls_md5_starts_ret(&hash->state.md5);
}

static int md5_update(void *context, const void *data, uint32_t length)
{
  struct mbedtls_hash *hash = context;
  return mbedtls_md5_update_ret(&hash->state.md5, data, length);
}

static int md5_finish(void *context, uint8_t *digest)
{
  struct mbedtls_hash *hash = context;
  int err = mbedtls_md5_finish_ret(&hash->state.md5, digest);
  mbedtls_md5_free(&hash->state.md5);
  return err;
}

void mbedtls_hash_md5(struct lb_hash *hash, struct mbedtls_hash *context)
{
  mbedtls_md5_init(&context->state.md5);
  *hash = (struct lb_hash){.context = context, .start = md5_start, .update = md5_update, .finish = md5_finish};
}
