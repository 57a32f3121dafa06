// SPDX-License-Identifier: MIT
#include "tests/faults/images.h"

#include <string.h>

#include "tests/unit/support/unit.h"

struct image_recipe {
  const char *label;
  uint32_t seed;
  uint32_t small; /* bytes; 0: fills the slot */
  uint32_t large;
  const char *version;
  const char *project;
  uint16_t chip_id;
  bool changed; /* a part of it is other bytes than the seed makes */
};

static const struct image_recipe recipes[IMAGES] = {
    [IMAGE_NONE] = {"nothing", 0, 0, 0, NULL, NULL, 0, false},
    [IMAGE_FACTORY] = {"FACTORY", 11, 4096, 150000, "3.2.000", "ovms3", 0, false},
    [IMAGE_OLD] = {"OLD", 12, 5008, 200000, "3.3.001", "ovms3", 0, false},
    [IMAGE_OLDER] = {"OLDER", 13, 4608, 180000, "3.3.000", "ovms3", 0, false},
    [IMAGE_NEW] = {"NEW", 14, 6000, 170000, "3.3.002", "ovms3", 0, false},
    [IMAGE_NEXT] = {"NEXT", 12, 5008, 200000, "3.3.003", "ovms3", 0, false},
    [IMAGE_BUILD] = {"BUILD", 12, 3024, 190000, "3.3.007", "ovms3", 0, true},
    [IMAGE_FOREIGN] = {"FOREIGN", 16, 4096, 160000, "3.3.004", "toaster", 0, false},
    [IMAGE_CHIP] = {"CHIP", 17, 4096, 160000, "3.3.005", "ovms3", 9, false},
    [IMAGE_FULL] = {"FULL", 18, 0, 0, "3.3.006", "ovms3", 0, false},
};

/* A quarter of it, in the middle. */
static void change(struct built_image *image)
{
  struct unit_random random = {.state = 77};
  unit_random_fill(&random, image->bytes + image->length / 2, image->length / 4);
  image_seal(image);
}

void images_build(struct images *images, bool large, uint32_t slot_size)
{
  memset(images, 0, sizeof *images);
  for (int name = IMAGE_NONE + 1; name < IMAGES; name++) {
    const struct image_recipe *recipe = &recipes[name];
    struct image_plan plan;
    uint32_t length = large ? recipe->large : recipe->small;

    image_plan_sized(&plan, recipe->seed, length == 0 ? slot_size : length);
    plan.version = recipe->version;
    plan.project = recipe->project;
    plan.chip_id = recipe->chip_id;
    image_build(&images->built[name], &plan);
    if (recipe->changed) {
      change(&images->built[name]);
    }
  }
}

void images_free(struct images *images)
{
  for (int name = 0; name < IMAGES; name++) {
    image_free(&images->built[name]);
  }
}

const char *image_label(enum image_name name)
{
  return recipes[name].label;
}
