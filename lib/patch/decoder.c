// SPDX-License-Identifier: MIT
#include "lib/patch/patch_parts.h"

#include <string.h>

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"

/* ---- the header ---- */

enum { AT_VERSION = 3, AT_PROFILE = 4, AT_TAIL = 5, AT_CRC = 6, AT_BASE = 10, AT_RESULT = 14, AT_DIGESTS = 18 };

#define VERSION      1U
#define LONGEST      0x1000000U /* no image has more bytes */
#define TAIL_LONGEST 16U
#define IMAGE_START  24U /* bytes before the first segment's header */

int lb_patch_read_header(struct lb_patch_info *info, const uint8_t *header)
{
  static const uint8_t magic[3] = {'L', 'B', 'P'};
  if (memcmp(header, magic, sizeof(magic)) != 0) {
    return LB_ERR_PATCH_MAGIC;
  }
  if (header[AT_VERSION] != VERSION) {
    return LB_ERR_PATCH_VERSION;
  }
  info->profile = header[AT_PROFILE] & 15U;
  info->walker = header[AT_PROFILE] >> 4;
  info->tail = header[AT_TAIL];
  info->crc = lb_load_le32(header + AT_CRC);
  info->base_length = lb_load_le32(header + AT_BASE);
  info->result_length = lb_load_le32(header + AT_RESULT);
  memcpy(info->base_digest, header + AT_DIGESTS, LB_PATCH_BASE_DIGEST);
  memcpy(info->result_digest, header + AT_DIGESTS + LB_PATCH_BASE_DIGEST, LB_PATCH_RESULT_DIGEST);
  uint32_t computed = info->tail ? info->tail + LB_SHA256_SIZE : 0;
  if (lb_patch_memory(info->profile) == 0 || info->walker >= LB_PATCH_WALKERS || info->tail > TAIL_LONGEST ||
      info->base_length > LONGEST || info->result_length > LONGEST || info->result_length < computed) {
    return LB_ERR_PATCH_HEADER;
  }
  return LB_OK;
}

void lb_patch_store_header(const struct lb_patch_info *info, uint8_t *header)
{
  static const uint8_t magic[3] = {'L', 'B', 'P'};
  memcpy(header, magic, sizeof(magic));
  header[AT_VERSION] = VERSION;
  header[AT_PROFILE] = (uint8_t)(info->profile | info->walker << 4);
  header[AT_TAIL] = info->tail;
  lb_store_le32(header + AT_CRC, info->crc);
  lb_store_le32(header + AT_BASE, info->base_length);
  lb_store_le32(header + AT_RESULT, info->result_length);
  memcpy(header + AT_DIGESTS, info->base_digest, LB_PATCH_BASE_DIGEST);
  memcpy(header + AT_DIGESTS + LB_PATCH_BASE_DIGEST, info->result_digest, LB_PATCH_RESULT_DIGEST);
}

/* ---- states: each is one function, which returns LB_MORE, LB_OK at the end of all, or an error ---- */

enum state {
  STATE_HEADER,
  STATE_BASE,
  STATE_CODE,
  STATE_RANGE_COUNT,
  STATE_RANGES,
  STATE_GAP,
  STATE_SOURCE,
  STATE_LENGTH,
  STATE_LITERALS,
  STATE_UNITS,
  STATE_BYTES,
  STATE_CHECKSUM,
  STATE_DIGEST,
  STATE_LAST,
  STATE_DONE
};

static int to(struct lb_patch *patch, enum state state)
{
  patch->state = (uint8_t)state;
  return LB_MORE;
}

static uint32_t input_length(const struct lb_patch *patch)
{
  return (uint32_t)patch->input_end - patch->input_start;
}

static int take_header(struct lb_patch *patch)
{
  if (input_length(patch) < LB_PATCH_HEADER_SIZE) {
    return LB_ERR_PATCH_TRUNCATED;
  }
  struct lb_patch_info *info = &patch->info;
  int result = lb_patch_read_header(info, patch->input);
  if (result != LB_OK) {
    return result;
  }
  if (info->base_length > patch->base_limit) {
    return LB_ERR_PATCH_BASE;
  }
  if (info->result_length > patch->result_limit) {
    return LB_ERR_PATCH_TOO_LONG;
  }
  patch->input_start += LB_PATCH_HEADER_SIZE;
  result = lb_patch_begin_body(patch, info);
  if (result == LB_OK && patch->sha256->start(patch->sha256->context) != 0) {
    result = LB_ERR_HASH;
  }
  return result == LB_OK ? to(patch, STATE_BASE) : result;
}

