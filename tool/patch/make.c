// SPDX-License-Identifier: MIT
#include "tool/patch/make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lifeboat/bytes.h"
#include "tool/patch/plan.h"
#include "ports/mbedtls/hash.h"

/* ---- the header ---- */

static int digest_of(const uint8_t *bytes, uint32_t length, uint8_t *digest)
{
  struct mbedtls_hash memory;
  struct lb_hash hash;
  mbedtls_hash_sha256(&hash, &memory);
  return hash.start(hash.context) || hash.update(hash.context, bytes, length) || hash.finish(hash.context, digest) ? -1
                                                                                                                   : 0;
}

/* The padding and checksum of an image whose end can be computed; 0 if it is not one. */
static uint8_t tail_of(const struct patch_picture *picture)
{
  const struct lb_patch_image *image = &picture->image;
  uint8_t checksum = 0xEF;
  uint8_t digest[LB_SHA256_SIZE];
  if (!image->known || image->known != picture->bytes[1] || picture->bytes[23] != 1) {
    return 0;
  }
  uint32_t end = image->next;
  uint32_t tail = 16U - end % 16U;
  if (picture->length != end + tail + LB_SHA256_SIZE) {
    return 0;
  }
  for (uint32_t i = 0; i < image->known; i++) {
    for (uint32_t j = 0; j < picture->segments[i].length; j++) {
      checksum ^= picture->bytes[picture->segments[i].offset + j];
    }
  }
  for (uint32_t i = 0; i + 1U < tail; i++) {
    if (picture->bytes[end + i]) {
      return 0;
    }
  }
  if (picture->bytes[end + tail - 1U] != checksum || digest_of(picture->bytes, end + tail, digest) ||
      memcmp(digest, picture->bytes + end + tail, LB_SHA256_SIZE) != 0) {
    return 0;
  }
  return (uint8_t)tail;
}

static int fill_info(struct lb_patch_info *info, const struct patch_picture *base, const struct patch_picture *result,
                     uint8_t profile, uint8_t walker)
{
  uint8_t digest[LB_SHA256_SIZE];
  memset(info, 0, sizeof(*info));
  info->profile = profile;
  info->walker = walker;
  /* the checksum is only right if the decoder has room for all segments */
  bool computed = walker != LB_PATCH_WALKER_NONE && result->image.known <= lb_patch_profiles[profile - 1U].segments;
  info->tail = computed ? tail_of(result) : 0;
  info->base_length = base->length;
  info->result_length = result->length;
  if (digest_of(result->bytes, result->length - (info->tail ? LB_SHA256_SIZE : 0), digest)) {
    return -1;
  }
  memcpy(info->result_digest, digest, LB_PATCH_RESULT_DIGEST);
  if (base->length) {
    if (digest_of(base->bytes, base->length, digest)) {
      return -1;
    }
    memcpy(info->base_digest, digest, LB_PATCH_BASE_DIGEST);
  }
  return 0;
}

/* ---- one try ---- */

/*
 * What takes long is only tried where it may help: other tunings if little has changed, another walker and no base at
 * all if most of it has.
 */
enum { MANY_TUNINGS = 32, MOST = 2 };

/* Keeps the smaller one of what there is and what was tried. */
static void keep_smaller(struct patch_bytes *patch, struct patch_bytes *tried)
{
  if (!patch->length || tried->length < patch->length) {
    struct patch_bytes swap = *patch;
    *patch = *tried;
    *tried = swap;
  }
  free(tried->data);
  memset(tried, 0, sizeof(*tried));
}

static const struct lb_patch_walker *const walkers[LB_PATCH_WALKERS] = {
    [LB_PATCH_WALKER_XTENSA] = &lb_patch_walker_xtensa,
    [LB_PATCH_WALKER_RISCV] = &lb_patch_walker_riscv,
};

