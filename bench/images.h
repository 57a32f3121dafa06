// SPDX-License-Identifier: MIT
/*
 * The images of the benchmark: the real OVMS firmware in the folder that LIFEBOAT_FIRMWARE names, each checked against
 * its SHA-256; without it made ones of the same sizes.
 */
#ifndef BENCH_IMAGES_H
#define BENCH_IMAGES_H

#include <stdbool.h>
#include <stdint.h>

struct bench_image {
  uint8_t *bytes;
  uint32_t length;
};

enum images_version { IMAGES_585, IMAGES_658, IMAGES_600, IMAGES_601, IMAGES_COUNT };

struct images {
  struct bench_image version[IMAGES_COUNT];
  bool real;
  char note[512]; /* which ones they are, and why: part of a sentence */
};

/* Loads all of them, or makes all. False and an error line if not even made ones are possible. */
bool images_load(struct images *images);

void images_free(struct images *images);

/* How many whole or begun sectors of `image` have the same bytes in `other`? */
uint32_t images_equal_sectors(const struct bench_image *image, const struct bench_image *other, uint32_t sector);

#endif