/* Reads a piece of the base into the memory that is not yet used otherwise. */
static int check_base(struct lb_patch *patch)
{
  uint8_t *buffer = (uint8_t *)patch->ranges;
  uint32_t room = patch->profile->arena - (uint32_t)(buffer - (uint8_t *)(patch + 1));
  room = room < LB_PATCH_STEP ? room : LB_PATCH_STEP;
  uint32_t left = patch->base_length - patch->source;
  uint32_t length = left < room ? left : room;
  uint8_t digest[LB_SHA256_SIZE];
  if (length) {
    if (patch->read_base(patch->context, patch->source, buffer, length) != 0) {
      return LB_ERR_PATCH_READ;
    }
    patch->source += length;
    return patch->sha256->update(patch->sha256->context, buffer, length) == 0 ? LB_MORE : LB_ERR_HASH;
  }
  if (patch->sha256->finish(patch->sha256->context, digest) != 0) {
    return LB_ERR_HASH;
  }
  if (patch->base_length && memcmp(digest, patch->info.base_digest, LB_PATCH_BASE_DIGEST) != 0) {
    return LB_ERR_PATCH_BASE;
  }
  if (patch->sha256->start(patch->sha256->context) != 0) {
    return LB_ERR_HASH;
  }
  return to(patch, STATE_CODE);
}

static int begin_code(struct lb_patch *patch)
{
  patch->range = 0xFFFFFFFFU;
  patch->code = 0;
  for (uint32_t i = 0; i < 4U; i++) {
    uint8_t byte = 0;
    if (patch->input_start < patch->input_end) {
      byte = patch->input[patch->input_start++];
    } else {
      patch->overrun++;
    }
    patch->code = patch->code << 8 | byte;
  }
  return to(patch, STATE_RANGE_COUNT);
}

static int read_range_count(struct lb_patch *patch)
{
  if (patch->walker && patch->base_length) {
    lb_patch_control_init(patch);
    int result = lb_patch_read_range_count(patch);
    return result == LB_OK ? to(patch, STATE_RANGES) : result;
  }
  return to(patch, STATE_RANGES);
}

static int read_ranges(struct lb_patch *patch)
{
  if (patch->ranges_known < patch->range_count) {
    lb_patch_read_range(patch);
    return LB_MORE;
  }
  lb_patch_divide_rest(patch);
  return to(patch, STATE_GAP);
}

static int read_gap(struct lb_patch *patch)
{
  if (patch->position == patch->body_length) {
    return to(patch, STATE_CHECKSUM);
  }
  int result = lb_patch_read_gap(patch);
  if (result != LB_OK) {
    return result;
  }
  return to(patch, patch->gap == patch->body_length - patch->position ? STATE_LITERALS : STATE_SOURCE);
}

static int read_source(struct lb_patch *patch)
{
  int result = lb_patch_read_source(patch);
  return result == LB_OK ? to(patch, STATE_LENGTH) : result;
}

static int read_length(struct lb_patch *patch)
{
  int result = lb_patch_read_length(patch);
  return result == LB_OK ? to(patch, STATE_LITERALS) : result;
}

static int make_literals(struct lb_patch *patch)
{
  if (patch->gap) {
    lb_patch_literal(patch);
    patch->gap--;
    return LB_MORE;
  }
  if (patch->remaining && patch->from_base) {
    lb_patch_copy_begin(patch);
  }
  return to(patch, !patch->remaining ? STATE_GAP : patch->from_base ? STATE_UNITS : STATE_BYTES);
}

static int end_copy(struct lb_patch *patch)
{
  patch->literal_unit = patch->position;
  patch->literal_before = 0;
  return to(patch, STATE_GAP);
}

static int make_unit(struct lb_patch *patch)
{
  if (!patch->remaining) {
    return end_copy(patch);
  }
  lb_patch_copy_unit(patch);
  return LB_MORE;
}

/* Copies bytes of the result, as many as fit the buffer; those of a distance below their count one piece after another.
 */
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

/* ---- the end of the result ---- */