/* Matches both images, masked by a map if there is one. */
static int match(struct patch_plan *plan, struct patch_picture *base, struct patch_picture *result,
                 const struct lb_patch_walker *walker, const struct patch_plan *map, const struct patch_tuning *tuning,
                 bool refine)
{
  uint8_t *from = patch_mask(base, walker, map, true);
  uint8_t *into = patch_mask(result, walker, map, false);
  int32_t *suffixes = from ? patch_suffixes(from, base->length) : NULL;
  int status = into && suffixes ? 0 : -1;
  if (!status) {
    status = patch_match(plan, from, base->length, suffixes, into, result->length, tuning);
  }
  if (!status && refine) {
    status = patch_refine(plan, from, base->length, into, result->length, tuning);
  }
  free(from);
  free(into);
  free(suffixes);
  return status;
}

static void report(const struct patch_make_options *options, uint8_t walker, const struct patch_plan *plan,
                   const struct patch_bytes *patch, const struct patch_costs *costs)
{
  static const char *const names[LB_PATCH_CATEGORIES] = {"map",        "control", "equal",  "hit",
                                                         "byte-equal", "byte",    "literal"};
  if (!options->verbose) {
    return;
  }
  fprintf(stderr, "walker %u: %u bytes, %u blocks, %u ranges:", walker, patch->length, plan->count, plan->range_count);
  for (int i = 0; i < LB_PATCH_CATEGORIES; i++) {
    fprintf(stderr, " %s %.0f", names[i], costs->bits[i] / 8);
  }
  fputc('\n', stderr);
}

/* Fills the gaps between copies from the base with copies within the result, where they are cheaper than literals. */
static int copy_in_gaps(struct patch_plan *plan, const struct patch_picture *base, const struct patch_picture *result,
                        struct lb_patch_info *info)
{
  struct patch_costs costs = {.places = calloc((size_t)result->length + 1U, sizeof(*costs.places))};
  if (!costs.places) {
    return -1;
  }
  int status = patch_encode(plan, base, result, info, NULL, &costs);
  if (!status) {
    status = patch_lz(plan, result->bytes, result->length, costs.places);
  }
  free(costs.places);
  return status;
}

/* One way to put the result together out of the base; `map` says where addresses went, as far as is known. */
static int try_tuning(struct patch_picture *base, struct patch_picture *result, const struct patch_plan *map,
                      struct lb_patch_info *info, const struct patch_tuning *tuning,
                      const struct patch_make_options *options, struct patch_bytes *patch)
{
  const struct lb_patch_walker *walker = walkers[info->walker];
  struct patch_view view = {base, result, walker};
  struct patch_plan plan = {0};
  struct patch_costs costs = {.places = NULL};
  int status = match(&plan, base, result, walker, walker ? map : NULL, tuning, true);
  if (!status && walker) {
    status = patch_map_make(&plan, &view, lb_patch_profiles[options->profile - 1U].ranges);
  }
  if (!status) {
    status = copy_in_gaps(&plan, base, result, info);
  }
  if (!status) {
    status = patch_encode(&plan, base, result, info, patch, &costs);
  }
  if (!status) {
    report(options, info->walker, &plan, patch, &costs);
  }
  patch_plan_free(&plan);
  return status;
}

/* From the base, in several ways, of which the best depends on how much has changed. */
static int try_delta(struct patch_picture *base, struct patch_picture *result, uint8_t walker_id,
                     const struct patch_make_options *options, struct patch_bytes *patch)
{
  static const struct patch_tuning tunings[] = {{8, 220, 66}, {10, 250, 66}, {7, 250, 60}};
  const struct lb_patch_walker *walker = walkers[walker_id];
  struct patch_plan map = {0};
  struct patch_bytes tried = {0};
  struct lb_patch_info info;
  int status = fill_info(&info, base, result, options->profile, walker_id);
  if (!status && walker) {
    status = match(&map, base, result, walker, NULL, &tunings[0], false);
    if (!status) {
      status = patch_map_spans(&map, base, result);
    }
  }
  for (uint32_t i = 0; !status && i < sizeof(tunings) / sizeof(tunings[0]); i++) {
    status = try_tuning(base, result, &map, &info, &tunings[i], options, &tried);
    if (!status) {
      keep_smaller(patch, &tried);
    }
    if (!status && patch->length > result->length / MANY_TUNINGS) {
      break;
    }
  }
  free(tried.data);
  patch_plan_free(&map);
  return status;
}

