// SPDX-License-Identifier: MIT
/* The stage of a patch: every byte of it, where there is room for one, what it takes and says, and what ends it. */
#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "lifeboat/journal.h"
#include "tests/unit/support/stage_world.h"

#define CHIP 0x8000U /* the slot: 0x4000 bytes from 0x2000 on */

static const uint8_t head[LB_IMAGE_HEADER_SIZE] = {0xE9, 4, 2, 0x4F};

static void open_miniature(struct stage_world *world, uint32_t patch_size)
{
  const struct sim_geometry geometry = sim_geometry_miniature(CHIP);

  stage_world_open(world, &geometry, patch_size);
}

static uint8_t *bytes_at(struct stage_world *world, uint32_t address)
{
  return sim_flash_bytes(&world->sim) + address;
}

static void make_all(struct stage_world *world, struct lb_stage *stage)
{
  assert_result(stage_world_create(world, stage), LB_OK);
  assert_result(stage_world_write(world, stage, stage->size), LB_OK);
  assert_result(stage_world_check(world, stage), LB_OK);
}

static int open_stage(struct stage_world *world, struct lb_stage *stage)
{
  int result = lb_stage_open(stage, &world->tap.flash, &world->slot);

  return result ? result : stage_world_measure(stage);
}

/* ---- the format ---- */

/* docs/SPEC.md, "Stage", written down a second time: the header's sector of a stage that was gone on with once. */
static void build_sector(const struct stage_world *world, uint8_t *sector, uint32_t entries, uint32_t position)
{
  uint32_t source = (uint32_t)strlen(world->subject.source);
  uint32_t validator = (uint32_t)strlen(world->subject.validator);

  memset(sector, 0xFF, lb_flash_sector(&world->tap.flash));
  memcpy(sector, "LBST", 4);
  lb_store_le32(sector + 4, world->slot.offset);
  lb_store_le32(sector + 8, world->subject.size);
  lb_store_le32(sector + 12, lb_flash_sector(&world->tap.flash));
  lb_store_le32(sector + 16, source);
  lb_store_le32(sector + 20, validator);
  memcpy(sector + 32, world->subject.source, source);
  memcpy(sector + 32 + source, world->subject.validator, validator);
  lb_store_le32(sector + 28, lb_crc32(lb_crc32(0, sector, 28), sector + 32, source + validator));
  sector += entries + 16;
  lb_store_le32(sector, position);
  lb_store_le32(sector + 4, ~position);
  memset(sector + 8, 0, 8);
}

static void check_format(const struct sim_geometry *geometry, uint32_t size, uint32_t cut, uint32_t entries)
{
  struct stage_world world;
  struct lb_stage stage;
  uint8_t expected[4096];
  uint32_t sector = geometry->erase_sizes[0];
  uint32_t header = geometry->size / 4 * 3 - 2 * sector;
  uint32_t start = header - (size + sector - 1) / sector * sector;

  stage_world_open(&world, geometry, size);
  assert_result(stage_world_create(&world, &stage), LB_OK);
  assert_int_equal(stage.start, start);
  assert_int_equal(stage.address, header);
  assert_int_equal(lb_stage_reserved(&stage), header + sector - start);
  assert_result(stage_world_write(&world, &stage, cut), LB_OK);
  assert_result(open_stage(&world, &stage), LB_OK);
  assert_int_equal(stage.position, cut / sector * sector);
  assert_int_equal(stage.erased, start + stage.position);
  assert_false(stage.whole);
  assert_result(stage_world_write(&world, &stage, stage.size), LB_OK);
  assert_result(stage_world_check(&world, &stage), LB_OK);
  assert_true(stage.whole);

  build_sector(&world, expected, entries, cut / sector * sector);
  assert_memory_equal(bytes_at(&world, header), expected, sector);
  assert_memory_equal(bytes_at(&world, start), world.patch, size);
  for (uint32_t at = start + size; at < header; at++) {
    assert_int_equal(*bytes_at(&world, at), 0xFF);
  }
  stage_world_assert_rest(&world);
  stage_world_close(&world);
}

