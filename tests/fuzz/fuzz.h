// SPDX-License-Identifier: MIT
/*
 * What the fuzz targets share. Each fuzz_*.c is one target, a function that libFuzzer or replay.c calls with bytes; it
 * requires what has to be true of whatever they are, and not only that nothing crashes.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program, with what was required and where, unless it is true. */
#define FUZZ_REQUIRE(condition) ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_fail(const char *condition, const char *file, int line);

/* The input, taken from its front. What is missing is 0. */
struct fuzz_input {
  const uint8_t *bytes;
  size_t length;
};

uint8_t fuzz_take_byte(struct fuzz_input *input);
uint32_t fuzz_take_word(struct fuzz_input *input);

/* A number below `bound`, which is at most 65536. */
uint32_t fuzz_take_below(struct fuzz_input *input, uint32_t bound);

/* Copies up to `length` bytes; fills what is missing with `filler`. */
void fuzz_take_bytes(struct fuzz_input *input, void *bytes, size_t length, uint8_t filler);

/*
 * All that is left, or what stands before the next byte `end`, which is taken, too: as a string in memory of its exact
 * size, so that a read behind it is noticed. The caller frees it. A NUL ends the string earlier.
 */
char *fuzz_take_string(struct fuzz_input *input);
char *fuzz_take_string_to(struct fuzz_input *input, uint8_t end);

/* Memory that is there. */
void *fuzz_allocate(size_t length);

#endif
