// SPDX-License-Identifier: MIT
/* Bytes of a patch come in, bytes of the result go out: a buffer for each, and steps of the decoder between them. */
#include "lib/patch/patch_parts.h"

#include <string.h>

int lb_patch_start(struct lb_patch *patch, uint32_t memory, const struct lb_patch_config *config)
{
  if (memory < sizeof(struct lb_patch_small) || !config->read_result || !config->write_result || !config->sha256 ||
      (config->base_limit && !config->read_base)) {
    return LB_ERR_ARGUMENT;
  }
  memset(patch, 0, sizeof(*patch));
  patch->config = config;
  patch->memory = memory;
  patch->input = lb_patch_arena(patch);
  return LB_OK;
}

const struct lb_patch_info *lb_patch_info(const struct lb_patch *patch)
{
  return patch->state > LB_PATCH_STATE_HEADER ? &patch->info : NULL;
}

static uint32_t input_length(const struct lb_patch *patch)
{
  return (uint32_t)patch->input_end - patch->input_start;
}

/* memmove to lower addresses; the library has none. */
static void move_down(uint8_t *bytes, const uint8_t *from, uint32_t length)
{
  for (uint32_t i = 0; bytes != from && i < length; i++) {
    bytes[i] = from[i];
  }
}

/* ---- the result goes out ---- */

/* Adds the bytes that were just written to the checksum, as far as they are in segments. */
static void add_to_checksum(struct lb_patch *patch, uint32_t length)
{
  struct lb_patch_image *image = &patch->result_image;
  uint32_t end = patch->written + length;
  for (uint32_t i = 0; i < image->known; i++) {
    const struct lb_patch_segment *segment = &image->segments[i];
    uint32_t first = segment->offset > patch->written ? segment->offset : patch->written;
    uint32_t behind = segment->offset + segment->length < end ? segment->offset + segment->length : end;
    for (uint32_t offset = first; offset < behind; offset++) {
      image->checksum ^= patch->output[offset - patch->written];
    }
  }
}

/* Hands bytes over, maybe only some of them. */
static int flush(struct lb_patch *patch)
{
  const struct lb_patch_config *config = patch->config;
  uint32_t length = patch->position - patch->written;
  uint32_t used = 0;
  int result = config->write_result(config->context, patch->output, length, &used);
  if (result != LB_OK) {
    return result < LB_OK ? result : LB_ERR_STATE;
  }
  if (used > length) {
    return LB_ERR_STATE;
  }
  /* the digest itself is not hashed */
  if (patch->state != LB_PATCH_STATE_LAST && used) {
    add_to_checksum(patch, used);
    if (config->sha256->update(config->sha256->context, patch->output, used) != 0) {
      return LB_ERR_HASH;
    }
  }
  move_down(patch->output, patch->output + used, length - used);
  patch->written += used;
  return LB_OK;
}

/* Must bytes be handed over before the next step? It makes LB_PATCH_UNIT of them at the most, the end as many as fit.
 */
static bool must_flush(const struct lb_patch *patch)
{
  uint32_t length = patch->position - patch->written;
  if (patch->state <= LB_PATCH_STATE_BASE) {
    return false;
  }
  return length + LB_PATCH_UNIT > patch->profile->output || (patch->state >= LB_PATCH_STATE_CHECKSUM && length);
}

/* ---- working ---- */

/* Is there enough of the patch for the next step, or will there never be more? */
static bool may_step(const struct lb_patch *patch)
{
  uint32_t need = patch->state == LB_PATCH_STATE_HEADER ? LB_PATCH_HEADER_SIZE
                  : patch->state == LB_PATCH_STATE_BASE || patch->state >= LB_PATCH_STATE_CHECKSUM
                      ? 0
                      : LB_PATCH_STEP_INPUT;
  return patch->no_more || input_length(patch) >= need;
}

/* Works until bytes were handed over, a piece of the base was read, or bytes of the patch are needed. */
static int work(struct lb_patch *patch)
{
  while (patch->result == LB_OK && patch->state != LB_PATCH_STATE_DONE) {
    if (must_flush(patch)) {
      patch->result = flush(patch);
      break;
    }
    if (!may_step(patch)) {
      break;
    }
    bool reads_base = patch->state == LB_PATCH_STATE_BASE;
    int result = lb_patch_step(patch);
    patch->result = result < LB_OK ? result : LB_OK;
    if (reads_base) {
      break;
    }
  }
  return patch->result;
}

/* ---- the patch comes in ---- */

/* Puts as many bytes as there is room for behind those that were not used yet. */
static uint32_t take_input(struct lb_patch *patch, const uint8_t *bytes, uint32_t length)
{
  if (length > LB_PATCH_INPUT - patch->input_end) {
    uint32_t kept = input_length(patch);
    move_down(patch->input, patch->input + patch->input_start, kept);
    patch->input_start = 0;
    patch->input_end = (uint16_t)kept;
  }
  uint32_t room = LB_PATCH_INPUT - patch->input_end;
  length = length < room ? length : room;
  memcpy(patch->input + patch->input_end, bytes, length);
  patch->input_end = (uint16_t)(patch->input_end + length);
  patch->crc = lb_patch_crc(patch->crc, patch->taken, bytes, length);
  patch->taken += length;
  return length;
}

int lb_patch_write(struct lb_patch *patch, const void *data, uint32_t length, uint32_t *used)
{
  *used = 0;
  if (patch->result != LB_OK) {
    return patch->result;
  }
  if (patch->no_more) {
    return LB_ERR_STATE;
  }
  if (length) {
    if (patch->state == LB_PATCH_STATE_DONE) {
      patch->result = LB_ERR_PATCH_CORRUPT;
      return patch->result;
    }
    *used = take_input(patch, data, length);
  }
  return work(patch);
}

int lb_patch_finish(struct lb_patch *patch)
{
  patch->no_more = true;
  int result = work(patch);
  if (result != LB_OK) {
    return result;
  }
  if (patch->state != LB_PATCH_STATE_DONE) {
    return LB_MORE;
  }
  if (input_length(patch)) {
    patch->result = LB_ERR_PATCH_CORRUPT;
  } else if (patch->crc != patch->info.crc) {
    patch->result = LB_ERR_PATCH_CRC;
  }
  return patch->result;
}
