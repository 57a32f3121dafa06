// SPDX-License-Identifier: MIT
/* The host side: how fast the library's image inspector is, compared with the SHA-256 that it cannot do without. */
#ifndef BENCH_INSPECTOR_H
#define BENCH_INSPECTOR_H

#include "bench/images.h"

/* Measures and prints. False, and it has said why, if the image is not found good. */
bool inspector_measure(const struct bench_image *image);

#endif
