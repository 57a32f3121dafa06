// SPDX-License-Identifier: MIT
/* The state of a patch that is being applied. All of it is private to lib/patch; it is here so that it has a size. */
#ifndef LIFEBOAT_PATCH_STATE_H
#define LIFEBOAT_PATCH_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/hash.h"

#define LB_PATCH_HEADER_SIZE   66U
#define LB_PATCH_BASE_DIGEST   16U
#define LB_PATCH_STEP          4096U /* bytes of the base that are read for its digest in a call */
#define LB_PATCH_STEP_INPUT    120U  /* bytes of the patch that one step of decoding takes at the most */
#define LB_PATCH_INPUT         128U  /* and what is kept of it */
#define LB_PATCH_UNIT          8U    /* bytes of a unit at the most */
#define LB_PATCH_AHEAD         12U   /* bytes from a unit's first on that a walker sees */
#define LB_PATCH_BYTE_CONTEXTS 6U
#define LB_PATCH_REPEATS       4U

enum lb_patch_profile_id { LB_PATCH_PROFILE_DEFAULT = 1, LB_PATCH_PROFILE_SMALL = 2 };
enum lb_patch_walker_id { LB_PATCH_WALKER_NONE, LB_PATCH_WALKER_XTENSA, LB_PATCH_WALKER_RISCV, LB_PATCH_WALKERS };

/* Bytes behind struct lb_patch; a part of the format, since what is learned depends on how much is kept. */
#define LB_PATCH_ARENA_DEFAULT  9728U
#define LB_PATCH_ARENA_SMALL    2048U

/* What the whole state has at the most, on every machine. */
#define LB_PATCH_MEMORY_DEFAULT 10240U
#define LB_PATCH_MEMORY_SMALL   2560U

/*
 * What the header says. A file is sealed if its last 32 bytes are the SHA-256 of all before them, as in application
 * images. The digest of a sealed file is those 32 bytes, that of any other the SHA-256 of all of it.
 */
struct lb_patch_info {
  uint8_t profile;
  uint8_t walker;
  /*
   * Bytes of padding and checksum at the result's end that are computed, as are the 32 bytes of digest behind them, so
   * the result is sealed; 1 to 16, 0: nothing is computed, and the digest is that of all of it.
   */
  uint8_t tail;
  bool base_sealed;
  uint32_t crc;         /* of the whole patch but these four bytes */
  uint32_t base_length; /* 0: made from nothing */
  uint32_t result_length;
  uint8_t base_digest[LB_PATCH_BASE_DIGEST]; /* the beginning of the base's digest; 0 without a base */
  uint8_t result_digest[LB_SHA256_SIZE];
};

struct lb_patch_segment {
  uint32_t load; /* address of its first byte */
  uint32_t length;
  uint32_t offset; /* in the image */
};

/* The segments of an image, as far as it is known. */
struct lb_patch_image {
  struct lb_patch_segment *segments;
  uint8_t capacity;
  uint8_t count;     /* that the header announces, at most capacity */
  uint8_t known;     /* of them seen */
  uint8_t current;   /* the one that was asked for last */
  uint32_t next;     /* offset of the next segment's header */
  uint32_t checksum; /* xor of the segments' bytes */
};

/* A flag's probability that has to be exact near 0: 22 bits of probability, 10 bits of count. */
typedef uint32_t lb_patch_fine;
/* A flag's probability of 12 bits, and 4 bits of count. */
typedef uint16_t lb_patch_coarse;

struct lb_patch_range {
  uint32_t start; /* addresses of the base from here to the next range ... */
  uint32_t shift; /* ... lie so much further on in the result, modulo 2^32 */
};

struct lb_patch_exact {
  uint32_t address; /* of the base */
  uint32_t shift;
};

struct lb_patch_page {
  uint32_t shift[2];
};

struct lb_patch_structure {
  int16_t shift;
  uint8_t trust;
};

/* Bytes of an image, kept so that neighbours need not be read again. */
struct lb_patch_window {
  uint8_t *bytes;
  uint32_t start;
  uint16_t length; /* bytes that are there */
  uint16_t size;
};

struct lb_patch_config; /* patch.h */
struct lb_patch_guide;  /* lib/patch/patch_parts.h: the encoder's */

struct lb_patch {
  const struct lb_patch_config *config;
  uint32_t memory; /* bytes from here on */
  const struct lb_patch_profile *profile;
  const struct lb_patch_walker *walker;
  const struct lb_patch_guide *guide;
  /* the header */
  struct lb_patch_info info;
  uint8_t state;
  int result;   /* the error that ended it, or LB_OK */
  int failure;  /* the first error of a callback that reads, or LB_OK */
  uint32_t crc; /* of the bytes that came */
  uint32_t base_length;
  uint32_t result_length;
  uint32_t body_length; /* of the result without what is computed */
  /* the range decoder and its input */
  uint32_t range;
  uint32_t code;
  uint16_t input_start;
  uint16_t input_end;
  uint32_t taken;   /* bytes of the patch */
  bool no_more;     /* all bytes of the patch were given */
  uint8_t overrun;  /* zeros that were taken as bytes behind its end */
  uint8_t category; /* what is coded, for the encoder's accounts */
  /* the result */
  uint32_t position; /* bytes made */
  uint32_t written;  /* of them taken by the callback */
  uint64_t recent;   /* the last eight */
  /* what is being done */
  uint32_t gap;
  uint32_t source; /* where the copy comes from */
  uint32_t remaining;
  uint32_t base_end; /* of the last copy from the base */
  uint32_t last_length;
  uint32_t repeats[LB_PATCH_REPEATS];   /* the last distances from result to base */
  uint32_t distances[LB_PATCH_REPEATS]; /* the last distances within the result */
  uint8_t distance_kind;
  uint8_t from_base; /* the last copy came from the base */
  /* units */
  uint32_t unit; /* where the next unit of the base begins */
  uint32_t hits; /* units since the last one that was not as predicted */
  uint8_t level; /* how many those are, by steps that grow */
  uint8_t kind_history[8];
  uint32_t literal_unit;  /* where the unit that the last literal belongs to begins */
  uint32_t literal_slot;  /* the literal that the last load in literals referred to */
  uint8_t literal_before; /* first byte of the unit before, or 0 */
  struct lb_patch_image base_image;
  struct lb_patch_image result_image;
  /* tables in the arena */
  struct lb_patch_window base_window;
  struct lb_patch_window slot_window;
  struct lb_patch_window result_window;
  uint8_t *input;
  uint8_t *output;
  lb_patch_fine *equal;
  lb_patch_fine *structure_equal;
  lb_patch_fine *hit;
  lb_patch_coarse *coarse;
  lb_patch_coarse *numbers;
  int16_t *weights;
  struct lb_patch_range *ranges;
  struct lb_patch_exact *exact;
  struct lb_patch_page *pages;
  struct lb_patch_structure *structures;
  lb_patch_coarse *slots;
  uint32_t slot_count;
  uint32_t range_count;
  uint32_t ranges_known;
};

struct lb_patch_default {
  struct lb_patch patch;
  uint32_t arena[LB_PATCH_ARENA_DEFAULT / 4U];
};

struct lb_patch_small {
  struct lb_patch patch;
  uint32_t arena[LB_PATCH_ARENA_SMALL / 4U];
};

_Static_assert(sizeof(struct lb_patch_default) <= LB_PATCH_MEMORY_DEFAULT, "the default profile has its bound");
_Static_assert(sizeof(struct lb_patch_small) <= LB_PATCH_MEMORY_SMALL, "the small profile has its bound");

#endif
