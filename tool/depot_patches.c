// SPDX-License-Identifier: MIT
#include "tool/depot_patches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lifeboat/patch.h"
#include "tool/depot_release.h"
#include "tool/patch/make.h"
#include "tool/progress.h"
#include "tool/report.h"

#define NAME_DIGEST_BYTES 8U /* of the base's digest are in a file's name */

void depot_patches_start(struct depot_patches *patches, const struct depot_image *image)
{
  memset(patches, 0, sizeof *patches);
  patches->image = image;
}

void depot_patches_free(struct depot_patches *patches)
{
  for (uint32_t i = 0; i < patches->count; i++) {
    free(patches->patches[i].data);
  }
  patches->count = 0;
}

/* ---- one of them ---- */

bool depot_patch_is_listed(const struct depot_patch *patch)
{
  return patch->state == DEPOT_PATCH_PRESENT || patch->state == DEPOT_PATCH_MADE;
}

void depot_patch_name(const struct depot_patch *patch, char name[DEPOT_PATCH_NAME_SIZE])
{
  char digest[2 * NAME_DIGEST_BYTES + 1];
  report_hex(patch->base, NAME_DIGEST_BYTES, digest);
  (void)snprintf(name, DEPOT_PATCH_NAME_SIZE, DEPOT_IMAGE_NAME ".%s.patch", patch->from_nothing ? "full" : digest);
}

/* The crc says that no byte of it is damaged, the digests what it is for. */
bool depot_patch_is_good(const struct depot_patch *patch, const struct depot_image *image, const uint8_t *data,
                         uint32_t length)
{
  struct lb_patch_info info;
  if (length < LB_PATCH_HEADER_SIZE || lb_patch_read_header(&info, data) != LB_OK ||
      lb_patch_crc(0, 0, data, length) != info.crc) {
    return false;
  }
  bool same_base = patch->from_nothing
                       ? info.base_length == 0
                       : info.base_length > 0 && memcmp(info.base_digest, patch->base, sizeof info.base_digest) == 0;
  return same_base && info.profile == LB_PATCH_PROFILE_DEFAULT && info.result_length == image->bytes.length &&
         memcmp(info.result_digest, depot_image_digest(image), LB_SHA256_SIZE) == 0;
}

/* A word of the list: anything that a reader could take for the end of the word becomes '_'. */
static void copy_version(const char *version, char copy[DEPOT_VERSION_SIZE])
{
  (void)snprintf(copy, DEPOT_VERSION_SIZE, "%s", version);
  for (char *at = copy; *at != '\0'; at++) {
    if (*at <= ' ' || *at > '~') {
      *at = '_';
    }
  }
}

static struct depot_patch describe(const struct depot_image *base)
{
  struct depot_patch patch = {.from_nothing = base == NULL};
  if (base) {
    memcpy(patch.base, depot_image_digest(base), sizeof patch.base);
    copy_version(depot_image_version(base), patch.version);
  }
  return patch;
}

/* ---- all of them ---- */

/* Two bases whose files would have the same name are the same base. */
static bool is_known(const struct depot_patches *patches, const struct depot_patch *patch)
{
  for (uint32_t i = 0; i < patches->count; i++) {
    const struct depot_patch *other = &patches->patches[i];
    if (patch->from_nothing ? other->from_nothing
                            : !other->from_nothing && memcmp(patch->base, other->base, NAME_DIGEST_BYTES) == 0) {
      return true;
    }
  }
  return false;
}

void depot_patches_keep(struct depot_patches *patches, const struct depot_patch *patch)
{
  if (patches->count < DEPOT_PATCHES_MAX && !is_known(patches, patch)) {
    patches->patches[patches->count++] = *patch;
  }
}

uint32_t depot_patches_made(const struct depot_patches *patches)
{
  uint32_t made = 0;
  for (uint32_t i = 0; i < patches->count; i++) {
    made += patches->patches[i].state == DEPOT_PATCH_MADE;
  }
  return made;
}

/* ---- making one ---- */

#define STEP_SIZE 64U

