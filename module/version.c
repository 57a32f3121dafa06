// SPDX-License-Identifier: MIT
#include "module/version.h"

#include <stddef.h>
#include <stdint.h>

#include "module/words.h"

static bool is_digit(char character)
{
  return character >= '0' && character <= '9';
}

static bool is_letter(char character)
{
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

bool version_is_valid(const char *text)
{
  size_t length = 0;
  for (; text[length] != '\0'; length++) {
    char character = text[length];
    bool mark = character == '.' || character == '_' || character == '+' || character == '-' || character == '/';
    if (length >= VERSION_LENGTH_MAX || !(is_digit(character) || is_letter(character) || mark)) {
      return false;
    }
  }
  return is_digit(text[0]);
}

/* Is this where the part that is compared ends: the end, a slash, or -dirty with nothing else behind it? */
static bool at_end(const char *at)
{
  if (*at == '\0' || *at == '/') {
    return true;
  }
  return words_begin(at, "-dirty") && (at[6] == '\0' || at[6] == '/');
}

static const char *skip_zeros(const char *at)
{
  while (*at == '0' && is_digit(at[1])) {
    at++;
  }
  return at;
}

/* Compares the numbers at both places, of any length, and moves both behind them. */
static int compare_numbers(const char **a, const char **b)
{
  const char *x = skip_zeros(*a);
  const char *y = skip_zeros(*b);
  int difference = 0;
  while (is_digit(*x) && is_digit(*y)) {
    if (difference == 0 && *x != *y) {
      difference = *x < *y ? -1 : 1;
    }
    x++;
    y++;
  }
  if (is_digit(*x) || is_digit(*y)) {
    difference = is_digit(*x) ? 1 : -1;
  }
  while (is_digit(*x)) {
    x++;
  }
  while (is_digit(*y)) {
    y++;
  }
  *a = x;
  *b = y;
  return difference;
}

/* "-g" and a hexadecimal number with nothing else behind it. */
static bool is_commit_hash(const char *at)
{
  if (at[0] != '-' || at[1] != 'g') {
    return false;
  }
  const char *digit = at + 2;
  while (is_digit(*digit) || (*digit >= 'a' && *digit <= 'f')) {
    digit++;
  }
  return digit > at + 2 && !is_letter(*digit);
}

/* The rank of what stands here, where versions part: -rc before the end, the end before more numbers or commits. */
static int rank(const char *at)
{
  if (at_end(at) || is_commit_hash(at)) {
    return 1;
  }
  bool separated = *at == '-' || *at == '.' || *at == '_' || *at == '+';
  char first = separated ? at[1] : *at;
  return is_letter(first) && *at != '+' ? 0 : 2;
}

enum version_order version_compare(const char *a, const char *b)
{
  if (!version_is_valid(a) || !version_is_valid(b)) {
    return VERSION_UNRELATED;
  }
  for (;;) {
    if (is_digit(*a) && is_digit(*b)) {
      int difference = compare_numbers(&a, &b);
      if (difference != 0) {
        return difference < 0 ? VERSION_OLDER : VERSION_NEWER;
      }
      continue;
    }
    int left = rank(a);
    int right = rank(b);
    if (left != right) {
      return left < right ? VERSION_OLDER : VERSION_NEWER;
    }
    if (left == 1) {
      return VERSION_SAME; /* both end here; hashes of commits have no order */
    }
    if (*a != *b) {
      return *a < *b ? VERSION_OLDER : VERSION_NEWER;
    }
    a++;
    b++;
  }
}
