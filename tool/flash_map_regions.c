// SPDX-License-Identifier: MIT
/* Gathers what a map shows: partitions, the places that ESP-IDF fixes, and the gaps between them. */
#include <stdlib.h>
#include <string.h>

#include "ports/mbedtls/hash.h"
#include "tool/flash_map.h"
#include "tool/layout.h"
#include "tool/trial_text.h"

#define SECTOR              0x1000U
#define IMAGE_FIRST_WRITTEN 24U /* a writer programs an image's first bytes last (docs/SPEC.md) */

/* ---- bytes ---- */

static bool is_blank(const uint8_t *bytes, uint32_t length)
{
  return length == 0 || (bytes[0] == 0xFF && memcmp(bytes, bytes + 1, length - 1) == 0);
}

static uint32_t used_bytes(const uint8_t *bytes, uint32_t length)
{
  uint32_t used = 0;
  for (uint32_t i = 0; i < length; i += SECTOR) {
    uint32_t piece = length - i < SECTOR ? length - i : SECTOR;
    used += is_blank(bytes + i, piece) ? 0 : piece;
  }
  return used;
}

/* Bytes from the beginning up to the first blank sector. */
static uint32_t used_at_once(const uint8_t *bytes, uint32_t length)
{
  uint32_t used = 0;
  while (used + SECTOR <= length && !is_blank(bytes + used, SECTOR)) {
    used += SECTOR;
  }
  return used;
}

enum flash_content flash_map_content(const struct flash_map *map, const struct flash_region *region, uint32_t start,
                                     uint32_t length)
{
  if (start >= region->size) {
    return FLASH_BLANK;
  }
  uint32_t piece = region->size - start < length ? region->size - start : length;
  piece += start % SECTOR; /* a sector is blank or it is not */
  start -= start % SECTOR;
  piece = (piece + SECTOR - 1) / SECTOR * SECTOR;
  piece = region->size - start < piece ? region->size - start : piece;
  if (region->content == FLASH_GOOD && start < region->image_length) {
    return FLASH_GOOD; /* 0xFF inside an image is a part of it, too */
  }
  if (is_blank(map->bytes + region->offset + start, piece)) {
    return FLASH_BLANK;
  }
  bool has_length = region->image_length > 0 || region->content == FLASH_INTERRUPTED;
  bool is_behind = has_length && start >= region->image_length;
  return is_behind ? FLASH_DATA : region->content;
}

/* ---- words ---- */

void flash_map_size_text(uint32_t size, char *text, size_t capacity)
{
  if (size % 0x100000U == 0) {
    (void)snprintf(text, capacity, "%u MB", size / 0x100000U);
  } else if (size >= 0x100000U) {
    (void)snprintf(text, capacity, size < 10 * 0x100000U ? "%.2f MB" : "%.1f MB", (double)size / 0x100000);
  } else if (size % 1024U == 0) {
    (void)snprintf(text, capacity, "%u KB", size / 1024U);
  } else {
    (void)snprintf(text, capacity, "%u bytes", size);
  }
}

size_t flash_map_line(const char *text, size_t width)
{
  size_t length = strlen(text);
  if (length <= width) {
    return length;
  }
  length = width;
  while (length > 0 && text[length] != ' ') {
    length--;
  }
  return length > 0 ? length : width;
}

const char *flash_map_next_line(const char *text, size_t length)
{
  text += length;
  return *text == ' ' ? text + 1 : text;
}

/* Rounded down: 100 is truly all. */
static unsigned percent(uint32_t part, uint32_t whole)
{
  return whole == 0 ? 0 : (unsigned)((uint64_t)part * 100U / whole);
}

/* Where the next note goes. */
static char *next_note(struct flash_region *region)
{
  uint32_t i = 0;
  while (i + 1 < FLASH_MAP_NOTES && region->notes[i][0] != '\0') {
    i++;
  }
  return region->notes[i];
}

#define NOTE(region, ...) ((void)snprintf(next_note(region), FLASH_MAP_NOTE_SIZE, __VA_ARGS__))

static const char *cause(int code)
{
  return lb_error_info(code)->cause;
}

