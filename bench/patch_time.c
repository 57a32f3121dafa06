// SPDX-License-Identifier: MIT
#include "bench/patch_time.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/board.h"
#include "bench/bound.h"
#include "bench/offer.h"
#include "bench/ours.h"
#include "bench/peers.h"
#include "tool/report.h"

#define LIMIT          1.10 /* of the bound */
#define LIMIT_STREAMED 1.15 /* the ring does not even out all that decoder and flash need more or less of at times */
#define US_PER_SECOND  1000000U
#define SECTOR         4096U
#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))

struct pair {
  const char *name;
  enum images_version running; /* the base */
  enum images_version update;
  enum images_version held; /* in the target: has nothing in common with the update, lest comparing saves something */
  bool from_nothing;        /* the update comes compressed, which does not fit into the target's tail */
};

static const struct pair pairs[] = {
    {"600 -> 601", IMAGES_600, IMAGES_601, IMAGES_658, false},
    {"585 -> 658", IMAGES_585, IMAGES_658, IMAGES_585, false},
    {"658, no base", IMAGES_585, IMAGES_658, IMAGES_585, true},
};

static const struct rate {
  const char *name;
  uint32_t bytes_per_second;
} rates[] = {{"10 KB/s", 10000}, {"100 KB/s", 100000}};

struct limits {
  uint64_t download_us; /* of the patch */
  uint64_t flash_us;    /* erase + program of the image */
  uint64_t us;          /* max(download, flash) */
  uint64_t checked_us;  /* the sum: nothing of the image is erased before all of the patch has come */
};

struct outcome {
  double seconds;
  uint64_t received;
};

static double seconds(uint64_t us)
{
  return (double)us / 1e6;
}

/* The image's own times are those of an update that fetches it whole; the download is the patch's. */
static struct limits limits_of(const struct bench_image *image, uint32_t patch_length, uint32_t bytes_per_second)
{
  const struct bound whole = bound_of(image, bytes_per_second);
  struct limits limits = {
      .download_us = (uint64_t)patch_length * US_PER_SECOND / bytes_per_second,
      .flash_us = whole.erase_us + whole.program_us,
  };
  limits.us = limits.download_us > limits.flash_us ? limits.download_us : limits.flash_us;
  limits.checked_us = limits.download_us + limits.flash_us;
  return limits;
}

static bool run(bool (*update)(struct board *board), const struct scenario *scenario, struct outcome *outcome)
{
  struct board *board = calloc(1, sizeof(*board));
  if (board == NULL) {
    report_error("not enough memory for a module");
    return false;
  }
  bool good = board_open(board, scenario) && update(board);
  if (good) {
    outcome->seconds = seconds(sim_clock_now_us(&board->clock));
    outcome->received = board->link.received;
    sim_flash_set_timing(&board->flash, NULL, NULL);
    good = board_check(board);
  }
  board_close(board);
  free(board);
  return good;
}

/*
 * Within the bound, wherever a patch that is checked before it is applied can be; where the sum is above that already,
 * within the same part of the sum.
 */
static double most_seconds(const struct pair *pair, const struct limits *limits)
{
  if (pair->from_nothing) {
    return LIMIT_STREAMED * seconds(limits->us);
  }
  const double most = LIMIT * seconds(limits->us);
  return seconds(limits->checked_us) <= most ? most : LIMIT * seconds(limits->checked_us);
}

static bool judge(const struct pair *pair, const struct rate *rate, const struct offer *offer,
                  const struct limits *limits, const struct outcome *ours)
{
  const uint64_t expected = (uint64_t)offer->files[0].length + offer->patch_length;
  const double most = most_seconds(pair, limits);
  if (ours->received != expected) {
    report_error("%s at %s: %llu bytes came, not the list and the patch", pair->name, rate->name,
                 (unsigned long long)ours->received);
    return false;
  }
  if (ours->seconds > most) {
    report_error("%s at %s: %.2f s, more than %.2f", pair->name, rate->name, ours->seconds, most);
    return false;
  }
  return true;
}

static bool measure(const struct images *images, const struct pair *pair, const struct offer *offer,
                    const struct rate *rate)
{
  const struct bench_image *update = &images->version[pair->update];
  const struct scenario scenario = {
      .running = &images->version[pair->running],
      .held = &images->version[pair->held],
      .update = update,
      .bytes_per_second = rate->bytes_per_second,
      .offered = offer->files,
      .offered_count = OFFER_FILES,
  };
  const struct limits limits = limits_of(update, offer->patch_length, rate->bytes_per_second);
  struct outcome ours;
  struct outcome real;
  if (!run(ours_read_ahead, &scenario, &ours) || !run(peers_real_module, &scenario, &real)) {
    report_error("%s: the update failed", pair->name);
    return false;
  }
  printf("  %-14s %-8s %9llu %8.2f %8.2f %6.3f", pair->name, rate->name, (unsigned long long)ours.received,
         ours.seconds, seconds(limits.us), ours.seconds / seconds(limits.us));
  if (pair->from_nothing) {
    printf(" %8s %6s", "-", "-");
  } else {
    printf(" %8.2f %6.3f", seconds(limits.checked_us), ours.seconds / seconds(limits.checked_us));
  }
  printf(" %9llu %8.2f\n", (unsigned long long)real.received, real.seconds);
  return judge(pair, rate, offer, &limits, &ours);
}

static bool measure_pair(const struct images *images, const struct pair *pair)
{
  const struct bench_image *version = images->version;
  const struct bench_image *update = &version[pair->update];
  const uint32_t equal = images_equal_sectors(update, &version[pair->held], SECTOR);
  struct offer *offer = calloc(1, sizeof(*offer));
  if (offer == NULL) {
    report_error("not enough memory for a patch");
    return false;
  }
  bool good = offer_make(offer, pair->from_nothing ? NULL : &version[pair->running], update);
  if (equal != 0) {
    report_error("%s: %u sectors of the target are equal already, so the bound is none", pair->name, equal);
    good = false;
  }
  for (size_t i = 0; good && i < COUNT(rates); i++) {
    good = measure(images, pair, offer, &rates[i]);
  }
  offer_free(offer);
  free(offer);
  return good;
}

bool patch_time_measure(const struct images *images)
{
  bool good = true;
  printf(
      "Updates by patch over HTTP, from the command to its success line, with the same images and clock.\n"
      "bound: max(download of the patch, erase by 64 KB + program of the image). checked: their sum, since nothing of\n"
      "the target's image is erased before the patch is there and checked as a whole; the image that comes compressed\n"
      "has no room to wait in, and is applied as it comes. The real module erases, then downloads the whole image.\n"
      "bytes: what came, the list of patches included.\n\n");
  printf("  %-14s %-8s %9s %8s %8s %6s %8s %6s %9s %8s\n", "", "link", "bytes", "ours s", "bound s", "ratio", "checked",
         "ratio", "real: bytes", "seconds");
  for (size_t i = 0; i < COUNT(pairs); i++) {
    good = measure_pair(images, &pairs[i]) && good;
  }
  printf("\n");
  return good;
}
