// SPDX-License-Identifier: MIT
#include "module/depot.h"

#include "module/print.h"

size_t depot_url(char *url, size_t size, const char *file)
{
  return print_text(url, size, "%s/%s/%s/%s", DEPOT_SERVER, DEPOT_PRODUCT, DEPOT_TAG, file);
}

static bool is_digit(char character)
{
  return character >= '0' && character <= '9';
}

static bool is_of_version(char character)
{
  return is_digit(character) || (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         character == '.' || character == '_' || character == '+' || character == '-';
}

bool depot_take_version(char *text)
{
  size_t length = 0;
  while (is_of_version(text[length])) {
    length++;
  }
  bool ends = text[length] == '\0' || text[length] == '\n' || text[length] == '\r';
  text[length] = '\0';
  return ends && is_digit(text[0]);
}
