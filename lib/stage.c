// SPDX-License-Identifier: MIT
/*
 * Making a stage and finding it. As with a journal, the header is programmed last and made void before anything is
 * erased, and its CRC covers the texts: where there is a header everything in front of it was erased completely.
 */
#include "lifeboat/stage.h"

#include <string.h>

#include "lib/common.h"
#include "lib/old_image.h"
#include "lib/stage_parts.h"
#include "lib/texts.h"
#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "lifeboat/error.h"
#include "lifeboat/journal.h"

#define MAGIC       0x5453424CU /* "LBST" */
#define HEADER_SIZE 32U         /* bytes: the least that a page can have */
#define LOOKED_AT   64U         /* bytes behind the header that tell whether its texts were begun */

/* Offsets in the header; what is not named is 0xFF. */
enum {
  AT_MAGIC = 0,
  AT_SLOT = 4,
  AT_SIZE = 8,
  AT_SECTOR = 12,
  AT_SOURCE_LENGTH = 16,
  AT_VALIDATOR_LENGTH = 20,
  AT_CRC = 28
};

/* ---- where everything lies ---- */

/* Has the slot a last sector but one that a header could be in? */
static bool find_header(const struct lb_flash *flash, const struct lb_partition *slot, uint32_t *address)
{
  uint32_t sector = lb_flash_sector(flash);
  if (slot->offset > flash->size || slot->size > flash->size - slot->offset) {
    return false;
  }
  if (sector < HEADER_SIZE + LOOKED_AT || ((slot->offset | slot->size) & (sector - 1U)) != 0 ||
      slot->size / sector < 3U) {
    return false;
  }
  *address = slot->offset + slot->size - 2U * sector;
  return true;
}

/* Is there room in the header's sector for the texts, and for attempts behind them? Tells where these begin. */
static bool place_entries(struct lb_stage *stage)
{
  uint32_t page = stage->flash->page_size;
  uint32_t room = lb_flash_sector(stage->flash) - HEADER_SIZE;
  if (stage->source_length == 0 || stage->source_length > room ||
      stage->validator_length > room - stage->source_length) {
    return false;
  }
  uint32_t texts = HEADER_SIZE + stage->source_length + stage->validator_length;
  stage->entries = stage->address + ((texts + page - 1U) & ~(page - 1U));
  return lb_stage_attempts(stage) >= LB_STAGE_ATTEMPTS_LEAST;
}

uint32_t lb_stage_attempts(const struct lb_stage *stage)
{
  uint32_t end = stage->address + lb_flash_sector(stage->flash);
  return stage->entries < end ? (end - stage->entries) / LB_STAGE_ENTRY_SIZE : 0;
}

/* The patch ends, up to a sector, where the header begins. */
static bool place_patch(struct lb_stage *stage)
{
  uint32_t sector = lb_flash_sector(stage->flash);
  if (stage->size > stage->address - stage->slot.offset) {
    return false;
  }
  stage->start = stage->address - ((stage->size + sector - 1U) & ~(sector - 1U));
  stage->erased = stage->start;
  return true;
}

static struct lb_texts texts_of(const struct lb_stage *stage)
{
  return (struct lb_texts){stage->flash, stage->address + HEADER_SIZE, stage->source_length, stage->validator_length};
}

/* ---- what else there is in the slot ---- */

/* Has an interrupted update reached into the stage, or does it trust what the slot held there? LB_ERR_NO_JOURNAL. */
static int find_journal(const struct lb_stage *stage, bool *reaches)
{
  struct lb_journal journal;
  int err = lb_journal_read(&journal, stage->flash, &stage->slot);
  *reaches = err == LB_OK && (journal.size > stage->start - stage->slot.offset || journal.compare_end > stage->start);
  return err;
}

/* Does the slot's image reach into the stage? */
static int find_image(const struct lb_stage *stage, bool *reaches)
{
  uint32_t end;
  int err = lb_old_image_end(stage->flash, &stage->slot, &end);
  *reaches = err == LB_OK && end > stage->start - stage->slot.offset;
  return err;
}

/* What was written since is not the stage's: then there is none any more. */
static int check_place(const struct lb_stage *stage)
{
  bool reaches;
  int err = find_image(stage, &reaches);
  if (err == LB_OK && !reaches) {
    err = find_journal(stage, &reaches);
    err = err == LB_ERR_NO_JOURNAL ? LB_OK : err;
  }
  return err == LB_OK && reaches ? LB_ERR_NO_STAGE : err;
}

/* ---- making one ---- */

