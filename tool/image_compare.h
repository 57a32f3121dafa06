// SPDX-License-Identifier: MIT
/* What differs between two firmware images: fields, segments by address, and flash sectors. */
#ifndef TOOL_IMAGE_COMPARE_H
#define TOOL_IMAGE_COMPARE_H

#include "tool/file.h"
#include "tool/image_file.h"

#define IMAGE_FIELDS_MAX    32U
#define IMAGE_VALUE_SIZE    72U
#define IMAGE_SEGMENTS_BOTH (2U * LB_IMAGE_SEGMENTS_MAX)
#define IMAGE_NOT_THERE     UINT32_MAX

/* One of the two images. */
struct image_side {
  const char *path;
  struct file_bytes bytes;
  struct image_file file; /* may be bad: then what is known of it is compared */
  uint32_t length;        /* of the image; of the file if the image does not say */
};

struct image_field {
  const char *group; /* "header", "description" or "end" */
  const char *name;
  char value[IMAGE_VALUE_SIZE];
};

struct image_fields {
  uint32_t count;
  struct image_field fields[IMAGE_FIELDS_MAX];
};

/* Bytes of B: the same at the same address in A, the same elsewhere in A, or neither. */
struct image_byte_counts {
  uint32_t equal;
  uint32_t moved;
  uint32_t different;
};

/* A segment of B, of A or of both: they belong together if their load addresses are equal. */
struct image_segment_difference {
  uint32_t load;
  uint32_t a;                     /* index among A's segments, or IMAGE_NOT_THERE */
  uint32_t b;                     /* the same for B */
  struct image_byte_counts bytes; /* of B's; all 0 if B has no such segment */
  uint32_t first_offset;          /* of the first byte that is not equal, in B's file; IMAGE_NOT_THERE: all are */
  uint32_t first_address;         /* where that byte is loaded or mapped */
};

struct image_comparison {
  struct image_side *a;
  struct image_side *b;
  bool identical;
  uint32_t segment_count;
  struct image_segment_difference segments[IMAGE_SEGMENTS_BOTH];
  struct image_byte_counts bytes; /* of all segments */
  uint32_t sectors;               /* of 4 KB that B takes in a slot */
  uint32_t sectors_differ;        /* those of them that A, in the same slot, has otherwise or does not reach */
};

/* All fields of an image, in the same order for every image. */
void image_fields_list(struct image_fields *fields, const struct image_side *side);

/* Compares B with A. False and an error line without memory for it. */
bool image_compare(struct image_comparison *comparison, struct image_side *a, struct image_side *b);

/*
 * Marks in `found` (as long as B) each byte of B that lies in a run of at least 32 bytes that A has anywhere. False and
 * an error line without memory for it.
 */
bool image_find_moved(const struct image_side *a, const struct image_side *b, uint8_t *found);

#endif
