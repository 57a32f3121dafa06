// SPDX-License-Identifier: MIT
#include <limits.h>
#include <stdlib.h>

/* As the standard has it, and a number too large for an int is the largest. */
int atoi(const char *text)
{
  while (*text == ' ' || (*text >= '\t' && *text <= '\r')) {
    text++;
  }
  const int is_negative = *text == '-';
  if (*text == '-' || *text == '+') {
    text++;
  }
  int number = 0;
  for (; *text >= '0' && *text <= '9'; text++) {
    const int digit = *text - '0';
    number = number > (INT_MAX - digit) / 10 ? INT_MAX : number * 10 + digit;
  }
  return is_negative ? -number : number;
}
