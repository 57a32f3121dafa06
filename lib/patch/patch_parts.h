// SPDX-License-Identifier: MIT
/* What the files of the patch decoder share, and what the encoder needs to guide it. Not part of the interface. */
#ifndef LIFEBOAT_PATCH_INTERNAL_H
#define LIFEBOAT_PATCH_INTERNAL_H

#include "lifeboat/patch.h"

/* What a piece of an image is, as far as prediction goes. */
enum lb_patch_kind {
  LB_PATCH_PLAIN,
  LB_PATCH_CALL,         /* an instruction that holds a distance to code */
  LB_PATCH_LITERAL,      /* an instruction that holds a distance to a literal */
  LB_PATCH_POINTER,      /* an address among data */
  LB_PATCH_CODE_POINTER, /* an address among code */
  LB_PATCH_KINDS
};

#define LB_PATCH_CLASSES 8U /* of plain units */

struct lb_patch_unit {
  uint8_t kind;
  uint8_t class;
  uint8_t length; /* 1 to LB_PATCH_UNIT */
};

/* A field of an instruction that holds a small number, such as an offset into a structure. */
struct lb_patch_field {
  int32_t value;
  uint8_t scale;
  bool present;
};

/*
 * What knows the instructions of a processor. `bytes` are LB_PATCH_AHEAD bytes from the unit's first on, those behind
 * the image's end being 0.
 */
struct lb_patch_walker {
  uint8_t lookbehind;  /* bytes before a copy from which on units are looked for, to be in step where it begins */
  uint8_t class_byte;  /* mask of an instruction's first byte that tells what it is */
  bool loads_literals; /* LB_PATCH_LITERAL loads a word that lies near; else it makes an address itself */
  bool (*is_code)(const struct lb_patch_segment *segment);
  bool (*same)(uint8_t kind, const uint8_t *bytes, const uint8_t *made); /* can both refer to the same? */
  void (*unit)(const struct lb_patch_image *image, const struct lb_patch_segment *segment, uint32_t offset,
               const uint8_t *bytes, struct lb_patch_unit *unit);
  uint32_t (*target)(const uint8_t *bytes, uint8_t kind, uint32_t address);
  bool (*retarget)(uint8_t *result, const uint8_t *bytes, uint8_t kind, uint32_t address, uint32_t target);
  bool (*is_function)(const uint8_t *bytes, uint32_t address);
  void (*field)(const uint8_t *bytes, uint8_t length, struct lb_patch_field *field);
  bool (*put_field)(uint8_t *result, const uint8_t *bytes, uint8_t length, int32_t value);
  uint8_t (*literal_length)(uint8_t first); /* of an instruction, by its first byte */
};

extern const struct lb_patch_walker lb_patch_walker_xtensa;
extern const struct lb_patch_walker lb_patch_walker_riscv;

/* How the memory of a profile is divided. */
struct lb_patch_profile {
  uint16_t memory;
  uint16_t arena; /* bytes of it behind struct lb_patch; the same on every machine */
  uint16_t output;
  uint16_t window;
  uint16_t exact_bits;
  uint16_t page_bits;
  uint16_t structures;
  uint16_t ranges;
  uint8_t segments;
  uint8_t levels;       /* of how long ago the last miss was */
  uint8_t level_shift;  /* levels that count as one, as a power of two */
  uint8_t hit_history;  /* contexts of what the last units of a kind were */
  uint8_t flag_kinds;   /* kinds of units that have flags of their own */
  uint8_t weight_shift; /* sets of weights that are one, as a power of two */
  uint8_t numbers;      /* sets of flags for lengths and distances: all, or one for each use */
};

extern const struct lb_patch_profile lb_patch_profiles[];

/* What is coded, for the encoder's accounts. */
enum lb_patch_category {
  LB_PATCH_CODES_MAP,
  LB_PATCH_CODES_CONTROL,
  LB_PATCH_CODES_EQUAL,
  LB_PATCH_CODES_HIT,
  LB_PATCH_CODES_BYTE_EQUAL,
  LB_PATCH_CODES_BYTE,
  LB_PATCH_CODES_LITERAL,
  LB_PATCH_CATEGORIES
};

/* What comes next in the result: literals, then a copy. */
struct lb_patch_copy {
  uint32_t gap;    /* literals before it */
  uint32_t source; /* offset in base or result */
  uint32_t length; /* 0: the literals end the body */
  bool from_base;
};

/*
 * The encoder runs this very decoder and tells it what to decode: `result` is the whole result, `copy` the next one,
 * `ranges` the map. Each decision comes to `bit` with its probability and what it has to be, which it returns.
 */
struct lb_patch_guide {
  void *context;
  uint32_t (*bit)(void *context, uint32_t one, uint32_t wanted, uint8_t category);
  const uint8_t *result;
  struct lb_patch_copy copy;
  const struct lb_patch_range *ranges;
  uint32_t range_count;
};

/* ---- patch_coder.c: decisions ---- */

