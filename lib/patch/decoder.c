// SPDX-License-Identifier: MIT
/* The states of the decoder: each is one function, which returns LB_MORE, LB_OK at the end of all, or an error. */
#include "lib/patch/patch_parts.h"

#include <string.h>

#define TAIL_LONGEST 16U

static int to(struct lb_patch *patch, enum lb_patch_state state)
{
  patch->state = (uint8_t)state;
  return LB_MORE;
}

/* ---- before the result ---- */

int lb_patch_begin_body(struct lb_patch *patch, const struct lb_patch_info *info)
{
  static const struct lb_patch_walker *const walkers[LB_PATCH_WALKERS] = {
      [LB_PATCH_WALKER_NONE] = NULL,
      [LB_PATCH_WALKER_XTENSA] = &lb_patch_walker_xtensa,
      [LB_PATCH_WALKER_RISCV] = &lb_patch_walker_riscv,
  };
  patch->info = *info;
  patch->walker = walkers[info->walker];
  patch->base_length = info->base_length;
  patch->result_length = info->result_length;
  patch->body_length = info->result_length - (info->tail ? info->tail + LB_SHA256_SIZE : 0);
  int result = lb_patch_divide(patch);
  if (result != LB_OK) {
    return result;
  }
  lb_patch_read_base_segments(patch);
  patch->state = LB_PATCH_STATE_RANGE_COUNT;
  return patch->failure;
}

static int take_header(struct lb_patch *patch)
{
  if ((uint32_t)patch->input_end - patch->input_start < LB_PATCH_HEADER_SIZE) {
    return LB_ERR_PATCH_TRUNCATED;
  }
  const struct lb_patch_config *config = patch->config;
  struct lb_patch_info info;
  int result = lb_patch_read_header(&info, patch->input);
  if (result != LB_OK) {
    return result;
  }
  if (info.base_length > config->base_limit) {
    return LB_ERR_PATCH_BASE;
  }
  if (info.result_length > config->result_limit) {
    return LB_ERR_PATCH_TOO_LONG;
  }
  patch->input_start += LB_PATCH_HEADER_SIZE;
  result = lb_patch_begin_body(patch, &info);
  if (result == LB_OK && config->sha256->start(config->sha256->context) != 0) {
    result = LB_ERR_HASH;
  }
  return result == LB_OK ? to(patch, LB_PATCH_STATE_BASE) : result;
}

static int check_base(struct lb_patch *patch)
{
  const struct lb_hash *sha256 = patch->config->sha256;
  int result = lb_patch_check_base(patch);
  if (result != LB_OK) {
    return result;
  }
  return sha256->start(sha256->context) == 0 ? to(patch, LB_PATCH_STATE_CODE) : LB_ERR_HASH;
}

static int begin_code(struct lb_patch *patch)
{
  lb_patch_begin_code(patch);
  return to(patch, LB_PATCH_STATE_RANGE_COUNT);
}

static int read_range_count(struct lb_patch *patch)
{
  if (patch->walker && patch->base_length) {
    lb_patch_control_init(patch);
    int result = lb_patch_read_range_count(patch);
    return result == LB_OK ? to(patch, LB_PATCH_STATE_RANGES) : result;
  }
  return to(patch, LB_PATCH_STATE_RANGES);
}

static int read_ranges(struct lb_patch *patch)
{
  if (patch->ranges_known < patch->range_count) {
    int result = lb_patch_read_range(patch);
    return result == LB_OK ? LB_MORE : result;
  }
  lb_patch_divide_rest(patch);
  return to(patch, LB_PATCH_STATE_GAP);
}

/* ---- literals, then a copy ---- */

static int read_gap(struct lb_patch *patch)
{
  if (patch->position == patch->body_length) {
    return to(patch, LB_PATCH_STATE_CHECKSUM);
  }
  int result = lb_patch_read_gap(patch);
  if (result != LB_OK) {
    return result;
  }
  bool is_last = patch->gap == patch->body_length - patch->position;
  return to(patch, is_last ? LB_PATCH_STATE_LITERALS : LB_PATCH_STATE_SOURCE);
}

static int read_source(struct lb_patch *patch)
{
  int result = lb_patch_read_source(patch);
  return result == LB_OK ? to(patch, LB_PATCH_STATE_LENGTH) : result;
}

static int read_length(struct lb_patch *patch)
{
  int result = lb_patch_read_length(patch);
  return result == LB_OK ? to(patch, LB_PATCH_STATE_LITERALS) : result;
}