/* The whole result, without a base. */
static int try_full(struct patch_picture *result, uint8_t walker_id, const struct patch_make_options *options,
                    struct patch_bytes *patch)
{
  struct patch_picture nothing;
  struct patch_plan plan = {0};
  struct patch_costs costs = {0};
  struct lb_patch_info info;
  static const uint8_t none[LB_PATCH_AHEAD];
  patch_picture_open(&nothing, none, 0, false);
  int status = fill_info(&info, &nothing, result, options->profile, walker_id);
  if (!status) {
    status = copy_in_gaps(&plan, &nothing, result, &info);
  }
  if (!status) {
    status = patch_encode(&plan, &nothing, result, &info, patch, &costs);
  }
  if (!status) {
    report(options, walker_id, &plan, patch, &costs);
  }
  patch_plan_free(&plan);
  return status;
}

/* ---- all of it ---- */

/* What knows the instructions of the chip that an image is for. */
static uint8_t walker_of(const struct patch_picture *picture)
{
  static const struct {
    uint16_t chip;
    uint8_t walker;
  } chips[] = {{0, LB_PATCH_WALKER_XTENSA}, {2, LB_PATCH_WALKER_XTENSA},    {9, LB_PATCH_WALKER_XTENSA},
               {5, LB_PATCH_WALKER_RISCV},  {12, LB_PATCH_WALKER_RISCV},    {13, LB_PATCH_WALKER_RISCV},
               {16, LB_PATCH_WALKER_RISCV}, {0xFFF0, LB_PATCH_WALKER_RISCV}};
  for (uint32_t i = 0; picture->image.known && i < sizeof(chips) / sizeof(chips[0]); i++) {
    if (lb_load_le16(picture->bytes + 12) == chips[i].chip) {
      return chips[i].walker;
    }
  }
  return LB_PATCH_WALKER_NONE;
}

static int try_all(struct patch_picture *base, struct patch_picture *result, const struct patch_make_options *options,
                   struct patch_bytes *patch)
{
  struct patch_bytes tried = {0};
  uint8_t walker = walker_of(result);
  int status = 0;
  if (base->length) {
    status = try_delta(base, result, walker, options, patch);
  }
  if (!status && base->length && walker && patch->length > result->length / MOST) {
    status = try_delta(base, result, LB_PATCH_WALKER_NONE, options, patch);
  }
  if (!status && (!base->length || patch->length > result->length / MOST)) {
    status = try_full(result, walker, options, &tried);
    if (!status) {
      keep_smaller(patch, &tried);
    }
  }
  free(tried.data);
  return status;
}

static uint8_t *padded(const uint8_t *bytes, uint32_t length)
{
  uint8_t *copy = calloc(1, (size_t)length + LB_PATCH_AHEAD);
  if (copy && length) {
    memcpy(copy, bytes, length);
  }
  return copy;
}

int patch_make(const uint8_t *base_bytes, uint32_t base_length, const uint8_t *result_bytes, uint32_t result_length,
               const struct patch_make_options *options, struct patch_bytes *patch)
{
  uint8_t *from = padded(base_bytes, base_length);
  uint8_t *into = padded(result_bytes, result_length);
  struct patch_picture base;
  struct patch_picture result;
  struct patch_bytes made = {0};
  int status = from && into ? 0 : -1;
  if (!status) {
    patch_picture_open(&base, from, base_length, true);
    patch_picture_open(&result, into, result_length, true);
    status = try_all(&base, &result, options, patch);
  }
  if (!status) {
    int applied = patch_apply(base_bytes, base_length, patch->data, patch->length, &made);
    if (applied != LB_OK || made.length != result_length || memcmp(made.data, result_bytes, result_length) != 0) {
      fprintf(stderr, "applying the patch gives %d and %u bytes\n", applied, made.length);
      status = -1;
    }
  }
  free(made.data);
  free(from);
  free(into);
  return status;
}
