// SPDX-License-Identifier: MIT
/* The marks of each block. A block that is begun again gets the next attempt's marks, so that nothing depends on how
 * marks of the attempt before read, which may have been in flight when the power went. */
#include <string.h>

#include "lib/common.h"
#include "lifeboat/bytes.h"
#include "lifeboat/error.h"
#include "lifeboat/journal.h"

/* Offsets in a block's entry. The attempts have a byte each. */
enum { AT_BLOCK_CRC = 0, AT_BEGUN = 4, AT_DONE = AT_BEGUN + (int)LB_JOURNAL_ATTEMPTS };

#define NO_ATTEMPT LB_JOURNAL_ATTEMPTS

static uint32_t entry_address(const struct lb_journal *journal, uint32_t index)
{
  return journal->entries + index * LB_JOURNAL_ENTRY_SIZE;
}

/* Reads a block's entry and finds the last attempt at the block, or NO_ATTEMPT. */
static int read_entry(const struct lb_journal *journal, uint32_t index, uint8_t *entry, uint32_t *attempt)
{
  *attempt = NO_ATTEMPT;
  if (index >= journal->blocks) {
    return LB_ERR_ARGUMENT;
  }
  int err = lb_flash_read(journal->flash, entry_address(journal, index), entry, LB_JOURNAL_ENTRY_SIZE);
  for (uint32_t i = 0; err == LB_OK && i < LB_JOURNAL_ATTEMPTS; i++) {
    if (entry[AT_BEGUN + i] != 0xFF) {
      *attempt = i;
    }
  }
  return err;
}

int lb_journal_block(const struct lb_journal *journal, uint32_t index, struct lb_journal_block *block)
{
  uint8_t entry[LB_JOURNAL_ENTRY_SIZE];
  uint32_t attempt;
  memset(block, 0, sizeof *block);
  int err = read_entry(journal, index, entry, &attempt);
  if (err || attempt == NO_ATTEMPT) {
    return err;
  }
  block->begun = true;
  block->done = entry[AT_DONE + attempt] != 0xFF && !lb_is_blank(entry + AT_BLOCK_CRC, 4);
  block->crc = lb_load_le32(entry + AT_BLOCK_CRC);
  return LB_OK;
}

int lb_journal_blocks_done(const struct lb_journal *journal, uint32_t *done)
{
  struct lb_journal_block block;
  for (*done = 0; *done < journal->blocks; (*done)++) {
    int err = lb_journal_block(journal, *done, &block);
    if (err || !block.done) {
      return err;
    }
  }
  return LB_OK;
}

int lb_journal_begin_block(const struct lb_journal *journal, uint32_t index)
{
  static const uint8_t mark = 0;
  uint8_t entry[LB_JOURNAL_ENTRY_SIZE];
  uint32_t last;
  int err = read_entry(journal, index, entry, &last);
  if (err) {
    return err;
  }
  uint32_t attempt = last == NO_ATTEMPT ? 0 : lb_smaller(last + 1U, LB_JOURNAL_ATTEMPTS - 1U);
  return lb_flash_program(journal->flash, entry_address(journal, index) + AT_BEGUN + attempt, &mark, 1);
}

int lb_journal_finish_block(const struct lb_journal *journal, uint32_t index, uint32_t crc)
{
  uint8_t entry[LB_JOURNAL_ENTRY_SIZE];
  uint32_t attempt;
  int err = read_entry(journal, index, entry, &attempt);
  if (err) {
    return err;
  }
  if (attempt == NO_ATTEMPT) {
    return LB_ERR_ARGUMENT;
  }
  memset(entry, 0xFF, sizeof entry);
  lb_store_le32(entry + AT_BLOCK_CRC, crc);
  entry[AT_DONE + attempt] = 0;
  return lb_flash_program(journal->flash, entry_address(journal, index), entry, LB_JOURNAL_ENTRY_SIZE);
}