static int make_literals(struct lb_patch *patch)
{
  if (patch->gap) {
    lb_patch_literal(patch);
    patch->gap--;
    return LB_MORE;
  }
  if (!patch->remaining) {
    return to(patch, LB_PATCH_STATE_GAP);
  }
  if (!patch->from_base) {
    return to(patch, LB_PATCH_STATE_BYTES);
  }
  lb_patch_copy_begin(patch);
  return to(patch, LB_PATCH_STATE_UNITS);
}

static int end_copy(struct lb_patch *patch)
{
  patch->literal_unit = patch->position;
  patch->literal_before = 0;
  return to(patch, LB_PATCH_STATE_GAP);
}

static int make_unit(struct lb_patch *patch)
{
  if (!patch->remaining) {
    return end_copy(patch);
  }
  lb_patch_copy_unit(patch);
  return LB_MORE;
}

/* Copies bytes of the result, as many as fit the buffer; those of a distance below their count piece after piece. */
static int make_bytes(struct lb_patch *patch)
{
  uint8_t bytes[32];
  uint32_t distance = patch->position - patch->source;
  uint32_t room = patch->profile->output - (patch->position - patch->written);
  uint32_t length = patch->remaining < sizeof(bytes) ? patch->remaining : (uint32_t)sizeof(bytes);
  length = length < distance ? length : distance;
  length = length < room ? length : room;
  if (!length) {
    return end_copy(patch);
  }
  lb_patch_result_bytes(patch, patch->source, bytes, length);
  lb_patch_emit(patch, bytes, length);
  patch->source += length;
  patch->remaining -= length;
  return LB_MORE;
}

/* ---- the end of the result; all that was made is written before each of these steps ---- */

static int make_checksum(struct lb_patch *patch)
{
  if (patch->info.tail) {
    uint8_t bytes[TAIL_LONGEST] = {0};
    bytes[patch->info.tail - 1U] = (uint8_t)patch->result_image.checksum;
    lb_patch_emit(patch, bytes, patch->info.tail);
  }
  return to(patch, LB_PATCH_STATE_DIGEST);
}

static int make_digest(struct lb_patch *patch)
{
  const struct lb_hash *sha256 = patch->config->sha256;
  uint8_t digest[LB_SHA256_SIZE];
  if (sha256->finish(sha256->context, digest) != 0) {
    return LB_ERR_HASH;
  }
  if (memcmp(digest, patch->info.result_digest, LB_SHA256_SIZE) != 0) {
    return LB_ERR_PATCH_DIGEST;
  }
  if (patch->info.tail) {
    lb_patch_emit(patch, digest, LB_SHA256_SIZE);
  }
  return to(patch, LB_PATCH_STATE_LAST);
}

static int make_last(struct lb_patch *patch)
{
  patch->state = LB_PATCH_STATE_DONE;
  return LB_OK;
}

/* ---- all of them ---- */

#define OVERRUN_MOST 4U /* zeros that the encoder leaves out at the end */

int lb_patch_step(struct lb_patch *patch)
{
  static int (*const states[LB_PATCH_STATE_DONE])(struct lb_patch *) = {
      [LB_PATCH_STATE_HEADER] = take_header,     [LB_PATCH_STATE_BASE] = check_base,
      [LB_PATCH_STATE_CODE] = begin_code,        [LB_PATCH_STATE_RANGE_COUNT] = read_range_count,
      [LB_PATCH_STATE_RANGES] = read_ranges,     [LB_PATCH_STATE_GAP] = read_gap,
      [LB_PATCH_STATE_SOURCE] = read_source,     [LB_PATCH_STATE_LENGTH] = read_length,
      [LB_PATCH_STATE_LITERALS] = make_literals, [LB_PATCH_STATE_UNITS] = make_unit,
      [LB_PATCH_STATE_BYTES] = make_bytes,       [LB_PATCH_STATE_CHECKSUM] = make_checksum,
      [LB_PATCH_STATE_DIGEST] = make_digest,     [LB_PATCH_STATE_LAST] = make_last,
  };
  if (patch->state == LB_PATCH_STATE_DONE) {
    return LB_OK;
  }
  int result = states[patch->state](patch);
  if (patch->failure != LB_OK) {
    return patch->failure; /* what was decoded since is made up */
  }
  if (result >= LB_OK && patch->overrun > OVERRUN_MOST) {
    return LB_ERR_PATCH_TRUNCATED;
  }
  return result;
}

bool lb_patch_in_body(const struct lb_patch *patch)
{
  return patch->state < LB_PATCH_STATE_CHECKSUM;
}
