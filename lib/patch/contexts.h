// SPDX-License-Identifier: MIT
/* Where each flag lies in its table. */
#ifndef LIFEBOAT_PATCH_CONTEXTS_H
#define LIFEBOAT_PATCH_CONTEXTS_H

#include "lib/patch/patch_parts.h"

#define STRUCTURE_TRUSTS 4U
#define HIT_CONTEXTS     16U

/* fine flags: 1 says that a unit is not as predicted */
static inline lb_patch_fine *equal_flag(struct lb_patch *patch, uint32_t class, uint32_t level)
{
  return &patch->equal[class * patch->profile->levels + level];
}

static inline lb_patch_fine *structure_equal_flag(struct lb_patch *patch, uint32_t trust, uint32_t level)
{
  return &patch->structure_equal[trust * patch->profile->levels + level];
}

static inline lb_patch_fine *hit_flag(struct lb_patch *patch, uint32_t kind, uint32_t context, uint32_t history)
{
  uint32_t count = patch->profile->hit_history;
  kind = kind < patch->profile->flag_kinds - 1U ? kind : patch->profile->flag_kinds - 2U;
  return &patch->hit[(kind * HIT_CONTEXTS + context) * count + (history & (count - 1U))];
}

/* coarse flags; how many there are depends on the profile */
enum {
  OTHER_AT = 0,
  STRUCTURE_HIT_AT = OTHER_AT + LB_PATCH_KINDS * LB_PATCH_SOURCES,
  SAME_AT = STRUCTURE_HIT_AT + STRUCTURE_TRUSTS,
  SKIP_AT = SAME_AT + 3U,
  REPEAT_AT = SKIP_AT + 3U,
  SIGN_AT = REPEAT_AT + LB_PATCH_REPEATS,
  FROM_AT = SIGN_AT + 2U,
  DISTANCE_AT = FROM_AT + 6U,
  BYTE_EQUAL_AT = DISTANCE_AT + LB_PATCH_REPEATS, /* 24 for each kind */
};

static inline uint32_t coarse_count(const struct lb_patch_profile *profile)
{
  return BYTE_EQUAL_AT + 24U * profile->flag_kinds;
}

static inline lb_patch_coarse *other_flag(struct lb_patch *patch, uint32_t kind, uint32_t source)
{
  return &patch->coarse[OTHER_AT + kind * LB_PATCH_SOURCES + source];
}

static inline lb_patch_coarse *byte_equal_flag(struct lb_patch *patch, uint32_t kind, uint32_t index, uint32_t changed)
{
  kind = kind < patch->profile->flag_kinds ? kind : patch->profile->flag_kinds - 1U;
  return &patch->coarse[BYTE_EQUAL_AT + kind * 24U + index * 8U + changed];
}

static inline lb_patch_coarse *structure_hit_flag(struct lb_patch *patch, uint32_t trust)
{
  return &patch->coarse[STRUCTURE_HIT_AT + trust];
}

/* numbers: sets of prefixes, and the mantissas behind them; in a small profile each use has but one set, all one
 * mantissa */
enum number_use { GAP, LENGTH, OFFSET, COPY_LENGTH, COPY_DISTANCE, NUMBER_USES };
enum { NUMBER_SETS = 15 };

static inline uint32_t number_count(const struct lb_patch_profile *profile)
{
  return profile->numbers * LB_PATCH_NUMBER_BITS +
         (profile->numbers == NUMBER_SETS ? NUMBER_USES : 1U) * LB_PATCH_MANTISSA;
}

/* weights: of corrections in plain units and addresses, of literals */
enum { WEIGHTS_LITERAL = 8, WEIGHT_SETS = 16 };

#endif
