// SPDX-License-Identifier: MIT
/* Names: 8.3 and long ones, as they are stored and as text. */
#include <string.h>

#include "lifeboat/bytes.h"
#include "ports/fat/fat_parts.h"

#define REPLACEMENT   0xFFFDU /* for what is no character */
#define UNITS_MOST    255U
#define BASE_SIZE     8U
#define FIRST_IS_E5   0x05U /* 0xE5 would mark a deleted entry */
#define SURROGATE     0xD800U
#define SURROGATE_LOW 0xDC00U
#define SURROGATE_END 0xE000U

/* Where the units of a part of a long name are in its entry. */
static const uint8_t unit_offsets[FAT_PART_UNITS] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};

uint32_t fat_length(const char *text)
{
  uint32_t length = 0;
  while (text[length] != '\0') {
    length++;
  }
  return length;
}

static char to_small(char letter)
{
  return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

bool fat_same_name(const char *text, uint32_t length, const char *name)
{
  for (uint32_t i = 0; i < length; i++) {
    if (name[i] == '\0' || to_small(text[i]) != to_small(name[i])) {
      return false;
    }
  }
  return name[length] == '\0';
}

/* Appends a code point, at most U+10FFFF, as UTF-8 at text[*length]. */
static void put_character(char *text, uint32_t *length, uint32_t character)
{
  static const uint8_t marks[] = {0, 0, 0xC0, 0xE0, 0xF0}; /* first byte of as many bytes */
  const uint32_t bytes = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
  for (uint32_t i = bytes - 1; i > 0; i--) {
    text[*length + i] = (char)(0x80U | (character & 0x3F));
    character >>= 6;
  }
  text[*length] = (char)(marks[bytes] | character);
  *length += bytes;
}

/* ---- short names ---- */

uint8_t fat_checksum(const uint8_t raw[FAT_RAW_NAME])
{
  uint8_t sum = 0;
  for (uint32_t i = 0; i < FAT_RAW_NAME; i++) {
    sum = (uint8_t)((uint8_t)(sum << 7 | sum >> 1) + raw[i]);
  }
  return sum;
}

/* Characters `from` to before `to`, without the blanks at the end. */
static void put_short(const uint8_t *raw, uint32_t from, uint32_t to, bool small, char *text, uint32_t *length)
{
  while (to > from && raw[to - 1] == ' ') {
    to--;
  }
  for (uint32_t i = from; i < to; i++) {
    const bool is_text = raw[i] >= ' ' && raw[i] < 0x7F && raw[i] != '/';
    const char letter = small ? to_small((char)raw[i]) : (char)raw[i];
    put_character(text, length, is_text ? (uint8_t)letter : REPLACEMENT);
  }
}

void fat_short_text(const uint8_t raw[FAT_RAW_NAME], uint32_t case_flags, char text[FAT_SHORT_SIZE])
{
  uint8_t name[FAT_RAW_NAME];
  uint32_t length = 0;
  memcpy(name, raw, FAT_RAW_NAME);
  if (name[0] == FIRST_IS_E5) {
    name[0] = 0xE5;
  }
  put_short(name, 0, BASE_SIZE, (case_flags & FAT_CASE_BASE) != 0, text, &length);
  const uint32_t base = length;
  text[length++] = '.';
  put_short(name, BASE_SIZE, FAT_RAW_NAME, (case_flags & FAT_CASE_EXTENSION) != 0, text, &length);
  length = length == base + 1 ? base : length; /* no dot without something behind it */
  if (length == 0) {
    put_character(text, &length, REPLACEMENT);
  }
  text[length] = '\0';
}

/* ---- long names ---- */

void fat_long_take(const uint8_t *entry, uint16_t *units)
{
  for (uint32_t i = 0; i < FAT_PART_UNITS; i++) {
    units[i] = lb_load_le16(entry + unit_offsets[i]);
  }
}

void fat_long_put(uint8_t *entry, const char *name, uint32_t length, uint32_t start)
{
  for (uint32_t i = 0; i < FAT_PART_UNITS; i++) {
    const uint32_t at = start + i;
    const uint16_t unit = at < length ? (uint8_t)name[at] : at == length ? 0 : 0xFFFF;
    lb_store_le16(entry + unit_offsets[i], unit);
  }
}

/* Takes one or two units as a code point. */
static uint32_t take_character(const uint16_t *units, uint32_t count, uint32_t *at)
{
  const uint32_t first = units[(*at)++];
  if (first < SURROGATE || first >= SURROGATE_END) {
    return first;
  }
  const uint32_t second = *at < count ? units[*at] : 0;
  if (first >= SURROGATE_LOW || second < SURROGATE_LOW || second >= SURROGATE_END) {
    return REPLACEMENT;
  }
  (*at)++;
  return 0x10000 + ((first - SURROGATE) << 10) + (second - SURROGATE_LOW);
}

bool fat_long_text(const uint16_t *units, uint32_t count, char text[FAT_NAME_SIZE])
{
  uint32_t length = 0;
  uint32_t at = 0;
  while (at < count && units[at] != 0) {
    if (at >= UNITS_MOST || units[at] < ' ' || units[at] == '/') {
      return false;
    }
    const uint32_t character = take_character(units, count, &at);
    put_character(text, &length, character);
  }
  text[length] = '\0';
  return length > 0 && at <= UNITS_MOST && !fat_same_name(text, length, ".") && !fat_same_name(text, length, "..");
}
