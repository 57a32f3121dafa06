// SPDX-License-Identifier: MIT
/*
 * Application images (docs/SPEC.md, "Application image"): one inspector for bootloader, update, tools and depot.
 *
 * It is a sink: bytes are pushed in pieces of any size, nothing is read twice, and every length is checked against
 * the room there is before it is used. It needs no buffer of the caller. An image of N bytes costs N bytes of hash.
 */
#ifndef LIFEBOAT_IMAGE_H
#define LIFEBOAT_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/chip.h"
#include "lifeboat/hash.h"

#define LB_IMAGE_HEADER_SIZE         24U
#define LB_IMAGE_SEGMENT_HEADER_SIZE 8U
#define LB_IMAGE_SEGMENTS_MAX        16U
#define LB_IMAGE_DESCRIPTION_OFFSET  32U /* behind the header and the first segment's header */
#define LB_IMAGE_DESCRIPTION_SIZE    256U
#define LB_IMAGE_HEAD_SIZE           288U /* header, first segment header, description: what can be judged before an erase */
#define LB_IMAGE_MAGIC               0xE9U
#define LB_IMAGE_DESCRIPTION_MAGIC   0xABCD5432U

/* What an image has to fit. */
struct lb_image_rules {
  const struct lb_chip *chip; /* NULL: any; then mapped segments are judged by the chip that the image names */
  uint16_t revision;          /* of the chip, or LB_REVISION_ANY (lifeboat/device.h) */
  bool loads_anywhere;        /* for tools: a bootloader, which is loaded to other places than applications are */
  uint32_t capacity;          /* bytes there are for it: the partition's size, or a file's */
  uint32_t address;           /* flash address of its first byte; 0 for a file */
};

struct lb_image_segment {
  uint32_t load;   /* address it is loaded or mapped to */
  uint32_t length; /* of its data */
  uint32_t offset; /* of its data in the image */
};

/* Strings are NUL-terminated, and a byte that cannot be printed in ASCII stands as '?'. Absent ones are empty. */
struct lb_image_description {
  bool present; /* the image has a description; else version may still be known from OVMS's own marks */
  uint32_t secure_version;
  char version[33];
  char project[33];
  char time[17]; /* "16:26:57" */
  char date[17]; /* "Apr  7 2018" */
  char idf[33];  /* version of ESP-IDF it was built with */
  uint8_t elf_sha256[LB_SHA256_SIZE];
};

/* What is known about an image so far; all of it once the inspector said LB_OK. */
struct lb_image_info {
  uint8_t segment_count;
  uint8_t spi_mode;
  uint8_t flash_frequency; /* low nibble of byte 3 */
  uint8_t flash_size;      /* high nibble of byte 3: 4 is 16 MB */
  uint32_t entry;
  uint16_t chip_id;
  uint8_t min_revision_legacy; /* major only */
  uint16_t min_revision;       /* 100 * major + minor */
  uint16_t max_revision;       /* the same; 0 or 0xFFFF: no limit */
  uint8_t checksum;
  uint32_t length;         /* true length with checksum and digest; 0 until the last segment header has been seen */
  uint32_t segments_known; /* entries of segments that are filled */
  struct lb_image_segment segments[LB_IMAGE_SEGMENTS_MAX];
  struct lb_image_description description;
  uint8_t digest[LB_SHA256_SIZE]; /* the appended SHA-256 */
};

/* The inspector. Read info, leave the rest to image.c. */
struct lb_image {
  int result;         /* LB_MORE until complete, then what every further call returns */
  uint32_t position;  /* bytes taken */
  uint32_t fill;      /* bytes of the present part taken */
  uint32_t need;      /* bytes the present part has */
  uint8_t state;      /* which part of the image comes next */
  uint8_t checksum;   /* running xor */
  uint8_t mark_match; /* bytes of the version mark that match so far */
  uint8_t mark_length;
  bool has_entry; /* the entry point lies in a segment that was seen */
  const struct lb_hash *sha256;
  struct lb_image_rules rules;
  struct lb_image_info info;
  uint8_t part[LB_IMAGE_DESCRIPTION_SIZE];
};

/* Begins an image. rules and sha256 must stay until the end; rules are copied. LB_ERR_HASH. */
int lb_image_start(struct lb_image *image, const struct lb_image_rules *rules, const struct lb_hash *sha256);

/*
 * Takes the next bytes and tells in `*used` (may be NULL) how many belonged to the image. Returns LB_MORE while the
 * image is not complete, LB_OK once it is complete and good; the bytes behind its end are not used. Any
 * LB_ERR_IMAGE_... or LB_ERR_HASH is final. info holds what was seen until then.
 */
int lb_image_write(struct lb_image *image, const void *data, uint32_t length, uint32_t *used);

/* Says that no more bytes come: LB_OK for a complete, good image, LB_ERR_IMAGE_TRUNCATED, or the earlier error. */
int lb_image_finish(struct lb_image *image);

/*
 * Judges what was seen as the head of an application (LB_IMAGE_HEAD_SIZE bytes): LB_ERR_IMAGE_BOOTLOADER if its first
 * segment is not mapped where the chip maps an application's. LB_OK, or the earlier error.
 */
int lb_image_judge_application(const struct lb_image *image);

#endif
