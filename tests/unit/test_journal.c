// SPDX-License-Identifier: MIT
/* The journal's sector: every byte of it, what it takes to have one, its marks, and what is no journal any more. */
#include "lifeboat/journal.h"

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "ports/sim/flash.h"
#include "tests/unit/support/flash_tap.h"
#include "tests/unit/support/unit.h"

#define SIZE      0x100000U
#define VALIDATOR "\"5f3a-1\""

static const char source[] = "http://depot.example/ovms3.bin";
static const uint8_t head[LB_IMAGE_HEADER_SIZE] = {0xE9, 4, 2, 0x4F, 5, 6, 7, 8, 9, 10, 11, 12,
                                                   13,   0, 0, 0,    0, 0, 0, 0, 0, 0,  0,  1};

struct chip {
  struct sim_flash sim;
  struct flash_tap tap;
  struct lb_partition slot;
  struct lb_journal_subject subject;
};

static void open_chip(struct chip *chip, bool miniature)
{
  struct sim_geometry geometry = miniature ? sim_geometry_miniature(SIZE) : sim_geometry_real(SIZE);

  memset(chip, 0, sizeof(*chip));
  assert_result(sim_flash_open_memory(&chip->sim, &geometry), LB_OK);
  flash_tap_start(&chip->tap, &chip->sim.driver);
  chip->slot = miniature ? (struct lb_partition){0x10000, 0x4000, 0, 0, 0x10, "ota_0"}
                         : (struct lb_partition){0x40000, 0x80000, 0, 0, 0x10, "ota_0"};
  chip->subject = (struct lb_journal_subject){
      .source = source,
      .validator = VALIDATOR,
      .size = miniature ? 9008 : 200000,
      .compare_end = 0x12345,
      .head = head,
  };
}

static void close_chip(struct chip *chip)
{
  flash_tap_stop(&chip->tap);
  sim_flash_close(&chip->sim);
}

static uint8_t *bytes_at(struct chip *chip, uint32_t address)
{
  return sim_flash_bytes(&chip->sim) + address;
}

static uint32_t sector_of(const struct chip *chip)
{
  return chip->slot.offset + chip->slot.size - lb_flash_sector(&chip->tap.flash);
}

/* Creates it; each call does one operation, the last one none. */
static int create(struct chip *chip, struct lb_journal *journal)
{
  int result;

  memset(journal, 0, sizeof(*journal));
  do {
    uint32_t before = chip->tap.count;

    result = lb_journal_create(journal, &chip->tap.flash, &chip->slot, &chip->subject);
    assert_in_range(chip->tap.count - before, 0, 1);
  } while (result == LB_MORE);
  return result;
}

/* ---- the format ---- */

/* docs/SPEC.md, "Journal", written down a second time. */
static void build_header(const struct chip *chip, uint8_t *expected)
{
  uint32_t texts = (uint32_t)(strlen(source) + strlen(VALIDATOR));

  memcpy(expected, "LBJR", 4);
  lb_store_le32(expected + 4, chip->slot.offset);
  lb_store_le32(expected + 8, chip->subject.size);
  lb_store_le32(expected + 12, 0x12345);
  lb_store_le32(expected + 16, lb_flash_largest_erase(&chip->tap.flash));
  lb_store_le32(expected + 20, (uint32_t)strlen(source));
  lb_store_le32(expected + 24, (uint32_t)strlen(VALIDATOR));
  memset(expected + 28, 0xFF, 4);
  memcpy(expected + 32, head, 24);
  memset(expected + 56, 0xFF, 4);
  memcpy(expected + 64, source, strlen(source));
  memcpy(expected + 64 + strlen(source), VALIDATOR, strlen(VALIDATOR));
  lb_store_le32(expected + 60, lb_crc32(lb_crc32(0, expected, 60), expected + 64, texts));
}

