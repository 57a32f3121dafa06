// SPDX-License-Identifier: MIT
/* SHA-256 and MD5 of Mbed TLS as a struct lb_hash. Each lb_hash needs a struct mbedtls_hash of its own. */
#ifndef PORTS_MBEDTLS_HASH_H
#define PORTS_MBEDTLS_HASH_H

#include <mbedtls/md5.h>
#include <mbedtls/sha256.h>

#include "lifeboat/hash.h"

/* The state of one digest: the caller's memory, which outlives the lb_hash. */
struct mbedtls_hash {
  union {
    mbedtls_sha256_context sha256;
    mbedtls_md5_context md5;
  } state;
};

/* Makes `hash` compute SHA-256, with its state in `context`. Nothing has to be released afterwards. */
void mbedtls_hash_sha256(struct lb_hash *hash, struct mbedtls_hash *context);

/* The same for MD5. */
void mbedtls_hash_md5(struct lb_hash *hash, struct mbedtls_hash *context);

#endif
