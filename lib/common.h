// SPDX-License-Identifier: MIT
/* Small things that several files of the library need; no part of the public interface. */
#ifndef LIB_COMMON_H
#define LIB_COMMON_H

#include <stdbool.h>
#include <stdint.h>

static inline uint32_t lb_smaller(uint32_t a, uint32_t b)
{
  return a < b ? a : b;
}

/* Are all bytes as erased flash has them? */
static inline bool lb_is_blank(const uint8_t *bytes, uint32_t length)
{
  for (uint32_t i = 0; i < length; i++) {
    if (bytes[i] != 0xFF) {
      return false;
    }
  }
  return true;
}

static inline bool lb_same_text(const char *a, const char *b)
{
  while (*a != '\0' && *a == *b) {
    a++;
    b++;
  }
  return *a == *b;
}

#endif
