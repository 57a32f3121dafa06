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
bool lb_is_blank(const uint8_t *bytes, uint32_t length);

bool lb_same_text(const char *a, const char *b);

#endif