static int make_checksum(struct lb_patch *patch)
{
  if (patch->written < patch->position) {
    return LB_MORE;
  }
  if (patch->info.tail) {
    uint8_t bytes[TAIL_LONGEST] = {0};
    bytes[patch->info.tail - 1U] = (uint8_t)patch->result_image.checksum;
    lb_patch_emit(patch, bytes, patch->info.tail);
  }
  return to(patch, STATE_DIGEST);
}

static int make_digest(struct lb_patch *patch)
{
  uint8_t digest[LB_SHA256_SIZE];
  if (patch->written < patch->position) {
    return LB_MORE;
  }
  if (patch->sha256->finish(patch->sha256->context, digest) != 0) {
    return LB_ERR_HASH;
  }
  if (memcmp(digest, patch->info.result_digest, LB_PATCH_RESULT_DIGEST) != 0) {
    return LB_ERR_PATCH_DIGEST;
  }
  if (patch->info.tail) {
    lb_patch_emit(patch, digest, LB_SHA256_SIZE);
  }
  return to(patch, STATE_LAST);
}

static int make_last(struct lb_patch *patch)
{
  if (patch->written < patch->position) {
    return LB_MORE;
  }
  patch->state = STATE_DONE;
  return LB_OK;
}

static int done(struct lb_patch *patch)
{
  (void)patch;
  return LB_OK;
}

int lb_patch_step(struct lb_patch *patch)
{
  static int (*const states[])(struct lb_patch *) = {
      [STATE_HEADER] = take_header,
      [STATE_BASE] = check_base,
      [STATE_CODE] = begin_code,
      [STATE_RANGE_COUNT] = read_range_count,
      [STATE_RANGES] = read_ranges,
      [STATE_GAP] = read_gap,
      [STATE_SOURCE] = read_source,
      [STATE_LENGTH] = read_length,
      [STATE_LITERALS] = make_literals,
      [STATE_UNITS] = make_unit,
      [STATE_BYTES] = make_bytes,
      [STATE_CHECKSUM] = make_checksum,
      [STATE_DIGEST] = make_digest,
      [STATE_LAST] = make_last,
      [STATE_DONE] = done,
  };
  int result = states[patch->state](patch);
  if (result >= LB_OK && patch->failed_read) {
    result = LB_ERR_PATCH_READ;
  }
  if (result >= LB_OK && patch->overrun > 4U) {
    result = LB_ERR_PATCH_TRUNCATED;
  }
  return result;
}

bool lb_patch_in_body(const struct lb_patch *patch)
{
  return patch->state < STATE_CHECKSUM;
}

/* ---- beginning ---- */

static void read_base_segments(struct lb_patch *patch)
{
  struct lb_patch_image *image = &patch->base_image;
  uint8_t bytes[8];
  if (patch->base_length < IMAGE_START + 8U) {
    return;
  }
  if (patch->read_base(patch->context, 0, bytes, 2) != 0) {
    patch->failed_read = true;
    return;
  }
  lb_patch_image_header(image, bytes[0] == 0xE9 ? bytes[1] : 0);
  while (image->known < image->count && image->next + 8U <= patch->base_length) {
    if (patch->read_base(patch->context, image->next, bytes, 8) != 0) {
      patch->failed_read = true;
      return;
    }
    lb_patch_image_segment(image, bytes, patch->base_length);
  }
}

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
  read_base_segments(patch);
  patch->state = STATE_RANGE_COUNT;
  return patch->failed_read ? LB_ERR_PATCH_READ : LB_OK;
}

int lb_patch_start(struct lb_patch *patch, uint32_t memory, const struct lb_patch_config *config)
{
  if (memory < LB_PATCH_MEMORY_SMALL || !config->read_result || !config->write_result || !config->sha256 ||
      (config->base_limit && !config->read_base)) {
    return LB_ERR_ARGUMENT;
  }
  memset(patch, 0, sizeof(*patch));
  patch->context = config->context;
  patch->read_base = config->read_base;
  patch->read_result = config->read_result;
  patch->write_result = config->write_result;
  patch->sha256 = config->sha256;
  patch->memory = memory;
  patch->base_limit = config->base_limit;
  patch->result_limit = config->result_limit;
  patch->input = (uint8_t *)(patch + 1);
  return LB_OK;
}

const struct lb_patch_info *lb_patch_info(const struct lb_patch *patch)
{
  return patch->state > STATE_HEADER ? &patch->info : NULL;
}

/* ---- running ---- */

