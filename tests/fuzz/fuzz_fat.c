// SPDX-License-Identifier: MIT
/*
 * A card. First what is done with it: which name is renamed, to what, after how many writes the power is cut; the size
 * of the card in sectors; then sectors, each with its number before it (32 bits) and 512 bytes. All others are blank.
 *
 * Every call ends, reads only what is there and never writes but to rename. What is listed is sorted in groups, has a
 * name of printable UTF-8 and can be found by it. A renamed file has its new name only, and what is beside it stays.
 * After a power cut it has one of its names at least.
 */
#include <stdlib.h>
#include <string.h>

#include "ports/fat/fat_files.h"
#include "tests/fuzz/fuzz.h"

#define SECTORS    48U
#define READS_MOST 200000U /* by one call */
#define FILE_MOST  65536U  /* bytes that are read of a file */
#define DEPTH_MOST 3U      /* of directories that are looked into */

struct card {
  struct block_device device;
  uint32_t numbers[SECTORS];
  uint8_t sectors[SECTORS][BLOCK_SIZE];
  uint32_t count;
  uint32_t reads;
  uint32_t writes;
  uint32_t writes_left;
};

static struct card card;
static struct fat_files files;

static uint8_t *find_sector(uint64_t number)
{
  for (uint32_t i = 0; i < card.count; i++) {
    if (card.numbers[i] == number) {
      return card.sectors[i];
    }
  }
  return NULL;
}

static int card_read(void *context, uint64_t sector, void *buffer, uint32_t count)
{
  (void)context;
  FUZZ_REQUIRE(count > 0 && count <= 8);
  FUZZ_REQUIRE(sector < card.device.sectors && count <= card.device.sectors - sector);
  FUZZ_REQUIRE(++card.reads < READS_MOST);
  memset(buffer, 0, (size_t)count * BLOCK_SIZE);
  for (uint32_t i = 0; i < count; i++) {
    const uint8_t *found = find_sector(sector + i);
    if (found) {
      memcpy((uint8_t *)buffer + (size_t)i * BLOCK_SIZE, found, BLOCK_SIZE);
    }
  }
  return LB_OK;
}

static int card_write(void *context, uint64_t sector, const void *data)
{
  uint8_t *found = find_sector(sector);

  (void)context;
  FUZZ_REQUIRE(sector > 0 && sector < card.device.sectors);
  if (card.writes >= card.writes_left || (!found && card.count == SECTORS)) {
    return PORT_ERR_FILE_IO;
  }
  card.writes++;
  if (!found) {
    card.numbers[card.count] = (uint32_t)sector;
    found = card.sectors[card.count++];
  }
  memcpy(found, data, BLOCK_SIZE);
  return LB_OK;
}

/* ---- looking around ---- */