static void check_format(bool miniature, uint32_t entries)
{
  struct chip chip;
  struct lb_journal journal;
  uint8_t expected[4096];
  uint32_t sector;

  open_chip(&chip, miniature);
  sector = lb_flash_sector(&chip.tap.flash);
  memset(expected, 0xFF, sizeof(expected));
  build_header(&chip, expected);
  memset(bytes_at(&chip, 0), 0x5A, SIZE);
  assert_result(create(&chip, &journal), LB_OK);
  assert_memory_equal(bytes_at(&chip, sector_of(&chip)), expected, sector);

  assert_result(lb_journal_begin_block(&journal, 0), LB_OK);
  expected[entries + 4] = 0;
  assert_memory_equal(bytes_at(&chip, sector_of(&chip)), expected, sector);
  assert_result(lb_journal_finish_block(&journal, 0, 0x12345678), LB_OK);
  lb_store_le32(expected + entries, 0x12345678);
  expected[entries + 10] = 0;
  assert_memory_equal(bytes_at(&chip, sector_of(&chip)), expected, sector);
  assert_result(lb_journal_begin_block(&journal, 1), LB_OK);
  assert_result(lb_journal_begin_block(&journal, 1), LB_OK);
  assert_result(lb_journal_finish_block(&journal, 1, 0xFEDCBA98), LB_OK);
  expected[entries + 16 + 4] = expected[entries + 16 + 5] = 0;
  expected[entries + 16 + 11] = 0;
  lb_store_le32(expected + entries + 16, 0xFEDCBA98);
  assert_memory_equal(bytes_at(&chip, sector_of(&chip)), expected, sector);

  assert_result(lb_journal_close(&journal), LB_OK);
  memset(expected, 0, 32);
  assert_memory_equal(bytes_at(&chip, sector_of(&chip)), expected, sector);
  for (uint32_t at = 0; at < SIZE; at++) { /* nothing else was touched */
    assert_true((at >= sector_of(&chip) && at < sector_of(&chip) + sector) || *bytes_at(&chip, at) == 0x5A);
  }
  close_chip(&chip);
}

static void test_format(void **state)
{
  (void)state;
  assert_int_equal(strlen(source) + strlen(VALIDATOR), 38);
  check_format(true, 128);
  check_format(false, 256);
}

/* What is read back is what was given. */
static void test_read(void **state)
{
  struct chip chip;
  struct lb_journal made;
  struct lb_journal journal;
  char text[64];
  bool whole;

  (void)state;
  open_chip(&chip, false);
  assert_result(lb_journal_read(&journal, &chip.tap.flash, &chip.slot), LB_ERR_NO_JOURNAL);
  assert_result(create(&chip, &made), LB_OK);
  assert_result(lb_journal_read(&journal, &chip.tap.flash, &chip.slot), LB_OK);
  assert_int_equal(journal.address, 0xBF000);
  assert_int_equal(journal.block, 0x10000);
  assert_int_equal(journal.blocks, 4);
  assert_int_equal(journal.size, 200000);
  assert_int_equal(journal.compare_end, 0x12345);
  assert_memory_equal(journal.head, head, sizeof(head));
  assert_result(lb_journal_source(&journal, text, sizeof(text), &whole), LB_OK);
  assert_true(whole);
  assert_string_equal(text, source);
  assert_result(lb_journal_source(&journal, text, sizeof(source), &whole), LB_OK);
  assert_true(whole);
  assert_result(lb_journal_source(&journal, text, sizeof(source) - 1, &whole), LB_OK);
  assert_false(whole);
  assert_string_equal(text, "http://depot.example/ovms3.bi");
  assert_result(lb_journal_source(&journal, text, 1, NULL), LB_OK);
  assert_string_equal(text, "");
  assert_result(lb_journal_source(&journal, text, 0, NULL), LB_ERR_ARGUMENT);
  assert_result(lb_journal_validator(&journal, text, sizeof(text), &whole), LB_OK);
  assert_true(whole);
  assert_string_equal(text, VALIDATOR);
  flash_tap_clear(&chip.tap);
  chip.tap.fail_read_at = 0;
  assert_result(lb_journal_source(&journal, text, sizeof(text), &whole), LB_ERR_FLASH_READ);
  close_chip(&chip);
}

