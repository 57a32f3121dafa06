// SPDX-License-Identifier: MIT
#include "tool/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool/report.h"
#include "tool/terminal.h"

#define REDRAW_SECONDS 0.1
#define JSON_PERCENT   5U /* apart are the lines for programs */
#define BAR_MOST       40U
#define BAR_LEAST      4U
#define DONE_PERCENT   100U

static double seconds_since(const struct timespec *start)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) * 1e-9;
}

/* "1.2 MB/s  0:03 left", or at the end how long it took. */
static void describe(const struct progress *progress, uint64_t done, double seconds, char *text, size_t capacity)
{
  double rate = seconds > 0 ? (double)done / seconds : 0;
  bool ended = done == progress->total;
  double left = ended ? seconds : rate > 0 ? (double)(progress->total - done) / rate : 0;
  unsigned whole = left < 359999 ? (unsigned)(left + 0.5) : 359999;
  (void)snprintf(text, capacity, "%5.1f MB/s  %u:%02u %s", rate / 1e6, whole / 60, whole % 60, ended ? "    " : "left");
}

static void draw(struct progress *progress, uint64_t done)
{
  char numbers[64];
  char bar[BAR_MOST + 1];
  double seconds = seconds_since(&progress->started);
  describe(progress, done, seconds, numbers, sizeof(numbers));
  unsigned others = (unsigned)(strlen(progress->step) + strlen(numbers)) + 14; /* brackets, spaces, percentage */
  unsigned width = terminal_style_of(STDERR_FILENO).width;
  if (width <= others + BAR_LEAST) { /* a line that wraps could not be drawn again */
    others -= (unsigned)strlen(numbers);
    numbers[0] = '\0';
  }
  unsigned room = width > others + BAR_LEAST ? width - others : BAR_LEAST;
  unsigned cells = room < BAR_MOST ? room : BAR_MOST;
  unsigned full = progress->total > 0 ? (unsigned)(done * cells / progress->total) : cells;
  memset(bar, '#', full);
  memset(bar + full, '.', cells - full);
  bar[cells] = '\0';
  const char *green = progress->colour ? "\033[32m" : "";
  const char *plain = progress->colour ? "\033[0m" : "";
  unsigned length = others + cells;
  fprintf(stderr, "\r%s [%s%s%s] %3u %%  %s%*s", progress->step, green, bar, plain, progress->percent, numbers,
          length < progress->length ? (int)(progress->length - length) : 0, "");
  (void)fflush(stderr);
  progress->length = length;
  progress->drawn = seconds;
}

static void tell_program(const struct progress *progress, uint64_t done)
{
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "event", "progress");
  cJSON_AddStringToObject(json, "step", progress->step);
  cJSON_AddNumberToObject(json, "done", (double)done);
  cJSON_AddNumberToObject(json, "total", (double)progress->total);
  cJSON_AddNumberToObject(json, "percent", progress->percent);
  (void)report_json_line(json); /* progress that cannot be told is no reason to stop */
  (void)fflush(stdout);
}

static void tell(struct progress *progress, uint64_t done, unsigned percent)
{
  progress->percent = percent;
  if (progress->json) {
    tell_program(progress, done);
  } else if (progress->terminal) {
    draw(progress, done);
  }
}

void progress_start(struct progress *progress, const char *step, uint64_t total, bool json)
{
  *progress = (struct progress){.step = step, .total = total, .json = json};
  progress->terminal = !json && isatty(STDERR_FILENO) == 1;
  progress->colour = terminal_style_of(STDERR_FILENO).colour;
  clock_gettime(CLOCK_MONOTONIC, &progress->started);
  tell(progress, 0, 0);
}

void progress_to(struct progress *progress, uint64_t done)
{
  uint64_t most = progress->total > 0 ? progress->total - 1 : 0;
  done = done < most ? done : most;
  unsigned percent = progress->total > 0 ? (unsigned)(done * DONE_PERCENT / progress->total) : 0;
  bool is_due = progress->json ? percent >= progress->percent + JSON_PERCENT
                               : seconds_since(&progress->started) >= progress->drawn + REDRAW_SECONDS;
  if (is_due) {
    tell(progress, done, percent);
  }
}

void progress_done(struct progress *progress)
{
  tell(progress, progress->total, DONE_PERCENT);
  if (progress->terminal) {
    fputc('\n', stderr);
  }
}

void progress_stop(struct progress *progress)
{
  if (progress->terminal) {
    fprintf(stderr, "\r%*s\r", (int)progress->length, "");
  }
}
