// SPDX-License-Identifier: MIT
/* What an image file says that no module needs, but people ask for: pins, eFuse revisions, a bootloader's description.
 */
#ifndef TOOL_IMAGE_EXTRA_H
#define TOOL_IMAGE_EXTRA_H

#include "tool/image_file.h"

#define IMAGE_EXTRA_DRIVES 6U

struct image_extra {
  bool has_header;
  uint8_t wp_pin;                     /* 0xEE: none */
  uint8_t drives[IMAGE_EXTRA_DRIVES]; /* clk, q, d, cs0, hd, wp */
  bool has_description;
  uint16_t min_efuse_revision; /* of the eFuse block, 100 * major + minor */
  uint16_t max_efuse_revision;
  uint32_t mmu_page_size; /* bytes; 0: the chip's only one */
  bool has_bootloader;    /* the image is a bootloader with a description */
  uint32_t bootloader_version;
  char bootloader_idf[33];
  char bootloader_date[25];
  bool has_digest; /* the SHA-256 that the image's bytes have, whatever the one behind them says */
  uint8_t digest[LB_SHA256_SIZE];
};

/* Reads the file again for it. What cannot be read is left out: image_file_inspect has said why already. */
void image_extra_read(struct image_extra *extra, const struct image_file *file);

#endif
