// SPDX-License-Identifier: MIT
/*
 * Images as compilers make them, for tests of patches: functions that call each other and load literals, objects that
 * point to both. Two of them that differ in a function have most addresses moved.
 */
#ifndef TESTS_UNIT_SUPPORT_PATCH_IMAGES_H
#define TESTS_UNIT_SUPPORT_PATCH_IMAGES_H

#include <stdbool.h>
#include <stdint.h>

enum patch_chip {
  PATCH_CHIP_ESP32 = 0,       /* Xtensa */
  PATCH_CHIP_ESP32_C3 = 5,    /* RISC-V, code and data apart */
  PATCH_CHIP_BOARD = 0xFFF0,  /* RISC-V, everything in RAM */
  PATCH_CHIP_UNKNOWN = 0x7777 /* whose instructions nobody here knows; else as ESP32 */
};

struct patch_image_spec {
  uint16_t chip;
  uint32_t functions; /* at most 200; the image has about 130 bytes for each */
  uint32_t seed;
  uint32_t left_out;  /* the function that is not there, and the object; UINT32_MAX: none */
  uint32_t rewritten; /* the function that has other instructions */
  bool unsealed;      /* without digest */
};

struct patch_image {
  uint8_t *bytes; /* malloc'ed */
  uint32_t length;
};

void patch_image_build(struct patch_image *image, const struct patch_image_spec *spec);

/* An old and a new version for a chip. */
void patch_image_pair(struct patch_image *base, struct patch_image *result, uint16_t chip, uint32_t functions);

#endif
