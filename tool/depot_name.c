// SPDX-License-Identifier: MIT
#include "tool/depot_name.h"

#include <string.h>

#include "tool/report.h"

bool depot_name_label(const char *option, const char *text)
{
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  size_t length = strlen(text);
  if (length == 0 || length > DEPOT_LABEL_MAX || text[strspn(text, allowed)] != '\0' || text[0] == '.') {
    report_error("%s: a name of 1 to %u letters, digits, '.', '_' and '-' is expected, without a leading '.'", option,
                 DEPOT_LABEL_MAX);
    return false;
  }
  if (strcmp(text, "releases") == 0) {
    report_error("%s: \"releases\" is the folder that the depot keeps releases in; choose another name", option);
    return false;
  }
  return true;
}

bool depot_name_version(const char *image, const char *version)
{
  if (version[0] == '\0') {
    report_error("%s: image states no version; build it with one (PROJECT_VER of ESP-IDF)", image);
    return false;
  }
  const char *character = version;
  while (*character > ' ' && *character <= '~' && *character != '/' && *character != '?') {
    character++;
  }
  if (*character != '\0' || version[0] == '.') {
    report_error("%s: version \"%s\" cannot be the name of a release: it has a leading '.', or a blank, '/', '?' or a "
                 "character that cannot be printed; build the image with another one",
                 image, version);
    return false;
  }
  return true;
}

/* The bytes of the character at `bytes`, 0 if there is none: cut off, overlong, a surrogate or above U+10FFFF. */
static uint32_t character_length(const uint8_t *bytes, uint32_t length)
{
  static const struct {
    uint8_t first, last;               /* of the first byte */
    uint8_t second_first, second_last; /* of the second */
    uint8_t length;
  } forms[] = {
      {0x01, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
      {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
      {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
  };
  size_t form = 0;
  while (form < sizeof forms / sizeof forms[0] && (bytes[0] < forms[form].first || bytes[0] > forms[form].last)) {
    form++;
  }
  if (form == sizeof forms / sizeof forms[0] || forms[form].length > length) {
    return 0;
  }
  bool good = forms[form].length == 1 || (bytes[1] >= forms[form].second_first && bytes[1] <= forms[form].second_last);
  for (uint32_t i = 2; i < forms[form].length; i++) {
    good = good && (bytes[i] & 0xC0U) == 0x80U;
  }
  return good ? forms[form].length : 0;
}

bool depot_name_is_text(const uint8_t *bytes, uint32_t length)
{
  uint32_t taken = 1;
  while (length > 0 && taken > 0) {
    taken = character_length(bytes, length);
    bytes += taken;
    length -= taken;
  }
  return taken > 0;
}
