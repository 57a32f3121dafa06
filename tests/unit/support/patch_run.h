// SPDX-License-Identifier: MIT
/* Applies a patch in memory, in pieces, with callbacks that count, refuse or fail, and check each access. */
#ifndef TESTS_UNIT_SUPPORT_PATCH_RUN_H
#define TESTS_UNIT_SUPPORT_PATCH_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/patch.h"
#include "ports/mbedtls/hash.h"

struct patch_run {
  /* set by the test */
  const uint8_t *base;
  uint32_t base_length;
  uint32_t result_limit;
  uint8_t profile;     /* whose memory is given, to the byte */
  uint32_t piece;      /* bytes a call is given at the most; 0: all */
  uint32_t takes;      /* bytes that write_result takes at the most; 0: all */
  uint32_t refuses;    /* in so many calls of write_result but one it takes none; 0: never */
  uint32_t fails;      /* the callback of this number fails, counted from 1; 0: none */
  int error;           /* so */
  bool lies;           /* write_result says that it took more than it was given */
  uint32_t hash_fails; /* and so the call of the hash of this number */
  /* found out */
  uint8_t *result; /* malloc'ed by patch_run_open */
  uint32_t length;
  uint32_t base_reads;
  uint32_t result_reads;
  uint32_t bytes_read;
  uint32_t writes;
  uint32_t calls; /* of all callbacks */
  uint32_t hash_calls;
  uint32_t steps; /* calls of lb_patch_write and lb_patch_finish */
  /* private */
  struct lb_patch_config config;
  struct lb_hash hash;
  struct lb_hash inner;
  struct mbedtls_hash hash_memory;
  struct lb_patch *patch;
};

void patch_run_open(struct patch_run *run, const uint8_t *base, uint32_t base_length, uint32_t result_limit);
void patch_run_close(struct patch_run *run);

/* Begins; then gives bytes; then says that there are no more. Each ends the test if the decoder makes no progress. */
int patch_run_start(struct patch_run *run);
int patch_run_give(struct patch_run *run, const uint8_t *bytes, uint32_t length);
int patch_run_finish(struct patch_run *run);

/* All of it, with what was made before forgotten. LB_OK, or the decoder's error. */
int patch_run(struct patch_run *run, const uint8_t *patch, uint32_t length);

#endif
