// SPDX-License-Identifier: MIT
#include <string.h>

#include "ports/mbedtls/hash.h"
#include "tool/patch/plan.h"

int patch_sha256(const uint8_t *bytes, uint32_t length, uint8_t *digest)
{
  struct mbedtls_hash memory;
  struct lb_hash hash;
  mbedtls_hash_sha256(&hash, &memory);
  bool good = hash.start(hash.context) == 0 && (length == 0 || hash.update(hash.context, bytes, length) == 0) &&
              hash.finish(hash.context, digest) == 0;
  return good ? LB_OK : LB_ERR_HASH;
}

int patch_digest(const uint8_t *bytes, uint32_t length, uint8_t digest[LB_SHA256_SIZE], bool *sealed)
{
  *sealed = false;
  if (length >= LB_SHA256_SIZE) {
    uint32_t end = length - LB_SHA256_SIZE;
    if (patch_sha256(bytes, end, digest) != LB_OK) {
      return LB_ERR_HASH;
    }
    *sealed = memcmp(digest, bytes + end, LB_SHA256_SIZE) == 0;
  }
  return *sealed ? LB_OK : patch_sha256(bytes, length, digest);
}
