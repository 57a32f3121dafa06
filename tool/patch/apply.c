// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "lifeboat/patch.h"
#include "tool/patch/make.h"
#include "ports/mbedtls/hash.h"

struct memory {
  const uint8_t *base;
  uint32_t base_length;
  struct patch_bytes *result;
};

static int read_base(void *context, uint32_t offset, void *buffer, uint32_t length)
{
  const struct memory *memory = context;
  if (offset > memory->base_length || length > memory->base_length - offset) {
    return -1;
  }
  memcpy(buffer, memory->base + offset, length);
  return 0;
}

static int read_result(void *context, uint32_t offset, void *buffer, uint32_t length)
{
  const struct memory *memory = context;
  if (offset > memory->result->length || length > memory->result->length - offset) {
    return -1;
  }
  memcpy(buffer, memory->result->data + offset, length);
  return 0;
}

static int write_result(void *context, const void *data, uint32_t length, uint32_t *used)
{
  const struct memory *memory = context;
  struct patch_bytes *result = memory->result;
  if (length > result->room - result->length) {
    return -1;
  }
  memcpy(result->data + result->length, data, length);
  result->length += length;
  *used = length;
  return 0;
}

int patch_apply(const uint8_t *base, uint32_t base_length, const uint8_t *patch, uint32_t patch_length,
                struct patch_bytes *result)
{
  struct lb_patch_info info;
  int status = patch_length < LB_PATCH_HEADER_SIZE ? LB_ERR_PATCH_TRUNCATED : lb_patch_read_header(&info, patch);
  if (status != LB_OK) {
    return status;
  }
  result->length = 0;
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
  status = result->data && state ? lb_patch_start(&state->patch, sizeof(*state), &config) : LB_ERR_ARGUMENT;
  for (uint32_t offset = 0, used; status == LB_OK && offset < patch_length; offset += used) {
    status = lb_patch_write(&state->patch, patch + offset, patch_length - offset, &used);
  }
  if (status == LB_OK) {
    do {
      status = lb_patch_finish(&state->patch);
    } while (status == LB_MORE);
  }
  free(state);
  return status;
}
