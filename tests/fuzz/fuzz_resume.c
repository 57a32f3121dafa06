// SPDX-License-Identifier: MIT
/*
 * Going on with an update whose journal, and whose slot, anybody may have changed. The first byte: bits 0-3 make size,
 * validator, head and trusted end of the journal wrong, bit 4 has a local file, bits 5-6 put the first bytes of the
 * image there wholly or in part. The second: how much of the image is in the slot, in eighths; the third and fourth:
 * for which blocks the journal has proper marks, and for which the right CRC. Then an entry of 16 bytes for each other
 * block, and changes to the slot: two bytes of offset and one of value.
 *
 * Whatever is there: nothing but the slot and otadata is written; what is said to be done is the image, verified and
 * selected; what failed can be flashed from its beginning; and the module boots all the time.
 */
#include <stdbool.h>
#include <string.h>

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/support/fixture.h"

#define IMAGE_SIZE 6000U
#define BLOCK      2048U
#define BLOCKS     3U
#define SECTOR     512U
#define STEPS      20000U
#define PIECE      700U
#define SOURCE     "host/a.bin"
#define VALIDATOR  "\"1-2\""

enum wrong { WRONG_SIZE = 1, WRONG_VALIDATOR = 2, WRONG_HEAD = 4, WRONG_END = 8, LOCAL_FILE = 16 };

static struct fixture fixture;
static struct built_image image;
static struct lb_partition slot;
static uint8_t *pristine;

static void open_once(void)
{
  fixture_open_miniature(&fixture, true, 2);
  fixture_put_made(&fixture, "factory", 1, 1024);
  fixture_put_made(&fixture, "ota_0", 2, 1024);
  image_make(&image, 3, IMAGE_SIZE, "3.3.004");
  slot = fixture_partition(&fixture, "ota_1");
  fixture_put_record(&fixture, 0, 1, LB_OTADATA_VALID);
  pristine = fixture_snapshot(&fixture);
}

/* ---- the input ---- */

static void put_content(struct fuzz_input *input, uint32_t mode)
{
  uint8_t *bytes = fixture_bytes(&fixture) + slot.offset;
  uint32_t length = fuzz_take_below(input, 9) * IMAGE_SIZE / 8;

  memcpy(bytes, image.bytes, length);
  if ((mode & 0x20U) == 0) {
    memset(bytes, 0xFF, LB_IMAGE_HEADER_SIZE);
  } else if ((mode & 0x40U) != 0) {
    bytes[5] = 0xFF;
  }
}

static void put_entry(struct fuzz_input *input, uint8_t *entry, uint32_t index, bool marked, bool right)
{
  const uint8_t *bytes = image.bytes + index * BLOCK;
  uint32_t length = index + 1 < BLOCKS ? BLOCK : IMAGE_SIZE - index * BLOCK;
  uint8_t first[LB_IMAGE_HEADER_SIZE];

  if (!marked) {
    fuzz_take_bytes(input, entry, LB_JOURNAL_ENTRY_SIZE, 0xFF);
    return;
  }
  memset(first, 0xFF, sizeof(first));
  uint32_t crc = lb_crc32(0, index == 0 ? first : bytes, LB_IMAGE_HEADER_SIZE);
  crc = lb_crc32(crc, bytes + LB_IMAGE_HEADER_SIZE, length - LB_IMAGE_HEADER_SIZE);
  memset(entry, 0xFF, LB_JOURNAL_ENTRY_SIZE);
  lb_store_le32(entry, right ? crc : crc ^ 0x10U);
  entry[4] = 0;
  entry[4 + LB_JOURNAL_ATTEMPTS] = 0;
}

static void put_journal(struct fuzz_input *input, uint32_t mode)
{
  uint8_t head[LB_IMAGE_HEADER_SIZE];
  const struct lb_journal_subject subject = {
      .source = (mode & LOCAL_FILE) != 0 ? "/sd/a.bin" : SOURCE,
      .validator = (mode & LOCAL_FILE) != 0        ? ""
                   : (mode & WRONG_VALIDATOR) != 0 ? "\"1-3\""
                                                   : VALIDATOR,
      .size = (mode & WRONG_SIZE) != 0 ? IMAGE_SIZE + 16 : IMAGE_SIZE,
      .compare_end = (mode & WRONG_END) != 0 ? 0xFFFFFFFFU : slot.offset + 3 * BLOCK,
      .head = head,
  };
  struct lb_journal journal = {0};
  uint32_t marked = fuzz_take_byte(input);
  uint32_t right = fuzz_take_byte(input);
  int result = LB_MORE;

  memcpy(head, image.bytes, sizeof(head));
  head[4] = (uint8_t)(head[4] ^ ((mode & WRONG_HEAD) != 0 ? 1U : 0U));
  while (result == LB_MORE) {
    result = lb_journal_create(&journal, &fixture.tap.flash, &slot, &subject);
  }
  FUZZ_REQUIRE(result == LB_OK);
  for (uint32_t i = 0; i < BLOCKS; i++) {
    uint8_t *entry = fixture_bytes(&fixture) + journal.entries + i * LB_JOURNAL_ENTRY_SIZE;
    put_entry(input, entry, i, (marked >> i & 1U) != 0, (right >> i & 1U) != 0);
  }
  while (input->length >= 3) {
    uint32_t offset = fuzz_take_below(input, 65536) % slot.size;
    fixture_bytes(&fixture)[slot.offset + offset] = fuzz_take_byte(input);
  }
}

