// SPDX-License-Identifier: MIT
/*
 * SHA-256 that knows the images: as long as what is hashed is the beginning of one of them it only compares, and at its
 * end the digest is there. Anything else is hashed for real, from where it stopped being known. So digests of
 * slots that did not change cost next to nothing, and are as right as ever.
 */
#ifndef TESTS_FAULTS_KNOWN_HASH_H
#define TESTS_FAULTS_KNOWN_HASH_H

#include "lifeboat/hash.h"
#include "ports/mbedtls/hash.h"
#include "tests/faults/images.h"

struct known_hash {
  struct lb_hash hash; /* for the library */
  const struct images *images;
  struct lb_hash real;
  struct mbedtls_hash real_state;
  uint32_t candidates; /* a bit for each image that is like this so far */
  int last;            /* the one that was compared last, whose beginning is what came */
  uint32_t length;     /* bytes that came */
  bool is_real;
};

/* The struct may not move afterwards. */
void known_hash_start(struct known_hash *known, const struct images *images);

#endif