static void test_is_about(void **state)
{
  static const struct {
    const char *source, *validator;
    bool same;
  } cases[] = {
      {"http://depot.example/ovms3.bin", VALIDATOR, true},
      {"http://depot.example/ovms3.bin", NULL, true},
      {"http://depot.example/ovms3.bin", "", false},
      {"http://depot.example/ovms3.bin", "\"5f3a-2\"", false},
      {"http://depot.example/ovms3.bin", "\"5f3a-1\"x", false},
      {"http://depot.example/ovms3.bin", "\"5f3a-1", false},
      {"http://depot.example/ovms3.bi", VALIDATOR, false},
      {"http://depot.example/ovms3.bin\"", VALIDATOR, false},
      {"http://depot.example/ovms4.bin", VALIDATOR, false},
      {"", VALIDATOR, false},
  };
  struct chip chip;
  struct lb_journal journal;
  bool same;

  (void)state;
  open_chip(&chip, true);
  assert_result(create(&chip, &journal), LB_OK);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    assert_result(lb_journal_is_about(&journal, cases[i].source, cases[i].validator, &same), LB_OK);
    assert_int_equal(same, cases[i].same);
  }
  for (uint32_t at = 0; at < 2; at++) {
    flash_tap_clear(&chip.tap);
    chip.tap.fail_read_at = at;
    assert_result(lb_journal_is_about(&journal, source, VALIDATOR, &same), LB_ERR_FLASH_READ);
  }
  close_chip(&chip);
}

/* ---- room ---- */

static void test_room(void **state)
{
  static char long_text[5000];
  struct chip chip;
  struct lb_journal journal;

  (void)state;
  memset(long_text, 'x', sizeof(long_text) - 1);
  open_chip(&chip, true);
  assert_true(lb_journal_has_room(&chip.tap.flash, &chip.slot, &chip.subject));
  for (uint32_t size = 0; size < 0x4010; size++) { /* the last sector lies behind the image */
    chip.subject.size = size;
    assert_int_equal(lb_journal_has_room(&chip.tap.flash, &chip.slot, &chip.subject), size >= 24 && size <= 0x3E00);
  }
  chip.subject.size = 0x3E00; /* 8 blocks of 16 bytes leave 512 - 64 - 128 for the texts */
  chip.subject.validator = "";
  for (uint32_t length = 0; length < 4000; length++) {
    chip.subject.source = long_text + sizeof(long_text) - 1 - length;
    assert_int_equal(lb_journal_has_room(&chip.tap.flash, &chip.slot, &chip.subject), length >= 1 && length <= 320);
  }
  chip.subject.source = long_text + sizeof(long_text) - 1 - 300;
  for (uint32_t length = 0; length < 4000; length++) {
    chip.subject.validator = long_text + sizeof(long_text) - 1 - length;
    assert_int_equal(lb_journal_has_room(&chip.tap.flash, &chip.slot, &chip.subject), length <= 20);
  }
  chip.subject.validator = long_text;
  assert_result(create(&chip, &journal), LB_ERR_NO_JOURNAL);
  assert_int_equal(chip.tap.count, 0);
  chip.subject.validator = "";
  chip.subject.source = long_text + sizeof(long_text) - 1 - 320;
  assert_result(create(&chip, &journal), LB_OK);
  close_chip(&chip);
}

/* Slots that cannot have a journal: not of whole sectors, of one sector, outside, or with a first block that is small.
 */
static void test_room_of_slots(void **state)
{
  static const struct {
    uint32_t offset, size;
    bool room;
  } cases[] = {
      {0x10000, 0x4000, true},  {0x10000, 0x2600, true},       {0x10000, 0x2400, false},
      {0x10100, 0x4000, false}, {0x10000, 0x4100, false},      {0x10000, 0x200, false},
      {0x10000, 0, false},      {SIZE - 0x4000, 0x4000, true}, {SIZE - 0x4000, 0x4200, false},
      {SIZE, 0x4000, false},    {SIZE + 0x200, 0x4000, false}, {0x10200, 0x4000, true},
      {0x10600, 0x4000, true},  {0xFFFFFE00U, 0x4000, false},
  };
  struct chip chip;
  struct lb_journal journal;

  (void)state;
  open_chip(&chip, true);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    bool discarded = true;

    chip.slot.offset = cases[i].offset;
    chip.slot.size = cases[i].size;
    assert_int_equal(lb_journal_has_room(&chip.tap.flash, &chip.slot, &chip.subject), cases[i].room);
    assert_result(create(&chip, &journal), cases[i].room ? LB_OK : LB_ERR_NO_JOURNAL);
    assert_result(lb_journal_read(&journal, &chip.tap.flash, &chip.slot), cases[i].room ? LB_OK : LB_ERR_NO_JOURNAL);
    if (!cases[i].room) {
      assert_result(lb_journal_discard(&chip.tap.flash, &chip.slot, &discarded), LB_OK);
      assert_false(discarded);
    }
    memset(bytes_at(&chip, 0), 0xFF, SIZE);
  }
  close_chip(&chip);
}

