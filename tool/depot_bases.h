// SPDX-License-Identifier: MIT
/* Which releases of a product patches are made from. */
#ifndef TOOL_DEPOT_BASES_H
#define TOOL_DEPOT_BASES_H

#include <stdbool.h>
#include <stdint.h>

#include "tool/depot_patches.h"

#define DEPOT_BASES_LAST_MAX 16U /* releases that patches are made from */

struct depot_bases {
  int releases;       /* the open folder of all of them */
  const char *place;  /* "DIR/PRODUCT/releases", for warnings */
  const char *except; /* the version that is published */
  const char *tagged; /* the version that the tag leads to so far, "" for none: many modules run it */
  uint32_t last;      /* so many releases at the most, and the tagged one */
};

/*
 * Makes patches from the releases that were published last, by the time of change of their folders (that of the files
 * is not the order: of two in a second, the later one gets the earlier time, depot_store.c), and from the tagged one.
 * A release whose image is no good is left out with a warning, and the one before it taken instead. False and an error
 * line if the releases cannot be listed, or memory is short.
 */
bool depot_bases_add(const struct depot_bases *bases, struct depot_patches *patches);

#endif
