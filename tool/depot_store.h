// SPDX-License-Identifier: MIT
/*
 * How files get into the folder of a release: written under a temporary name in releases/, synced, renamed. Whoever is
 * killed in the middle leaves nothing but what depot_store_clean removes, and patches that no list names.
 * All return 0 or an errno.
 */
#ifndef TOOL_DEPOT_STORE_H
#define TOOL_DEPOT_STORE_H

#include "tool/depot_release.h"

/* Removes what an interrupted publisher left in `releases`. Has to be done before the others. */
int depot_store_clean(int releases);

/* A new release, whole: image, text, patches and their list. */
int depot_store_release(int releases, const struct depot_release *release);

/*
 * Puts the new patches of `patches` into the open `folder` of a release, then exchanges its list. At least one has to
 * be new.
 */
int depot_store_patches(int releases, int folder, const struct depot_patches *patches);

#endif