/* Sectors of 256 bytes are too small for what is judged to lie in a block of that size. */
static void test_room_of_small_blocks(void **state)
{
  struct sim_geometry geometry = {.size = SIZE, .page_size = 32, .erase_sizes = {256, 512}};
  struct chip chip;

  (void)state;
  open_chip(&chip, true);
  close_chip(&chip);
  assert_result(sim_flash_open_memory(&chip.sim, &geometry), LB_OK);
  flash_tap_start(&chip.tap, &chip.sim.driver);
  chip.subject.size = 1000;
  assert_true(lb_journal_has_room(&chip.tap.flash, &chip.slot, &chip.subject));
  chip.slot.offset += 256;
  assert_false(lb_journal_has_room(&chip.tap.flash, &chip.slot, &chip.subject));
  close_chip(&chip);
}

/* Pages of 32 bytes: the header takes two of them. */
static void test_small_pages(void **state)
{
  struct sim_geometry geometry = {.size = SIZE, .page_size = 32, .erase_sizes = {512, 2048}};
  struct chip chip;
  struct lb_journal journal;

  (void)state;
  open_chip(&chip, true);
  close_chip(&chip);
  assert_result(sim_flash_open_memory(&chip.sim, &geometry), LB_OK);
  flash_tap_start(&chip.tap, &chip.sim.driver);
  assert_result(create(&chip, &journal), LB_OK);
  assert_int_equal(chip.tap.programs, 1 + 2 + 1 + 2); /* void; source, validator in two pages; header */
  assert_result(lb_journal_read(&journal, &chip.tap.flash, &chip.slot), LB_OK);
  assert_result(lb_journal_close(&journal), LB_OK);
  assert_result(lb_journal_read(&journal, &chip.tap.flash, &chip.slot), LB_ERR_NO_JOURNAL);
  close_chip(&chip);
}

/* ---- marks ---- */

static void assert_block(const struct lb_journal *journal, uint32_t index, bool begun, bool done)
{
  struct lb_journal_block block;

  assert_result(lb_journal_block(journal, index, &block), LB_OK);
  assert_int_equal(block.begun, begun);
  assert_int_equal(block.done, done);
}

static void test_marks(void **state)
{
  struct chip chip;
  struct lb_journal journal;
  struct lb_journal_block block;
  uint32_t done;

  (void)state;
  open_chip(&chip, true);
  assert_result(create(&chip, &journal), LB_OK);
  assert_int_equal(journal.blocks, 5);
  assert_result(lb_journal_blocks_done(&journal, &done), LB_OK);
  assert_int_equal(done, 0);
  assert_block(&journal, 0, false, false);
  assert_result(lb_journal_finish_block(&journal, 0, 1), LB_ERR_ARGUMENT); /* not begun */
  for (uint32_t i = 0; i < 5; i++) {
    assert_result(lb_journal_begin_block(&journal, i), LB_OK);
    assert_block(&journal, i, true, false);
    assert_result(lb_journal_blocks_done(&journal, &done), LB_OK);
    assert_int_equal(done, i);
    assert_result(lb_journal_finish_block(&journal, i, 0xABCD0000 + i), LB_OK);
    assert_result(lb_journal_block(&journal, i, &block), LB_OK);
    assert_true(block.begun && block.done);
    assert_int_equal(block.crc, 0xABCD0000 + i);
  }
  assert_result(lb_journal_blocks_done(&journal, &done), LB_OK);
  assert_int_equal(done, 5);
  assert_result(lb_journal_begin_block(&journal, 5), LB_ERR_ARGUMENT);
  assert_result(lb_journal_finish_block(&journal, 5, 1), LB_ERR_ARGUMENT);
  assert_result(lb_journal_block(&journal, 5, &block), LB_ERR_ARGUMENT);
  close_chip(&chip);
}

