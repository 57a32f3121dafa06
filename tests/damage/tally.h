// SPDX-License-Identifier: MIT
/* What the fault runs beside the explorer count, the work shared out to processes, and the last line. */
#ifndef TESTS_DAMAGE_TALLY_H
#define TESTS_DAMAGE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#define TALLY_COUNTS 56U
#define TALLY_TOLD   10U /* complaints of a process that are printed; further ones are only counted */

struct tally {
  uint64_t counts[TALLY_COUNTS]; /* what each means is the program's affair */
  uint64_t stranded;             /* nothing booted although a slot held a whole image */
  uint64_t broken;               /* promises that were not kept */
  const char *place;             /* what is being tried, for complaints */
};

/* Complains, and counts it. The text is a printf's. */
void tally_stranded(struct tally *tally, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tally_broken(struct tally *tally, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A number on the command line or in the environment may be decimal or hexadecimal. */
uint64_t tally_number(const char *text);

/*
 * Calls `run` for each number below `count`, in as many processes as there are processors, and adds up what they
 * tallied. A process that does not end in order counts as a broken promise. `seconds`: after that long a process is
 * taken for one that never ends.
 */
void tally_share_out(struct tally *total, uint32_t count, void (*run)(uint32_t number, struct tally *tally),
                     unsigned seconds);

/*
 * Prints a line with what each of the counts named is, fails those that are 0, and the last line. Returns the exit
 * code. A name of NULL is left out.
 */
int tally_end(struct tally *total, const char *program, const char *const *names, uint32_t count);

#endif
