// SPDX-License-Identifier: MIT
/* Codes a plan: runs the decoder itself and tells it what it decodes, so that the two cannot differ. */
#include <stdlib.h>
#include <string.h>

#include "tool/patch/plan.h"

/* ---- the range coder, with a carry ---- */

struct encoder {
  struct patch_bytes *patch; /* NULL: only the costs count */
  struct patch_costs *costs;
  const struct lb_patch *state;
  const float *prices; /* of struct patch_job */
  uint64_t low;
  uint32_t range;
  uint32_t pending; /* bytes of 0xFF that a carry would change */
  uint8_t cache;
  bool started;
  int status;
};

static void put(struct encoder *encoder, uint8_t byte)
{
  struct patch_bytes *patch = encoder->patch;
  if (encoder->status) {
    return;
  }
  if (patch->length == patch->room) {
    uint32_t room = patch->room ? 2U * patch->room : 4096U;
    uint8_t *data = realloc(patch->data, room);
    if (!data) {
      encoder->status = PATCH_NO_MEMORY;
      return;
    }
    patch->data = data;
    patch->room = room;
  }
  patch->data[patch->length++] = byte;
}

static void shift_low(struct encoder *encoder)
{
  if (encoder->low < 0xFF000000U || encoder->low > 0xFFFFFFFFU) {
    uint8_t carry = (uint8_t)(encoder->low >> 32);
    if (encoder->started) { /* the first byte would always be 0 */
      put(encoder, (uint8_t)(encoder->cache + carry));
    }
    for (; encoder->pending; encoder->pending--) {
      put(encoder, (uint8_t)(0xFFU + carry));
    }
    encoder->started = true;
    encoder->cache = (uint8_t)(encoder->low >> 24);
  } else {
    encoder->pending++;
  }
  encoder->low = (encoder->low & 0x00FFFFFFU) << 8;
}

static uint32_t encode_bit(void *context, uint32_t one, uint32_t wanted, uint8_t category)
{
  struct encoder *encoder = context;
  uint32_t bound = (encoder->range >> 16) * one;
  float price = encoder->prices[wanted ? one : 65536U - one];
  encoder->costs->bits[category] += price;
  if (encoder->costs->places) {
    encoder->costs->places[encoder->state->position] += price;
  }
  if (!encoder->patch) {
    return wanted;
  }
  if (wanted) {
    encoder->range = bound;
  } else {
    encoder->low += bound;
    encoder->range -= bound;
  }
  while (encoder->range < 0x1000000U) {
    encoder->range <<= 8;
    shift_low(encoder);
  }
  return wanted;
}

/* Ends with as few bytes as tell the range: zeros at the end are left out, up to the four that the decoder adds. */
static void end_code(struct encoder *encoder, uint32_t start)
{
  uint64_t low = encoder->low;
  uint64_t high = low + encoder->range - 1U;
  for (unsigned bits = 32; bits > 0; bits--) {
    uint64_t mask = ((uint64_t)1 << bits) - 1U;
    uint64_t value = (low + mask) & ~mask;
    if (value <= high) {
      encoder->low = value;
      break;
    }
  }
  for (int i = 0; i < 5; i++) {
    shift_low(encoder);
  }
  for (int i = 0; i < 4 && encoder->patch->length > start && encoder->patch->data[encoder->patch->length - 1U] == 0;
       i++) {
    encoder->patch->length--;
  }
}

/* ---- running the decoder ---- */

static int read_base(void *context, uint32_t offset, void *buffer, uint32_t length)
{
  const struct patch_view *view = context;
  memcpy(buffer, view->base->bytes + offset, length);
  return LB_OK;
}

static int read_result(void *context, uint32_t offset, void *buffer, uint32_t length)
{
  const struct patch_view *view = context;
  memcpy(buffer, view->result->bytes + offset, length);
  return LB_OK;
}