/* Each attempt has its own marks; what is begun again is not done, also if that was begun in between. */
static void test_attempts(void **state)
{
  struct chip chip;
  struct lb_journal journal;

  (void)state;
  open_chip(&chip, true);
  assert_result(create(&chip, &journal), LB_OK);
  for (uint32_t attempt = 0; attempt < LB_JOURNAL_ATTEMPTS; attempt++) {
    assert_result(lb_journal_begin_block(&journal, 1), LB_OK);
    assert_block(&journal, 1, true, false);
    assert_result(lb_journal_finish_block(&journal, 1, 77), LB_OK);
    assert_result(lb_journal_finish_block(&journal, 1, 77), LB_OK); /* once more does no harm */
    assert_block(&journal, 1, true, true);
  }
  assert_result(lb_journal_begin_block(&journal, 1), LB_OK); /* the last marks are shared */
  assert_block(&journal, 1, true, true);
  assert_block(&journal, 0, false, false);
  assert_block(&journal, 2, false, false);
  close_chip(&chip);
}

/* A slot that does not begin at a multiple of a block: its first block is short. */
static void test_block_ends(void **state)
{
  struct chip chip;
  struct lb_journal journal;

  (void)state;
  open_chip(&chip, true);
  chip.slot.offset = 0x10600;
  chip.subject.size = 5000;
  assert_result(create(&chip, &journal), LB_OK);
  assert_int_equal(journal.blocks, 4);
  assert_int_equal(lb_journal_block_end(&journal, 0), 0x200);
  assert_int_equal(lb_journal_block_end(&journal, 1), 0xA00);
  assert_int_equal(lb_journal_block_end(&journal, 2), 0x1200);
  assert_int_equal(lb_journal_block_end(&journal, 3), 5000);
  close_chip(&chip);
  open_chip(&chip, false);
  chip.subject.size = 0x20000;
  assert_result(create(&chip, &journal), LB_OK);
  assert_int_equal(journal.blocks, 2);
  assert_int_equal(lb_journal_block_end(&journal, 0), 0x10000);
  assert_int_equal(lb_journal_block_end(&journal, 1), 0x20000);
  close_chip(&chip);
}

/* One rotten bit in a mark makes no block done that was not, and leaves none unbegun that was begun. */
static void test_rotten_marks(void **state)
{
  struct chip chip;
  struct lb_journal journal;

  (void)state;
  open_chip(&chip, true);
  assert_result(create(&chip, &journal), LB_OK);
  assert_result(lb_journal_begin_block(&journal, 1), LB_OK);
  for (uint32_t index = 0; index < 2; index++) {
    for (uint32_t bit = 0; bit < 8 * LB_JOURNAL_ENTRY_SIZE; bit++) {
      uint8_t *byte = bytes_at(&chip, journal.entries + index * LB_JOURNAL_ENTRY_SIZE + bit / 8);
      struct lb_journal_block block;

      *byte ^= (uint8_t)(1U << bit % 8);
      assert_result(lb_journal_block(&journal, index, &block), LB_OK);
      assert_false(block.done);
      assert_true(block.begun || index == 0);
      *byte ^= (uint8_t)(1U << bit % 8);
    }
  }
  close_chip(&chip);
}

/* Any bit of the header and the texts that is not what it was: no journal. */
static void test_rotten_header(void **state)
{
  struct chip chip;
  struct lb_journal journal;

  (void)state;
  open_chip(&chip, true);
  assert_result(create(&chip, &journal), LB_OK);
  for (uint32_t bit = 0; bit < 8 * (64 + 38); bit++) {
    uint8_t *byte = bytes_at(&chip, sector_of(&chip) + bit / 8);

    *byte ^= (uint8_t)(1U << bit % 8);
    assert_result(lb_journal_read(&journal, &chip.tap.flash, &chip.slot), LB_ERR_NO_JOURNAL);
    *byte ^= (uint8_t)(1U << bit % 8);
  }
  assert_result(lb_journal_read(&journal, &chip.tap.flash, &chip.slot), LB_OK);
  close_chip(&chip);
}

/* A header of another slot, or of a flash with other blocks, is none, however right its CRC. */
static void test_of_another_slot(void **state)
{
  struct chip chip;
  struct lb_journal journal;

  (void)state;
  open_chip(&chip, true);
  assert_result(create(&chip, &journal), LB_OK);
  memcpy(bytes_at(&chip, 0x23E00), bytes_at(&chip, 0x13E00), 512);
  chip.slot.offset = 0x20000;
  assert_result(lb_journal_read(&journal, &chip.tap.flash, &chip.slot), LB_ERR_NO_JOURNAL);
  chip.slot.offset = 0x10000;
  chip.tap.flash.erase_sizes[2] = 4096;
  assert_result(lb_journal_read(&journal, &chip.tap.flash, &chip.slot), LB_ERR_NO_JOURNAL);
  close_chip(&chip);
}

