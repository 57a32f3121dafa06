// SPDX-License-Identifier: MIT
/* What no update can beat, on this flash and this link. */
#ifndef BENCH_BOUND_H
#define BENCH_BOUND_H

#include "bench/images.h"

struct bound {
  uint64_t download_us;
  uint64_t erase_us;   /* of the image's length, by 64 KB */
  uint64_t program_us; /* of every page that is not all 0xFF */
  uint64_t us;         /* max(download, erase + program) */
  uint64_t still_us;   /* the same where the processor stands still while the flash is busy */
};

struct bound bound_of(const struct bench_image *image, uint32_t bytes_per_second);

#endif
