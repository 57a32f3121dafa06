// SPDX-License-Identifier: MIT
/* What the files of the patch decoder share, and what the encoder needs to guide it. Not part of the interface. */
#ifndef LIB_PATCH_PATCH_PARTS_H
#define LIB_PATCH_PATCH_PARTS_H

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
  bool (*is_pointer)(const struct lb_patch_image *image, uint32_t value); /* can a word be an address of the image? */
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
  uint16_t memory; /* size of its struct */
  uint16_t arena;  /* bytes of it behind struct lb_patch; the same on every machine */
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

/* ---- coder.c: decisions ---- */

/* Takes the bytes that the first decision needs. */
void lb_patch_begin_code(struct lb_patch *patch);

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

/* ---- image.c: segments ---- */

#define LB_PATCH_IMAGE_HEADER   24U /* bytes before the first segment's header */
#define LB_PATCH_SEGMENT_HEADER 8U

void lb_patch_image_begin(struct lb_patch_image *image);
/* Takes the first two bytes of an image; without its magic there are no segments. */
void lb_patch_image_header(struct lb_patch_image *image, const uint8_t *header);
void lb_patch_image_segment(struct lb_patch_image *image, const uint8_t *header, uint32_t image_length);
const struct lb_patch_segment *lb_patch_find_segment(struct lb_patch_image *image, uint32_t offset);

/* The segment that an offset lies in, or NULL. It is mostly that of the last time. */
static inline const struct lb_patch_segment *lb_patch_segment_at(struct lb_patch_image *image, uint32_t offset)
{
  const struct lb_patch_segment *segment = &image->segments[image->current];
  return image->known && offset - segment->offset < segment->length ? segment : lb_patch_find_segment(image, offset);
}
/* Address of an offset, 0 if it lies in no segment. */
uint32_t lb_patch_address(struct lb_patch_image *image, uint32_t offset);
/* Offset of `length` bytes at an address, false if they lie in no segment. */
bool lb_patch_offset(const struct lb_patch_image *image, uint32_t address, uint32_t length, uint32_t *offset);
/* Does an address lie in a segment, or in the room behind it, where RAM is that is not loaded but zeroed? */
bool lb_patch_belongs(const struct lb_patch_image *image, uint32_t value,
                      uint32_t (*room_behind)(const struct lb_patch_segment *segment));

/* ---- window.c: bytes of base and result ---- */

/* Reads the base; an error stays in patch->failure, too. */
int lb_patch_read_base(struct lb_patch *patch, uint32_t offset, void *buffer, uint32_t length);
/* LB_PATCH_AHEAD bytes of the base or less, those behind its end being 0. */
const uint8_t *lb_patch_base_bytes(struct lb_patch *patch, struct lb_patch_window *window, uint32_t offset,
                                   uint32_t length);
/* Bytes of the result that were made already. */
void lb_patch_result_bytes(struct lb_patch *patch, uint32_t offset, uint8_t *bytes, uint32_t length);
/* Adds bytes to the result. */
void lb_patch_emit(struct lb_patch *patch, const uint8_t *bytes, uint32_t length);

/* ---- predict.c: where addresses went ---- */

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
/* Addresses of a unit, in the base and in the result; 0: it lies in no segment. */
struct lb_patch_place {
  uint32_t base_address;
  uint32_t address;
};

void lb_patch_predict(struct lb_patch *patch, const struct lb_patch_unit *unit, const struct lb_patch_place *place,
                      const uint8_t *bytes, struct lb_patch_candidates *candidates);
void lb_patch_learn(struct lb_patch *patch, const struct lb_patch_unit *unit, const struct lb_patch_place *place,
                    const uint8_t *bytes, const uint8_t *made);

/* ---- copy.c, literal.c: one unit of a copy from the base, one literal ---- */

void lb_patch_copy_begin(struct lb_patch *patch);
void lb_patch_copy_unit(struct lb_patch *patch);
void lb_patch_literal(struct lb_patch *patch);

/* ---- control.c: what comes next ---- */

void lb_patch_control_init(struct lb_patch *patch);
int lb_patch_read_range_count(struct lb_patch *patch);
int lb_patch_read_range(struct lb_patch *patch);
int lb_patch_read_gap(struct lb_patch *patch);
int lb_patch_read_source(struct lb_patch *patch);
int lb_patch_read_length(struct lb_patch *patch);

/* ---- arena.c ---- */

/* Divides the memory as the header's profile says; LB_ERR_PATCH_MEMORY. Then, once the map is known, the rest of it. */
int lb_patch_divide(struct lb_patch *patch);
void lb_patch_divide_rest(struct lb_patch *patch);

/* Where it begins, and what nobody has of it yet before the map is known. */
uint8_t *lb_patch_arena(struct lb_patch *patch);
uint8_t *lb_patch_unused(struct lb_patch *patch, uint32_t *length);

/* ---- base.c ---- */

/* An error stays in patch->failure. */
void lb_patch_read_base_segments(struct lb_patch *patch);
/* Reads a piece of the base: LB_MORE, then LB_OK: it is the right one. LB_ERR_PATCH_BASE, LB_ERR_HASH. */
int lb_patch_check_base(struct lb_patch *patch);

/* ---- decoder.c ---- */

enum lb_patch_state {
  LB_PATCH_STATE_HEADER,
  LB_PATCH_STATE_BASE,
  LB_PATCH_STATE_CODE,
  LB_PATCH_STATE_RANGE_COUNT,
  LB_PATCH_STATE_RANGES,
  LB_PATCH_STATE_GAP,
  LB_PATCH_STATE_SOURCE,
  LB_PATCH_STATE_LENGTH,
  LB_PATCH_STATE_LITERALS,
  LB_PATCH_STATE_UNITS,
  LB_PATCH_STATE_BYTES,
  LB_PATCH_STATE_CHECKSUM,
  LB_PATCH_STATE_DIGEST,
  LB_PATCH_STATE_LAST,
  LB_PATCH_STATE_DONE
};

/* For the encoder: begins behind the header and the base's digest, and makes a step. LB_MORE, LB_OK at the end. */
int lb_patch_begin_body(struct lb_patch *patch, const struct lb_patch_info *info);
int lb_patch_step(struct lb_patch *patch);
bool lb_patch_in_body(const struct lb_patch *patch);

#endif