int lb_stage_start(struct lb_stage *stage, const struct lb_flash *flash, const struct lb_partition *slot,
                   const struct lb_stage_subject *subject)
{
  uint32_t sector = lb_flash_sector(flash);
  bool reaches;
  memset(stage, 0, sizeof *stage);
  if (!find_header(flash, slot, &stage->address)) {
    return LB_ERR_STAGE_ROOM;
  }
  stage->flash = flash;
  stage->slot = *slot;
  stage->size = subject->size;
  stage->source_length = lb_text_length(subject->source, sector);
  stage->validator_length = lb_text_length(subject->validator, sector);
  if (stage->size == 0 || !place_entries(stage)) {
    return LB_ERR_ARGUMENT;
  }
  if (!place_patch(stage) || subject->image_size > stage->start - slot->offset) {
    return LB_ERR_STAGE_ROOM;
  }
  int err = find_image(stage, &reaches);
  return err == LB_OK && reaches ? LB_ERR_STAGE_ROOM : err;
}

static int make_void(const struct lb_flash *flash, uint32_t address)
{
  static const uint8_t zeros[HEADER_SIZE] = {0};
  return lb_flash_program(flash, address, zeros, HEADER_SIZE);
}

/* Makes the header but for the CRC of the texts, which what is returned goes on to. */
static uint32_t make_header(const struct lb_stage *stage, uint8_t *header)
{
  memset(header, 0xFF, HEADER_SIZE);
  lb_store_le32(header + AT_MAGIC, MAGIC);
  lb_store_le32(header + AT_SLOT, stage->slot.offset);
  lb_store_le32(header + AT_SIZE, stage->size);
  lb_store_le32(header + AT_SECTOR, lb_flash_sector(stage->flash));
  lb_store_le32(header + AT_SOURCE_LENGTH, stage->source_length);
  lb_store_le32(header + AT_VALIDATOR_LENGTH, stage->validator_length);
  return lb_crc32(0, header, AT_CRC);
}

/* An update that reaches into the stage cannot be gone on with: its journal goes before the first erase. LB_MORE: a
 * page.
 */
static int close_journal(const struct lb_stage *stage)
{
  bool reaches;
  bool discarded = false;
  int err = find_journal(stage, &reaches);
  if (err != LB_ERR_NO_JOURNAL && (err || !reaches)) {
    return err;
  }
  err = lb_journal_discard(stage->flash, &stage->slot, &discarded);
  return err == LB_OK && discarded ? LB_MORE : err;
}

int lb_stage_erase_one(struct lb_stage *stage, uint32_t end)
{
  uint32_t erased = 0;
  int err = lb_flash_erase_one(stage->flash, stage->erased, end, &erased);
  if (err) {
    return err;
  }
  stage->erased += erased;
  return stage->erased < end ? LB_MORE : LB_OK;
}

static int write_header(const struct lb_stage *stage, const struct lb_stage_subject *subject)
{
  uint8_t header[HEADER_SIZE];
  uint32_t crc = make_header(stage, header);
  crc = lb_crc32(crc, subject->source, stage->source_length);
  crc = lb_crc32(crc, subject->validator, stage->validator_length);
  lb_store_le32(header + AT_CRC, crc);
  return lb_flash_program(stage->flash, stage->address, header, HEADER_SIZE);
}

int lb_stage_firm_header(const struct lb_stage *stage)
{
  uint8_t header[HEADER_SIZE];
  struct lb_texts texts = texts_of(stage);
  uint32_t crc = make_header(stage, header);
  int err = lb_texts_crc(&texts, &crc);
  lb_store_le32(header + AT_CRC, crc);
  return err ? err : lb_flash_program(stage->flash, stage->address, header, HEADER_SIZE);
}

/* What was written is there, and no attempt has a mark yet. */
static int check_header(const struct lb_stage *stage)
{
  struct lb_stage found;
  bool blank = false;
  int err = lb_stage_open(&found, stage->flash, &stage->slot);
  if (err == LB_OK) {
    err = lb_flash_is_blank(stage->flash, stage->entries, lb_stage_attempts(stage) * LB_STAGE_ENTRY_SIZE, &blank);
  }
  if (err == LB_ERR_NO_STAGE || (err == LB_OK && !blank)) {
    return LB_ERR_READ_BACK;
  }
  return err;
}

/* One step of the present phase; LB_OK: the next one comes. */
static int make(struct lb_stage *stage, const struct lb_stage_subject *subject)
{
  struct lb_texts texts = texts_of(stage);
  switch (stage->phase) {
  case LB_STAGE_VOIDING:
    return make_void(stage->flash, stage->address);
  case LB_STAGE_ERASING:
    return lb_stage_erase_one(stage, stage->address + lb_flash_sector(stage->flash));
  case LB_STAGE_TEXTS:
    return lb_texts_program(&texts, subject->source, subject->validator, &stage->checked);
  case LB_STAGE_HEADER:
    return write_header(stage, subject);
  default:
    return LB_ERR_STATE;
  }
}