/* Where the next copy begins, for the guide; blocks end with the body. */
static void set_copy(struct lb_patch_copy *copy, const struct patch_plan *plan, uint32_t index, uint32_t position,
                     uint32_t end)
{
  memset(copy, 0, sizeof(*copy));
  if (index < plan->count && plan->blocks[index].place < end) {
    const struct patch_block *block = &plan->blocks[index];
    copy->gap = block->place - position;
    copy->source = block->source;
    copy->length = block->length < end - block->place ? block->length : end - block->place;
    copy->from_base = block->from_base;
  } else {
    copy->gap = end - position;
  }
}

static int run(struct patch_job *job, struct lb_patch *patch, struct lb_patch_guide *guide,
               const struct patch_plan *plan)
{
  uint32_t index = 0;
  uint32_t end = patch->body_length;
  uint32_t planned = 0; /* the result up to here has been told */
  uint32_t told = 0;
  set_copy(&guide->copy, plan, 0, 0, end);
  planned = guide->copy.gap + guide->copy.length;
  while (lb_patch_in_body(patch)) {
    int status = lb_patch_step(patch);
    if (status != LB_MORE) {
      return status < LB_OK ? status : PATCH_NOT_REPRODUCED;
    }
    if (patch->position - patch->written + LB_PATCH_UNIT > patch->profile->output) {
      patch->written = patch->position;
    }
    if (patch->position == planned && planned < end) {
      set_copy(&guide->copy, plan, ++index, planned, end);
      planned += guide->copy.gap + guide->copy.length;
    }
    if (patch->position >= told) {
      told = patch->position + PATCH_PIECE;
      status = patch_job_at(job, patch->position, end);
      if (status) {
        return status;
      }
    }
  }
  return LB_OK;
}

/* Makes room for the header; then ends the code, and fills the header in. */
static void begin_patch(struct encoder *encoder)
{
  encoder->patch->length = 0;
  for (uint32_t i = 0; !encoder->status && i < LB_PATCH_HEADER_SIZE; i++) {
    put(encoder, 0);
  }
}

static void end_patch(struct encoder *encoder, struct lb_patch_info *info)
{
  struct patch_bytes *patch = encoder->patch;
  end_code(encoder, LB_PATCH_HEADER_SIZE);
  if (encoder->status) {
    return;
  }
  info->crc = 0;
  lb_patch_store_header(info, patch->data);
  info->crc = lb_patch_crc(0, 0, patch->data, patch->length);
  lb_patch_store_header(info, patch->data);
}

int patch_encode(struct patch_job *job, const struct patch_plan *plan, const struct patch_view *view,
                 struct lb_patch_info *info, struct patch_bytes *patch, struct patch_costs *costs)
{
  struct encoder encoder = {.patch = patch, .costs = costs, .prices = job->prices, .range = 0xFFFFFFFFU};
  struct patch_view both = *view;
  struct lb_patch_config config = {.context = &both, .read_base = read_base, .read_result = read_result};
  struct lb_patch_guide guide = {.context = &encoder, .bit = encode_bit, .result = view->result->bytes};
  struct lb_patch_default *memory = calloc(1, sizeof(*memory));
  if (!memory) {
    return PATCH_NO_MEMORY;
  }
  struct lb_patch *state = &memory->patch;
  memset(costs->bits, 0, sizeof(costs->bits));
  encoder.state = state;
  guide.ranges = plan->ranges;
  guide.range_count = plan->range_count;
  state->config = &config;
  state->memory = sizeof(*memory);
  state->guide = &guide;
  state->input = (uint8_t *)memory->arena;
  int status = lb_patch_begin_body(state, info);
  if (status == LB_OK && patch) {
    begin_patch(&encoder);
  }
  if (status == LB_OK) {
    status = run(job, state, &guide, plan);
  }
  if (status == LB_OK && patch) {
    end_patch(&encoder, info);
  }
  free(memory);
  return status == LB_OK ? encoder.status : status;
}
