// SPDX-License-Identifier: MIT
#include "lib/patch/patch_parts.h"

#include "lib/patch/tables.h"

/* The range decoder: 32 bits of range, of which at least 24 are used. */

static uint8_t next_byte(struct lb_patch *patch)
{
  if (patch->input_start < patch->input_end) {
    return patch->input[patch->input_start++];
  }
  /* the encoder leaves out zeros at the end */
  if (patch->overrun < UINT8_MAX) {
    patch->overrun++;
  }
  return 0;
}

void lb_patch_begin_code(struct lb_patch *patch)
{
  patch->range = 0xFFFFFFFFU;
  patch->code = 0;
  for (uint32_t i = 0; i < 4U; i++) {
    patch->code = patch->code << 8 | next_byte(patch);
  }
}

uint32_t lb_patch_bit(struct lb_patch *patch, uint32_t one, uint32_t wanted)
{
  if (patch->guide) {
    return patch->guide->bit(patch->guide->context, one, wanted, patch->category);
  }
  uint32_t bound = (patch->range >> 16) * one;
  uint32_t bit = patch->code < bound;
  if (bit) {
    patch->range = bound;
  } else {
    patch->code -= bound;
    patch->range -= bound;
  }
  while (patch->range < 0x1000000U) {
    patch->range <<= 8;
    patch->code = patch->code << 8 | next_byte(patch);
  }
  return bit;
}

/* ---- flags ---- */

#define FINE_ONE   (1U << 22)
#define FINE_LEAST 64U

uint32_t lb_patch_fine_bit(struct lb_patch *patch, lb_patch_fine *flag, uint32_t limit, uint32_t wanted)
{
  uint32_t one = *flag >> 10;
  uint32_t seen = *flag & 1023U;
  uint32_t bit = lb_patch_bit(patch, one >> 6, wanted);
  /* the mean of all that was seen, until there are so many that the oldest have to be forgotten */
  uint32_t rate = 131072U / (2U * seen + 3U);
  if (bit) {
    one += (uint32_t)((uint64_t)(FINE_ONE - one) * rate >> 16);
  } else {
    one -= (uint32_t)((uint64_t)one * rate >> 16);
  }
  one = one < FINE_LEAST ? FINE_LEAST : one > FINE_ONE - FINE_LEAST ? FINE_ONE - FINE_LEAST : one;
  *flag = one << 10 | (seen < limit ? seen + 1U : seen);
  return bit;
}

void lb_patch_fine_fill(lb_patch_fine *flags, uint32_t count, uint32_t one, uint32_t seen)
{
  for (uint32_t i = 0; i < count; i++) {
    flags[i] = one << 16 | seen;
  }
}

static void coarse_update(lb_patch_coarse *flag, uint32_t bit)
{
  uint32_t one = *flag >> 4;
  uint32_t seen = *flag & 15U;
  uint32_t rate = lb_patch_rates[seen];
  if (bit) {
    one += (4095U - one) * rate >> 16;
  } else {
    one -= one * rate >> 16;
  }
  *flag = (uint16_t)(one << 4 | (seen < 15U ? seen + 1U : seen));
}

uint32_t lb_patch_coarse_bit(struct lb_patch *patch, lb_patch_coarse *flag, uint32_t wanted)
{
  uint32_t bit = lb_patch_bit(patch, (uint32_t)(*flag >> 4) * 16U + 8U, wanted);
  coarse_update(flag, bit);
  return bit;
}

void lb_patch_coarse_fill(lb_patch_coarse *flags, uint32_t count, uint32_t one)
{
  for (uint32_t i = 0; i < count; i++) {
    flags[i] = (uint16_t)(one << 4);
  }
}

/* ---- mixing ----
 * A probability p counts as log2(p / (1 - p)), in 1/256. The weighted sum of several such is what is mixed.
 */

/* 256 * log2(value), of 1 to 4095 */
static int32_t log2_of(uint32_t value)
{
  int32_t exponent = 11;
  if (value < 64U) {
    value <<= 6;
    exponent -= 6;
  }
  while (value < 2048U) {
    value <<= 1;
    exponent--;
  }
  return exponent * 256 + lb_patch_log2[(value - 2048U) >> 3];
}

static int32_t stretch(uint32_t one)
{
  return log2_of(one) - log2_of(4096U - one);
}