int lb_stage_create(struct lb_stage *stage, const struct lb_stage_subject *subject)
{
  if (stage->phase == LB_STAGE_CLOSING) {
    int result = close_journal(stage);
    if (result < 0) {
      return result;
    }
    stage->phase = LB_STAGE_VOIDING;
    if (result == LB_MORE) {
      return result;
    }
  }
  if (stage->phase == LB_STAGE_READING) {
    int err = check_header(stage);
    if (err == LB_OK) {
      stage->erased = stage->address;
      stage->phase = LB_STAGE_TAKING;
    }
    return err;
  }
  int result = make(stage, subject);
  if (result == LB_OK) {
    stage->phase++;
  }
  return result < 0 ? result : LB_MORE;
}

/* ---- finding it ---- */

int lb_stage_open(struct lb_stage *stage, const struct lb_flash *flash, const struct lb_partition *slot)
{
  uint8_t header[HEADER_SIZE];
  uint8_t expected[HEADER_SIZE];
  memset(stage, 0, sizeof *stage);
  if (!find_header(flash, slot, &stage->address)) {
    return LB_ERR_NO_STAGE;
  }
  int err = lb_flash_read(flash, stage->address, header, HEADER_SIZE);
  if (err) {
    return err;
  }
  stage->flash = flash;
  stage->slot = *slot;
  stage->size = lb_load_le32(header + AT_SIZE);
  stage->source_length = lb_load_le32(header + AT_SOURCE_LENGTH);
  stage->validator_length = lb_load_le32(header + AT_VALIDATOR_LENGTH);
  stage->phase = LB_STAGE_OPENED;
  if (lb_load_le32(header + AT_MAGIC) != MAGIC || stage->size == 0 || !place_entries(stage) || !place_patch(stage)) {
    return LB_ERR_NO_STAGE;
  }
  /* made for this slot and this flash, nothing in between: it is what would be written */
  struct lb_texts texts = texts_of(stage);
  uint32_t crc = make_header(stage, expected);
  err = lb_texts_crc(&texts, &crc);
  lb_store_le32(expected + AT_CRC, crc);
  if (err == LB_OK && memcmp(header, expected, HEADER_SIZE) != 0) {
    err = LB_ERR_NO_STAGE;
  }
  return err ? err : check_place(stage);
}

int lb_stage_is_about(const struct lb_stage *stage, const char *source, const char *validator, bool *same)
{
  struct lb_texts texts = texts_of(stage);
  return lb_texts_are(&texts, source, validator, same);
}

int lb_stage_source(const struct lb_stage *stage, char *buffer, uint32_t capacity, bool *whole)
{
  struct lb_texts texts = texts_of(stage);
  return lb_texts_source(&texts, buffer, capacity, whole);
}

int lb_stage_validator(const struct lb_stage *stage, char *buffer, uint32_t capacity, bool *whole)
{
  struct lb_texts texts = texts_of(stage);
  return lb_texts_validator(&texts, buffer, capacity, whole);
}

uint32_t lb_stage_reserved(const struct lb_stage *stage)
{
  return stage->address + lb_flash_sector(stage->flash) - stage->start;
}

/* ---- ending it ---- */

/*
 * Can the header read as a good one at times? One that is being programmed has all bits of the mark and more, one that
 * is being made void has some of them and no others. While the texts are blank it was not begun, however it reads.
 */
static bool may_be_header(const uint8_t *begin)
{
  uint32_t mark = lb_load_le32(begin + AT_MAGIC);
  return !lb_is_blank(begin, HEADER_SIZE + LOOKED_AT) && ((mark & MAGIC) == MAGIC || (mark & ~MAGIC) == 0);
}

int lb_stage_discard(const struct lb_flash *flash, const struct lb_partition *slot, bool *discarded)
{
  uint8_t begin[HEADER_SIZE + LOOKED_AT];
  uint32_t address;
  uint32_t old_end;
  *discarded = false;
  if (!find_header(flash, slot, &address)) {
    return LB_OK;
  }
  int err = lb_old_image_end(flash, slot, &old_end);
  if (err == LB_OK) {
    err = lb_flash_read(flash, address, begin, sizeof begin);
  }
  /* what an image covers was erased since, and is the image's */
  if (err || old_end > address - slot->offset || !may_be_header(begin)) {
    return err;
  }
  *discarded = true;
  return make_void(flash, address);
}
