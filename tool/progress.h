// SPDX-License-Identifier: MIT
/*
 * How far something long has come. On a terminal a bar on stderr with rate and time left; with --json one object a line
 * on stdout; in a pipe nothing. 100 % is told only by progress_done.
 *
 *   {"event": "progress", "step": "write ota_0", "done": 36864, "total": 143360, "percent": 25}
 */
#ifndef TOOL_PROGRESS_H
#define TOOL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct progress {
  const char *step; /* what is being done; stays valid until the end */
  uint64_t total;   /* bytes */
  bool json;
  bool terminal;
  bool colour;
  struct timespec started;
  double drawn;     /* seconds from the start to the last drawing */
  unsigned percent; /* told last */
  unsigned length;  /* characters on the terminal's line */
};

/* Begins, at 0 of `total` bytes. NO_COLOR and TERM=dumb are respected. */
void progress_start(struct progress *progress, const char *step, uint64_t total, bool json);

/* So many bytes are done; more than all but one do not count yet. */
void progress_to(struct progress *progress, uint64_t done);

/* All is done and verified. */
void progress_done(struct progress *progress);

/* It ended before it was done: takes the bar away, so that an error line stands alone. */
void progress_stop(struct progress *progress);

#endif
