// SPDX-License-Identifier: MIT
#include "ports/serial/line.h"

#include <string.h>

/* Is it a byte of a character whose beginning is before it? */
static bool continues(char byte)
{
  return ((unsigned char)byte & 0xC0U) == 0x80U;
}

void line_clear(struct line *line)
{
  line->length = 0;
  line->cursor = 0;
  line->text[0] = '\0';
}

void line_set(struct line *line, const char *text)
{
  uint32_t length = 0;
  while (length < LINE_MOST && text[length] != '\0') {
    length++;
  }
  memcpy(line->text, text, length);
  line->text[length] = '\0';
  line->length = length;
  line->cursor = length;
}

bool line_insert(struct line *line, const char *text, uint32_t length)
{
  if (length > LINE_MOST - line->length) {
    return false;
  }
  char *at = line->text + line->cursor;
  memmove(at + length, at, line->length - line->cursor + 1);
  memcpy(at, text, length);
  line->length += length;
  line->cursor += length;
  return true;
}

void line_remove(struct line *line, uint32_t first, uint32_t end)
{
  memmove(line->text + first, line->text + end, line->length - end + 1);
  line->length -= end - first;
  if (line->cursor >= end) {
    line->cursor -= end - first;
  } else if (line->cursor > first) {
    line->cursor = first;
  }
}

uint32_t line_before(const struct line *line, uint32_t place)
{
  while (place > 0) {
    place--;
    if (!continues(line->text[place])) {
      break;
    }
  }
  return place;
}

uint32_t line_behind(const struct line *line, uint32_t place)
{
  while (place < line->length) {
    place++;
    if (!continues(line->text[place])) {
      break;
    }
  }
  return place;
}

uint32_t line_word(const struct line *line)
{
  uint32_t place = line->cursor;
  while (place > 0 && line->text[place - 1] == ' ') {
    place--;
  }
  while (place > 0 && line->text[place - 1] != ' ') {
    place--;
  }
  return place;
}

uint32_t line_columns(const struct line *line, uint32_t first, uint32_t end)
{
  uint32_t columns = 0;
  for (; first < end; first++) {
    columns += continues(line->text[first]) ? 0 : 1;
  }
  return columns;
}