static void test_format(void **state)
{
  const struct sim_geometry miniature = sim_geometry_miniature(CHIP);
  const struct sim_geometry real = sim_geometry_real(0x80000);
  const struct sim_geometry other = {0x10000, 32, {1024, 8192}};

  (void)state; /* 32 bytes of header, 47 of source, 8 of validator: 87 */
  check_format(&miniature, 2000, 1000, 128);
  check_format(&miniature, 2048, 1000, 128);
  check_format(&real, 100000, 50000, 256);
  check_format(&other, 8000, 4000, 96);
}

/* Data and header are erased in as few pieces as there are, the header having been made void first. */
static void test_order(void **state)
{
  struct stage_world world;
  struct lb_stage stage;

  (void)state;
  open_miniature(&world, 3000); /* 0x4600 to 0x5C00 */
  assert_result(stage_world_create(&world, &stage), LB_OK);
  assert_int_equal(stage.start, 0x5C00 - 3072);
  assert_int_equal(world.tap.log[0].kind, TAP_PROGRAM);
  assert_int_equal(world.tap.log[0].address, 0x5C00);
  assert_int_equal(world.tap.log[0].length, 32);
  assert_int_equal(world.tap.erases, 3 * 1 + 1); /* 0x5000 2048, 0x5800 512, 0x5A00 512, 0x5C00 512 */
  for (uint32_t i = 1; i <= world.tap.erases; i++) {
    assert_int_equal(world.tap.log[i].kind, TAP_ERASE);
  }
  assert_int_equal(world.tap.log[world.tap.count - 1].address, 0x5C00);
  assert_int_equal(world.tap.log[world.tap.count - 1].length, 32);
  stage_world_close(&world);
}

/* ---- room ---- */

static int start(struct stage_world *world)
{
  struct lb_stage stage;
  uint32_t count = world->tap.count;
  int result = lb_stage_start(&stage, &world->tap.flash, &world->slot, &world->subject);

  assert_int_equal(world->tap.count, count);
  return result;
}

static void test_room(void **state)
{
  struct stage_world world;

  (void)state;
  open_miniature(&world, 100);
  for (uint32_t size = 1; size < 0x4200; size++) { /* the image there takes 4000 bytes, 8 sectors of 32 */
    world.subject.size = size;
    assert_result(start(&world), size <= 0x3C00 - 0x1200 ? LB_OK : LB_ERR_STAGE_ROOM); /* what it makes, 4100 */
  }
  world.subject.image_size = 0;
  world.subject.size = 0x3C00 - 0x1000;
  assert_result(start(&world), LB_OK);
  world.subject.size++;
  assert_result(start(&world), LB_ERR_STAGE_ROOM);
  world.subject.size = 0x1000;
  for (uint32_t size = 0; size < 0x5000; size++) {
    world.subject.image_size = size;
    assert_result(start(&world), size <= 0x2C00 ? LB_OK : LB_ERR_STAGE_ROOM);
  }
  world.subject.image_size = 0xFFFFFFFF;
  assert_result(start(&world), LB_ERR_STAGE_ROOM);
  world.subject.image_size = 100;
  world.subject.size = 0xFFFFFFFF;
  assert_result(start(&world), LB_ERR_STAGE_ROOM);
  world.subject.size = 0;
  assert_result(start(&world), LB_ERR_ARGUMENT);
  stage_world_close(&world);
}

