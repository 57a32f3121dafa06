// SPDX-License-Identifier: MIT
/*
 * Builds application images for the tests, from docs/SPEC.md alone: it shares no code with lib/image.c, so that the
 * two check each other. The same plan gives the same bytes.
 */
#ifndef TESTS_UNIT_SUPPORT_IMAGE_BUILDER_H
#define TESTS_UNIT_SUPPORT_IMAGE_BUILDER_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/image.h"

#define ESP32_DATA 0x3F400000U /* where the ESP32 maps constants */
#define ESP32_CODE 0x400D0000U /* and code */
#define ESP32_IRAM 0x40080000U
#define ESP32_DRAM 0x3FFB0000U

struct image_plan_segment {
  uint32_t base; /* load address; of a mapped segment its 64 KB page: the low bits are those of its place */
  bool mapped;
  uint32_t length;
};

struct image_plan {
  uint32_t seed;          /* of the content */
  uint32_t variant;       /* 0: none; else the 4 KB pieces that `variant_every` picks come from this seed too */
  uint32_t variant_every; /* about one piece in so many */
  uint16_t chip_id;
  uint32_t segment_count; /* as many are built; the header says its low byte */
  struct image_plan_segment segments[20];
  bool description; /* needs a first segment of 256 bytes */
  uint32_t secure_version;
  const char *version;
  const char *project;
  const char *time;
  const char *date;
  const char *idf;
  uint8_t min_revision_legacy;
  uint16_t min_revision;
  uint16_t max_revision;
  uint8_t hash_appended;
};

struct built_image {
  uint8_t *bytes;
  uint32_t length;           /* with the digest, if there is one */
  struct lb_image_info info; /* what an inspector has to find */
};

/* An ESP32 image of four segments, some 3 KB: data, RAM, code, RAM. */
void image_plan_small(struct image_plan *plan, uint32_t seed);

/* An ESP32 image of that many bytes: a multiple of 16, at least 1024. */
void image_plan_sized(struct image_plan *plan, uint32_t seed, uint32_t length);

/* Builds it; free it with image_free. */
void image_build(struct built_image *image, const struct image_plan *plan);
void image_free(struct built_image *image);

/* image_plan_sized and image_build at once, with a version. */
void image_make(struct built_image *image, uint32_t seed, uint32_t length, const char *version);

/* After bytes were changed: puts the digest right, or the checksum and the digest (segments as in image->info). */
void image_seal_digest(struct built_image *image);
void image_seal(struct built_image *image);

#endif
