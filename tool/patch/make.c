// SPDX-License-Identifier: MIT
#include "tool/patch/make.h"

#include <stdlib.h>
#include <string.h>

#include "lifeboat/bytes.h"
#include "tool/patch/plan.h"

/* ---- the header ---- */

/* The padding and checksum of an image whose end can be computed; 0 if it is not one. */
static uint8_t tail_of(const struct patch_picture *picture, bool sealed)
{
  const struct lb_patch_image *image = &picture->image;
  uint8_t checksum = 0xEF;
  if (!sealed || !image->known || image->known != picture->bytes[1] || picture->bytes[23] != 1) {
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
  return picture->bytes[end + tail - 1U] == checksum ? (uint8_t)tail : 0;
}

static int fill_info(struct lb_patch_info *info, const struct patch_picture *base, const struct patch_picture *result,
                     uint8_t profile, uint8_t walker)
{
  bool sealed;
  memset(info, 0, sizeof(*info));
  info->profile = profile;
  info->walker = walker;
  info->base_length = base->length;
  info->result_length = result->length;
  int status = patch_digest(result->bytes, result->length, info->result_digest, &sealed);
  /* the checksum is only right if the decoder has room for all segments; it follows them without a walker, too */
  if (status == LB_OK && result->image.known <= lb_patch_profiles[profile - 1U].segments) {
    info->tail = tail_of(result, sealed);
  }
  if (status == LB_OK && sealed && !info->tail) {
    status = patch_sha256(result->bytes, result->length, info->result_digest);
  }
  if (status == LB_OK && base->length) {
    uint8_t digest[LB_SHA256_SIZE] = {0};
    status = patch_digest(base->bytes, base->length, digest, &info->base_sealed);
    memcpy(info->base_digest, digest, LB_PATCH_BASE_DIGEST);
  }
  return status;
}

/* ---- one try ---- */

/*
 * What takes long is only tried where it may help: other tunings if little has changed, another walker and no base at
 * all if most of it has.
 */
enum { MANY_TUNINGS = 32, MOST = 2 };

/* What the parts of a try take of its time, in percent; only for whoever looks at the progress. */
enum { SHARE_MATCH = 10, SHARE_REFINE = 25, SHARE_ENCODE = 20, SHARE_COPY = 15 };

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
static int match(struct patch_job *job, struct patch_plan *plan, const struct patch_view *view,
                 const struct patch_plan *map, const struct patch_tuning *tuning, bool refine)
{
  uint8_t *from = patch_mask(view->base, view->walker, map, true);
  uint8_t *into = patch_mask(view->result, view->walker, map, false);
  int32_t *suffixes = from ? patch_suffixes(from, view->base->length) : NULL;
  struct patch_pair pair = {from, view->base->length, into, view->result->length};
  int status = into && suffixes ? 0 : PATCH_NO_MEMORY;
  if (!status) {
    patch_job_phase(job, SHARE_MATCH);
    status = patch_match(job, plan, &pair, suffixes, tuning);
  }
  free(suffixes);
  if (!status && refine) {
    patch_job_phase(job, SHARE_REFINE);
    status = patch_refine(job, plan, &pair, tuning);
  }
  free(from);
  free(into);
  return status;
}

static void report(const struct patch_make_options *options, const struct lb_patch_info *info,
                   const struct patch_plan *plan, const struct patch_bytes *patch, const struct patch_costs *costs)
{
  static const char *const kinds[LB_PATCH_CATEGORIES] = {
      "map", "control", "unchanged units", "predicted addresses", "unchanged bytes", "changed bytes", "literals"};
  if (options->report) {
    struct patch_attempt attempt = {info->walker, info->base_length != 0, patch->length,
                                    plan->count,  plan->range_count,      costs->bits,
                                    kinds,        LB_PATCH_CATEGORIES};
    options->report(options->context, &attempt);
  }
}

/* Fills the gaps between copies from the base with copies within the result, where they are cheaper than literals. */
static int copy_in_gaps(struct patch_job *job, struct patch_plan *plan, const struct patch_view *view,
                        struct lb_patch_info *info)
{
  struct patch_costs costs = {.places = calloc((size_t)view->result->length + 1U, sizeof(*costs.places))};
  if (!costs.places) {
    return PATCH_NO_MEMORY;
  }
  patch_job_phase(job, SHARE_ENCODE);
  int status = patch_encode(job, plan, view, info, NULL, &costs);
  if (!status) {
    patch_job_phase(job, SHARE_COPY);
    status = patch_lz(job, plan, view->result->bytes, view->result->length, costs.places);
  }
  free(costs.places);
  return status;
}

/* Codes a plan as it is then, and keeps the patch if it is the smallest one. */
static int finish(struct patch_job *job, struct patch_plan *plan, const struct patch_view *view,
                  struct lb_patch_info *info, struct patch_bytes *patch)
{
  struct patch_bytes tried = {0};
  struct patch_costs costs = {.places = NULL};
  int status = copy_in_gaps(job, plan, view, info);
  if (!status) {
    patch_job_phase(job, SHARE_ENCODE);
    status = patch_encode(job, plan, view, info, &tried, &costs);
  }
  if (!status) {
    report(job->options, info, plan, &tried, &costs);
    keep_smaller(patch, &tried);
  }
  free(tried.data);
  return status;
}

/*
 * One way to put the result together out of the base. `map` says where addresses went, as far as is known: afterwards
 * better, for the next way.
 */
static int try_tuning(struct patch_job *job, const struct patch_view *view, struct patch_plan *map,
                      struct lb_patch_info *info, const struct patch_tuning *tuning, struct patch_bytes *patch)
{
  struct patch_plan plan = {0};
  int status = match(job, &plan, view, view->walker ? map : NULL, tuning, true);
  if (!status && view->walker) {
    status = patch_map_make(&plan, view, lb_patch_profiles[info->profile - 1U].ranges);
  }
  if (!status && view->walker) {
    status = patch_map_spans(map, &plan, view);
  }
  if (!status) {
    status = finish(job, &plan, view, info, patch);
  }
  patch_plan_free(&plan);
  return status;
}

/* From the base, in several ways, of which the best depends on how much has changed. */
static int try_delta(struct patch_job *job, struct patch_picture *base, struct patch_picture *result, uint8_t walker_id,
                     struct patch_bytes *patch)
{
  static const struct patch_tuning first = {8, 220, 66};
  static const struct patch_tuning tunings[] = {{10, 250, 66}, {14, 300, 66}, {14, 340, 66}};
  struct patch_view view = {base, result, walkers[walker_id]};
  struct patch_plan map = {0};
  struct lb_patch_info info;
  int status = fill_info(&info, base, result, job->options->profile, walker_id);
  patch_job_try(job);
  if (!status && view.walker) {
    status = match(job, &map, &view, NULL, &first, false);
    if (!status) {
      status = patch_map_spans(&map, &map, &view);
    }
  }
  for (uint32_t i = 0; !status && i < sizeof(tunings) / sizeof(tunings[0]); i++) {
    if (i) {
      patch_job_try(job);
    }
    status = try_tuning(job, &view, &map, &info, &tunings[i], patch);
    if (!status && patch->length > result->length / MANY_TUNINGS) {
      break;
    }
  }
  patch_plan_free(&map);
  return status;
}

/* The whole result, without a base. */
static int try_full(struct patch_job *job, struct patch_picture *result, uint8_t walker_id, struct patch_bytes *patch)
{
  static const uint8_t none[LB_PATCH_AHEAD];
  struct patch_picture nothing;
  struct patch_view view = {&nothing, result, walkers[walker_id]};
  struct patch_plan plan = {0};
  struct lb_patch_info info;
  patch_picture_open(&nothing, none, 0, false);
  int status = fill_info(&info, &nothing, result, job->options->profile, walker_id);
  if (!status) {
    patch_job_try(job);
    status = finish(job, &plan, &view, &info, patch);
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

static int try_all(struct patch_job *job, struct patch_picture *base, struct patch_picture *result,
                   struct patch_bytes *patch)
{
  uint8_t walker = walker_of(result);
  int status = 0;
  if (base->length) {
    status = try_delta(job, base, result, walker, patch);
  }
  if (!status && base->length && walker && patch->length > result->length / MOST) {
    status = try_delta(job, base, result, LB_PATCH_WALKER_NONE, patch);
  }
  if (!status && (!base->length || patch->length > result->length / MOST)) {
    status = try_full(job, result, walker, patch);
  }
  return status;
}

/* A copy with the zeros behind it that a walker may look at. */
static uint8_t *padded(const uint8_t *bytes, uint32_t length)
{
  uint8_t *copy = calloc(1, (size_t)length + LB_PATCH_AHEAD);
  if (copy && length) {
    memcpy(copy, bytes, length);
  }
  return copy;
}

static int make(struct patch_job *job, const uint8_t *base_bytes, uint32_t base_length, const uint8_t *result_bytes,
                uint32_t result_length, struct patch_bytes *patch)
{
  uint8_t *from = padded(base_bytes, base_length);
  uint8_t *into = padded(result_bytes, result_length);
  struct patch_picture base;
  struct patch_picture result;
  int status = from && into ? 0 : PATCH_NO_MEMORY;
  if (!status) {
    patch_picture_open(&base, from, base_length, true);
    patch_picture_open(&result, into, result_length, true);
    status = try_all(job, &base, &result, patch);
  }
  free(from);
  free(into);
  return status;
}

/* Nothing is handed out that does not give the result. */
static int prove(const uint8_t *base, uint32_t base_length, const uint8_t *result, uint32_t result_length,
                 const struct patch_bytes *patch)
{
  struct patch_bytes made = {0};
  int status = patch_apply(base, base_length, patch->data, patch->length, &made);
  bool same = status == LB_OK && made.length == result_length &&
              (result_length == 0 || memcmp(made.data, result, result_length) == 0);
  free(made.data);
  return same ? LB_OK : status == PATCH_NO_MEMORY ? status : PATCH_NOT_REPRODUCED;
}

int patch_make(const uint8_t *base, uint32_t base_length, const uint8_t *result, uint32_t result_length,
               const struct patch_make_options *options, struct patch_bytes *patch)
{
  struct patch_job job;
  *patch = (struct patch_bytes){0};
  if (lb_patch_memory(options->profile) == 0) {
    return LB_ERR_ARGUMENT;
  }
  if (base_length > PATCH_LENGTH_MAX || result_length > PATCH_LENGTH_MAX) {
    return PATCH_INPUT_TOO_LONG;
  }
  int status = patch_job_open(&job, options);
  if (!status) {
    status = make(&job, base, base_length, result, result_length, patch);
  }
  if (!status) {
    status = prove(base, base_length, result, result_length, patch);
  }
  patch_job_free(&job);
  if (status) {
    free(patch->data);
    *patch = (struct patch_bytes){0};
  }
  return status;
}