/* "12 KB of data" or "blank", for what has no state of its own. */
static void note_data(struct flash_region *region)
{
  char used[16];
  flash_map_size_text(region->used, used, sizeof(used));
  region->content = region->used > 0 ? FLASH_DATA : FLASH_BLANK;
  if (region->used > 0) {
    NOTE(region, "%s of data", used);
  } else {
    NOTE(region, "blank");
  }
}

/* ---- app slots ---- */

/* A patch that waits is no older data. */
static uint32_t waiting_bytes(const struct flash_map *map, const struct flash_region *region,
                              const struct flash_waiting *waiting)
{
  uint32_t behind = region->size - SECTOR; /* an update's journal */
  bool is_there = waiting->is_there && waiting->offset < behind;
  return is_there ? used_bytes(map->bytes + region->offset + waiting->offset, behind - waiting->offset) : 0;
}

static void note_waiting(struct flash_region *region, const struct flash_waiting *waiting)
{
  if (waiting->is_there) {
    NOTE(region, "patch waiting, %u of %u bytes: %.96s", waiting->position, waiting->size, waiting->source);
  }
}

static void note_interrupted(struct flash_map *map, struct flash_region *region, const struct flash_waiting *waiting)
{
  uint32_t room = waiting->is_there ? waiting->offset : region->size;
  uint32_t written = used_at_once(map->bytes + region->offset, room);
  uint32_t older = region->used - written - waiting_bytes(map, region, waiting);
  char text[16];
  flash_map_size_text(written, text, sizeof(text));
  region->content = FLASH_INTERRUPTED;
  region->image_length = written;
  NOTE(region, "no image, an update was interrupted");
  if (written > 0) {
    NOTE(region, "at most %s written (%u %%)", text, percent(written, region->size));
  } else {
    NOTE(region, "nothing written yet");
  }
  if (older > 0) {
    flash_map_size_text(older, text, sizeof(text));
    NOTE(region, "behind it %s of older data", text);
  }
}

static void note_good(struct flash_region *region, const struct lb_image_info *image)
{
  char length[16];
  flash_map_size_text((image->length + SECTOR - 1) / SECTOR * SECTOR, length, sizeof(length));
  region->content = FLASH_GOOD;
  region->image_length = image->length;
  NOTE(region, "%s", image->description.version[0] != '\0' ? image->description.version : "version unknown");
  NOTE(region, "good, %s used (%u %%)", length, percent(image->length, region->size));
}

static void note_slot(struct flash_map *map, struct flash_region *region, const struct flash_slot *slot)
{
  const uint8_t *bytes = map->bytes + region->offset;
  if (slot->result == LB_OK) {
    note_good(region, &slot->image);
  } else if (region->used == 0) {
    NOTE(region, "blank");
  } else if (is_blank(bytes, IMAGE_FIRST_WRITTEN)) {
    note_interrupted(map, region, &slot->waiting);
  } else {
    region->content = FLASH_BAD;
    region->image_length = slot->image.length;
    if (slot->image.description.version[0] != '\0') {
      NOTE(region, "%s", slot->image.description.version);
    }
    NOTE(region, "bad: %s", cause(slot->result));
  }
  note_waiting(region, &slot->waiting);
}

static void add_slot(struct flash_map *map, struct flash_region *region, const struct lb_partition *partition,
                     const struct flash_examination *examination)
{
  for (uint32_t i = 0; i < examination->slot_count; i++) {
    if (lb_partition_same(&examination->slots[i].partition, partition)) {
      note_slot(map, region, &examination->slots[i]);
    }
  }
  bool boots = examination->boot_result == LB_OK;
  region->boots = boots && lb_partition_same(&examination->boot.partition, partition);
  region->selected = examination->boot.selected_error != LB_OK && !region->boots &&
                     lb_partition_same(&examination->boot.selected, partition);
}

/* ---- the other places ---- */

static struct flash_region *add_region(struct flash_map *map, uint32_t offset, uint32_t end, const char *name)
{
  struct flash_region *region = &map->regions[map->count++];
  *region = (struct flash_region){.offset = offset, .size = end - offset};
  report_printable(name, region->name, sizeof(region->name));
  flash_map_size_text(region->size, region->size_text, sizeof(region->size_text));
  region->used = used_bytes(map->bytes + offset, region->size);
  return region;
}

