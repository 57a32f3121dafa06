// SPDX-License-Identifier: MIT
/* The memory behind struct lb_patch, divided as the profile says. */
#include "lib/patch/patch_parts.h"

#include <string.h>

#include "lib/patch/contexts.h"

const struct lb_patch_profile lb_patch_profiles[] = {
    {
        .memory = sizeof(struct lb_patch_default),
        .arena = LB_PATCH_ARENA_DEFAULT,
        .output = 128,
        .window = 64,
        .exact_bits = 7,
        .page_bits = 6,
        .structures = 64,
        .ranges = 256,
        .segments = 16,
        .levels = 12,
        .level_shift = 0,
        .hit_history = 2,
        .flag_kinds = LB_PATCH_KINDS,
        .weight_shift = 0,
        .numbers = NUMBER_SETS,
    },
    {
        .memory = sizeof(struct lb_patch_small),
        .arena = LB_PATCH_ARENA_SMALL,
        .output = 64,
        .window = 32,
        .exact_bits = 4,
        .page_bits = 3,
        .structures = 8,
        .ranges = 48,
        .segments = 8,
        .levels = 3,
        .level_shift = 2,
        .hit_history = 1,
        .flag_kinds = 3,
        .weight_shift = 2,
        .numbers = NUMBER_USES,
    },
};

uint32_t lb_patch_memory(uint8_t profile)
{
  return profile >= 1U && profile <= sizeof(lb_patch_profiles) / sizeof(lb_patch_profiles[0])
             ? lb_patch_profiles[profile - 1U].memory
             : 0;
}

uint8_t *lb_patch_arena(struct lb_patch *patch)
{
  return (uint8_t *)(patch + 1);
}

uint8_t *lb_patch_unused(struct lb_patch *patch, uint32_t *length)
{
  uint8_t *unused = (uint8_t *)patch->ranges;
  *length = patch->profile->arena - (uint32_t)(unused - lb_patch_arena(patch));
  return unused;
}

struct divider {
  uint8_t *next;
  uint32_t left;
};

/* Everything is a multiple of four bytes, so everything is aligned. */
static void *take(struct divider *divider, uint32_t size)
{
  void *memory = divider->next;
  size = (size + 3U) & ~3U;
  if (size > divider->left) {
    divider->left = 0;
    return NULL;
  }
  divider->next += size;
  divider->left -= size;
  return memory;
}

static void take_window(struct divider *divider, struct lb_patch_window *window, uint32_t size)
{
  window->bytes = take(divider, size);
  window->size = (uint16_t)size;
  window->start = 0;
  window->length = 0;
}

static void take_image(struct divider *divider, struct lb_patch_image *image, uint8_t segments)
{
  image->capacity = segments;
  image->segments = take(divider, (uint32_t)sizeof(struct lb_patch_segment) * segments);
  lb_patch_image_begin(image);
}

static uint32_t hit_count(const struct lb_patch_profile *profile)
{
  return (profile->flag_kinds - 1U) * HIT_CONTEXTS * profile->hit_history;
}

/* What only copies from a base need. */
static void take_for_base(struct lb_patch *patch, struct divider *divider)
{
  const struct lb_patch_profile *profile = patch->profile;
  patch->equal = take(divider, 4U * LB_PATCH_CLASSES * profile->levels);
  patch->structure_equal = take(divider, 4U * STRUCTURE_TRUSTS * profile->levels);
  patch->hit = take(divider, 4U * hit_count(profile));
  patch->exact = take(divider, (uint32_t)sizeof(struct lb_patch_exact) << profile->exact_bits);
  patch->pages = take(divider, (uint32_t)sizeof(struct lb_patch_page) << profile->page_bits);
  patch->structures = take(divider, (uint32_t)sizeof(struct lb_patch_structure) * profile->structures);
}

int lb_patch_divide(struct lb_patch *patch)
{
  const struct lb_patch_profile *profile = &lb_patch_profiles[patch->info.profile - 1U];
  if (patch->memory < profile->memory) {
    return LB_ERR_PATCH_MEMORY;
  }
  patch->profile = profile;
  struct divider divider = {lb_patch_arena(patch), profile->arena};
  patch->input = take(&divider, LB_PATCH_INPUT);
  memset(divider.next, 0, divider.left);
  patch->output = take(&divider, profile->output);
  take_window(&divider, &patch->base_window, profile->window);
  take_window(&divider, &patch->slot_window, profile->window / 2U);
  take_window(&divider, &patch->result_window, profile->window);
  take_image(&divider, &patch->base_image, profile->segments);
  take_image(&divider, &patch->result_image, profile->segments);
  patch->coarse = take(&divider, 2U * coarse_count(profile));
  patch->numbers = take(&divider, 2U * number_count(profile));
  patch->weights = take(&divider, 2U * (WEIGHT_SETS >> profile->weight_shift) * LB_PATCH_BYTE_CONTEXTS);
  if (patch->base_length) {
    take_for_base(patch, &divider);
  }
  patch->ranges = (struct lb_patch_range *)(void *)divider.next;
  return LB_OK;
}

void lb_patch_divide_rest(struct lb_patch *patch)
{
  uint8_t *arena = lb_patch_arena(patch);
  struct divider divider = {arena, patch->profile->arena};
  take(&divider, (uint32_t)((uint8_t *)patch->ranges - arena));
  take(&divider, (uint32_t)sizeof(struct lb_patch_range) * patch->range_count);
  patch->slots = (lb_patch_coarse *)(void *)divider.next;
  patch->slot_count = divider.left / 2U;
  lb_patch_coarse_fill(patch->slots, patch->slot_count, 2048);
  for (uint32_t i = 0; i < (WEIGHT_SETS >> patch->profile->weight_shift) * LB_PATCH_BYTE_CONTEXTS; i++) {
    patch->weights[i] = 4915; /* 0.3 */
  }
  lb_patch_control_init(patch);
  if (!patch->base_length) {
    return;
  }
  lb_patch_fine_fill(patch->equal, LB_PATCH_CLASSES * patch->profile->levels, 5500, 0);
  lb_patch_fine_fill(patch->structure_equal, STRUCTURE_TRUSTS * patch->profile->levels, 15500, 0);
  lb_patch_fine_fill(patch->hit, hit_count(patch->profile), 8000, 0);
}
