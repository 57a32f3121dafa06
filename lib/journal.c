// SPDX-License-Identifier: MIT
/*
 * The sector: a header, behind it the source and the validator, and from the next page on an entry for each block. The
 * header is programmed last and made void first, and its CRC covers the texts, too, so there is either all of a journal
 * or none. Making it void goes before every erase: an erase that is cut may leave a good header above marks that are
 * gone, and blocks that were being written would pass for old ones.
 */
#include "lifeboat/journal.h"

#include <string.h>

#include "lib/common.h"
#include "lib/texts.h"
#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "lifeboat/error.h"

#define MAGIC     0x524A424CU /* "LBJR" */
#define VOID_SIZE 32U         /* bytes of the header that are cleared: the least a page can have */
#define PIECE     64U         /* room for texts that there has to be at least, and that is looked at */

/* Offsets in the header; what is not named is 0xFF. */
enum {
  AT_MAGIC = 0,
  AT_SLOT = 4,
  AT_SIZE = 8,
  AT_COMPARE_END = 12,
  AT_BLOCK = 16,
  AT_SOURCE_LENGTH = 20,
  AT_VALIDATOR_LENGTH = 24,
  AT_HEAD = 32,
  AT_CRC = 60
};

enum phase { START, ERASE, TEXT, HEADER, CHECK };

/* ---- where everything lies ---- */

/* Has the slot a last sector that a journal could be in? */
static bool find_sector(const struct lb_flash *flash, const struct lb_partition *slot, uint32_t *address)
{
  uint32_t sector = lb_flash_sector(flash);
  if (slot->offset > flash->size || slot->size > flash->size - slot->offset) {
    return false;
  }
  if (sector < LB_JOURNAL_HEADER_SIZE + PIECE || ((slot->offset | slot->size) & (sector - 1U)) != 0 ||
      slot->size <= sector) {
    return false;
  }
  *address = slot->offset + slot->size - sector;
  return true;
}

/* Fills in where the parts of the journal lie; false without room. The lengths and the size are already there. */
static bool lay_out(struct lb_journal *journal)
{
  const struct lb_flash *flash = journal->flash;
  uint32_t offset = journal->slot.offset;
  uint32_t sector = lb_flash_sector(flash);
  uint32_t block = lb_flash_largest_erase(flash);
  if (!find_sector(flash, &journal->slot, &journal->address)) {
    return false;
  }
  if (journal->size < LB_IMAGE_HEADER_SIZE || journal->size > journal->address - offset) {
    return false;
  }
  if (block - (offset & (block - 1U)) < LB_IMAGE_HEAD_SIZE) { /* what is judged comes from one block */
    return false;
  }
  uint32_t room = sector - LB_JOURNAL_HEADER_SIZE;
  if (journal->source_length == 0 || journal->source_length > room ||
      journal->validator_length > room - journal->source_length) {
    return false;
  }
  uint32_t end = LB_JOURNAL_HEADER_SIZE + journal->source_length + journal->validator_length;
  uint32_t entries = (end + flash->page_size - 1U) & ~(flash->page_size - 1U);
  journal->block = block;
  journal->blocks = (offset + journal->size - 1U) / block - offset / block + 1U;
  journal->text = journal->address + LB_JOURNAL_HEADER_SIZE;
  journal->entries = journal->address + entries;
  return entries <= sector && journal->blocks <= (sector - entries) / LB_JOURNAL_ENTRY_SIZE;
}

static bool lay_out_subject(struct lb_journal *journal, const struct lb_flash *flash, const struct lb_partition *slot,
                            const struct lb_journal_subject *subject)
{
  uint32_t sector = lb_flash_sector(flash);
  memset(journal, 0, sizeof *journal);
  journal->flash = flash;
  journal->slot = *slot;
  journal->size = subject->size;
  journal->compare_end = subject->compare_end;
  journal->source_length = lb_text_length(subject->source, sector);
  journal->validator_length = lb_text_length(subject->validator, sector);
  return lay_out(journal);
}

bool lb_journal_has_room(const struct lb_flash *flash, const struct lb_partition *slot,
                         const struct lb_journal_subject *subject)
{
  struct lb_journal journal;
  return lay_out_subject(&journal, flash, slot, subject);
}