/* Is nothing there yet? */
static bool is_free(const struct flash_map *map, uint32_t offset, uint32_t end)
{
  for (uint32_t i = 0; i < map->count; i++) {
    const struct flash_region *region = &map->regions[i];
    if (region->offset < end && offset < region->offset + region->size) {
      return false;
    }
  }
  return true;
}

static void note_failed_trials(struct flash_region *region, const struct flash_examination *examination)
{
  char label[LB_LABEL_SIZE];
  char trial[TRIAL_TEXT_SIZE];
  for (int i = 0; i < (int)LB_OTADATA_RECORDS; i++) {
    const struct lb_otadata_record *record = &examination->otadata.records[i];
    flash_record_slot(examination, record, label);
    trial_text(&examination->otadata, i, trial);
    if (record->trial.rejected && label[0] != '\0') {
      NOTE(region, "%s %s", label, trial);
    }
  }
}

static void note_otadata(struct flash_region *region, const struct flash_examination *examination)
{
  char label[LB_LABEL_SIZE];
  bool is_active = examination->otadata.active != LB_OTADATA_NONE;
  region->content = region->used > 0 ? FLASH_DATA : FLASH_BLANK;
  if (examination->otadata_result != LB_OK) {
    NOTE(region, "%s", cause(examination->otadata_result));
    return;
  }
  report_printable(examination->boot.selected.label, label, sizeof(label));
  if (is_active) {
    char trial[TRIAL_TEXT_SIZE];
    trial_text(&examination->otadata, examination->otadata.active, trial);
    NOTE(region, "selects %s%s%s", label[0] != '\0' ? label : "nothing", trial[0] != '\0' ? ", " : "", trial);
  } else {
    NOTE(region, "%s", region->used > 0 ? "no usable record" : "blank");
  }
  note_failed_trials(region, examination);
}

static void add_partitions(struct flash_map *map, const struct flash_examination *examination)
{
  struct lb_partition partition;
  for (uint32_t i = 0; lb_table_get(&examination->table, i, &partition) == LB_OK; i++) {
    struct flash_region *region = add_region(map, partition.offset, partition.offset + partition.size, partition.label);
    region->is_partition = true;
    if (partition.type == LB_TYPE_APP) {
      add_slot(map, region, &partition, examination);
    } else if (partition.type == LB_TYPE_DATA && partition.subtype == LB_SUBTYPE_OTADATA) {
      note_otadata(region, examination);
    } else {
      note_data(region);
    }
  }
}

static void add_table(struct flash_map *map, const struct flash_examination *examination)
{
  int result = examination->table_result != LB_OK ? examination->table_result : examination->table.first_error;
  if (!is_free(map, LB_TABLE_ADDRESS, LB_TABLE_ADDRESS + LB_TABLE_SECTOR)) {
    return;
  }
  struct flash_region *region = add_region(map, LB_TABLE_ADDRESS, LB_TABLE_ADDRESS + LB_TABLE_SECTOR, "table");
  region->content = result == LB_OK ? FLASH_GOOD : FLASH_BAD;
  if (result != LB_OK) {
    NOTE(region, "bad: %s", cause(result));
  } else {
    NOTE(region, "%s", examination->table.has_md5 ? "good" : "good, no MD5");
  }
}

/* The copy is Lifeboat's own: on another flash there is the bootloader, or nothing. */
static bool add_copy(struct flash_map *map, const struct flash_examination *examination)
{
  static struct lb_table copy; /* 3 KB */
  struct mbedtls_hash context;
  struct lb_hash md5;
  const uint8_t *bytes = map->bytes + LB_TABLE_COPY_ADDRESS;
  mbedtls_hash_md5(&md5, &context);
  bool is_good = lb_table_parse(&copy, bytes, LB_TABLE_SIZE, map->size, &md5) == LB_OK && copy.has_md5;
  if (!is_good || !is_free(map, LB_TABLE_COPY_ADDRESS, LB_TABLE_ADDRESS)) {
    return false;
  }
  struct flash_region *region = add_region(map, LB_TABLE_COPY_ADDRESS, LB_TABLE_ADDRESS, "table copy");
  region->content = FLASH_GOOD;
  if (examination->table.address == LB_TABLE_COPY_ADDRESS) {
    NOTE(region, "good, used in place of the table");
  } else {
    bool is_same = memcmp(bytes, map->bytes + LB_TABLE_ADDRESS, LB_TABLE_SIZE) == 0;
    NOTE(region, "%s", is_same ? "good" : "good, but differs from the table");
  }
  return true;
}

