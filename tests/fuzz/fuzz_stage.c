// SPDX-License-Identifier: MIT
/*
 * The last sector but one of a slot, read as the header of a stage. The first byte: bit 0 makes it a stage of this slot
 * (mark, offset, sector, CRC), bit 1 fills the slot's tail with data. What is taken for a stage lies in its slot,
 * behind the image; measured it has fewer bytes than the patch or is whole; gone on with it changes nothing outside,
 * and is not whole before a check; discarding whatever is there leaves none; and a new one can be made in its place.
 */
#include <stdbool.h>
#include <string.h>

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "lifeboat/stage.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/support/fixture.h"

#define SECTOR 512U
#define SEAL   1U
#define DATA   2U
#define STEPS  400U

static struct fixture fixture;
static struct lb_partition slot;
static uint32_t address;
static uint8_t *pristine;

/* Makes the header right, if its lengths allow it. */
static void seal(uint8_t *sector)
{
  uint32_t source = lb_load_le32(sector + 16) & 0xFFU;
  uint32_t validator = lb_load_le32(sector + 20) & 0x7FU;

  lb_store_le32(sector, 0x5453424CU);
  lb_store_le32(sector + 4, slot.offset);
  lb_store_le32(sector + 8, lb_load_le32(sector + 8) & 0x3FFFU);
  lb_store_le32(sector + 12, SECTOR);
  lb_store_le32(sector + 16, source);
  lb_store_le32(sector + 20, validator);
  memset(sector + 24, 0xFF, 4);
  lb_store_le32(sector + 28, lb_crc32(lb_crc32(0, sector, 28), sector + 32, source + validator));
}

static void write_all(struct lb_stage *stage)
{
  static uint8_t patch[0x4000];
  uint32_t steps = 0;
  uint32_t used;

  while (stage->position < stage->size) {
    FUZZ_REQUIRE(lb_stage_write(stage, patch, stage->size - stage->position, &used) == LB_OK);
    FUZZ_REQUIRE(steps++ < STEPS);
  }
  FUZZ_REQUIRE(!stage->whole || stage->erased == stage->address);
  for (int result = LB_MORE; result == LB_MORE;) {
    result = lb_stage_check(stage);
    FUZZ_REQUIRE(steps++ < STEPS && stage->whole);
  }
}

static void check_stage(struct lb_stage *stage)
{
  char text[8];
  uint32_t start = stage->start;
  int result = LB_MORE;

  FUZZ_REQUIRE(start >= slot.offset && start < address && stage->address == address);
  FUZZ_REQUIRE(stage->size > 0 && stage->size <= address - start &&
               lb_stage_reserved(stage) == address + SECTOR - start);
  FUZZ_REQUIRE(lb_stage_source(stage, text, sizeof(text), NULL) == LB_OK && memchr(text, '\0', sizeof(text)) != NULL);
  FUZZ_REQUIRE(lb_stage_validator(stage, text, sizeof(text), NULL) == LB_OK);
  for (uint32_t steps = 0; result == LB_MORE; steps++) {
    FUZZ_REQUIRE(steps < STEPS);
    result = lb_stage_measure(stage);
  }
  FUZZ_REQUIRE(fixture.tap.count == 0 && (result == LB_OK || result == LB_ERR_NO_STAGE));
  if (result == LB_OK) {
    FUZZ_REQUIRE(stage->whole ? stage->position == stage->size : stage->position < stage->size);
    FUZZ_REQUIRE(stage->whole || stage->position % SECTOR == 0);
    write_all(stage);
    FUZZ_REQUIRE(fixture_same(&fixture, pristine, 0, start));
  }
}

static void check_created(void)
{
  const struct lb_stage_subject subject = {
      .source = "https://host/a.patch", .validator = "\"1-2\"", .size = 1000, .image_size = 9000};
  struct lb_stage stage;
  uint32_t steps = 0;
  int result;

  FUZZ_REQUIRE(lb_stage_start(&stage, &fixture.tap.flash, &slot, &subject) == LB_OK);
  while ((result = lb_stage_create(&stage, &subject)) == LB_MORE) {
    FUZZ_REQUIRE(steps++ < STEPS);
  }
  FUZZ_REQUIRE(result == LB_OK && stage.position == 0 && !stage.whole);
  write_all(&stage);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  uint8_t mode = fuzz_take_byte(&input);
  struct lb_stage stage;
  bool discarded;

  if (!pristine) {
    fixture_open_miniature(&fixture, true, 2);
    slot = fixture_partition(&fixture, "ota_1");
    address = slot.offset + slot.size - 2 * SECTOR;
    pristine = fixture_snapshot(&fixture);
  }
  uint8_t *sector = fixture_bytes(&fixture) + address;
  flash_tap_clear(&fixture.tap);
  memset(fixture_bytes(&fixture) + slot.offset, 0xFF, slot.size);
  fuzz_take_bytes(&input, sector, SECTOR, 0xFF);
  if ((mode & SEAL) != 0) {
    seal(sector);
  }
  if ((mode & DATA) != 0) {
    memset(sector - 1000, 0x5A, 900);
  }
  memcpy(pristine + slot.offset, fixture_bytes(&fixture) + slot.offset, slot.size);
  int result = lb_stage_open(&stage, &fixture.tap.flash, &slot);
  FUZZ_REQUIRE(result == LB_OK || result == LB_ERR_NO_STAGE);
  if (result == LB_OK) {
    check_stage(&stage);
  }
  FUZZ_REQUIRE(lb_stage_discard(&fixture.tap.flash, &slot, &discarded) == LB_OK);
  FUZZ_REQUIRE(discarded || result != LB_OK);
  FUZZ_REQUIRE(lb_stage_open(&stage, &fixture.tap.flash, &slot) == LB_ERR_NO_STAGE);
  check_created();
  FUZZ_REQUIRE(fixture_same(&fixture, pristine, 0, slot.offset));
  FUZZ_REQUIRE(fixture_same(&fixture, pristine, address + SECTOR, fixture.flash.driver.size - address - SECTOR));
  return 0;
}
