// SPDX-License-Identifier: MIT
/* The texts in an image: the application description, and OVMS's own version marks; no part of the public interface. */
#ifndef LIB_DESCRIPTION_H
#define LIB_DESCRIPTION_H

#include "lifeboat/image.h"

/* Decodes the LB_IMAGE_DESCRIPTION_SIZE bytes at the start of segment 0, if they are a description. */
void lb_description_parse(struct lb_image_description *description, const uint8_t *bytes);

/*
 * Looks through the next bytes of segment data for the version between OVMS's marks, in images without a description.
 * Only segment 0 is looked at, and nothing once a version is known.
 */
void lb_description_scan(struct lb_image *image, const uint8_t *data, uint32_t length);

/* Segment 0 has ended: a version whose closing mark has not come is none. */
void lb_description_end(struct lb_image *image);

#endif