static void note_bootloader(struct flash_map *map, struct flash_region *region, const struct lb_chip *chip)
{
  static struct lb_image image;
  struct lb_image_rules rules = {
      .chip = chip, .revision = LB_REVISION_ANY, .loads_anywhere = true, .capacity = region->size};
  struct mbedtls_hash context;
  struct lb_hash sha256;
  mbedtls_hash_sha256(&sha256, &context);
  rules.address = region->offset;
  if (region->used == 0 || map->bytes[region->offset] != LB_IMAGE_MAGIC ||
      lb_image_start(&image, &rules, &sha256) != LB_OK) {
    note_data(region);
    return;
  }
  (void)lb_image_write(&image, map->bytes + region->offset, region->size, NULL);
  int result = lb_image_finish(&image);
  region->content = result == LB_OK ? FLASH_GOOD : FLASH_BAD;
  region->image_length = image.info.length;
  if (result == LB_OK) {
    NOTE(region, "good, %u bytes", image.info.length);
  } else {
    NOTE(region, "bad: %s", cause(result));
  }
}

static void add_bootloader(struct flash_map *map, const struct flash_examination *examination, bool has_copy)
{
  uint32_t start = layout_bootloader_address(examination->chip);
  uint32_t end = has_copy ? LB_TABLE_COPY_ADDRESS : LB_TABLE_ADDRESS;
  if (is_free(map, start, end)) {
    note_bootloader(map, add_region(map, start, end, "bootloader"), examination->chip);
  }
}

static int compare(const void *a, const void *b)
{
  const struct flash_region *first = a;
  const struct flash_region *second = b;
  return first->offset < second->offset ? -1 : first->offset > second->offset ? 1 : 0;
}

static void sort(struct flash_map *map)
{
  qsort(map->regions, map->count, sizeof(map->regions[0]), compare);
}

static void add_gaps(struct flash_map *map, const char *name)
{
  uint32_t count = map->count;
  uint32_t end = 0;
  for (uint32_t i = 0; i <= count; i++) {
    uint32_t next = i < count ? map->regions[i].offset : map->size;
    if (next > end) {
      note_data(add_region(map, end, next, name));
    }
    end = i < count ? next + map->regions[i].size : end;
  }
  sort(map);
}

static void conclude(struct flash_map *map, const struct flash_examination *examination)
{
  const struct lb_boot_decision *boot = &examination->boot;
  char boots[LB_LABEL_SIZE];
  char selected[LB_LABEL_SIZE];
  report_printable(boot->partition.label, boots, sizeof(boots));
  report_printable(boot->selected.label, selected, sizeof(selected));
  if (examination->boot_result != LB_OK) {
    (void)snprintf(map->conclusion, sizeof(map->conclusion), "Boots: nothing; %s", cause(examination->boot_result));
  } else if (boot->selected_error != LB_OK) {
    (void)snprintf(map->conclusion, sizeof(map->conclusion), "Boots: %s, in place of %s, which is selected: %s", boots,
                   selected, cause(boot->selected_error));
  } else {
    (void)snprintf(map->conclusion, sizeof(map->conclusion), "Boots: %s, %s%s", boots,
                   boot->reason == LB_BOOT_SELECTED ? "selected by otadata" : "by default, since nothing is selected",
                   flash_boots_on_trial(examination) ? ", if its trial goes on" : "");
  }
}

void flash_map_gather(struct flash_map *map, const struct flash_examination *examination, const uint8_t *bytes)
{
  bool has_table = examination->table_result == LB_OK;
  *map = (struct flash_map){.path = examination->path, .size = examination->size, .bytes = bytes};
  if (has_table) {
    add_partitions(map, examination);
  }
  add_table(map, examination);
  add_bootloader(map, examination, add_copy(map, examination));
  sort(map);
  add_gaps(map, has_table ? "unused" : "unknown");
  conclude(map, examination);
}