/* The image that is there counts with its padding, its checksum and its digest. */
static void test_old_image(void **state)
{
  struct stage_world world;

  (void)state;
  open_miniature(&world, 100);
  world.subject.image_size = 100;
  for (uint32_t length = 0x1000 - 64; length <= 0x1000 + 64; length += 16) {
    image_free(&world.image);
    image_make(&world.image, 3, length, "x");
    memcpy(bytes_at(&world, world.slot.offset), world.image.bytes, length);
    world.subject.size = 0x3C00 - 0x1000;
    assert_result(start(&world), length <= 0x1000 ? LB_OK : LB_ERR_STAGE_ROOM);
    world.subject.size -= 512;
    assert_result(start(&world), LB_OK);
  }
  world.subject.size = 0x3C00;
  world.subject.image_size = 0;
  assert_result(start(&world), LB_ERR_STAGE_ROOM);
  memset(bytes_at(&world, world.slot.offset), 0xFF, 24); /* no image */
  assert_result(start(&world), LB_OK);
  stage_world_close(&world);
}

static void test_texts(void **state)
{
  static char text[600];
  const struct sim_geometry real = sim_geometry_real(0x80000);
  struct stage_world world;
  struct lb_stage stage;
  char found[600];
  bool whole;
  bool same;

  (void)state;
  memset(text, 'u', sizeof(text) - 1);
  open_miniature(&world, 100);
  world.subject.source = "";
  assert_result(start(&world), LB_ERR_ARGUMENT);
  world.subject.validator = "";
  for (uint32_t length = 1; length < 600; length++) { /* of 512, 32 and four entries of 16 are left: 448, whole pages */
    world.subject.source = text + 599 - length;
    assert_result(start(&world), length <= 448 - 32 ? LB_OK : LB_ERR_ARGUMENT);
  }
  world.subject.source = text + 599 - 400;
  for (uint32_t length = 0; length < 600; length++) {
    world.subject.validator = text + 599 - length;
    assert_result(start(&world), length <= 16 ? LB_OK : LB_ERR_ARGUMENT);
  }
  stage_world_close(&world);

  stage_world_open(&world, &real, 5000);
  for (uint32_t length = 0; length <= 127; length += 127) {
    world.subject.source = text + 599 - 511;
    world.subject.validator = text + 599 - length;
    make_all(&world, &stage);
    assert_result(open_stage(&world, &stage), LB_OK);
    assert_true(stage.whole);
    assert_result(lb_stage_source(&stage, found, sizeof(found), &whole), LB_OK);
    assert_true(whole);
    assert_string_equal(found, world.subject.source);
    assert_result(lb_stage_validator(&stage, found, sizeof(found), &whole), LB_OK);
    assert_true(whole);
    assert_string_equal(found, world.subject.validator);
    assert_result(lb_stage_source(&stage, found, 511, &whole), LB_OK);
    assert_false(whole);
    assert_int_equal(strlen(found), 510);
    assert_result(lb_stage_source(&stage, found, 0, NULL), LB_ERR_ARGUMENT);
    assert_result(lb_stage_is_about(&stage, world.subject.source, world.subject.validator, &same), LB_OK);
    assert_true(same);
    assert_result(lb_stage_is_about(&stage, world.subject.source, "\"5f3a-2\"", &same), LB_OK);
    assert_false(same);
    assert_result(lb_stage_is_about(&stage, world.subject.source, NULL, &same), LB_OK);
    assert_true(same);
    assert_result(lb_stage_is_about(&stage, world.subject.source + 1, NULL, &same), LB_OK);
    assert_false(same);
  }
  stage_world_close(&world);
}

/* Slots that no stage can be in. */
static void test_slots(void **state)
{
  static const struct {
    uint32_t offset, size;
  } slots[] = {{0x2000, 0x400},  {0x2000, 0x200},  {0x2000, 0},          {0x2100, 0x4000},    {0x2000, 0x4010},
               {0x7000, 0x1200}, {0x9000, 0x1000}, {0x2000, 0xFFFFE000}, {0xFFFFE000, 0x2000}};
  struct stage_world world;
  struct lb_stage stage;
  bool discarded;

  (void)state;
  open_miniature(&world, 100);
  world.subject.image_size = 0;
  for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
    world.slot.offset = slots[i].offset;
    world.slot.size = slots[i].size;
    assert_result(start(&world), LB_ERR_STAGE_ROOM);
    assert_result(lb_stage_open(&stage, &world.tap.flash, &world.slot), LB_ERR_NO_STAGE);
    assert_result(lb_stage_discard(&world.tap.flash, &world.slot, &discarded), LB_OK);
    assert_false(discarded);
  }
  assert_int_equal(world.tap.count, 0);
  world.slot = (struct lb_partition){0x7800, 0x600, 0, 0, 0x10, "x"}; /* the least one, at the chip's end */
  world.slot.offset = CHIP - world.slot.size;
  memset(bytes_at(&world, world.slot.offset), 0, world.slot.size);
  assert_result(stage_world_create(&world, &stage), LB_OK);
  assert_int_equal(stage.start, world.slot.offset);
  stage_world_close(&world);
}

