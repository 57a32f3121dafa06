// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "ports/mbedtls/hash.h"
#include "tool/patch/make.h"

struct memory {
  const uint8_t *base;
  uint32_t base_length;
  struct patch_bytes *result;
};

static int read_base(void *context, uint32_t offset, void *buffer, uint32_t length)
{
  const struct memory *memory = context;
  if (offset > memory->base_length || length > memory->base_length - offset) {
    return LB_ERR_ARGUMENT; /* the decoder asks for nothing that is not there */
  }
  memcpy(buffer, memory->base + offset, length);
  return 0;
}

static int read_result(void *context, uint32_t offset, void *buffer, uint32_t length)
{
  const struct memory *memory = context;
  if (offset > memory->result->length || length > memory->result->length - offset) {
    return LB_ERR_ARGUMENT;
  }
  memcpy(buffer, memory->result->data + offset, length);
  return 0;
}

static int write_result(void *context, const void *data, uint32_t length, uint32_t *used)
{
  const struct memory *memory = context;
  struct patch_bytes *result = memory->result;
  if (length > result->room - result->length) {
    return LB_ERR_ARGUMENT;
  }
  memcpy(result->data + result->length, data, length);
  result->length += length;
  *used = length;
  return 0;
}

static int decode(struct lb_patch *state, const uint8_t *patch, uint32_t length)
{
  int status = LB_OK;
  for (uint32_t offset = 0, used; status == LB_OK && offset < length; offset += used) {
    status = lb_patch_write(state, patch + offset, length - offset, &used);
  }
  if (status != LB_OK) {
    return status;
  }
  do {
    status = lb_patch_finish(state);
  } while (status == LB_MORE);
  return status;
}

int patch_apply(const uint8_t *base, uint32_t base_length, const uint8_t *patch, uint32_t patch_length,
                struct patch_bytes *result)
{
  struct lb_patch_info info;
  *result = (struct patch_bytes){0};
  int status = patch_length < LB_PATCH_HEADER_SIZE ? LB_ERR_PATCH_TRUNCATED : lb_patch_read_header(&info, patch);
  if (status != LB_OK) {
    return status;
  }
  result->room = info.result_length;
  result->data = malloc(info.result_length + 1U);
  struct lb_patch_default *state = malloc(sizeof(*state));
  struct memory memory = {base, base_length, result};
  struct mbedtls_hash hash_memory;
  struct lb_hash hash;
  struct lb_patch_config config = {.context = &memory,
                                   .read_base = read_base,
                                   .read_result = read_result,
                                   .write_result = write_result,
                                   .sha256 = &hash,
                                   .base_limit = base_length,
                                   .result_limit = info.result_length};
  mbedtls_hash_sha256(&hash, &hash_memory);
  status = result->data && state ? lb_patch_start(&state->patch, sizeof(*state), &config) : PATCH_NO_MEMORY;
  if (status == LB_OK) {
    status = decode(&state->patch, patch, patch_length);
  }
  free(state);
  return status;
}

int patch_inspect(const uint8_t *patch, uint32_t length, struct lb_patch_info *info)
{
  int status = LB_OK;
  if (length < LB_PATCH_HEADER_SIZE) {
    status = length < 3U || memcmp(patch, "LBP", 3) != 0 ? LB_ERR_PATCH_MAGIC : LB_ERR_PATCH_TRUNCATED;
  } else {
    status = lb_patch_read_header(info, patch);
  }
  return status;
}

bool patch_crc_is_good(const uint8_t *patch, uint32_t length, const struct lb_patch_info *info)
{
  return lb_patch_crc(0, 0, patch, length) == info->crc;
}
