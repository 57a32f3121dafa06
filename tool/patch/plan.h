// SPDX-License-Identifier: MIT
/* How a result is put together out of a base: what the encoder's parts hand to each other. */
#ifndef LIFEBOAT_PATCH_PLAN_H
#define LIFEBOAT_PATCH_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/patch/patch_parts.h"
#include "tool/patch/make.h"

/* An image in memory, with LB_PATCH_AHEAD bytes of 0 behind it. */
struct patch_picture {
  const uint8_t *bytes;
  uint32_t length;
  struct lb_patch_image image;
  struct lb_patch_segment segments[16];
};

/* Both images, and what knows their instructions. */
struct patch_view {
  struct patch_picture *base;
  struct patch_picture *result;
  const struct lb_patch_walker *walker;
};

/* A piece of the result that is copied. */
struct patch_block {
  uint32_t place; /* in the result */
  uint32_t source;
  uint32_t length;
  bool from_base;
};

/* Addresses of the base that lie together in the result, too. */
struct patch_span {
  uint32_t start;
  uint32_t end;
  uint32_t shift;
  uint32_t weight;
};

struct patch_plan {
  struct patch_block *blocks;
  uint32_t count;
  uint32_t room;
  struct patch_span *spans; /* where everything went, sorted */
  uint32_t span_count;
  struct lb_patch_range *ranges; /* the map that is sent: less exact */
  uint32_t range_count;
};

struct patch_tuning {
  int switch_gain;  /* bytes that a new match has to be better than going on */
  int switch_price; /* of the refinement, in tenths of bits */
  int literal_price;
};

#define PATCH_PROBABILITIES 65536U
#define PATCH_PIECE         0x8000U /* bytes after which progress is told */

/* What all parts need to know about what they are part of. */
struct patch_job {
  const struct patch_make_options *options;
  float *prices; /* bits of a decision, by its probability of PATCH_PROBABILITIES */
  /* thousandths of all: where what is tried now begins and ends, and its phase */
  uint32_t tried;
  uint32_t try_end;
  uint32_t phase_start;
  uint32_t phase_end;
};

/* ---- job.c: all functions that return an int return 0 or an error of make.h ---- */
int patch_job_open(struct patch_job *job, const struct patch_make_options *options);
void patch_job_free(struct patch_job *job);
/* Another way is tried; then a phase of it, of about so much of its time. */
void patch_job_try(struct patch_job *job);
void patch_job_phase(struct patch_job *job, uint32_t percent);
/* So much of the phase is done. PATCH_CANCELLED. */
int patch_job_at(struct patch_job *job, uint32_t done, uint32_t total);

/* ---- digest.c ---- */
int patch_sha256(const uint8_t *bytes, uint32_t length, uint8_t *digest);

/* ---- plan.c ---- */
int patch_plan_add(struct patch_plan *plan, const struct patch_block *block);
void patch_plan_free(struct patch_plan *plan);
void patch_picture_open(struct patch_picture *picture, const uint8_t *bytes, uint32_t length, bool segments);

/* ---- map.c, reduce.c ---- */
/* Tells in the spans of `map` where the blocks of `plan` went; then in the plan's ranges, at most `limit`, what it
 * refers to. */
int patch_map_spans(struct patch_plan *map, const struct patch_plan *plan, const struct patch_view *view);
int patch_map_make(struct patch_plan *plan, const struct patch_view *view, uint32_t limit);
/* Takes out the spans that are worth the least until `limit` are left, and those worth less than a range costs. */
int patch_reduce(struct patch_span *spans, uint32_t *count, uint32_t limit);
bool patch_map_look_up(const struct patch_plan *plan, uint32_t address, uint32_t *shift);

/* ---- mask.c ---- */
/* A copy in which the fields that hold addresses are 0, or with a map what they should become. */
uint8_t *patch_mask(struct patch_picture *picture, const struct lb_patch_walker *walker, const struct patch_plan *map,
                    bool is_base);

/* ---- match.c, refine.c ---- */
struct patch_pair {
  const uint8_t *base;
  uint32_t base_length;
  const uint8_t *result;
  uint32_t result_length;
};
int patch_match(struct patch_job *job, struct patch_plan *plan, const struct patch_pair *pair, const int32_t *suffixes,
                const struct patch_tuning *tuning);
int32_t *patch_suffixes(const uint8_t *bytes, uint32_t length);
int patch_refine(struct patch_job *job, struct patch_plan *plan, const struct patch_pair *pair,
                 const struct patch_tuning *tuning);

/* ---- lz.c ---- */
int patch_lz(struct patch_job *job, struct patch_plan *plan, const uint8_t *bytes, uint32_t length,
             const float *literals);

/* ---- encode.c ---- */
struct patch_costs {
  double bits[LB_PATCH_CATEGORIES];
  float *places; /* the caller's, or NULL: bits that were spent at each byte of the result */
};
/* Codes a plan; `patch` gets the header and all that follows. Without a patch only the costs are told. */
int patch_encode(struct patch_job *job, const struct patch_plan *plan, const struct patch_view *view,
                 struct lb_patch_info *info, struct patch_bytes *patch, struct patch_costs *costs);

#endif
