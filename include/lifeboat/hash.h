// SPDX-License-Identifier: MIT
/*
 * A hash function, as the library wants it: filled in by the caller, so that a chip can use its hardware.
 * ports/mbedtls has SHA-256 and MD5 on Mbed TLS.
 *
 * One lb_hash computes one digest at a time: whoever runs two sessions at once gives each a hash of its own.
 */
#ifndef LIFEBOAT_HASH_H
#define LIFEBOAT_HASH_H

#include <stdint.h>

#define LB_SHA256_SIZE 32U
#define LB_MD5_SIZE    16U

struct lb_hash {
  void *context; /* passed to each function; owned by the caller */

  /* Begins a new digest and forgets an unfinished one. Returns 0, or anything else if it could not. */
  int (*start)(void *context);
  /* Takes the next `length` bytes, 0 included. Returns 0, or anything else if it could not. */
  int (*update)(void *context, const void *data, uint32_t length);
  /* Writes the digest: LB_SHA256_SIZE or LB_MD5_SIZE bytes, as the function has. Returns 0, or anything else. */
  int (*finish)(void *context, uint8_t *digest);
};

#endif
