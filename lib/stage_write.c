// SPDX-License-Identifier: MIT
/*
 * The patch in its stage: what of it is there, bytes that come, and whether they are it.
 *
 * After a cut the page that was in flight may read blank, whole, or different each time, and so may sectors whose erase
 * was cut. Hence each time that a stage is gone on with is an attempt with an entry of its own, behind the texts: first
 * where it begins is noted, then everything from there on is erased, then that is marked. Until the mark is there the
 * note alone counts, whatever the sectors read as; from then on what is not blank behind that place was programmed in
 * this attempt, in order, and all but its last page completely. A note is its place and the complement: bits only
 * become 0, so nothing but all of it reads as one. Nothing is touched before it is there, so that an older note, or
 * none, tells as much while it reads as one only at times. The first attempt is the stage's making: it needs no note.
 * Before any of that the header is programmed once more, which may have been found only by luck.
 */
#include <string.h>

#include "lib/common.h"
#include "lib/stage_parts.h"
#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "lifeboat/error.h"

/* Offsets in an attempt's entry. */
enum { AT_POSITION = 0, AT_COMPLEMENT = 4, AT_BEGUN = 8, AT_ERASED = 10, AT_WHOLE = 12 };

#define BEGUN_SIZE  2U
#define ERASED_SIZE 2U
#define WHOLE_SIZE  4U
#define NOTE_SIZE   8U
#define STEP        4096U /* bytes read in a call */
#define CHUNK       128U  /* and at once */

/* The header of a patch (docs/patch-format.md), as far as it takes to compare its CRC. */
enum { PATCH_VERSION_AT = 3, PATCH_CRC_AT = 6, PATCH_CRC_END = 10, PATCH_HEADER_SIZE = 66 };
#define PATCH_VERSION 1U

/* ---- attempts ---- */

static uint32_t entry_address(const struct lb_stage *stage, uint32_t attempt)
{
  return stage->entries + attempt * LB_STAGE_ENTRY_SIZE;
}

/* A mark counts with half of its bits: a rotten one makes none, and spoils none. */
static bool is_set(const uint8_t *mark, uint32_t size)
{
  uint32_t cleared = 0;
  for (uint32_t bit = 0; bit < size * 8U; bit++) {
    cleared += (mark[bit / 8U] & (1U << bit % 8U)) == 0 ? 1U : 0U;
  }
  return cleared >= size * 4U;
}

static int set_mark(const struct lb_stage *stage, uint32_t at, uint32_t size)
{
  static const uint8_t zeros[WHOLE_SIZE] = {0};
  return lb_flash_program(stage->flash, entry_address(stage, stage->attempt) + at, zeros, size);
}

static bool has_note(const struct lb_stage *stage, const uint8_t *entry)
{
  uint32_t position = lb_load_le32(entry + AT_POSITION);
  uint32_t sector = lb_flash_sector(stage->flash);
  return position == ~lb_load_le32(entry + AT_COMPLEMENT) && position < stage->size && (position & (sector - 1U)) == 0;
}

/* Finds the last attempt that has a note. The next one's entry is behind all that there are signs of. */
static int find_attempt(struct lb_stage *stage)
{
  uint8_t entry[LB_STAGE_ENTRY_SIZE];
  uint32_t last = 0;
  uint32_t next = 1; /* the first one is always there */
  bool erased = true;
  for (uint32_t i = 0; i < lb_stage_attempts(stage); i++) {
    int err = lb_flash_read(stage->flash, entry_address(stage, i), entry, LB_STAGE_ENTRY_SIZE);
    if (err) {
      return err;
    }
    if (!lb_is_blank(entry, LB_STAGE_ENTRY_SIZE)) {
      next = i + 1U;
    }
    if (i > 0 && has_note(stage, entry)) {
      last = i;
      stage->position = lb_load_le32(entry + AT_POSITION);
      erased = is_set(entry + AT_ERASED, ERASED_SIZE);
    }
    if (i == last) {
      stage->whole = is_set(entry + AT_WHOLE, WHOLE_SIZE);
    }
  }
  stage->attempt = stage->whole ? last : next;
  stage->checked = erased ? stage->size : stage->position; /* up to where it has to be looked at */
  return LB_OK;
}