/* The text of a warning or a step: "patch from 3.1.002". */
static void format_step(const struct depot_patch *patch, char *text, size_t capacity)
{
  (void)snprintf(text, capacity, "patch from %s",
                 patch->from_nothing         ? "nothing"
                 : patch->version[0] != '\0' ? patch->version
                                             : "an image without a version");
}

static bool tell_progress(void *context, uint32_t done, uint32_t total)
{
  struct progress *progress = context;
  progress_to(progress, total > 0 ? progress->total * done / total : 0);
  return true;
}

static int make(const struct depot_patches *patches, const struct depot_image *base, const char *step,
                struct patch_bytes *made)
{
  struct progress progress;
  struct patch_make_options options = {
      .profile = LB_PATCH_PROFILE_DEFAULT, .progress = tell_progress, .context = &progress};
  progress_start(&progress, step, patches->image->bytes.length, false);
  int error = patch_make(base ? base->bytes.data : NULL, base ? base->bytes.length : 0, patches->image->bytes.data,
                         patches->image->bytes.length, &options, made);
  progress_stop(&progress);
  return error;
}

static void drop(struct patch_bytes *made)
{
  free(made->data);
  *made = (struct patch_bytes){0};
}

/*
 * Takes the bytes over, or frees them. Where the padding of an image is not zeros, no decoder computes its end: the
 * patch then has the SHA-256 of all bytes, the list the image's own digest, and modules would refuse it.
 */
static void take(struct depot_patches *patches, struct depot_patch *patch, struct patch_bytes *made)
{
  if (!depot_patch_is_good(patch, patches->image, made->data, made->length)) {
    char step[STEP_SIZE];
    format_step(patch, step, sizeof step);
    fprintf(stderr,
            "Warning: no %s is published: no module would take it: the padding at the image's end is not as esptool "
            "writes it - build the image again with esptool\n",
            step);
    drop(made);
    return;
  }
  uint64_t most = (uint64_t)patches->image->bytes.length * DEPOT_PATCH_PERCENT;
  bool small = (uint64_t)made->length * 100U <= most;
  patch->state = small ? DEPOT_PATCH_MADE : DEPOT_PATCH_TOO_LARGE;
  patch->size = made->length;
  patch->data = small ? made->data : NULL;
  if (small) {
    *made = (struct patch_bytes){0};
  } else {
    drop(made);
  }
  patches->patches[patches->count++] = *patch;
}

/* What was made from a base may need none: then it is the one from nothing, which would be made anyway. */
static void take_without_base(struct depot_patches *patches, struct depot_patch *patch, struct patch_bytes *made)
{
  struct depot_patch full = describe(NULL);
  patch->state = DEPOT_PATCH_NO_HELP;
  patches->patches[patches->count++] = *patch;
  if (is_known(patches, &full) || patches->count == DEPOT_PATCHES_MAX) {
    drop(made);
  } else {
    take(patches, &full, made);
  }
}

bool depot_patches_add(struct depot_patches *patches, const struct depot_image *base)
{
  char step[STEP_SIZE];
  struct lb_patch_info info;
  struct patch_bytes made = {0};
  struct depot_patch patch = describe(base);
  format_step(&patch, step, sizeof step);
  if (is_known(patches, &patch) ||
      (base && memcmp(patch.base, depot_image_digest(patches->image), sizeof patch.base) == 0)) {
    return true;
  }
  if (patches->count == DEPOT_PATCHES_MAX) {
    fprintf(stderr, "Warning: no %s is made: the release has %u patches already\n", step, DEPOT_PATCHES_MAX);
    return true;
  }
  int error = make(patches, base, step, &made);
  if (error == LB_OK) {
    error = lb_patch_read_header(&info, made.data);
  }
  if (error == PATCH_NO_MEMORY) {
    report_error("not enough memory for a %s; publish with --patches 0, or on a machine that has more", step);
  } else if (error != LB_OK) {
    fprintf(stderr, "Warning: no %s is made: %s (%d)\n", step, patch_error_text(error), error);
  } else if (base && info.base_length == 0) {
    take_without_base(patches, &patch, &made);
  } else {
    take(patches, &patch, &made);
  }
  return error != PATCH_NO_MEMORY;
}