/* Well-formed UTF-8 without control characters and slashes. */
static void require_name(const char *name)
{
  const uint8_t *at = (const uint8_t *)name;

  FUZZ_REQUIRE(*at != 0 && strlen(name) < FAT_NAME_SIZE && strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
  while (*at != 0) {
    const uint32_t more = *at < 0x80 ? 0 : *at < 0xE0 ? 1 : *at < 0xF0 ? 2 : 3;
    FUZZ_REQUIRE((more == 0 && *at >= ' ' && *at != '/') || (*at >= 0xC2 && *at < 0xF5));
    FUZZ_REQUIRE(!(*at == 0xED && at[1] >= 0xA0)); /* half of a pair */
    for (uint32_t i = 1; i <= more; i++) {
      FUZZ_REQUIRE((at[i] & 0xC0) == 0x80);
    }
    at += more + 1;
  }
}

struct names {
  char chosen[FAT_NAME_SIZE]; /* the one with the number `choice` */
  char last[FAT_NAME_SIZE];
  uint32_t choice;
  uint32_t count;
  uint32_t in_group; /* of names that are sorted, */
  uint32_t room;     /* and the bytes that they need at least */
  uint64_t sum;      /* over all names, whatever their order */
};

static uint64_t hash_of(const char *name)
{
  uint64_t hash = 0xCBF29CE484222325U;

  for (; *name != '\0'; name++) {
    hash = (hash ^ (uint8_t)*name) * 0x100000001B3U;
  }
  return hash;
}

static void note(void *context, const char *name, const struct port_file_info *info)
{
  struct names *names = context;

  require_name(name);
  if (names->count > 0 && strcmp(names->last, name) > 0) { /* then there was no room for another one */
    FUZZ_REQUIRE(names->in_group >= FAT_FILES_LIST_NAMES || names->room > FAT_FILES_LIST_SIZE - FAT_NAME_SIZE - 16);
    names->in_group = 0;
    names->room = 0;
  }
  names->in_group++;
  names->room += 16 + (uint32_t)strlen(name) + 1;
  FUZZ_REQUIRE(info->size <= UINT32_MAX && (!info->is_directory || info->size == 0) && info->modified >= 0);
  memcpy(names->last, name, strlen(name) + 1);
  if (names->count == names->choice) {
    memcpy(names->chosen, name, strlen(name) + 1);
  }
  names->count++;
  names->sum += hash_of(name);
}

static bool is_error(int result)
{
  const bool no_card = result == PORT_ERR_FILE_NO_MOUNT && card.device.sectors == 0;
  return no_card || result == PORT_ERR_FILE_IO || result == PORT_ERR_FILE_SYSTEM;
}

static int list(const char *path, struct names *names)
{
  memset(names, 0, offsetof(struct names, choice));
  names->count = 0;
  names->in_group = 0;
  names->room = 0;
  names->sum = 0;
  card.reads = 0;
  return files.port.list(&files, path, note, names);
}

static void read_file(const char *path)
{
  uint8_t *buffer = fuzz_allocate(4096);
  struct port_file_info info;
  struct port_file *file = NULL;
  uint32_t total = 0;
  uint32_t got = 0;
  int result = LB_OK;

  card.reads = 0;
  result = files.port.open(&files, path, &file, &info);
  FUZZ_REQUIRE(result == LB_OK || result == PORT_ERR_FILE_IS_DIRECTORY || is_error(result));
  for (uint32_t piece = 1; result == LB_OK && total < FILE_MOST; piece = piece * 7 % 4097) {
    result = files.port.read(file, buffer, piece, &got);
    FUZZ_REQUIRE(result == LB_OK || (is_error(result) && got == 0));
    total += got;
    if (result == LB_OK && got < piece) {
      FUZZ_REQUIRE(total == info.size);
      break;
    }
  }
  if (file) {
    files.port.close(file);
  }
  free(buffer);
}

/* Goes up again from where `path` leads, whatever the ".." there says. */
static void climb(char *path)
{
  struct port_file_info info;

  memcpy(path + strlen(path), "/../.", 6);
  card.reads = 0;
  const int result = files.port.stat(&files, path, &info);
  FUZZ_REQUIRE((result == LB_OK && info.is_directory) || result == PORT_ERR_FILE_NOT_DIRECTORY || is_error(result));
}

/* Lists a directory, looks at the chosen name in it, and goes on there. */
static void look_around(uint32_t choice)
{
  static char path[FAT_NAME_SIZE * (DEPTH_MOST + 1)];
  static struct names names;
  struct port_file_info info;

  memcpy(path, "/sd", 4);
  for (uint32_t depth = 0; depth < DEPTH_MOST; depth++) {
    names.choice = choice % 8;
    choice /= 8;
    const int result = list(path, &names);
    FUZZ_REQUIRE(result == LB_OK || result == PORT_ERR_FILE_NOT_DIRECTORY || is_error(result));
    if (result != LB_OK || names.count <= names.choice) {
      break;
    }
    const size_t length = strlen(path);
    path[length] = '/';
    memcpy(path + length + 1, names.chosen, strlen(names.chosen) + 1);
    card.reads = 0;
    FUZZ_REQUIRE(files.port.stat(&files, path, &info) == LB_OK);
    read_file(path);
  }
  if (strlen(path) > 3) {
    climb(path);
  }
}

/* ---- renaming ---- */

static bool is_there(struct fat_volume *volume, const char *name, const struct fat_entry *expected)
{
  static struct fat_entry entry;

  card.reads = 0;
  fat_forget(volume);
  const int result = fat_find(volume, name, &entry);
  return result == LB_OK && entry.size == expected->size && entry.cluster == expected->cluster;
}

static void require_renamed(struct fat_volume *volume, const struct fat_entry *old, const char *name,
                            const struct names *before)
{
  static struct names after;

  FUZZ_REQUIRE(is_there(volume, name, old));
  FUZZ_REQUIRE(list("/sd", &after) == LB_OK);
  FUZZ_REQUIRE(after.count == before->count);
  FUZZ_REQUIRE(after.sum == before->sum - hash_of(old->name) + hash_of(name));
}

static void rename_one(uint32_t choice, const char *name)
{
  static struct names before;
  static struct fat_entry old;
  struct fat_volume *volume = &files.volume;

  before.choice = choice;
  if (list("/sd", &before) != LB_OK || before.count <= choice) {
    return;
  }
  FUZZ_REQUIRE(fat_find(volume, before.chosen, &old) == LB_OK);
  FUZZ_REQUIRE(card.writes == 0);
  card.reads = 0;
  const int result = fat_rename(volume, before.chosen, name);
  FUZZ_REQUIRE(result == LB_OK || is_error(result) || result == PORT_ERR_FILE_NAME || result == PORT_ERR_FILE_EXISTS ||
               result == PORT_ERR_FILE_NO_ROOM || result == PORT_ERR_FILE_IS_DIRECTORY);
  FUZZ_REQUIRE(result == LB_OK || result == PORT_ERR_FILE_IO || card.writes == 0);
  if (result == LB_OK) {
    require_renamed(volume, &old, name, &before);
  } else {
    FUZZ_REQUIRE(is_there(volume, before.chosen, &old) || is_there(volume, name, &old));
  }
}

static void make_name(struct fuzz_input *input, char name[256])
{
  const uint32_t length = fuzz_take_byte(input);
  const char letter = (char)fuzz_take_byte(input);

  memset(name, letter != '\0' ? letter : 'n', 255);
  name[length] = '\0';
  if (length > 4) {
    memcpy(name + length - 4, ".new", 4);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  const uint32_t look = fuzz_take_word(&input);
  const uint32_t choice = fuzz_take_below(&input, 16);
  char name[256];

  memset(&card, 0, sizeof card);
  make_name(&input, name);
  card.writes_left = fuzz_take_byte(&input);
  card.device = (struct block_device){.read = card_read, .write = card_write, .sectors = fuzz_take_word(&input)};
  while (input.length > 0 && card.count < SECTORS) {
    card.numbers[card.count] = fuzz_take_word(&input);
    fuzz_take_bytes(&input, card.sectors[card.count], BLOCK_SIZE, 0);
    card.count++;
  }
  fat_files_open(&files, &card.device, NULL, NULL);
  look_around(look);
  FUZZ_REQUIRE(card.writes == 0);
  rename_one(choice, name);
  look_around(look);
  return 0;
}