/* Overlapping bytes, to a lower place. */
static void move_down(uint8_t *to_bytes, const uint8_t *from, uint32_t length)
{
  for (uint32_t i = 0; to_bytes != from && i < length; i++) {
    to_bytes[i] = from[i];
  }
}

static void add_to_checksum(struct lb_patch *patch, const uint8_t *bytes, uint32_t length)
{
  struct lb_patch_image *image = &patch->result_image;
  for (uint32_t i = 0; i < length; i++) {
    if (lb_patch_segment_at(image, patch->written + i)) {
      image->checksum ^= bytes[i];
    }
  }
}

/* Hands bytes over. They are hashed and summed up, as far as they are not a digest themselves. */
static int flush(struct lb_patch *patch)
{
  uint32_t length = patch->position - patch->written;
  uint32_t used = 0;
  if (patch->write_result(patch->context, patch->output, length, &used) != 0 || used > length) {
    return LB_ERR_PATCH_WRITE;
  }
  if (patch->state != STATE_LAST && used) {
    add_to_checksum(patch, patch->output, used);
    if (patch->sha256->update(patch->sha256->context, patch->output, used) != 0) {
      return LB_ERR_HASH;
    }
  }
  move_down(patch->output, patch->output + used, length - used);
  patch->written += used;
  return LB_OK;
}

/* Must bytes be handed over before the next step? */
static bool must_flush(const struct lb_patch *patch)
{
  uint32_t length = patch->position - patch->written;
  if (patch->state <= STATE_BASE) {
    return false;
  }
  return length + LB_PATCH_UNIT > patch->profile->output || (patch->state >= STATE_CHECKSUM && length);
}

static bool may_step(const struct lb_patch *patch)
{
  uint32_t need = patch->state == STATE_HEADER    ? LB_PATCH_HEADER_SIZE
                  : patch->state == STATE_BASE    ? 0
                  : patch->state < STATE_CHECKSUM ? LB_PATCH_STEP_INPUT
                                                  : 0;
  return patch->no_more || input_length(patch) >= need;
}

/* Works until bytes were handed over, a piece of the base was read, or bytes of the patch are needed. */
static int work(struct lb_patch *patch)
{
  while (patch->result == LB_OK && patch->state != STATE_DONE) {
    if (must_flush(patch)) {
      patch->result = flush(patch);
      break;
    }
    if (!may_step(patch)) {
      break;
    }
    bool pause = patch->state == STATE_BASE;
    int result = lb_patch_step(patch);
    patch->result = result < LB_OK ? result : LB_OK;
    if (pause) {
      break;
    }
  }
  return patch->result;
}

/* The CRC of what came, the field that holds it left out. */
static void add_to_crc(struct lb_patch *patch, const uint8_t *bytes, uint32_t length)
{
  for (uint32_t i = 0; i < length && patch->taken + i < AT_BASE; i++) {
    if (patch->taken + i < AT_CRC) {
      patch->crc = lb_crc32(patch->crc, bytes + i, 1);
    }
  }
  uint32_t skip = patch->taken < AT_BASE ? AT_BASE - patch->taken : 0;
  if (length > skip) {
    patch->crc = lb_crc32(patch->crc, bytes + skip, length - skip);
  }
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
  if (patch->state == STATE_DONE && length) {
    return patch->result = LB_ERR_PATCH_CORRUPT;
  }
  move_down(patch->input, patch->input + patch->input_start, input_length(patch));
  patch->input_end = (uint16_t)(patch->input_end - patch->input_start);
  patch->input_start = 0;
  uint32_t room = LB_PATCH_INPUT - patch->input_end;
  *used = length < room ? length : room;
  memcpy(patch->input + patch->input_end, data, *used);
  patch->input_end = (uint16_t)(patch->input_end + *used);
  add_to_crc(patch, data, *used);
  patch->taken += *used;
  return work(patch);
}

int lb_patch_finish(struct lb_patch *patch)
{
  patch->no_more = true;
  int result = work(patch);
  if (result != LB_OK) {
    return result;
  }
  if (patch->state != STATE_DONE) {
    return LB_MORE;
  }
  if (input_length(patch)) {
    patch->result = LB_ERR_PATCH_CORRUPT;
  } else if (patch->crc != patch->info.crc) {
    patch->result = LB_ERR_PATCH_CRC;
  }
  return patch->result;
}