/* Lengths that no journal can have: judged before anything is read by them. */
static void test_hostile_header(void **state)
{
  static const uint32_t values[] = {0,   1,      23,         383,        448,        449,
                                    512, 0x3E01, 0x7FFFFFFF, 0x80000000, 0xFFFFFFC0, 0xFFFFFFFF};
  static const uint32_t fields[] = {8, 20, 24};
  struct chip chip;
  struct lb_journal journal;

  (void)state;
  open_chip(&chip, true);
  assert_result(create(&chip, &journal), LB_OK);
  for (size_t f = 0; f < 3; f++) {
    for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
      uint8_t *header = bytes_at(&chip, sector_of(&chip));
      uint32_t old = lb_load_le32(header + fields[f]);
      uint8_t crc[4];

      memcpy(crc, header + 60, 4);
      lb_store_le32(header + fields[f], values[v]);
      lb_store_le32(header + 60, lb_crc32(lb_crc32(0, header, 60), header + 64, 38));
      flash_tap_clear(&chip.tap);
      (void)lb_journal_read(&journal, &chip.tap.flash, &chip.slot); /* the tap watches the bounds of the chip */
      assert_in_range(chip.tap.read_end, 1, 0x14000);
      lb_store_le32(header + fields[f], old);
      memcpy(header + 60, crc, 4);
    }
  }
  assert_result(lb_journal_read(&journal, &chip.tap.flash, &chip.slot), LB_OK);
  close_chip(&chip);
}

/* ---- ending, discarding, and cuts in the middle of it ---- */

static void test_discard(void **state)
{
  struct chip chip;
  struct lb_journal journal;
  bool discarded;

  (void)state;
  open_chip(&chip, true);
  assert_result(lb_journal_discard(&chip.tap.flash, &chip.slot, &discarded), LB_OK); /* blank */
  assert_false(discarded);
  memset(bytes_at(&chip, sector_of(&chip)), 0x5A, 512); /* somebody else's */
  assert_result(lb_journal_discard(&chip.tap.flash, &chip.slot, &discarded), LB_OK);
  assert_false(discarded);
  assert_int_equal(chip.tap.count, 0);
  assert_result(create(&chip, &journal), LB_OK);
  assert_result(lb_journal_discard(&chip.tap.flash, &chip.slot, &discarded), LB_OK);
  assert_true(discarded);
  assert_result(lb_journal_read(&journal, &chip.tap.flash, &chip.slot), LB_ERR_NO_JOURNAL);
  flash_tap_clear(&chip.tap);
  chip.tap.fail_read_at = 0;
  assert_result(lb_journal_discard(&chip.tap.flash, &chip.slot, &discarded), LB_ERR_FLASH_READ);
  flash_tap_clear(&chip.tap);
  chip.tap.fail_program_at = 0;
  assert_result(lb_journal_discard(&chip.tap.flash, &chip.slot, &discarded), LB_ERR_FLASH_PROGRAM);
  close_chip(&chip);
}

/* A cut while it is discarded, or while a new one is made: whatever bits are unstable then, discarding ends it for
 * good. */
static void test_cut_then_discarded(void **state)
{
  struct chip chip;
  struct lb_journal journal;
  uint32_t fired = 0;

  (void)state;
  open_chip(&chip, true);
  for (uint64_t operation = 1; operation <= 6; operation++) {
    for (uint64_t seed = 0; seed < 200; seed++) {
      bool discarded;
      int result = LB_OK;

      memset(bytes_at(&chip, sector_of(&chip)), 0xFF, 512);
      sim_flash_seed(&chip.sim, seed);
      assert_result(create(&chip, &journal), LB_OK);
      assert_result(lb_journal_begin_block(&journal, 0), LB_OK);
      sim_flash_cut_at(&chip.sim, operation, seed % 2 ? SIM_CUT_UNSTABLE : SIM_CUT_TORN);
      result = create(&chip, &journal);
      fired += sim_flash_cut_fired(&chip.sim);
      assert_int_equal(result == LB_OK, !sim_flash_cut_fired(&chip.sim));
      sim_flash_cut_at(&chip.sim, 0, SIM_CUT_BEFORE);
      sim_flash_power_on(&chip.sim);
      if (lb_journal_read(&journal, &chip.tap.flash, &chip.slot) == LB_OK) { /* whole: the old one or the new one */
        struct lb_journal_block block;

        assert_result(lb_journal_block(&journal, 0, &block), LB_OK);
        assert_int_equal(block.begun, operation == 1); /* never the old one with its marks erased */
      }
      assert_result(lb_journal_discard(&chip.tap.flash, &chip.slot, &discarded), LB_OK);
      for (int i = 0; i < 20; i++) {
        assert_result(lb_journal_read(&journal, &chip.tap.flash, &chip.slot), LB_ERR_NO_JOURNAL);
      }
    }
  }
  assert_in_range(fired, 900, 1200);
  close_chip(&chip);
}

