// SPDX-License-Identifier: MIT
/*
 * Building an application image out of parts (docs/SPEC.md, "Application image"), in the order of esptool's elf2image:
 * mapped parts come first, each where its place in the flash is congruent with its address modulo 64 KB; the gaps are
 * filled with the parts that are loaded into RAM, split as needed, and where those are used up with padding segments
 * of load address 0, which a bootloader skips.
 */
#ifndef TOOL_IMAGE_BUILD_H
#define TOOL_IMAGE_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/chip.h"
#include "tool/image_parts.h"

struct image_header {
  const struct lb_chip *chip;
  uint32_t entry;
  uint8_t spi_mode;
  uint8_t flash_frequency;
  uint8_t flash_size;
  uint16_t min_revision; /* 100 * major + minor */
};

struct image_bytes {
  uint8_t *data; /* freed by the caller */
  uint32_t length;
};

/*
 * Builds the image of arranged parts, of which the first carries the application description. `size` 0: as long as it
 * gets; else exactly that long. False and an error line if it is not possible; then there is nothing to free.
 */
bool image_build(const struct image_header *header, const struct image_parts *parts, uint32_t size,
                 struct image_bytes *image);

#endif
