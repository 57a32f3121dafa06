// SPDX-License-Identifier: MIT
#include "lib/common.h"

bool lb_is_blank(const uint8_t *bytes, uint32_t length)
{
  for (uint32_t i = 0; i < length; i++) {
    if (bytes[i] != 0xFF) {
      return false;
    }
  }
  return true;
}

bool lb_same_text(const char *a, const char *b)
{
  while (*a != '\0' && *a == *b) {
    a++;
    b++;
  }
  return *a == *b;
}
