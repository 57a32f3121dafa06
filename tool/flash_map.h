// SPDX-License-Identifier: MIT
/*
 * The map of a flash: what lies where, from address 0 to the end without a gap, and what is to be said about each
 * place. flash_map_regions.c gathers it, flash_map_text.c and flash_map_svg.c draw it.
 */
#ifndef TOOL_FLASH_MAP_H
#define TOOL_FLASH_MAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tool/flash_examine.h"
#include "tool/terminal.h"

#define FLASH_MAP_NOTES     4U
#define FLASH_MAP_NOTE_SIZE 160U
#define FLASH_MAP_REGIONS   (2U * (LB_TABLE_ROWS_MAX + 3U) + 1U) /* partitions, three places of their own, gaps */

/* What bytes are, as far as a picture can show it. */
enum flash_content {
  FLASH_BLANK,       /* erased: all 0xFF */
  FLASH_DATA,        /* anything that is no application image, and what an older image left behind a newer one */
  FLASH_GOOD,        /* a verified image, or a table that is right */
  FLASH_BAD,         /* an image that does not verify, or a bad table */
  FLASH_INTERRUPTED, /* a slot whose update was cut: data, but the image's first bytes are erased */
  FLASH_CONTENTS
};

struct flash_region {
  uint32_t offset;
  uint32_t size;
  char name[LB_LABEL_SIZE]; /* a partition's label, or what the place is for */
  char size_text[16];       /* "4 MB" */
  bool is_partition;        /* it has a row in the table */
  bool boots;               /* the bootloader would hand over to it now */
  bool selected;            /* otadata names it, and the bootloader passes it over */
  enum flash_content content;
  uint32_t image_length;                            /* of the image at its beginning, 0 if that is not known */
  uint32_t used;                                    /* bytes of its sectors that are not blank */
  char notes[FLASH_MAP_NOTES][FLASH_MAP_NOTE_SIZE]; /* what to say about it; the first empty one ends them */
};

struct flash_map {
  const char *path;
  uint32_t size;
  const uint8_t *bytes; /* of the flash, `size` of them; the caller's */
  char conclusion[256]; /* what boots and why */
  uint32_t count;
  struct flash_region regions[FLASH_MAP_REGIONS];
};

/* Gathers the map of an examined flash. `bytes` and the examination's path must stay. */
void flash_map_gather(struct flash_map *map, const struct flash_examination *examination, const uint8_t *bytes);

/* What `length` bytes are that begin `start` bytes into a region; a piece behind the region's end does not count. */
enum flash_content flash_map_content(const struct flash_map *map, const struct flash_region *region, uint32_t start,
                                     uint32_t length);

/* Writes "4 MB", "2.94 MB", "28 KB" or "100 bytes". */
void flash_map_size_text(uint32_t size, char *text, size_t capacity);

/* How many characters of `text` fit on a line of `width`, broken between words if one can be; the rest is another line.
 */
size_t flash_map_line(const char *text, size_t width);

/* Where the line behind such a one begins. */
const char *flash_map_next_line(const char *text, size_t length);

/* Draws for a terminal or a pipe. */
void flash_map_text(const struct flash_map *map, const struct terminal_style *style);

/* Draws an SVG picture. Errors are the stream's. */
void flash_map_svg(const struct flash_map *map, FILE *stream);

#endif
