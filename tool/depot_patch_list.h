// SPDX-License-Identifier: MIT
/* The list of patches beside an image (docs/SPEC.md): written for the module, read again by the next publication. */
#ifndef TOOL_DEPOT_PATCH_LIST_H
#define TOOL_DEPOT_PATCH_LIST_H

#include <stdint.h>

#include "tool/depot_patches.h"

#define DEPOT_PATCH_LIST_NAME "ovms3.bin.patches"
#define DEPOT_PATCH_LIST_SIZE 8192U /* no module reads more */

/* Writes the text of the list, the smallest patch first. Returns its bytes: 0 if there is none to list. */
uint32_t depot_patch_list_write(const struct depot_patches *patches, char text[DEPOT_PATCH_LIST_SIZE]);

/*
 * Takes up what the release in `folder` lists and has: whole patches for this image. Others are as if they were not
 * there. Returns 0 or an errno, ENOMEM for one.
 */
int depot_patch_list_read(struct depot_patches *patches, int folder);

#endif
