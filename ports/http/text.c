// SPDX-License-Identifier: MIT
#include "ports/http/text.h"

#include <string.h>

#define DIGITS 20U /* of UINT64_MAX */

bool http_text_is_digit(char character)
{
  return character >= '0' && character <= '9';
}

char http_text_lower(char character)
{
  return character >= 'A' && character <= 'Z' ? (char)(character - 'A' + 'a') : character;
}

bool http_text_is_letter(char character)
{
  const char lower = http_text_lower(character);
  return lower >= 'a' && lower <= 'z';
}

int http_text_digit(char character)
{
  const char lower = http_text_lower(character);
  if (http_text_is_digit(character)) {
    return character - '0';
  }
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

uint32_t http_text_length(const char *text)
{
  uint32_t length = 0;
  while (text[length] != '\0') {
    length++;
  }
  return length;
}

bool http_text_begins(const char *text, const char *beginning)
{
  for (; *beginning != '\0'; text++, beginning++) {
    if (http_text_lower(*text) != http_text_lower(*beginning)) {
      return false;
    }
  }
  return true;
}

bool http_text_is(const char *text, const char *other)
{
  return http_text_begins(text, other) && http_text_length(text) == http_text_length(other);
}

uint32_t http_text_before(const char *text, const char *set)
{
  uint32_t length = 0;
  for (; text[length] != '\0'; length++) {
    for (const char *at = set; *at != '\0'; at++) {
      if (*at == text[length]) {
        return length;
      }
    }
  }
  return length;
}

void http_text_start(struct http_text *text, char *buffer, uint32_t size)
{
  *text = (struct http_text){.buffer = buffer, .size = size};
  buffer[0] = '\0';
}

void http_text_put(struct http_text *text, const char *bytes, uint32_t length)
{
  if (length >= text->size - text->length) {
    text->overflow = true;
    return;
  }
  memcpy(text->buffer + text->length, bytes, length);
  text->length += length;
  text->buffer[text->length] = '\0';
}

void http_text_add(struct http_text *text, const char *string)
{
  http_text_put(text, string, http_text_length(string));
}

void http_text_add_number(struct http_text *text, uint64_t number)
{
  char digits[DIGITS];
  uint32_t count = 0;
  do {
    count++;
    digits[DIGITS - count] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  http_text_put(text, digits + DIGITS - count, count);
}
