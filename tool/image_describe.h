// SPDX-License-Identifier: MIT
/* The application description of an image that is being made. */
#ifndef TOOL_IMAGE_DESCRIBE_H
#define TOOL_IMAGE_DESCRIBE_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/chip.h"
#include "tool/image_parts.h"

/* What is to be written; NULL leaves what the input says, or where it says nothing the default. */
struct image_description_fields {
  const char *version;            /* default "1" */
  const char *project;            /* default "ovms3" */
  const char *date;               /* default today, or SOURCE_DATE_EPOCH */
  const char *time;               /* the same */
  const char *idf;                /* default empty */
  const uint32_t *secure_version; /* default 0 */
  const uint8_t *elf_sha256;      /* 32 bytes; default zeros */
};

/*
 * Moves the part that begins with a description to the front of the arranged `parts` and updates it; if there is none,
 * puts one there: in the first free page of the chip's mapped data, or, on a chip that loads its applications into
 * RAM, into the first 256 bytes of that, which the program has to leave free or zero. False and an error line if a
 * text is too long or the description cannot be at its place in the image.
 */
bool image_describe(struct image_parts *parts, const struct lb_chip *chip,
                    const struct image_description_fields *fields);

#endif