/* As large as it can be: the whole slot but two sectors. */
static void test_largest(void **state)
{
  struct stage_world world;
  struct lb_stage stage;

  (void)state;
  open_miniature(&world, 0x3C00);
  memset(bytes_at(&world, world.slot.offset), 0, world.slot.size);
  memset(world.before + world.slot.offset, 0, world.slot.size);
  world.subject.image_size = 0;
  make_all(&world, &stage);
  assert_int_equal(stage.start, world.slot.offset);
  assert_memory_equal(bytes_at(&world, stage.start), world.patch, stage.size);
  stage_world_assert_rest(&world);
  stage_world_close(&world);
}

/* ---- bytes ---- */

/* Only whole pages go to the flash, and the last bytes. */
static void test_write(void **state)
{
  struct stage_world world;
  struct lb_stage stage;
  uint32_t used;
  uint8_t byte;

  (void)state;
  open_miniature(&world, 100);
  memset(&stage, 0, sizeof(stage));
  assert_result(lb_stage_write(&stage, world.patch, 0, &used), LB_ERR_STATE);
  assert_result(stage_world_create(&world, &stage), LB_OK);
  flash_tap_clear(&world.tap);
  assert_result(lb_stage_write(&stage, world.patch, 101, &used), LB_ERR_SIZE_MISMATCH);
  assert_result(lb_stage_write(&stage, world.patch, 63, &used), LB_OK);
  assert_int_equal(used, 0);
  assert_int_equal(world.tap.count, 0);
  assert_result(lb_stage_check(&stage), LB_ERR_STATE);
  assert_result(lb_stage_write(&stage, world.patch, 99, &used), LB_OK);
  assert_int_equal(used, 64);
  assert_result(lb_stage_write(&stage, world.patch + 64, 35, &used), LB_OK);
  assert_int_equal(used, 0);
  assert_result(lb_stage_read(&stage, 63, &byte, 1), LB_OK);
  assert_int_equal(byte, world.patch[63]);
  assert_result(lb_stage_read(&stage, 64, &byte, 1), LB_ERR_ARGUMENT);
  assert_result(lb_stage_read(&stage, 65, &byte, 0), LB_ERR_ARGUMENT);
  assert_result(lb_stage_read(&stage, 1, &byte, 0xFFFFFFFF), LB_ERR_ARGUMENT);
  assert_result(lb_stage_write(&stage, world.patch + 64, 37, &used), LB_ERR_SIZE_MISMATCH);
  assert_result(lb_stage_write(&stage, world.patch + 64, 36, &used), LB_OK);
  assert_int_equal(used, 36);
  assert_int_equal(world.tap.count, 2);
  assert_int_equal(stage.position, 100);
  assert_result(lb_stage_write(&stage, world.patch, 0, &used), LB_OK);
  assert_result(lb_stage_write(&stage, world.patch, 1, &used), LB_ERR_SIZE_MISMATCH);
  assert_result(stage_world_check(&world, &stage), LB_OK);
  assert_result(stage_world_check(&world, &stage), LB_OK); /* once more */
  stage_world_close(&world);
}

