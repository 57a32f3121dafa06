// SPDX-License-Identifier: MIT
#include "module/depot.h"

#include "module/print.h"
#include "module/version.h"

size_t depot_url(char *url, size_t size, const char *file)
{
  return print_text(url, size, "%s/%s/%s/%s", DEPOT_SERVER, DEPOT_PRODUCT, DEPOT_TAG, file);
}

bool depot_take_version(char *text)
{
  size_t length = 0;
  while (text[length] != '\0' && text[length] != '\n' && text[length] != '\r') {
    length++;
  }
  text[length] = '\0';
  return version_is_valid(text);
}