/* The probability, of 65536, that belongs to a sum. */
static uint32_t squash(int32_t sum)
{
  uint32_t size = (uint32_t)(sum < 0 ? -sum : sum);
  if (size > 2815U) {
    size = 2815U;
  }
  uint32_t power = (65536U + lb_patch_exp2[size & 255U]) << (size >> 8);
  uint32_t less = 0xFFFFFFFFU / (65536U + power);
  return sum < 0 ? less : 65536U - less;
}

#define WEIGHT_SHIFT 14

static void learn_weight(int16_t *weight, int32_t error, int32_t input)
{
  int32_t change = error * input; /* 17 and 13 bits */
  int32_t rounded = (change < 0 ? -((-change + 32768) >> 16) : (change + 32768) >> 16);
  int32_t sum = *weight + rounded;
  *weight = (int16_t)(sum > INT16_MAX ? INT16_MAX : sum < -INT16_MAX ? -INT16_MAX : sum);
}

static uint32_t mixed_bit(struct lb_patch *patch, lb_patch_coarse *const *flags, uint32_t count, int16_t *weights,
                          uint32_t wanted)
{
  int32_t inputs[LB_PATCH_BYTE_CONTEXTS];
  int32_t sum = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t one = *flags[i] >> 4;
    inputs[i] = stretch(one ? one : 1U);
    sum += weights[i] * inputs[i];
  }
  sum = sum < 0 ? -(-sum >> WEIGHT_SHIFT) : sum >> WEIGHT_SHIFT;
  uint32_t one = squash(sum);
  uint32_t bit = lb_patch_bit(patch, one, wanted);
  int32_t error = (int32_t)(bit << 16) - (int32_t)one;
  for (uint32_t i = 0; i < count; i++) {
    learn_weight(&weights[i], error, inputs[i]);
    coarse_update(flags[i], bit);
  }
  return bit;
}

uint32_t lb_patch_hash(uint32_t value)
{
  value *= 0x9E3779B1U;
  value ^= value >> 15;
  value *= 0x85EBCA77U;
  return value ^ value >> 13;
}

uint8_t lb_patch_byte(struct lb_patch *patch, const uint32_t *contexts, uint32_t count, uint32_t set, uint8_t wanted)
{
  int16_t *weights = &patch->weights[(set >> patch->profile->weight_shift) * LB_PATCH_BYTE_CONTEXTS];
  uint32_t node = 1;
  for (uint32_t mask = 0x80; mask; mask >>= 1) {
    lb_patch_coarse *flags[LB_PATCH_BYTE_CONTEXTS];
    for (uint32_t i = 0; i < count; i++) {
      uint32_t hash = lb_patch_hash(contexts[i] * 0x01000193U + node * 0x2545F491U + i * 0x3C6EF372U);
      flags[i] = &patch->slots[(uint32_t)((uint64_t)hash * patch->slot_count >> 32)];
    }
    node = node << 1 | mixed_bit(patch, flags, count, weights, (wanted & mask) != 0);
  }
  return (uint8_t)node;
}

/* ---- numbers ---- */

#define NUMBER_LONGEST 31U

static uint32_t least(uint32_t a, uint32_t b)
{
  return a < b ? a : b;
}

uint32_t lb_patch_number(struct lb_patch *patch, lb_patch_coarse *prefix, lb_patch_coarse *mantissa, uint32_t wanted)
{
  uint32_t bits = 0; /* behind the leading one of the number plus one */
  while (bits < NUMBER_LONGEST &&
         lb_patch_coarse_bit(patch, &prefix[least(bits, LB_PATCH_NUMBER_BITS - 1U)], (wanted + 1U) >> bits > 1U)) {
    bits++;
  }
  uint32_t value = 1;
  mantissa += 3U * least(bits, LB_PATCH_MANTISSA_BITS - 1U);
  for (uint32_t i = bits; i-- > 0;) {
    uint32_t bit = ((wanted + 1U) >> i) & 1U;
    if (i + 1U == bits) {
      bit = lb_patch_coarse_bit(patch, &mantissa[0], bit);
    } else if (i + 2U == bits) {
      bit = lb_patch_coarse_bit(patch, &mantissa[1U + (value & 1U)], bit);
    } else {
      bit = lb_patch_bit(patch, 0x8000U, bit);
    }
    value = value << 1 | bit;
  }
  return value - 1U;
}
