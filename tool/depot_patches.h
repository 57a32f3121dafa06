// SPDX-License-Identifier: MIT
/*
 * The patches of a release: from images that modules run to the image of the release, and one from nothing, which is
 * the image compressed. Those that the release has already, and those that are made now.
 *
 *   struct depot_patches patches;
 *   depot_patches_start(&patches, &image);
 *   ...                                          depot_patch_list_read: what was there already
 *   depot_patches_add(&patches, &base);          for each base
 *   depot_patches_add(&patches, NULL);           from nothing
 *   ...                                          depot_store_...: into the depot
 *   depot_patches_free(&patches);
 */
#ifndef TOOL_DEPOT_PATCHES_H
#define TOOL_DEPOT_PATCHES_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/hash.h"
#include "tool/depot_image.h"

#define DEPOT_PATCHES_MAX     48U /* the list of so many has less than the 8 KB that modules read */
#define DEPOT_PATCH_PERCENT   90U /* of the image: more is not worth a file */
#define DEPOT_PATCH_NAME_SIZE 40U
#define DEPOT_VERSION_SIZE    33U

enum depot_patch_state {
  DEPOT_PATCH_PRESENT,   /* was in the release already */
  DEPOT_PATCH_MADE,      /* is new */
  DEPOT_PATCH_TOO_LARGE, /* was made, and is more than DEPOT_PATCH_PERCENT of the image: not kept */
  DEPOT_PATCH_NO_HELP    /* the base has so little in common that the patch from nothing is smaller */
};

struct depot_patch {
  enum depot_patch_state state;
  bool from_nothing;
  uint8_t base[LB_SHA256_SIZE];     /* digest of the base */
  char version[DEPOT_VERSION_SIZE]; /* of the base, printable and without blanks; "" if it is not known */
  uint32_t size;
  uint8_t *data; /* of DEPOT_PATCH_MADE */
};

struct depot_patches {
  const struct depot_image *image; /* stays the caller's */
  uint32_t count;
  struct depot_patch patches[DEPOT_PATCHES_MAX];
};

/* Begins without any. */
void depot_patches_start(struct depot_patches *patches, const struct depot_image *image);

/*
 * Makes the patch from `base` (NULL: from nothing), with progress on a terminal. Nothing happens if there is one, or if
 * the base is the image. A patch that cannot be made is a warning. False and an error line only if memory is short.
 */
bool depot_patches_add(struct depot_patches *patches, const struct depot_image *base);

/* Takes up one that the release has already. */
void depot_patches_keep(struct depot_patches *patches, const struct depot_patch *patch);

/* Is it in the release, or will be? */
bool depot_patch_is_listed(const struct depot_patch *patch);

/* How many are new. */
uint32_t depot_patches_made(const struct depot_patches *patches);

/* "ovms3.bin.9af3c2d1a0b1c2d3.patch": its file, beside the image. */
void depot_patch_name(const struct depot_patch *patch, char name[DEPOT_PATCH_NAME_SIZE]);

/* Is that the patch of these bytes, whole, and made for this base and image? */
bool depot_patch_is_good(const struct depot_patch *patch, const struct depot_image *image, const uint8_t *data,
                         uint32_t length);

void depot_patches_free(struct depot_patches *patches);

#endif
