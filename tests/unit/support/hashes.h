// SPDX-License-Identifier: MIT
/* The hashes that the tests lend to the library, one that fails, and digests to compare with. */
#ifndef TESTS_UNIT_SUPPORT_HASHES_H
#define TESTS_UNIT_SUPPORT_HASHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lifeboat/hash.h"

/* One of each for the whole program: one digest at a time. */
const struct lb_hash *unit_sha256(void);
const struct lb_hash *unit_md5(void);

/* A digest at once, and as lower-case hexadecimal text. */
void unit_sha256_of(const void *bytes, size_t length, uint8_t digest[LB_SHA256_SIZE]);
const char *unit_sha256_text(const void *bytes, size_t length);

/* A hash driver that fails where it is told to; otherwise it is `inner`. */
struct failing_hash {
  struct lb_hash hash;
  const struct lb_hash *inner;
  bool fail_start;
  bool fail_finish;
  uint32_t fail_update_at; /* the update of that number since failing_hash_start; 0xFFFFFFFF: none */
  uint32_t updates;
};

void failing_hash_start(struct failing_hash *failing, const struct lb_hash *inner);

#endif
