// SPDX-License-Identifier: MIT
#include "tests/faults/patches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/patch/make.h"

static void make(struct patch_made *made, const struct images *images)
{
  const struct built_image *base = &images->built[made->base];
  const struct built_image *image = &images->built[made->image];
  const struct patch_make_options options = {.profile = made->profile};
  struct patch_bytes patch = {0};
  if (patch_make(base->bytes, base->length, image->bytes, image->length, &options, &patch) != LB_OK) {
    abort();
  }
  made->bytes = patch.data;
  made->length = patch.length;
  (void)snprintf(made->source, sizeof made->source, "http://127.0.0.1/%s-%s-%u.patch", image_label(made->base),
                 image_label(made->image), made->profile);
}

uint32_t patches_get(struct patches *patches, const struct images *images, enum image_name base, enum image_name image,
                     uint8_t profile)
{
  uint32_t number = 0;
  while (number < patches->count && (patches->made[number].base != base || patches->made[number].image != image ||
                                     patches->made[number].profile != profile)) {
    number++;
  }
  if (number == PATCHES) {
    abort(); /* more than this is made for */
  }
  if (number == patches->count) {
    patches->made[number] = (struct patch_made){.base = base, .image = image, .profile = profile};
    make(&patches->made[number], images);
    patches->count++;
  }
  return number;
}

void patches_free(struct patches *patches)
{
  for (uint32_t i = 0; i < patches->count; i++) {
    free(patches->made[i].bytes);
  }
  memset(patches, 0, sizeof *patches);
}