/* Wherever it was left, what is there is told to the sector, and only a check makes it whole. */
static void test_measure(void **state)
{
  struct stage_world world;
  struct lb_stage stage;

  (void)state;
  open_miniature(&world, 2000);
  for (uint32_t end = 0; end <= 2000; end += 64) {
    uint32_t last = end == 0 ? 0 : end - 1; /* a byte of the last page that is there */

    assert_result(stage_world_create(&world, &stage), LB_OK);
    assert_result(lb_stage_measure(&stage), LB_ERR_STATE);
    assert_result(stage_world_write(&world, &stage, end), LB_OK);
    flash_tap_clear(&world.tap);
    assert_result(open_stage(&world, &stage), LB_OK);
    assert_int_equal(world.tap.count, 0);
    assert_int_equal(stage.position, last / 512 * 512);
    assert_false(stage.whole);
    assert_result(lb_stage_check(&stage), LB_ERR_STATE);
  }
  assert_result(stage_world_write(&world, &stage, 2000), LB_OK);
  assert_result(stage_world_check(&world, &stage), LB_OK);
  assert_result(open_stage(&world, &stage), LB_OK);
  assert_int_equal(stage.position, 2000);
  assert_true(stage.whole);
  assert_result(stage_world_check(&world, &stage), LB_OK);
  stage_world_close(&world);
}

/* Measuring and checking a large one takes many calls that read 4 KB each, not one that reads all. */
static void test_steps(void **state)
{
  const struct sim_geometry real = sim_geometry_real(0x200000);
  struct stage_world world;
  struct lb_stage stage;
  int result;

  (void)state;
  stage_world_open(&world, &real, 0x80000);
  assert_result(stage_world_create(&world, &stage), LB_OK);
  assert_result(lb_stage_open(&stage, &world.tap.flash, &world.slot), LB_OK);
  do {
    flash_tap_clear(&world.tap);
    result = lb_stage_measure(&stage);
    assert_in_range(world.tap.bytes_read, 0, 4096);
  } while (result == LB_MORE);
  assert_result(result, LB_OK);
  assert_int_equal(stage.position, 0);
  assert_result(stage_world_write(&world, &stage, stage.size), LB_OK);
  do {
    flash_tap_clear(&world.tap);
    result = lb_stage_check(&stage);
    assert_in_range(world.tap.bytes_read, 0, 4096 + 16);
  } while (result == LB_MORE);
  assert_result(result, LB_OK);
  stage_world_close(&world);
}

/* After a start it can be gone on with as often as there are entries, but for the first; then it is none any more. */
static void test_attempts(void **state)
{
  struct stage_world world;
  struct lb_stage stage;
  uint32_t attempts = (512 - 128) / 16 - 1;

  (void)state;
  open_miniature(&world, 2000);
  assert_result(stage_world_create(&world, &stage), LB_OK);
  for (uint32_t i = 0; i < attempts; i++) {
    assert_result(open_stage(&world, &stage), LB_OK);
    assert_int_equal(stage.position, i == 0 ? 0 : 512);
    assert_result(stage_world_write(&world, &stage, 640), LB_OK);
  }
  assert_result(lb_stage_open(&stage, &world.tap.flash, &world.slot), LB_OK);
  assert_result(lb_stage_measure(&stage), LB_ERR_NO_STAGE);
  for (uint32_t i = 0; i < attempts; i++) { /* but one that became whole in its last attempt is whole */
    assert_result(i == 0 ? stage_world_create(&world, &stage) : open_stage(&world, &stage), LB_OK);
    assert_result(stage_world_write(&world, &stage, 64), LB_OK);
  }
  assert_result(open_stage(&world, &stage), LB_OK);
  assert_result(stage_world_write(&world, &stage, 2000), LB_OK);
  assert_result(stage_world_check(&world, &stage), LB_OK);
  assert_result(open_stage(&world, &stage), LB_OK);
  assert_true(stage.whole);
  stage_world_close(&world);
}

