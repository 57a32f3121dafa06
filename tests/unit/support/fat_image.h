// SPDX-License-Identifier: MIT
/*
 * Images of cards, made by mkfs.fat and filled by mtools in a folder of their own, and read as a block device.
 *
 * The device counts what is done to it, fails on demand, and can take back what was written.
 */
#ifndef TESTS_UNIT_SUPPORT_FAT_IMAGE_H
#define TESTS_UNIT_SUPPORT_FAT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ports/block_device.h"

#define FAT_IMAGE_WRITES 64U

struct fat_image {
  struct block_device device;
  uint8_t *bytes; /* of the image file itself: what mtools write is seen here, and the other way round */
  size_t size;
  uint64_t start; /* sector at which the volume begins */
  char folder[64];

  uint32_t reads; /* calls, and */
  uint64_t sectors_read;
  uint32_t writes;
  bool fail_reads;
  uint32_t writes_left; /* then the power is cut: that write and all calls behind it fail */
  uint64_t written[FAT_IMAGE_WRITES];
  uint8_t before[FAT_IMAGE_WRITES][BLOCK_SIZE];
};

/*
 * An image of `kilobytes`, with a volume made by mkfs.fat with `options` at sector `start`. With NULL it stays blank.
 * Writes beyond what mtools do are not limited.
 */
void fat_image_make(struct fat_image *image, uint32_t kilobytes, const char *options, uint32_t start);

/* Writes a partition table: `kinds` are its four types, 0 for none; the partition number `which` is the volume. */
void fat_image_partition(struct fat_image *image, const uint8_t kinds[4], uint32_t which);

/* Runs a command in the image's folder, where "$IMAGE" is the volume as mtools name it. Fails if the command does. */
void fat_image_run(struct fat_image *image, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same; returns its exit code. */
int fat_image_try(struct fat_image *image, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What the last command printed. The caller frees it. */
char *fat_image_output(struct fat_image *image);

/* Copies bytes into the file `path` of the volume, dated 2024-02-29 12:34:56. */
void fat_image_put(struct fat_image *image, const char *path, const void *bytes, size_t length);

/* Undoes everything that was written through the device, and lets it work again. */
void fat_image_undo(struct fat_image *image);

/* Asserts that fsck.fat finds nothing to mend. */
void fat_image_check(struct fat_image *image);

void fat_image_remove(struct fat_image *image);

#endif