uint32_t lb_journal_block_end(const struct lb_journal *journal, uint32_t index)
{
  uint32_t offset = journal->slot.offset;
  uint32_t first = journal->block - (offset & (journal->block - 1U));
  uint64_t end = first + (uint64_t)index * journal->block;
  return end < journal->size ? (uint32_t)end : journal->size;
}

/* ---- making one ---- */

/* Clears the header's beginning: no erase that is cut makes a journal of that again. */
static int make_void(const struct lb_flash *flash, uint32_t address)
{
  static const uint8_t zeros[VOID_SIZE] = {0};
  return lb_flash_program(flash, address, zeros, VOID_SIZE);
}

static struct lb_texts texts_of(const struct lb_journal *journal)
{
  return (struct lb_texts){journal->flash, journal->text, journal->source_length, journal->validator_length};
}

/* Makes the header but for the CRC of the texts, which `crc` goes on to. */
static uint32_t make_header(const struct lb_journal *journal, uint8_t *header)
{
  memset(header, 0xFF, LB_JOURNAL_HEADER_SIZE);
  lb_store_le32(header + AT_MAGIC, MAGIC);
  lb_store_le32(header + AT_SLOT, journal->slot.offset);
  lb_store_le32(header + AT_SIZE, journal->size);
  lb_store_le32(header + AT_COMPARE_END, journal->compare_end);
  lb_store_le32(header + AT_BLOCK, journal->block);
  lb_store_le32(header + AT_SOURCE_LENGTH, journal->source_length);
  lb_store_le32(header + AT_VALIDATOR_LENGTH, journal->validator_length);
  memcpy(header + AT_HEAD, journal->head, LB_IMAGE_HEADER_SIZE);
  return lb_crc32(0, header, AT_CRC);
}

static int write_text(struct lb_journal *journal, const struct lb_journal_subject *subject)
{
  struct lb_texts texts = texts_of(journal);
  int result = lb_texts_program(&texts, subject->source, subject->validator, &journal->written);
  if (result == LB_OK) {
    journal->phase = HEADER;
    journal->written = 0;
  }
  return result < 0 ? result : LB_MORE;
}

static int write_header(struct lb_journal *journal, const struct lb_journal_subject *subject)
{
  uint8_t header[LB_JOURNAL_HEADER_SIZE];
  uint32_t crc = make_header(journal, header);
  crc = lb_crc32(crc, subject->source, journal->source_length);
  crc = lb_crc32(crc, subject->validator, journal->validator_length);
  lb_store_le32(header + AT_CRC, crc);
  uint32_t piece = lb_smaller(LB_JOURNAL_HEADER_SIZE - journal->written, journal->flash->page_size);
  int err = lb_flash_program(journal->flash, journal->address + journal->written, header + journal->written, piece);
  journal->written += piece;
  if (journal->written == LB_JOURNAL_HEADER_SIZE) {
    journal->phase = CHECK;
  }
  return err ? err : LB_MORE;
}

/* What was written is there, and no block has a mark yet. */
static int check(const struct lb_journal *journal)
{
  struct lb_journal found;
  bool blank = false;
  int err = lb_journal_read(&found, journal->flash, &journal->slot);
  if (err == LB_OK) {
    err = lb_flash_is_blank(journal->flash, journal->entries, journal->blocks * LB_JOURNAL_ENTRY_SIZE, &blank);
  }
  if (err == LB_ERR_NO_JOURNAL || (err == LB_OK && !blank)) {
    return LB_ERR_READ_BACK;
  }
  return err;
}

int lb_journal_create(struct lb_journal *journal, const struct lb_flash *flash, const struct lb_partition *slot,
                      const struct lb_journal_subject *subject)
{
  int err;
  uint32_t erased;
  switch ((enum phase)journal->phase) {
  case START:
    if (!lay_out_subject(journal, flash, slot, subject)) {
      return LB_ERR_NO_JOURNAL;
    }
    memcpy(journal->head, subject->head, LB_IMAGE_HEADER_SIZE);
    journal->phase = ERASE;
    err = make_void(flash, journal->address);
    return err ? err : LB_MORE;
  case ERASE:
    journal->phase = TEXT;
    err = lb_flash_erase_one(flash, journal->address, journal->address + lb_flash_sector(flash), &erased);
    return err ? err : LB_MORE;
  case TEXT:
    return write_text(journal, subject);
  case HEADER:
    return write_header(journal, subject);
  case CHECK:
    return check(journal);
  }
  return LB_ERR_STATE;
}