/* What a cut left of a note is none, and its entry is not used again. */
static void test_half_a_note(void **state)
{
  static const uint32_t notes[][2] = {
      {0xFFFFFFFF, 0xFFFFFFFF}, {1024, 0xFFFFFFFF}, {1024 + 512, ~1024U}, {1024 | 0x10000000, ~1024U}};
  struct stage_world world;
  struct lb_stage stage;

  (void)state;
  open_miniature(&world, 2000);
  for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
    uint8_t *entry = bytes_at(&world, 0x5C00 + 128 + 16);

    assert_result(stage_world_create(&world, &stage), LB_OK);
    assert_result(stage_world_write(&world, &stage, 640), LB_OK);
    lb_store_le32(entry, notes[i][0]);
    lb_store_le32(entry + 4, notes[i][1]);
    memset(entry + 8, 0, 2);
    assert_result(open_stage(&world, &stage), LB_OK);
    assert_int_equal(stage.position, 512);
    assert_result(stage_world_write(&world, &stage, 1100), LB_OK);
    assert_int_equal(lb_load_le32(entry + 16), 512);
    assert_result(open_stage(&world, &stage), LB_OK);
    assert_int_equal(stage.position, 1024);
    assert_result(stage_world_write(&world, &stage, 2000), LB_OK);
    assert_result(stage_world_check(&world, &stage), LB_OK);
  }
  stage_world_close(&world);
}

/* ---- is it the patch? ---- */

static void test_check(void **state)
{
  struct stage_world world;
  struct lb_stage stage;
  static const struct {
    uint32_t at;
    int result;
  } wrong[] = {{0, LB_ERR_PATCH_MAGIC},  {2, LB_ERR_PATCH_MAGIC}, {3, LB_ERR_PATCH_VERSION}, {4, LB_ERR_PATCH_CRC},
               {5, LB_ERR_PATCH_CRC},    {6, LB_ERR_PATCH_CRC},   {9, LB_ERR_PATCH_CRC},     {10, LB_ERR_PATCH_CRC},
               {1234, LB_ERR_PATCH_CRC}, {1999, LB_ERR_PATCH_CRC}};

  (void)state;
  open_miniature(&world, 2000);
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    world.patch[wrong[i].at] ^= 0x20;
    assert_result(stage_world_create(&world, &stage), LB_OK);
    assert_result(stage_world_write(&world, &stage, 2000), LB_OK);
    assert_result(stage_world_check(&world, &stage), wrong[i].result);
    assert_result(stage_world_check(&world, &stage), wrong[i].result);
    world.patch[wrong[i].at] ^= 0x20;
  }
  for (uint32_t size = 1; size <= 67; size++) {
    stage_world_patch(&world, size);
    assert_result(stage_world_create(&world, &stage), LB_OK);
    assert_result(stage_world_write(&world, &stage, size), LB_OK);
    assert_result(stage_world_check(&world, &stage), size < 66 ? LB_ERR_PATCH_HEADER : LB_OK);
  }
  stage_world_close(&world);
}

/* ---- what else there is in the slot ---- */

