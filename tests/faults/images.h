// SPDX-License-Identifier: MIT
/* The images that scenarios use, small ones for the miniature geometry, larger ones for the real one. */
#ifndef TESTS_FAULTS_IMAGES_H
#define TESTS_FAULTS_IMAGES_H

#include "tests/unit/support/image_builder.h"

enum image_name {
  IMAGE_NONE, /* a slot without an image, or with parts of one */
  IMAGE_FACTORY,
  IMAGE_OLD,
  IMAGE_OLDER,
  IMAGE_NEW,     /* shares nothing with others */
  IMAGE_NEXT,    /* as IMAGE_OLD, with another version: most of its sectors are the same */
  IMAGE_BUILD,   /* as the beginning of IMAGE_OLD, with another version and a part that is another */
  IMAGE_FOREIGN, /* of another project */
  IMAGE_CHIP,    /* for another chip */
  IMAGE_FULL,    /* as long as a slot: no room for a journal */
  IMAGES
};

struct images {
  struct built_image built[IMAGES]; /* IMAGE_NONE is empty */
};

/* Builds them. `slot_size` is what IMAGE_FULL fills. */
void images_build(struct images *images, bool large, uint32_t slot_size);
void images_free(struct images *images);
const char *image_label(enum image_name name);

#endif