/* ---- how much is there ---- */

/* From the end down: where the last page is that is not blank. LB_MORE after some of them. */
static int scan(struct lb_stage *stage)
{
  uint32_t page = stage->flash->page_size;
  for (uint32_t done = 0; done < STEP && stage->checked > stage->position; done += page) {
    uint32_t start = (stage->checked - 1U) & ~(page - 1U);
    bool blank = false;
    int err = lb_flash_is_blank(stage->flash, stage->start + start, stage->checked - start, &blank);
    if (err) {
      return err;
    }
    if (!blank) {
      stage->position = start & ~(lb_flash_sector(stage->flash) - 1U);
      return LB_OK;
    }
    stage->checked = start;
  }
  return stage->checked > stage->position ? LB_MORE : LB_OK;
}

int lb_stage_measure(struct lb_stage *stage)
{
  if (stage->phase == LB_STAGE_OPENED) {
    stage->position = 0;
    int err = find_attempt(stage);
    if (err) {
      return err;
    }
    if (stage->whole) {
      stage->position = stage->size;
      stage->erased = stage->address;
      stage->phase = LB_STAGE_TAKING;
      return LB_OK;
    }
    if (stage->attempt == lb_stage_attempts(stage)) {
      return LB_ERR_NO_STAGE;
    }
    stage->phase = LB_STAGE_SCANNING;
    return LB_MORE;
  }
  if (stage->phase != LB_STAGE_SCANNING) {
    return LB_ERR_STATE;
  }
  int result = scan(stage);
  if (result == LB_OK) { /* what comes belongs to the next attempt */
    stage->erased = stage->start + stage->position;
    stage->phase = LB_STAGE_MEASURED;
  }
  return result;
}

/* ---- bytes ---- */

static int note_position(const struct lb_stage *stage)
{
  uint8_t note[NOTE_SIZE];
  lb_store_le32(note + AT_POSITION, stage->position);
  lb_store_le32(note + AT_COMPLEMENT, ~stage->position);
  return lb_flash_program(stage->flash, entry_address(stage, stage->attempt), note, NOTE_SIZE);
}

/* One step of an attempt's beginning; LB_OK: the next one comes. */
static int begin_attempt(struct lb_stage *stage)
{
  switch (stage->phase) {
  case LB_STAGE_MEASURED:
    return lb_stage_firm_header(stage);
  case LB_STAGE_BEGUN:
    return set_mark(stage, AT_BEGUN, BEGUN_SIZE);
  case LB_STAGE_NOTING:
    return note_position(stage);
  case LB_STAGE_CLEARING:
    return lb_stage_erase_one(stage, stage->address);
  case LB_STAGE_CLEARED:
    return set_mark(stage, AT_ERASED, ERASED_SIZE);
  default:
    return LB_ERR_STATE;
  }
}

int lb_stage_write(struct lb_stage *stage, const void *data, uint32_t length, uint32_t *used)
{
  *used = 0;
  if (stage->phase < LB_STAGE_MEASURED || stage->phase > LB_STAGE_TAKING) {
    return LB_ERR_STATE;
  }
  if (length > stage->size - stage->position) {
    return LB_ERR_SIZE_MISMATCH;
  }
  if (length == 0) {
    return LB_OK;
  }
  if (stage->phase != LB_STAGE_TAKING) {
    int result = begin_attempt(stage);
    stage->phase = (uint8_t)(stage->phase + (result == LB_OK));
    return result < 0 ? result : LB_OK;
  }
  uint32_t page = stage->flash->page_size;
  uint32_t piece = lb_smaller(stage->size - stage->position, page);
  if (length < piece) {
    return LB_OK;
  }
  int err = lb_flash_program(stage->flash, stage->start + stage->position, data, piece);
  if (err) {
    return err;
  }
  stage->position += piece;
  *used = piece;
  return LB_OK;
}