/* ---- updates ---- */

static struct lb_update_config config_of(uint32_t mode)
{
  struct lb_update_config config = fixture_config(&fixture, "ota_0", "ota_1");

  config.size = IMAGE_SIZE;
  config.source = (mode & LOCAL_FILE) != 0 ? "/sd/a.bin" : SOURCE;
  config.validator = (mode & LOCAL_FILE) != 0 ? "" : VALIDATOR;
  config.trial.attempts = 3;
  return config;
}

/* Gives the rest of the image. */
static int feed(struct lb_update *update)
{
  uint32_t steps = 0;
  int result = LB_OK;

  while (result == LB_OK && lb_update_position(update) < IMAGE_SIZE) {
    uint32_t at = lb_update_position(update);
    uint32_t used = 0;
    result = lb_update_write(update, image.bytes + at, PIECE < IMAGE_SIZE - at ? PIECE : IMAGE_SIZE - at, &used);
    FUZZ_REQUIRE(steps++ < STEPS);
  }
  result = result == LB_OK ? LB_MORE : result;
  while (result == LB_MORE) {
    result = lb_update_finish(update);
    FUZZ_REQUIRE(steps++ < STEPS);
  }
  return result;
}

static void require_boots(const char *expected)
{
  struct lb_boot_decision decision;

  FUZZ_REQUIRE(fixture_boot(&fixture, &decision) == LB_OK);
  FUZZ_REQUIRE(strcmp(decision.partition.label, expected) == 0);
}

static void require_done(void)
{
  struct lb_journal journal;

  FUZZ_REQUIRE(memcmp(fixture_bytes(&fixture) + slot.offset, image.bytes, IMAGE_SIZE) == 0);
  FUZZ_REQUIRE(strcmp(fixture_selected(&fixture), "ota_1") == 0);
  FUZZ_REQUIRE(lb_journal_read(&journal, &fixture.tap.flash, &slot) == LB_ERR_NO_JOURNAL);
  require_boots("ota_1");
}

static int go_on(uint32_t mode)
{
  static struct lb_update update;
  const struct lb_update_config config = config_of(mode);
  uint32_t before = fixture.tap.count;
  uint32_t steps = 0;
  int result = lb_update_resume(&update, &config);

  while (result == LB_MORE) {
    result = lb_update_resume_step(&update);
    FUZZ_REQUIRE(steps++ < STEPS);
  }
  FUZZ_REQUIRE(fixture.tap.count == before); /* so far nothing was touched */
  FUZZ_REQUIRE(result == LB_OK || result == LB_ERR_NO_JOURNAL);
  if (result == LB_OK) {
    FUZZ_REQUIRE(lb_update_position(&update) >= 24 && lb_update_position(&update) <= IMAGE_SIZE);
    result = feed(&update);
  }
  return result;
}

static void begin_anew(uint32_t mode)
{
  static struct lb_update update;
  const struct lb_update_config config = config_of(mode);

  FUZZ_REQUIRE(lb_update_start(&update, &config) == LB_OK);
  FUZZ_REQUIRE(feed(&update) == LB_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  uint32_t mode = fuzz_take_byte(&input);
  uint32_t otadata = 0xd000;

  if (!pristine) {
    open_once();
  }
  fixture_restore(&fixture, pristine);
  flash_tap_clear(&fixture.tap);
  put_content(&input, mode);
  put_journal(&input, mode);
  require_boots("ota_0");
  int result = go_on(mode);
  if (result != LB_OK) {
    require_boots("ota_0");
    begin_anew(mode);
  }
  require_done();
  FUZZ_REQUIRE(fixture_same(&fixture, pristine, 0, otadata));
  FUZZ_REQUIRE(fixture_same(&fixture, pristine, otadata + 0x2000, slot.offset - otadata - 0x2000));
  uint32_t end = slot.offset + slot.size;
  FUZZ_REQUIRE(fixture_same(&fixture, pristine, end, fixture.flash.driver.size - end));
  return 0;
}