/* ---- reading it ---- */

int lb_journal_read(struct lb_journal *journal, const struct lb_flash *flash, const struct lb_partition *slot)
{
  uint8_t header[LB_JOURNAL_HEADER_SIZE];
  uint8_t expected[LB_JOURNAL_HEADER_SIZE];
  memset(journal, 0, sizeof *journal);
  if (!find_sector(flash, slot, &journal->address)) {
    return LB_ERR_NO_JOURNAL;
  }
  int err = lb_flash_read(flash, journal->address, header, LB_JOURNAL_HEADER_SIZE);
  if (err) {
    return err;
  }
  journal->flash = flash;
  journal->slot = *slot;
  journal->size = lb_load_le32(header + AT_SIZE);
  journal->compare_end = lb_load_le32(header + AT_COMPARE_END);
  journal->source_length = lb_load_le32(header + AT_SOURCE_LENGTH);
  journal->validator_length = lb_load_le32(header + AT_VALIDATOR_LENGTH);
  memcpy(journal->head, header + AT_HEAD, LB_IMAGE_HEADER_SIZE);
  if (!lay_out(journal)) {
    return LB_ERR_NO_JOURNAL;
  }
  /* made for this slot and this flash, nothing in between: it is what would be written */
  uint32_t crc = make_header(journal, expected);
  struct lb_texts texts = texts_of(journal);
  err = lb_texts_crc(&texts, &crc);
  lb_store_le32(expected + AT_CRC, crc);
  if (err == LB_OK && memcmp(header, expected, LB_JOURNAL_HEADER_SIZE) != 0) {
    err = LB_ERR_NO_JOURNAL;
  }
  return err;
}

int lb_journal_is_about(const struct lb_journal *journal, const char *source, const char *validator, bool *same)
{
  struct lb_texts texts = texts_of(journal);
  return lb_texts_are(&texts, source, validator, same);
}

int lb_journal_source(const struct lb_journal *journal, char *buffer, uint32_t capacity, bool *whole)
{
  struct lb_texts texts = texts_of(journal);
  return lb_texts_source(&texts, buffer, capacity, whole);
}

int lb_journal_validator(const struct lb_journal *journal, char *buffer, uint32_t capacity, bool *whole)
{
  struct lb_texts texts = texts_of(journal);
  return lb_texts_validator(&texts, buffer, capacity, whole);
}

/* ---- ending it ---- */

int lb_journal_close(const struct lb_journal *journal)
{
  struct lb_journal found;
  int err = make_void(journal->flash, journal->address);
  if (err) {
    return err;
  }
  err = lb_journal_read(&found, journal->flash, &journal->slot);
  if (err == LB_ERR_NO_JOURNAL) {
    return LB_OK;
  }
  return err ? err : LB_ERR_READ_BACK;
}

/*
 * Can the header read as a good one at times? One that is being programmed has all bits of the mark and more, one that
 * is being made void has some of them and no others.
 */
static bool may_be_header(const uint8_t *header)
{
  uint32_t mark = lb_load_le32(header + AT_MAGIC);
  return (mark & MAGIC) == MAGIC || (mark & ~MAGIC) == 0;
}

int lb_journal_discard(const struct lb_flash *flash, const struct lb_partition *slot, bool *discarded)
{
  uint8_t begin[LB_JOURNAL_HEADER_SIZE + PIECE];
  uint32_t address;
  *discarded = false;
  if (!find_sector(flash, slot, &address)) {
    return LB_OK;
  }
  int err = lb_flash_read(flash, address, begin, sizeof begin);
  /* the source is programmed before the header: while that is blank there is none, however the header reads */
  if (err || lb_is_blank(begin, sizeof begin) || !may_be_header(begin)) {
    return err;
  }
  *discarded = true;
  return make_void(flash, address);
}
