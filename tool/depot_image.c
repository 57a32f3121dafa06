// SPDX-License-Identifier: MIT
#include "tool/depot_image.h"

#include <string.h>

#include "tool/depot_folder.h"
#include "tool/report.h"

/* Good images are sealed, so what is published is what was inspected, and its digest is known. */
static bool inspect(struct depot_image *image)
{
  if (!image_file_inspect_bytes(&image->inspected, image->bytes.data, image->bytes.length, NULL)) {
    return false;
  }
  image->bytes.length = image->inspected.image.info.length;
  return true;
}

bool depot_image_read(const char *path, struct depot_image *image)
{
  if (!file_read(path, IMAGE_FILE_MAX, &image->bytes)) {
    return false;
  }
  if (!inspect(image)) {
    report_problem(path, image->inspected.problem);
    depot_image_free(image);
    return false;
  }
  return true;
}

bool depot_image_read_in(int folder, const char *name, struct depot_image *image, const char **cause)
{
  int error = depot_folder_read(folder, name, IMAGE_FILE_MAX, &image->bytes);
  if (error) {
    *cause = strerror(error);
    return false;
  }
  if (!inspect(image)) {
    *cause = image->inspected.problem->cause;
    depot_image_free(image);
    return false;
  }
  return true;
}

void depot_image_free(struct depot_image *image)
{
  file_free(&image->bytes);
}

const uint8_t *depot_image_digest(const struct depot_image *image)
{
  return image->inspected.image.info.digest;
}

const char *depot_image_version(const struct depot_image *image)
{
  return image->inspected.image.info.description.version;
}
