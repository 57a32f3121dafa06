// SPDX-License-Identifier: MIT
/*
 * The folders of a depot, and how a release gets into them:
 *
 *   DIR/PRODUCT/releases/VERSION/ovms3.bin    the image
 *   DIR/PRODUCT/releases/VERSION/ovms3.ver    line 1 the version, then the changelog
 *   DIR/PRODUCT/releases/VERSION/ovms3.bin.patches                   the list of patches, if there are any
 *   DIR/PRODUCT/releases/VERSION/ovms3.bin.9af3c2d1a0b1c2d3.patch    from the image whose digest begins so
 *   DIR/PRODUCT/releases/VERSION/ovms3.bin.full.patch                from nothing
 *   DIR/PRODUCT/TAG -> releases/VERSION       what the module asks for: v3.1/main/ovms3.bin
 *
 * A release is written under a temporary name, synced and renamed, then the link is exchanged by another rename. So
 * whoever reads sees a whole release or none, and what was published lasts through a power cut. Image and text never
 * change once they have their names, nor does a patch that the list names; patches may be added later: their files
 * first, then the list is exchanged by a rename. No two releases of a product have the same second as their time of
 * change, and no two lists (depot_validator.h).
 */
#ifndef TOOL_DEPOT_RELEASE_H
#define TOOL_DEPOT_RELEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "tool/depot_patches.h"

#define DEPOT_IMAGE_NAME   "ovms3.bin"
#define DEPOT_VERSION_NAME "ovms3.ver"

struct depot_release {
  const char *product; /* names that depot_name.h accepts */
  const char *tag;
  const char *version;
  const struct depot_image *image;
  const uint8_t *text; /* ovms3.ver: version, newline, changelog */
  uint32_t text_length;
  bool has_changes; /* a changelog was given; without one, a release that is there already keeps its own */
  uint32_t last;    /* releases that patches are made from, at most DEPOT_BASES_LAST_MAX; 0: no patches at all */
  const struct depot_image *bases; /* further ones: factory firmware */
  uint32_t base_count;
  struct depot_patches *patches; /* started for `image`; then the release's */
};

enum depot_release_result {
  DEPOT_RELEASE_PUBLISHED, /* the release is new, or the tag moved to it */
  DEPOT_RELEASE_COMPLETED, /* it was published under this tag already, but has new patches */
  DEPOT_RELEASE_UNCHANGED, /* it was published under this tag already */
  DEPOT_RELEASE_FAILED,    /* an error line was printed; the tag is where it was */
};

/* Publishes into the depot `folder`, which is created if there is none. Waits for another publisher to finish. */
enum depot_release_result depot_release_publish(const char *folder, const struct depot_release *release);

#endif
