// SPDX-License-Identifier: MIT
/*
 * The functions of libc/string.h, by words where both sides are aligned. A compiler knows these loops by sight and
 * would make a call of memcpy out of memcpy's own; NOT_A_CALL hides them.
 */
#include <stdint.h>
#include <string.h>

#define NOT_A_CALL() __asm__ volatile("" ::: "memory")

typedef uint32_t __attribute__((may_alias)) word;

static int are_aligned(const void *left, const void *right)
{
  return (((uintptr_t)left | (uintptr_t)right) & (sizeof(word) - 1U)) == 0;
}

void *memcpy(void *restrict destination, const void *restrict source, size_t size)
{
  uint8_t *to = destination;
  const uint8_t *from = source;
  if (are_aligned(to, from)) {
    for (; size >= sizeof(word); size -= sizeof(word), to += sizeof(word), from += sizeof(word)) {
      *(word *)(void *)to = *(const word *)(const void *)from;
      NOT_A_CALL();
    }
  }
  while (size-- > 0) {
    *to++ = *from++;
    NOT_A_CALL();
  }
  return destination;
}

void *memmove(void *destination, const void *source, size_t size)
{
  uint8_t *to = destination;
  const uint8_t *from = source;
  if ((uintptr_t)to <= (uintptr_t)from) {
    while (size-- > 0) {
      *to++ = *from++;
      NOT_A_CALL();
    }
    return destination;
  }
  while (size-- > 0) {
    to[size] = from[size];
    NOT_A_CALL();
  }
  return destination;
}

void *memset(void *destination, int value, size_t size)
{
  uint8_t *to = destination;
  const word pattern = 0x01010101U * (uint8_t)value;
  if (are_aligned(to, to)) {
    for (; size >= sizeof(word); size -= sizeof(word), to += sizeof(word)) {
      *(word *)(void *)to = pattern;
      NOT_A_CALL();
    }
  }
  while (size-- > 0) {
    *to++ = (uint8_t)value;
    NOT_A_CALL();
  }
  return destination;
}

int memcmp(const void *left, const void *right, size_t size)
{
  const uint8_t *a = left;
  const uint8_t *b = right;
  for (; size > 0; size--, a++, b++) {
    if (*a != *b) {
      return *a - *b;
    }
  }
  return 0;
}

size_t strlen(const char *text)
{
  const char *end = text;
  while (*end) {
    end++;
    NOT_A_CALL();
  }
  return (size_t)(end - text);
}

int strncmp(const char *left, const char *right, size_t size)
{
  for (; size > 0; size--, left++, right++) {
    if (*left != *right || *left == '\0') {
      return (unsigned char)*left - (unsigned char)*right;
    }
  }
  return 0;
}

int strcmp(const char *left, const char *right)
{
  return strncmp(left, right, SIZE_MAX);
}
