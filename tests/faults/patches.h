// SPDX-License-Identifier: MIT
/* Patches between the images, made when a scenario is opened, so that nothing binary is kept. */
#ifndef TESTS_FAULTS_PATCHES_H
#define TESTS_FAULTS_PATCHES_H

#include "tests/faults/images.h"

#define PATCHES 4U /* of a scenario */

struct patch_made {
  enum image_name base;
  enum image_name image;
  uint8_t profile;
  uint8_t *bytes;
  uint32_t length;
  char source[64]; /* its URL */
};

struct patches {
  struct patch_made made[PATCHES];
  uint32_t count;
};

/* The number of the patch, which is made if there is none yet. Aborts if it cannot be made. */
uint32_t patches_get(struct patches *patches, const struct images *images, enum image_name base, enum image_name image,
                     uint8_t profile);
void patches_free(struct patches *patches);

#endif
