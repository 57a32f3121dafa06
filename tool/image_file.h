// SPDX-License-Identifier: MIT
/* A file that should be a firmware image: inspected whole, and if it is none, what it is instead. */
#ifndef TOOL_IMAGE_FILE_H
#define TOOL_IMAGE_FILE_H

#include <stdbool.h>

#include "lifeboat/error.h"
#include "lifeboat/image.h"

#define IMAGE_FILE_MAX 0x1000000U /* 16 MB: no slot of a module is larger */

struct image_file {
  const char *path;
  uint64_t size;                       /* of the file; the image's true length is image.info.length */
  struct lb_image image;               /* image.info is what was found */
  const struct lb_error_info *problem; /* NULL: a good image */
  struct lb_error_info system;         /* room for a problem that the operating system reported */
};

/* Inspects the file at `path`; `chip` NULL accepts any known one. True if the image is good; nothing is printed. */
bool image_file_inspect(struct image_file *file, const char *path, const struct lb_chip *chip);

/* The same for bytes in memory. */
bool image_file_inspect_bytes(struct image_file *file, const void *data, uint32_t length, const struct lb_chip *chip);

/* The same for a bootloader, which may be loaded anywhere. An application is none: TOOL_ERR_APPLICATION. */
bool image_file_inspect_bootloader(struct image_file *file, const void *data, uint32_t length,
                                   const struct lb_chip *chip);

/* Was anything of an image seen, so that its info is worth showing? */
bool image_file_has_info(const struct image_file *file);

#endif