/* Written over: by an image that reaches into it, or an update of one that was begun. */
static void test_written_over(void **state)
{
  struct stage_world world;
  struct lb_stage stage;
  struct lb_journal journal;
  struct lb_journal_subject update = {.source = "x", .validator = "", .size = 0x3400, .head = head};
  bool discarded;

  (void)state;
  open_miniature(&world, 2000); /* from 0x3400 of the slot on */
  make_all(&world, &stage);
  for (int far = 0; far < 2; far++) {
    update.size = far ? 0x3401 : 0x3400;
    memset(&journal, 0, sizeof(journal));
    while (lb_journal_create(&journal, &world.tap.flash, &world.slot, &update) == LB_MORE) {
    }
    assert_result(lb_stage_open(&stage, &world.tap.flash, &world.slot), far ? LB_ERR_NO_STAGE : LB_OK);
  }
  update.size = 0x1000;
  for (uint32_t far = 0; far < 2; far++) { /* what it compares with reaches into it */
    update.compare_end = world.slot.offset + 0x3400 + far;
    memset(&journal, 0, sizeof(journal));
    while (lb_journal_create(&journal, &world.tap.flash, &world.slot, &update) == LB_MORE) {
    }
    assert_result(lb_stage_open(&stage, &world.tap.flash, &world.slot), far ? LB_ERR_NO_STAGE : LB_OK);
  }
  assert_result(lb_journal_discard(&world.tap.flash, &world.slot, &discarded), LB_OK);
  assert_result(lb_stage_open(&stage, &world.tap.flash, &world.slot), LB_OK);
  for (uint32_t length = 0x3400; length <= 0x3410; length += 16) {
    image_free(&world.image);
    image_make(&world.image, 3, length, "x");
    memcpy(bytes_at(&world, world.slot.offset), world.image.bytes, 0x3400);
    assert_result(lb_stage_open(&stage, &world.tap.flash, &world.slot), length == 0x3400 ? LB_OK : LB_ERR_NO_STAGE);
  }
  /* the header's sector is not the image's yet */
  assert_result(lb_stage_discard(&world.tap.flash, &world.slot, &discarded), LB_OK);
  assert_true(discarded);
  stage_world_close(&world);
}

/* An image may have bytes there that look like a header being made void: they are the image's. */
static void test_discard_spares_images(void **state)
{
  struct stage_world world;
  bool discarded;

  (void)state;
  open_miniature(&world, 2000);
  for (uint32_t length = 0x3BF0; length <= 0x3C20; length += 16) {
    image_free(&world.image);
    image_make(&world.image, 3, length, "x");
    memcpy(bytes_at(&world, world.slot.offset), world.image.bytes, length);
    memset(bytes_at(&world, world.slot.offset + 0x3C00), 0, 0x100);
    assert_result(lb_stage_discard(&world.tap.flash, &world.slot, &discarded), LB_OK);
    assert_int_equal(discarded, length <= 0x3C00);
  }
  memset(bytes_at(&world, world.slot.offset), 0xFF, world.slot.size);
  assert_result(lb_stage_discard(&world.tap.flash, &world.slot, &discarded), LB_OK);
  assert_false(discarded);
  stage_world_close(&world);
}

/* The journal of an interrupted update goes before the stage's first erase if that would touch what it trusts. */
static void test_journal(void **state)
{
  struct stage_world world;
  struct lb_stage stage;
  struct lb_journal journal;
  struct lb_journal_subject update = {.source = "x", .validator = "", .head = head};

  (void)state;
  open_miniature(&world, 2000);
  for (uint32_t far = 0; far < 2; far++) {
    update.size = 0x3400 + far;
    memset(&journal, 0, sizeof(journal));
    while (lb_journal_create(&journal, &world.tap.flash, &world.slot, &update) == LB_MORE) {
    }
    flash_tap_clear(&world.tap);
    assert_result(stage_world_create(&world, &stage), LB_OK);
    assert_int_equal(world.tap.log[0].address, far ? 0x5E00 : 0x5C00);
    assert_result(lb_journal_read(&journal, &world.tap.flash, &world.slot), far ? LB_ERR_NO_JOURNAL : LB_OK);
  }
  stage_world_close(&world);
}

/* A byte of header or texts is another one: it is none any more, or still the same, never another. */
static void test_rot(void **state)
{
  struct stage_world world;
  struct lb_stage stage;
  uint32_t texts;

  (void)state;
  open_miniature(&world, 2000);
  make_all(&world, &stage);
  texts = 32 + stage.source_length + stage.validator_length;
  for (uint32_t bit = 0; bit < 512 * 8; bit++) {
    int result;

    *bytes_at(&world, stage.address + bit / 8) ^= (uint8_t)(1U << bit % 8);
    result = open_stage(&world, &stage);
    assert_result(result, bit / 8 < texts ? LB_ERR_NO_STAGE : LB_OK);
    assert_true(bit / 8 < texts || stage.whole);
    *bytes_at(&world, 0x5C00 + bit / 8) ^= (uint8_t)(1U << bit % 8);
  }
  stage_world_close(&world);
}

