// SPDX-License-Identifier: MIT
#include "module/words.h"

static bool is_blank(char character)
{
  return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

/* Copies one word over itself without its quotes; returns where the line goes on. */
static char *take_word(char *at)
{
  char *to = at;
  bool quoted = false;
  for (; *at != '\0' && (quoted || !is_blank(*at)); at++) {
    if (*at == '"') {
      quoted = !quoted;
    } else {
      *to++ = *at;
    }
  }
  bool more = *at != '\0';
  *to = '\0';
  return more ? at + 1 : at;
}

uint32_t words_split(char *line, char **words, uint32_t most)
{
  uint32_t count = 0;
  while (count < most) {
    while (is_blank(*line)) {
      line++;
    }
    if (*line == '\0') {
      break;
    }
    words[count++] = line;
    line = take_word(line);
  }
  return count;
}

bool words_equal(const char *a, const char *b)
{
  while (*a != '\0' && *a == *b) {
    a++;
    b++;
  }
  return *a == *b;
}

bool words_begin(const char *word, const char *start)
{
  while (*start != '\0' && *word == *start) {
    word++;
    start++;
  }
  return *start == '\0';
}
