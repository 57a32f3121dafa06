// SPDX-License-Identifier: MIT
/* Images that are published, and those that patches are made from: read once, verified as a module would. */
#ifndef TOOL_DEPOT_IMAGE_H
#define TOOL_DEPOT_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "tool/file.h"
#include "tool/image_file.h"

struct depot_image {
  struct file_bytes bytes; /* without the erased flash behind the image; freed by depot_image_free */
  struct image_file inspected;
};

/* Reads the image at `path`. False and an error line if there is no good one. */
bool depot_image_read(const char *path, struct depot_image *image);

/*
 * The same for the file `name` in an open folder, but silently: false, and `*cause` says why, if there is no good one.
 */
bool depot_image_read_in(int folder, const char *name, struct depot_image *image, const char **cause);

void depot_image_free(struct depot_image *image);

/* Its digest, which is its last 32 bytes. */
const uint8_t *depot_image_digest(const struct depot_image *image);

/* Its version as the inspector reports it; may be empty. */
const char *depot_image_version(const struct depot_image *image);

#endif