/* Decodes a decision that is 1 with a probability of `one` / 65536, 1 to 65535. */
uint32_t lb_patch_bit(struct lb_patch *patch, uint32_t one, uint32_t wanted);
uint32_t lb_patch_fine_bit(struct lb_patch *patch, lb_patch_fine *flag, uint32_t limit, uint32_t wanted);
uint32_t lb_patch_coarse_bit(struct lb_patch *patch, lb_patch_coarse *flag, uint32_t wanted);
void lb_patch_fine_fill(lb_patch_fine *flags, uint32_t count, uint32_t one, uint32_t seen);
void lb_patch_coarse_fill(lb_patch_coarse *flags, uint32_t count, uint32_t one);

/* A byte in several contexts at once; `set` chooses the weights. */
uint8_t lb_patch_byte(struct lb_patch *patch, const uint32_t *contexts, uint32_t count, uint32_t set, uint8_t wanted);
uint32_t lb_patch_hash(uint32_t value);

/* A number: how many bits it has, coded by `prefix`, then they, the upper ones by `mantissa`. */
#define LB_PATCH_NUMBER_BITS   20U /* those above have flags in common */
#define LB_PATCH_MANTISSA_BITS 14U
#define LB_PATCH_MANTISSA      (LB_PATCH_MANTISSA_BITS * 3U)
uint32_t lb_patch_number(struct lb_patch *patch, lb_patch_coarse *prefix, lb_patch_coarse *mantissa, uint32_t wanted);

/* ---- patch_image.c: segments, windows ---- */

void lb_patch_image_begin(struct lb_patch_image *image);
void lb_patch_image_header(struct lb_patch_image *image, uint8_t segment_count);
void lb_patch_image_segment(struct lb_patch_image *image, const uint8_t *header, uint32_t image_length);
const struct lb_patch_segment *lb_patch_segment_at(struct lb_patch_image *image, uint32_t offset);
/* Address of an offset, 0 if it lies in no segment. */
uint32_t lb_patch_address(struct lb_patch_image *image, uint32_t offset);
/* Offset of `length` bytes at an address, false if they lie in no segment. */
bool lb_patch_offset(const struct lb_patch_image *image, uint32_t address, uint32_t length, uint32_t *offset);
bool lb_patch_is_pointer(const struct lb_patch_image *image, uint32_t value);

/* LB_PATCH_AHEAD bytes of the base or less, those behind its end being 0. */
const uint8_t *lb_patch_base_bytes(struct lb_patch *patch, struct lb_patch_window *window, uint32_t offset,
                                   uint32_t length);
/* Bytes of the result that were made already. */
void lb_patch_result_bytes(struct lb_patch *patch, uint32_t offset, uint8_t *bytes, uint32_t length);
/* Adds bytes to the result. */
void lb_patch_emit(struct lb_patch *patch, const uint8_t *bytes, uint32_t length);

/* ---- patch_predict.c: where addresses went ---- */

#define LB_PATCH_CANDIDATES 7U
enum lb_patch_source {
  LB_PATCH_FROM_EXACT,
  LB_PATCH_FROM_MAP,
  LB_PATCH_FROM_PAGE,
  LB_PATCH_FROM_PAGE_BEFORE,
  LB_PATCH_FROM_BASE,
  LB_PATCH_FROM_CONTENT,
  LB_PATCH_FROM_NEXT, /* the literal behind the last one */
  LB_PATCH_SOURCES
};

struct lb_patch_candidates {
  uint8_t bytes[LB_PATCH_CANDIDATES][LB_PATCH_UNIT];
  uint8_t source[LB_PATCH_CANDIDATES];
  uint8_t count;
  uint8_t context; /* 0 to 15 */
};

/* False: the map says nothing of an address, which lies before its first range. */
bool lb_patch_look_up(const struct lb_patch_range *ranges, uint32_t count, uint32_t address, uint32_t *shift);
void lb_patch_predict(struct lb_patch *patch, const struct lb_patch_unit *unit, uint32_t offset, const uint8_t *bytes,
                      struct lb_patch_candidates *candidates);
void lb_patch_learn(struct lb_patch *patch, const struct lb_patch_unit *unit, uint32_t offset, const uint8_t *bytes,
                    const uint8_t *made);

/* ---- patch_copy.c, patch_literal.c: one unit of a copy from the base, one literal ---- */

void lb_patch_copy_begin(struct lb_patch *patch);
void lb_patch_copy_unit(struct lb_patch *patch);
void lb_patch_literal(struct lb_patch *patch);

/* ---- patch_control.c: what comes next ---- */

void lb_patch_control_init(struct lb_patch *patch);
int lb_patch_read_range_count(struct lb_patch *patch);
void lb_patch_read_range(struct lb_patch *patch);
int lb_patch_read_gap(struct lb_patch *patch);
int lb_patch_read_source(struct lb_patch *patch);
int lb_patch_read_length(struct lb_patch *patch);

/* ---- patch_arena.c ---- */

/* Divides the memory as the header's profile says; LB_ERR_PATCH_MEMORY. Then, once the map is known, the rest of it. */
int lb_patch_divide(struct lb_patch *patch);
void lb_patch_divide_rest(struct lb_patch *patch);

/* ---- patch.c ---- */

/* For the encoder: begins behind the header and the base's digest, and makes a step. LB_MORE, LB_OK at the end. */
int lb_patch_begin_body(struct lb_patch *patch, const struct lb_patch_info *info);
int lb_patch_step(struct lb_patch *patch);
bool lb_patch_in_body(const struct lb_patch *patch);

#endif
