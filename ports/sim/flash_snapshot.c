// SPDX-License-Identifier: MIT
/*
 * Going back: each mark has a log of the sectors that changed since, with what they were. A sector is saved before its
 * first change; a stamp for each sector says whether that has happened.
 */
#include <stdlib.h>
#include <string.h>

#include "ports/sim/flash.h"
#include "ports/sim/flash_parts.h"

struct saved_sector {
  uint32_t number;
  uint32_t wear;
  bool has_mask;
};

struct sim_flash_mark {
  uint32_t *stamps;    /* one for each sector: equal to `generation` once it is in the log */
  uint32_t generation; /* of all marks and rewinds, counted from 1 */
  struct saved_sector *log;
  uint8_t *bytes; /* a sector for each entry of the log */
  uint8_t *masks; /* likewise, where has_mask */
  uint32_t count;
  uint32_t room;
  struct sim_flash_power power;
  uint64_t random;
  struct sim_flash_range hints[SIM_FLASH_HINTS];
  uint32_t hint_count;
};

static uint32_t sector_size(const struct sim_flash *flash)
{
  return flash->driver.erase_sizes[0];
}

static struct sim_flash_mark *last_mark(const struct sim_flash *flash)
{
  return flash->mark_count == 0 ? NULL : &flash->marks[flash->mark_count - 1];
}

static void forget_changes(struct sim_flash *flash, struct sim_flash_mark *mark)
{
  mark->count = 0;
  mark->generation = ++flash->generation;
}

bool sim_flash_mark(struct sim_flash *flash)
{
  if (!flash->marks) {
    flash->marks = calloc(SIM_FLASH_MARKS, sizeof *flash->marks);
  }
  if (!flash->marks || flash->mark_count == SIM_FLASH_MARKS) {
    return false;
  }
  struct sim_flash_mark *mark = &flash->marks[flash->mark_count];
  if (!mark->stamps) {
    mark->stamps = calloc(flash->driver.size / sector_size(flash), sizeof *mark->stamps);
  }
  if (!mark->stamps) {
    return false;
  }
  flash->mark_count++;
  forget_changes(flash, mark);
  mark->power = flash->power;
  mark->random = flash->random;
  mark->hint_count = flash->unstable.hint_count;
  memcpy(mark->hints, flash->unstable.hints, sizeof mark->hints);
  return true;
}

static bool grow_to(void **memory, size_t size)
{
  void *grown = realloc(*memory, size);
  if (grown) {
    *memory = grown;
  }
  return grown != NULL;
}

/* Room for one more entry. The old sizes stay right if one of the three cannot grow. */
static bool make_room(const struct sim_flash *flash, struct sim_flash_mark *mark)
{
  const uint32_t room = mark->room == 0 ? 32 : mark->room * 2;
  const size_t sector = sector_size(flash);
  void *log = mark->log;
  void *bytes = mark->bytes;
  void *masks = mark->masks;
  if (mark->count < mark->room) {
    return true;
  }
  const bool grown =
      grow_to(&log, room * sizeof *mark->log) && grow_to(&bytes, room * sector) && grow_to(&masks, room * sector);
  mark->log = log;
  mark->bytes = bytes;
  mark->masks = masks;
  mark->room = grown ? room : mark->room;
  return grown;
}

/* Takes a sector into the log, as the given bytes; a mask only if it may have unstable bits. */
static bool save(const struct sim_flash *flash, struct sim_flash_mark *mark, const struct saved_sector *saved,
                 const uint8_t *bytes, const uint8_t *mask)
{
  const size_t sector = sector_size(flash);
  if (mark->stamps[saved->number] == mark->generation) {
    return true;
  }
  if (!make_room(flash, mark)) {
    return false;
  }
  memcpy(mark->bytes + mark->count * sector, bytes, sector);
  if (saved->has_mask) {
    memcpy(mark->masks + mark->count * sector, mask, sector);
  }
  mark->log[mark->count++] = *saved;
  mark->stamps[saved->number] = mark->generation;
  return true;
}

bool sim_flash_touch(struct sim_flash *flash, uint32_t address, uint32_t length)
{
  struct sim_flash_mark *mark = last_mark(flash);
  const uint32_t sector = sector_size(flash);
  if (!mark || length == 0) {
    return true;
  }
  for (uint32_t number = address / sector; number <= (address + length - 1) / sector; number++) {
    const size_t at = (size_t)number * sector;
    const struct saved_sector saved = {
        .number = number, .wear = flash->wear[number], .has_mask = flash->unstable.hint_count != 0};
    const uint8_t *mask = saved.has_mask ? flash->unstable.mask + at : NULL;
    if (!save(flash, mark, &saved, flash->bytes + at, mask)) {
      return false;
    }
  }
  return true;
}

/* Where the log has no mask there was no unstable bit anywhere. */
static void restore_mask(struct sim_flash *flash, const struct sim_flash_mark *mark, uint32_t index)
{
  const size_t sector = sector_size(flash);
  uint8_t *mask = flash->unstable.mask + mark->log[index].number * sector;
  if (mark->log[index].has_mask) {
    memcpy(mask, mark->masks + index * sector, sector);
  } else {
    memset(mask, 0, sector);
  }
}

void sim_flash_rewind(struct sim_flash *flash)
{
  struct sim_flash_mark *mark = last_mark(flash);
  const size_t sector = sector_size(flash);
  if (!mark) {
    return;
  }
  const bool unstable = flash->unstable.hint_count != 0 || mark->hint_count != 0;
  for (uint32_t i = 0; i < mark->count; i++) {
    const struct saved_sector *saved = &mark->log[i];
    memcpy(flash->bytes + saved->number * sector, mark->bytes + i * sector, sector);
    flash->wear[saved->number] = saved->wear;
    if (unstable) {
      restore_mask(flash, mark, i);
    }
  }
  forget_changes(flash, mark);
  flash->power = mark->power;
  flash->random = mark->random;
  flash->unstable.hint_count = mark->hint_count;
  memcpy(flash->unstable.hints, mark->hints, sizeof mark->hints);
}

void sim_flash_unmark(struct sim_flash *flash)
{
  const struct sim_flash_mark *mark = last_mark(flash);
  const size_t sector = sector_size(flash);
  if (!mark) {
    return;
  }
  flash->mark_count--;
  struct sim_flash_mark *before = last_mark(flash);
  for (uint32_t i = 0; before && i < mark->count; i++) {
    /* the memory for it was there a moment ago; without it the mark before could not be kept, so nothing may go on */
    if (!save(flash, before, &mark->log[i], mark->bytes + i * sector, mark->masks + i * sector)) {
      abort();
    }
  }
}

uint32_t sim_flash_changed_count(const struct sim_flash *flash)
{
  const struct sim_flash_mark *mark = last_mark(flash);
  return mark ? mark->count : 0;
}

uint32_t sim_flash_changed_at(const struct sim_flash *flash, uint32_t index)
{
  return last_mark(flash)->log[index].number;
}

void sim_flash_free_marks(struct sim_flash *flash)
{
  for (uint32_t i = 0; flash->marks && i < SIM_FLASH_MARKS; i++) {
    free(flash->marks[i].stamps);
    free(flash->marks[i].log);
    free(flash->marks[i].bytes);
    free(flash->marks[i].masks);
  }
  free(flash->marks);
  flash->marks = NULL;
  flash->mark_count = 0;
}