/* A stage that is gone on with is erased first: what has rotted there, or was torn, is gone. */
static void test_torn_sector(void **state)
{
  struct stage_world world;
  struct lb_stage stage;

  (void)state;
  for (uint32_t at = 512; at <= 1014; at += 100) {
    open_miniature(&world, 2000);
    assert_result(stage_world_create(&world, &stage), LB_OK);
    assert_result(stage_world_write(&world, &stage, 640), LB_OK);
    memset(bytes_at(&world, stage.start + at), 0, 10);
    assert_result(open_stage(&world, &stage), LB_OK);
    assert_result(stage_world_write(&world, &stage, 2000), LB_OK);
    assert_result(stage_world_check(&world, &stage), LB_OK);
    assert_memory_equal(bytes_at(&world, stage.start), world.patch, 2000);
    stage_world_close(&world);
  }
}

/* ---- a flash that fails ---- */

static int do_all(struct stage_world *world, struct lb_stage *stage)
{
  int result = stage_world_create(world, stage);

  result = result ? result : stage_world_write(world, stage, 1000);
  result = result ? result : open_stage(world, stage);
  result = result ? result : stage_world_write(world, stage, stage->size);
  return result ? result : stage_world_check(world, stage);
}

static void test_failures(void **state)
{
  struct stage_world world;
  struct lb_stage stage;
  uint32_t reads;
  uint32_t programs;
  uint32_t erases;

  (void)state;
  open_miniature(&world, 2000);
  assert_result(do_all(&world, &stage), LB_OK);
  reads = world.tap.reads;
  programs = world.tap.programs;
  erases = world.tap.erases;
  for (uint32_t i = 0; i < reads; i++) {
    flash_tap_clear(&world.tap);
    world.tap.fail_read_at = i;
    assert_result(do_all(&world, &stage), LB_ERR_FLASH_READ);
  }
  for (uint32_t i = 0; i < programs; i++) {
    flash_tap_clear(&world.tap);
    world.tap.fail_program_at = i;
    assert_result(do_all(&world, &stage), LB_ERR_FLASH_PROGRAM);
  }
  for (uint32_t i = 0; i < erases; i++) {
    flash_tap_clear(&world.tap);
    world.tap.fail_erase_at = i;
    assert_result(do_all(&world, &stage), LB_ERR_FLASH_ERASE);
  }
  flash_tap_clear(&world.tap);
  world.tap.skip_erases = true;
  assert_result(do_all(&world, &stage), LB_ERR_READ_BACK);
  for (uint32_t i = 0; i < programs; i++) { /* a bit that stays as it was is noticed, or does not matter */
    int result;

    flash_tap_clear(&world.tap);
    world.tap.drop_program_at = i;
    result = do_all(&world, &stage);
    if (result == LB_OK) {
      assert_memory_equal(bytes_at(&world, stage.start), world.patch, 2000);
    } else if (result != LB_ERR_READ_BACK && result != LB_ERR_PATCH_CRC && result != LB_ERR_PATCH_MAGIC) {
      fail_here("program %u: %s", i, unit_result_name(result));
    }
  }
  stage_world_close(&world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_format),
      cmocka_unit_test(test_order),
      cmocka_unit_test(test_room),
      cmocka_unit_test(test_old_image),
      cmocka_unit_test(test_texts),
      cmocka_unit_test(test_slots),
      cmocka_unit_test(test_largest),
      cmocka_unit_test(test_write),
      cmocka_unit_test(test_measure),
      cmocka_unit_test(test_steps),
      cmocka_unit_test(test_attempts),
      cmocka_unit_test(test_half_a_note),
      cmocka_unit_test(test_check),
      cmocka_unit_test(test_written_over),
      cmocka_unit_test(test_discard_spares_images),
      cmocka_unit_test(test_journal),
      cmocka_unit_test(test_rot),
      cmocka_unit_test(test_torn_sector),
      cmocka_unit_test(test_failures),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