int lb_stage_read(const struct lb_stage *stage, uint32_t offset, void *buffer, uint32_t length)
{
  if (offset > stage->position || length > stage->position - offset) {
    return LB_ERR_ARGUMENT;
  }
  return lb_flash_read(stage->flash, stage->start + offset, buffer, length);
}

/* ---- is it the patch? ---- */

/* What the header says: magic and version, and where its CRC is. */
static int judge(const struct lb_stage *stage, uint32_t *stated)
{
  uint8_t header[PATCH_CRC_END];
  if (stage->size < PATCH_HEADER_SIZE) {
    return LB_ERR_PATCH_HEADER;
  }
  int err = lb_flash_read(stage->flash, stage->start, header, sizeof header);
  if (err) {
    return err;
  }
  if (memcmp(header, "LBP", PATCH_VERSION_AT) != 0) {
    return LB_ERR_PATCH_MAGIC;
  }
  if (header[PATCH_VERSION_AT] != PATCH_VERSION) {
    return LB_ERR_PATCH_VERSION;
  }
  *stated = lb_load_le32(header + PATCH_CRC_AT);
  return LB_OK;
}

/* Takes the next bytes into the CRC; those of the CRC itself are left out. */
static int add_chunk(struct lb_stage *stage)
{
  uint8_t chunk[CHUNK];
  uint32_t end = stage->checked < PATCH_CRC_AT ? PATCH_CRC_AT : stage->size;
  uint32_t length = lb_smaller(end - stage->checked, CHUNK);
  int err = lb_flash_read(stage->flash, stage->start + stage->checked, chunk, length);
  if (err) {
    return err;
  }
  stage->crc = lb_crc32(stage->crc, chunk, length);
  stage->checked += length;
  if (stage->checked == PATCH_CRC_AT) {
    stage->checked = PATCH_CRC_END;
  }
  return LB_OK;
}

/* Some of the patch is read: LB_MORE, then what there is to say about it. */
static int check_some(struct lb_stage *stage)
{
  uint32_t stated = 0;
  for (uint32_t done = 0; done < STEP && stage->checked < stage->size; done += CHUNK) {
    int err = add_chunk(stage);
    if (err) {
      return err;
    }
  }
  if (stage->checked < stage->size) {
    return LB_MORE;
  }
  int err = judge(stage, &stated);
  return err || stage->crc == stated ? err : LB_ERR_PATCH_CRC;
}

/* Marks it whole, and begins to read. Once more if it read as marked: a cut may have left that halfway. */
static int begin_check(struct lb_stage *stage)
{
  uint8_t mark[WHOLE_SIZE];
  uint32_t stated = 0;
  int err = set_mark(stage, AT_WHOLE, WHOLE_SIZE);
  if (err == LB_OK) {
    err = lb_flash_read(stage->flash, entry_address(stage, stage->attempt) + AT_WHOLE, mark, WHOLE_SIZE);
  }
  if (err == LB_OK) {
    stage->whole = is_set(mark, WHOLE_SIZE);
    err = judge(stage, &stated);
  }
  if (err) {
    return err;
  }
  stage->crc = 0;
  stage->checked = 0;
  stage->phase = LB_STAGE_CHECKING;
  return LB_MORE;
}

int lb_stage_check(struct lb_stage *stage)
{
  if (stage->phase == LB_STAGE_TAKING && stage->position == stage->size) {
    return begin_check(stage);
  }
  if (stage->phase != LB_STAGE_CHECKING) {
    return LB_ERR_STATE;
  }
  int result = check_some(stage);
  if (result != LB_MORE) {
    stage->phase = LB_STAGE_TAKING;
  }
  return result;
}
