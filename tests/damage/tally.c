// SPDX-License-Identifier: MIT
#define _DEFAULT_SOURCE /* memory shared between processes without a file */
#include "tests/damage/tally.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS_MAX 16U

/* What the processes share. */
struct shared {
  atomic_uint next;
  struct tally tallies[WORKERS_MAX];
};

static void complain(const struct tally *tally, const char *what, const char *format, va_list arguments)
{
  if (tally->stranded + tally->broken > TALLY_TOLD) {
    return;
  }
  char text[512];
  vsnprintf(text, sizeof text, format, arguments);
  fprintf(stderr, "%s: %s: %s\n", what, tally->place ? tally->place : "", text);
}

void tally_stranded(struct tally *tally, const char *format, ...)
{
  va_list arguments;
  tally->stranded++;
  va_start(arguments, format);
  complain(tally, "STRANDED", format, arguments);
  va_end(arguments);
}

void tally_broken(struct tally *tally, const char *format, ...)
{
  va_list arguments;
  tally->broken++;
  va_start(arguments, format);
  complain(tally, "BROKEN", format, arguments);
  va_end(arguments);
}

uint64_t tally_number(const char *text)
{
  return strtoull(text, NULL, 0);
}

static void work(struct shared *shared, uint32_t worker, uint32_t count,
                 void (*run)(uint32_t number, struct tally *tally))
{
  for (uint32_t number = atomic_fetch_add(&shared->next, 1U); number < count;
       number = atomic_fetch_add(&shared->next, 1U)) {
    run(number, &shared->tallies[worker]);
    shared->tallies[worker].place = NULL;
  }
}

static void add(struct tally *total, const struct tally *part)
{
  for (uint32_t i = 0; i < TALLY_COUNTS; i++) {
    total->counts[i] += part->counts[i];
  }
  total->stranded += part->stranded;
  total->broken += part->broken;
}

/* One for each processor; 1 if that cannot be known. */
static uint32_t worker_count(uint32_t count)
{
  const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  const uint32_t workers = processors < 1 ? 1U : (uint32_t)(processors > (long)WORKERS_MAX ? WORKERS_MAX : processors);
  return workers < count ? workers : count;
}

void tally_share_out(struct tally *total, uint32_t count, void (*run)(uint32_t number, struct tally *tally),
                     unsigned seconds)
{
  pid_t pids[WORKERS_MAX];
  const uint32_t workers = worker_count(count);
  struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) {
    tally_broken(total, "no memory to share");
    return;
  }
  fflush(stdout);
  for (uint32_t worker = 0; worker < workers; worker++) {
    pids[worker] = fork();
    if (pids[worker] == 0) {
      alarm(seconds);
      work(shared, worker, count, run);
      fflush(stdout);
      _exit(0);
    }
  }
  for (uint32_t worker = 0; worker < workers; worker++) {
    int status = 0;
    const bool ended = pids[worker] > 0 && waitpid(pids[worker], &status, 0) == pids[worker] && status == 0;
    add(total, &shared->tallies[worker]);
    if (!ended) {
      tally_broken(total, "a process ended with status 0x%x", (unsigned)status);
    }
  }
  munmap(shared, sizeof *shared);
}

int tally_end(struct tally *total, const char *program, const char *const *names, uint32_t count)
{
  for (uint32_t i = 0; i < count; i++) {
    if (!names[i]) {
      continue;
    }
    printf("%s: %llu %s\n", program, (unsigned long long)total->counts[i], names[i]);
    if (total->counts[i] == 0) {
      tally_broken(total, "\"%s\" was never tried", names[i]);
    }
  }
  printf("%s: %llu stranded, %llu promises broken\n", program, (unsigned long long)total->stranded,
         (unsigned long long)total->broken);
  return total->stranded == 0 && total->broken == 0 ? 0 : 1;
}
