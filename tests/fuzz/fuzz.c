// SPDX-License-Identifier: MIT
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void fuzz_fail(const char *condition, const char *file, int line)
{
  fprintf(stderr, "%s:%d: required, but not true: %s\n", file, line, condition);
  abort();
}

uint8_t fuzz_take_byte(struct fuzz_input *input)
{
  if (input->length == 0) {
    return 0;
  }
  input->length--;
  return *input->bytes++;
}

uint32_t fuzz_take_word(struct fuzz_input *input)
{
  uint32_t word = 0;

  for (int i = 0; i < 4; i++) {
    word |= (uint32_t)fuzz_take_byte(input) << (8 * i);
  }
  return word;
}

uint32_t fuzz_take_below(struct fuzz_input *input, uint32_t bound)
{
  uint32_t number = fuzz_take_byte(input);

  return (bound > 256 ? number | (uint32_t)fuzz_take_byte(input) << 8 : number) % bound;
}

void fuzz_take_bytes(struct fuzz_input *input, void *bytes, size_t length, uint8_t filler)
{
  size_t there = length < input->length ? length : input->length;

  memset(bytes, filler, length);
  if (there > 0) {
    memcpy(bytes, input->bytes, there);
  }
  input->bytes += there;
  input->length -= there;
}

static char *take_string(struct fuzz_input *input, size_t length)
{
  char *text = fuzz_allocate(length + 1);

  fuzz_take_bytes(input, text, length, 0);
  text[length] = '\0';
  size_t shorter = strlen(text);
  if (shorter < length) {
    char *exact = fuzz_allocate(shorter + 1);
    memcpy(exact, text, shorter + 1);
    free(text);
    return exact;
  }
  return text;
}

char *fuzz_take_string(struct fuzz_input *input)
{
  return take_string(input, input->length);
}

char *fuzz_take_string_to(struct fuzz_input *input, uint8_t end)
{
  const uint8_t *found = input->length > 0 ? memchr(input->bytes, end, input->length) : NULL;
  char *text = take_string(input, found ? (size_t)(found - input->bytes) : input->length);

  if (found) {
    (void)fuzz_take_byte(input);
  }
  return text;
}

void *fuzz_allocate(size_t length)
{
  void *memory = malloc(length > 0 ? length : 1);

  FUZZ_REQUIRE(memory != NULL);
  return memory;
}
