// SPDX-License-Identifier: MIT
#include "bench/bound.h"

#include <stdbool.h>

#include "bench/link.h"
#include "ports/sim/flash.h"

#define US_PER_SECOND 1000000U
#define PAGE          256U
#define SECTOR        4096U
#define BLOCK         65536U

static const struct sim_timing *const timing = &sim_timing_w25q128jv;

static uint64_t smaller(uint64_t a, uint64_t b)
{
  return a < b ? a : b;
}

static bool is_blank(const uint8_t *bytes, uint32_t length)
{
  for (uint32_t i = 0; i < length; i++) {
    if (bytes[i] != 0xFF) {
      return false;
    }
  }
  return true;
}

static uint64_t program_time(const struct bench_image *image)
{
  uint64_t us = 0;
  for (uint32_t at = 0; at < image->length; at += PAGE) {
    us += is_blank(image->bytes + at, (uint32_t)smaller(PAGE, image->length - at)) ? 0 : timing->program_us;
  }
  return us;
}

/*
 * The bound where the processor stands still while the chip is busy. During an erase of time e no more than the
 * window's W bytes can arrive, nor more than the link's rate R times e; in all other time t no more than R * t. So N
 * bytes need
 *
 *   N <= sum over erases of min(W, R * e) + R * (T - sum of e)
 *   T >= sum of e + (N - sum of min(W, R * e)) / R
 *
 * With W = 5,744 an erase of 150 ms hides 57 ms of a link of 100 KB/s, 29 ms of one of 200 KB/s, and the rest of it is
 * lost to the download, whatever the software does. (More, shorter erases lose less of the download but keep the flash
 * busy longer: that is what the row of 4 KB erases shows.)
 */
static uint64_t still_time(uint64_t length, uint64_t rate, uint64_t blocks, uint64_t rest_us)
{
  const uint64_t erase_us = blocks * timing->erase_us[2] + rest_us;
  const uint64_t hidden = blocks * smaller(LINK_WINDOW, rate * timing->erase_us[2] / US_PER_SECOND) +
                          smaller(LINK_WINDOW, rate * rest_us / US_PER_SECOND);
  return hidden < length ? erase_us + (length - hidden) * US_PER_SECOND / rate : erase_us;
}

/* Blocks of 64 KB; what is left by 4 KB, unless another 64 KB are quicker. */
struct bound bound_of(const struct bench_image *image, uint32_t bytes_per_second)
{
  const uint64_t blocks = image->length / BLOCK;
  const uint64_t rest = (image->length % BLOCK + SECTOR - 1) / SECTOR;
  const uint64_t rest_us = smaller(rest * timing->erase_us[0], timing->erase_us[2]);
  struct bound bound = {
      .download_us = (uint64_t)image->length * US_PER_SECOND / bytes_per_second,
      .erase_us = blocks * timing->erase_us[2] + rest_us,
      .program_us = program_time(image),
  };
  const uint64_t flash_us = bound.erase_us + bound.program_us;
  bound.us = bound.download_us > flash_us ? bound.download_us : flash_us;
  bound.still_us = still_time(image->length, bytes_per_second, blocks, rest_us);
  if (bound.still_us < bound.us) {
    bound.still_us = bound.us;
  }
  return bound;
}