static void test_failures(void **state)
{
  struct chip chip;
  struct lb_journal journal;
  uint32_t at;

  (void)state;
  open_chip(&chip, true);
  for (at = 0;; at++) {
    flash_tap_clear(&chip.tap);
    chip.tap.fail_program_at = at;
    int result = create(&chip, &journal);
    if (result == LB_OK) {
      break;
    }
    assert_result(result, LB_ERR_FLASH_PROGRAM);
  }
  assert_int_equal(at, 4);
  for (at = 0;; at++) {
    flash_tap_clear(&chip.tap);
    chip.tap.fail_read_at = at;
    int result = create(&chip, &journal);
    if (result == LB_OK) {
      break;
    }
    assert_result(result, LB_ERR_FLASH_READ);
  }
  assert_true(at > 1);
  flash_tap_clear(&chip.tap);
  chip.tap.fail_erase_at = 0;
  assert_result(create(&chip, &journal), LB_ERR_FLASH_ERASE);
  close_chip(&chip);
}

/* A chip that says that it has done what it has not. */
static void test_lies(void **state)
{
  struct chip chip;
  struct lb_journal journal;

  (void)state;
  open_chip(&chip, true);
  for (uint32_t at = 1; at < 4; at++) { /* the first program only makes void what the erase takes away */
    flash_tap_clear(&chip.tap);
    chip.tap.drop_program_at = at;
    assert_result(create(&chip, &journal), LB_ERR_READ_BACK);
  }
  flash_tap_clear(&chip.tap);
  assert_result(create(&chip, &journal), LB_OK);
  assert_result(lb_journal_begin_block(&journal, 2), LB_OK);
  chip.tap.skip_erases = true;
  assert_result(create(&chip, &journal), LB_ERR_READ_BACK);
  memset(bytes_at(&chip, sector_of(&chip)), 0xFF, 64); /* an erase that forgot the marks */
  assert_result(create(&chip, &journal), LB_ERR_READ_BACK);
  flash_tap_clear(&chip.tap);
  assert_result(create(&chip, &journal), LB_OK);
  assert_true(sim_flash_set_fault(&chip.sim, SIM_FAULT_PROGRAM_IGNORED, sector_of(&chip), 64, SIM_FAULT_ALWAYS));
  assert_result(lb_journal_close(&journal), LB_ERR_READ_BACK);
  sim_flash_clear_faults(&chip.sim);
  flash_tap_clear(&chip.tap);
  chip.tap.fail_program_at = 0;
  assert_result(lb_journal_close(&journal), LB_ERR_FLASH_PROGRAM);
  flash_tap_clear(&chip.tap);
  chip.tap.fail_read_at = 0;
  assert_result(lb_journal_close(&journal), LB_ERR_FLASH_READ);
  close_chip(&chip);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_format),          cmocka_unit_test(test_read),
      cmocka_unit_test(test_is_about),        cmocka_unit_test(test_room),
      cmocka_unit_test(test_room_of_slots),   cmocka_unit_test(test_room_of_small_blocks),
      cmocka_unit_test(test_small_pages),     cmocka_unit_test(test_marks),
      cmocka_unit_test(test_attempts),        cmocka_unit_test(test_block_ends),
      cmocka_unit_test(test_rotten_marks),    cmocka_unit_test(test_rotten_header),
      cmocka_unit_test(test_of_another_slot), cmocka_unit_test(test_hostile_header),
      cmocka_unit_test(test_discard),         cmocka_unit_test(test_cut_then_discarded),
      cmocka_unit_test(test_failures),        cmocka_unit_test(test_lies),
  };

  return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
