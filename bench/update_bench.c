// SPDX-License-Identifier: MIT
/*
 * `make bench`: how long an update takes on the virtual clock, from the command to its success line, compared with the
 * time that flash and link need at the least. Fails if an update fails or if ours takes more than LIMIT of that time.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/board.h"
#include "bench/bound.h"
#include "bench/inspector.h"
#include "bench/ours.h"
#include "bench/patch_time.h"
#include "bench/peers.h"
#include "tool/report.h"

#define LIMIT  1.05
#define SECTOR 4096U

struct way {
  const char *name;
  bool (*update)(struct board *board);
  double limit; /* of the bound; 0: none */
};

struct result {
  double seconds;
  double link_lost;  /* seconds in which nothing arrived because the window was full */
  double flash_idle; /* seconds in which the flash had nothing to do */
};

static const struct way ways[] = {
    {"real module: erase, then download", peers_real_module, 0},
    {"ESP-IDF sequential: 4 KB erases", peers_sequential, 0},
    {"ours", ours_read_ahead, LIMIT},
    {"ours, processor still while busy", ours_standing_still, 0},
};

static const struct rate {
  const char *name;
  uint32_t bytes_per_second;
} rates[] = {{"100 KB/s", 100000}, {"200 KB/s", 200000}, {"1 MB/s", 1000000}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static double seconds(uint64_t us)
{
  return (double)us / 1e6;
}

static bool run(const struct way *way, const struct scenario *scenario, struct result *result)
{
  struct board *board = calloc(1, sizeof(*board));
  if (board == NULL) {
    report_error("not enough memory for a module");
    return false;
  }
  bool good = board_open(board, scenario) && way->update(board);
  const uint64_t us = sim_clock_now_us(&board->clock);
  if (good) {
    result->seconds = seconds(us);
    result->link_lost = seconds(board->link.lost_us);
    result->flash_idle = seconds(us - board_flash_busy_us(board));
    sim_flash_set_timing(&board->flash, NULL, NULL);
    good = board_check(board);
  }
  board_close(board);
  free(board);
  return good;
}

/* A row of a table. False if the update failed or took too long. */
static bool measure(const struct way *way, const struct scenario *scenario, const struct bound *bound)
{
  struct result result;
  if (!run(way, scenario, &result)) {
    report_error("%s: the update failed", way->name);
    return false;
  }
  const double ratio = result.seconds / seconds(bound->us);
  printf("  %-36s %8.2f %9.3f %12.2f %12.2f\n", way->name, result.seconds, ratio, result.link_lost, result.flash_idle);
  if (way->limit > 0 && ratio > way->limit) {
    report_error("%s: %.3f of the bound, more than %.2f", way->name, ratio, way->limit);
    return false;
  }
  return true;
}

static void print_columns(const char *title)
{
  printf("  %-36s %8s %9s %12s %12s\n", title, "seconds", "of bound", "link held up", "flash idle");
}

static bool table_of_ways(const struct images *images, const struct rate *rate)
{
  const struct scenario scenario = {
      .running = &images->version[IMAGES_585],
      .held = &images->version[IMAGES_585],
      .update = &images->version[IMAGES_658],
      .bytes_per_second = rate->bytes_per_second,
  };
  const struct bound bound = bound_of(scenario.update, rate->bytes_per_second);
  bool good = true;
  printf("%s: bound %.2f s = max(download %.2f, erase %.2f + program %.2f)\n", rate->name, seconds(bound.us),
         seconds(bound.download_us), seconds(bound.erase_us), seconds(bound.program_us));
  print_columns("");
  for (size_t i = 0; i < COUNT(ways); i++) {
    good = measure(&ways[i], &scenario, &bound) && good;
  }
  printf("  %-36s %8.2f %9.3f\n\n", "  the least for that, 64 KB erases", seconds(bound.still_us),
         seconds(bound.still_us) / seconds(bound.us));
  return good;
}

/*
 * What comparing sectors saves where the target holds something similar: for information, without a limit. What made
 * images of two versions have in common is made, too, so the second row needs real ones.
 */
static bool table_of_contents(const struct images *images, const struct rate *rate)
{
  const struct bench_image *version = images->version;
  const struct {
    const char *name;
    struct scenario scenario;
  } rows[] = {
      {"585 -> 658, ota_1 holds 658 already",
       {&version[IMAGES_585], &version[IMAGES_658], &version[IMAGES_658], 0, NULL, 0}},
      {"600 -> 601, ota_1 holds 600", {&version[IMAGES_600], &version[IMAGES_600], &version[IMAGES_601], 0, NULL, 0}},
  };
  const size_t count = images->real ? COUNT(rows) : 1;
  bool good = true;
  print_columns(rate->name);
  for (size_t i = 0; i < count; i++) {
    const struct way way = {rows[i].name, ours_read_ahead, 0};
    struct scenario scenario = rows[i].scenario;
    scenario.bytes_per_second = rate->bytes_per_second;
    const struct bound bound = bound_of(scenario.update, rate->bytes_per_second);
    good = measure(&way, &scenario, &bound) && good;
  }
  return good;
}

static bool tables_of_contents(const struct images *images)
{
  const struct bench_image *version = images->version;
  bool good = true;
  printf("Ours, where ota_1 already holds something similar, against the bound of writing everything");
  if (images->real) {
    printf("\n(600 and 601 have %u of %u sectors in common)",
           images_equal_sectors(&version[IMAGES_601], &version[IMAGES_600], SECTOR),
           (version[IMAGES_601].length + SECTOR - 1) / SECTOR);
  }
  printf(":\n");
  for (size_t i = 0; i < COUNT(rates); i++) {
    good = table_of_contents(images, &rates[i]) && good;
  }
  printf("\n");
  return good;
}

static bool update_tables(const struct images *images)
{
  const struct bench_image *old = &images->version[IMAGES_585];
  const struct bench_image *update = &images->version[IMAGES_658];
  const uint32_t equal = images_equal_sectors(update, old, SECTOR);
  bool good = true;
  printf("The update 585 -> 658 over HTTP, %u bytes, with %s.\n", update->length, images->note);
  printf("On the virtual clock, from the command to its success line, with reading back at 20 MB/s, verifying and\n"
         "selecting; the processor's own time is not counted. KB are 1,000 bytes; the receive window has %u bytes.\n"
         "ota_0 runs 585, ota_1 holds 585, too, which has %u sectors in common with 658.\n\n",
         LINK_WINDOW, equal);
  if (equal != 0) {
    report_error("where sectors are equal the bound is none");
    good = false;
  }
  for (size_t i = 0; i < COUNT(rates); i++) {
    good = table_of_ways(images, &rates[i]) && good;
  }
  return tables_of_contents(images) && good;
}

int main(void)
{
  struct images images;
  if (!images_load(&images)) {
    return EXIT_FAILURE;
  }
  bool good = update_tables(&images);
  good = patch_time_measure(&images) && good;
  good = inspector_measure(&images.version[IMAGES_658]) && good;
  images_free(&images);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
