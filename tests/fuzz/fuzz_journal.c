// SPDX-License-Identifier: MIT
/*
 * The last sector of a slot, read as the journal of an update. The first byte: bit 0 makes it a journal of this slot
 * (mark, offset, block size, CRC); the second which block is marked. What is taken for a journal lies in its sector and
 * describes an image in its slot; it is the same when it is read again; marks change nothing else; closed it is none
 * any more; discarding whatever is there leaves none; and a new one can be made in its place.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "lifeboat/journal.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/support/fixture.h"

#define SECTOR 512U
#define SEAL   1U
#define STEPS  64U

static struct fixture fixture;
static struct lb_partition slot;
static uint32_t address;
static uint8_t *pristine;

/* Makes the header right, if its lengths allow it. */
static void seal(uint8_t *sector)
{
  uint32_t source = lb_load_le32(sector + 20) & 0xFFU;
  uint32_t validator = lb_load_le32(sector + 24) & 0x7FU;

  lb_store_le32(sector, 0x524A424CU);
  lb_store_le32(sector + 4, slot.offset);
  lb_store_le32(sector + 8, lb_load_le32(sector + 8) & 0x3FFFU);
  lb_store_le32(sector + 16, 2048);
  lb_store_le32(sector + 20, source);
  lb_store_le32(sector + 24, validator);
  memset(sector + 28, 0xFF, 4);
  memset(sector + 56, 0xFF, 4);
  lb_store_le32(sector + 60, lb_crc32(lb_crc32(0, sector, 60), sector + 64, source + validator));
}

static void require_only_sector_changed(void)
{
  FUZZ_REQUIRE(fixture_same(&fixture, pristine, 0, address));
  FUZZ_REQUIRE(fixture_same(&fixture, pristine, address + SECTOR, fixture.flash.driver.size - address - SECTOR));
}

static void check_texts(const struct lb_journal *journal)
{
  uint32_t size = journal->source_length + 1;
  char *source = fuzz_allocate(size);
  char *validator = fuzz_allocate(journal->validator_length + 1);
  char *cut = fuzz_allocate(3);
  bool whole = false;
  bool same = false;

  FUZZ_REQUIRE(lb_journal_source(journal, source, size, &whole) == LB_OK && whole && source[size - 1] == '\0');
  FUZZ_REQUIRE(lb_journal_validator(journal, validator, journal->validator_length + 1, &whole) == LB_OK && whole);
  FUZZ_REQUIRE(lb_journal_source(journal, cut, 3, &whole) == LB_OK && memchr(cut, '\0', 3) != NULL);
  FUZZ_REQUIRE(whole == (journal->source_length <= 2));
  FUZZ_REQUIRE(lb_journal_is_about(journal, source, validator, &same) == LB_OK);
  FUZZ_REQUIRE(same == (strlen(source) == journal->source_length && strlen(validator) == journal->validator_length));
  FUZZ_REQUIRE(lb_journal_is_about(journal, "another source than any", NULL, &same) == LB_OK);
  free(source);
  free(validator);
  free(cut);
}

static void check_blocks(const struct lb_journal *journal)
{
  struct lb_journal_block block;
  uint32_t done = 0;
  uint32_t before = 0;

  FUZZ_REQUIRE(journal->blocks >= 1 && journal->blocks <= slot.size / 2048);
  FUZZ_REQUIRE(journal->entries >= address + 64 && journal->entries < address + SECTOR);
  FUZZ_REQUIRE(lb_journal_blocks_done(journal, &done) == LB_OK && done <= journal->blocks);
  for (uint32_t i = 0; i < journal->blocks; i++) {
    uint32_t end = lb_journal_block_end(journal, i);
    FUZZ_REQUIRE(end > before && end <= journal->size);
    before = end;
    FUZZ_REQUIRE(lb_journal_block(journal, i, &block) == LB_OK);
    FUZZ_REQUIRE(block.begun || !block.done);
    FUZZ_REQUIRE(i >= done || block.done);
    FUZZ_REQUIRE(i != done || !block.done);
  }
  FUZZ_REQUIRE(before == journal->size);
  FUZZ_REQUIRE(lb_journal_block(journal, journal->blocks, &block) == LB_ERR_ARGUMENT);
}

