// SPDX-License-Identifier: MIT
/* The short name that stands behind a long one. */
#include <string.h>

#include "ports/fat/fat_parts.h"

#define BASE_SIZE      8U
#define EXTENSION_SIZE 3U
#define TAILS          99U /* "~1" to "~99" */

/* The letters that short names do not have, though long ones do, become '_'. */
static uint8_t short_letter(char letter)
{
  static const char strange[] = "+,;=[]";
  for (uint32_t i = 0; strange[i] != '\0'; i++) {
    if (letter == strange[i]) {
      return '_';
    }
  }
  return (uint8_t)(letter >= 'a' && letter <= 'z' ? letter - 'a' + 'A' : letter);
}

/* Puts up to `room` letters, without blanks and dots; false unless all went in as they are. */
static bool put_letters(const char *name, uint32_t length, uint8_t *raw, uint32_t room)
{
  uint32_t used = 0;
  bool same = true;
  for (uint32_t i = 0; i < length; i++) {
    const bool skipped = name[i] == ' ' || name[i] == '.';
    const uint8_t letter = short_letter(name[i]);
    same = same && !skipped && used < room && (letter != '_' || name[i] == '_');
    if (!skipped && used < room) {
      raw[used++] = letter;
    }
  }
  return same;
}

/* Fills an 8.3 name as far as the long one gives it; false if it is not the same but for the case of its letters. */
static bool cut_name(const char *name, uint8_t raw[FAT_RAW_NAME])
{
  const uint32_t length = fat_length(name);
  uint32_t dot = length;
  for (uint32_t i = 1; i < length; i++) { /* the last dot; one at the begin separates nothing */
    dot = name[i] == '.' ? i : dot;
  }
  memset(raw, ' ', FAT_RAW_NAME);
  const bool same_base = put_letters(name, dot, raw, BASE_SIZE);
  const uint32_t behind = dot < length ? dot + 1 : length;
  const bool same_extension = put_letters(name + behind, length - behind, raw + BASE_SIZE, EXTENSION_SIZE);
  if (raw[0] == ' ') {
    raw[0] = '_';
  }
  return same_base && same_extension;
}

static void put_tail(uint8_t raw[FAT_RAW_NAME], uint32_t number)
{
  const uint32_t tail = number < 10 ? 2 : 3;
  uint32_t at = 0;
  while (at < BASE_SIZE - tail && raw[at] != ' ') {
    at++;
  }
  memset(raw + at, ' ', BASE_SIZE - at);
  raw[at++] = '~';
  if (number >= 10) {
    raw[at++] = (uint8_t)('0' + number / 10);
  }
  raw[at] = (uint8_t)('0' + number % 10);
}

/* LB_MORE: some entry has that short name. */
static int look_for(struct fat_volume *volume, uint32_t cluster, const uint8_t raw[FAT_RAW_NAME])
{
  struct fat_directory directory;
  uint8_t *entry = NULL;
  int result = fat_directory_at(volume, &directory, cluster);
  if (result) {
    return result;
  }
  while ((result = fat_directory_raw(volume, &directory, &entry)) == LB_MORE && entry[0] != FAT_MARK_END) {
    const bool is_part = (entry[FAT_ENTRY_ATTRIBUTES] & FAT_ATTRIBUTE_LONG_MASK) == FAT_ATTRIBUTE_LONG;
    if (!is_part && memcmp(entry, raw, FAT_RAW_NAME) == 0) {
      return LB_MORE;
    }
  }
  return result == LB_MORE ? LB_OK : result;
}

int fat_alias(struct fat_volume *volume, uint32_t directory, const char *name, uint8_t raw[FAT_RAW_NAME])
{
  uint8_t cut[FAT_RAW_NAME];
  const bool is_same = cut_name(name, cut);
  memcpy(raw, cut, FAT_RAW_NAME);
  int result = is_same ? look_for(volume, directory, raw) : LB_MORE;
  for (uint32_t number = 1; result == LB_MORE && number <= TAILS; number++) {
    memcpy(raw, cut, FAT_RAW_NAME);
    put_tail(raw, number);
    result = look_for(volume, directory, raw);
  }
  return result == LB_MORE ? PORT_ERR_FILE_NO_ROOM : result;
}
