// SPDX-License-Identifier: MIT
/*
 * Images of real size: the OVMS firmware in the folder that LIFEBOAT_FIRMWARE names, if it is there and its SHA-256 is
 * right, else made images of the same lengths that share as much with each other.
 */
#ifndef TESTS_UNIT_SUPPORT_FIRMWARE_H
#define TESTS_UNIT_SUPPORT_FIRMWARE_H

#include "tests/unit/support/image_builder.h"

enum firmware_version { FIRMWARE_585, FIRMWARE_600, FIRMWARE_601 };

/* Loads or makes it; free it with image_free. Of image->info only the length is filled for a real one. */
void firmware_load(struct built_image *image, enum firmware_version version);

/* Says in one line which of the two the test runs on. */
void firmware_announce(const char *test);

#endif