static void check_marks(const struct lb_journal *journal, uint32_t index)
{
  struct lb_journal again;
  struct lb_journal_block block;

  index %= journal->blocks;
  FUZZ_REQUIRE(lb_journal_begin_block(journal, index) == LB_OK);
  FUZZ_REQUIRE(lb_journal_block(journal, index, &block) == LB_OK && block.begun);
  FUZZ_REQUIRE(lb_journal_finish_block(journal, index, 0x1234ABCD) == LB_OK);
  FUZZ_REQUIRE(lb_journal_block(journal, index, &block) == LB_OK && block.done);
  FUZZ_REQUIRE((block.crc & ~0x1234ABCDU) == 0);
  FUZZ_REQUIRE(lb_journal_read(&again, journal->flash, &slot) == LB_OK);
  FUZZ_REQUIRE(again.size == journal->size && again.blocks == journal->blocks && again.entries == journal->entries);
  FUZZ_REQUIRE(memcmp(again.head, journal->head, sizeof(again.head)) == 0);
}

static void check_created(void)
{
  static const uint8_t head[LB_IMAGE_HEADER_SIZE] = {0xE9, 1};
  const struct lb_journal_subject subject = {
      .source = "https://host/a.bin", .validator = "\"1-2\"", .size = 9000, .compare_end = slot.size, .head = head};
  struct lb_journal journal = {0};
  struct lb_journal found;
  bool same = false;
  uint32_t steps = 0;
  int result;

  FUZZ_REQUIRE(lb_journal_has_room(&fixture.tap.flash, &slot, &subject));
  while ((result = lb_journal_create(&journal, &fixture.tap.flash, &slot, &subject)) == LB_MORE) {
    FUZZ_REQUIRE(steps++ < STEPS);
  }
  FUZZ_REQUIRE(result == LB_OK);
  FUZZ_REQUIRE(lb_journal_read(&found, &fixture.tap.flash, &slot) == LB_OK && found.size == 9000);
  FUZZ_REQUIRE(lb_journal_is_about(&found, subject.source, subject.validator, &same) == LB_OK && same);
  check_blocks(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  uint8_t mode = fuzz_take_byte(&input);
  uint32_t index = fuzz_take_byte(&input);
  struct lb_journal journal;
  bool discarded;

  if (!pristine) {
    fixture_open_miniature(&fixture, true, 2);
    slot = fixture_partition(&fixture, "ota_1");
    address = slot.offset + slot.size - SECTOR;
    pristine = fixture_snapshot(&fixture);
  }
  uint8_t *sector = fixture_bytes(&fixture) + address;
  uint8_t before[SECTOR];
  flash_tap_clear(&fixture.tap);
  fuzz_take_bytes(&input, sector, SECTOR, 0xFF);
  if ((mode & SEAL) != 0) {
    seal(sector);
  }
  memcpy(before, sector, SECTOR);
  int result = lb_journal_read(&journal, &fixture.tap.flash, &slot);
  FUZZ_REQUIRE(result == LB_OK || result == LB_ERR_NO_JOURNAL);
  if (result == LB_OK) {
    check_texts(&journal);
    check_blocks(&journal);
    FUZZ_REQUIRE(fixture.tap.count == 0);
    check_marks(&journal, index);
    FUZZ_REQUIRE(lb_journal_close(&journal) == LB_OK);
    FUZZ_REQUIRE(lb_journal_read(&journal, &fixture.tap.flash, &slot) == LB_ERR_NO_JOURNAL);
    memcpy(sector, before, SECTOR);
  }
  FUZZ_REQUIRE(lb_journal_discard(&fixture.tap.flash, &slot, &discarded) == LB_OK);
  FUZZ_REQUIRE(discarded || (result != LB_OK && memcmp(sector, before, SECTOR) == 0));
  FUZZ_REQUIRE(lb_journal_read(&journal, &fixture.tap.flash, &slot) == LB_ERR_NO_JOURNAL);
  check_created();
  require_only_sector_changed();
  return 0;
}
