// SPDX-License-Identifier: MIT
/* What an update that was cut goes on with, and when it begins anew. test_resume_cuts.c cuts everywhere. */
#include "lifeboat/update.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/unit.h"

#define SIZE      9000U
#define BLOCK     2048U
#define SECTOR    512U
#define SOURCE    "host/a.bin"
#define VALIDATOR "\"1\""
#define STEPS     10000

struct world {
  struct fixture fixture;
  struct built_image image;
  struct lb_partition slot;
  struct lb_update session;
};

static struct lb_update_config config_of(struct world *world, const char *source, const char *validator)
{
  struct lb_update_config config = fixture_config(&world->fixture, "factory", "ota_0");

  config.size = SIZE;
  config.source = source;
  config.validator = validator;
  return config;
}

static uint8_t *slot_bytes(struct world *world)
{
  return fixture_bytes(&world->fixture) + world->slot.offset;
}

/* Gives the session the image from where it stands up to `end`. */
static int feed(struct world *world, uint32_t end)
{
  int result = LB_OK;

  for (int steps = 0; result == LB_OK && lb_update_position(&world->session) < end; steps++) {
    uint32_t at = lb_update_position(&world->session);
    uint32_t used;
    result = lb_update_write(&world->session, world->image.bytes + at, end - at, &used);
    assert_true(steps < STEPS);
  }
  return result;
}

static int finish(struct world *world)
{
  int result = feed(world, SIZE);

  result = result == LB_OK ? LB_MORE : result;
  for (int steps = 0; result == LB_MORE; steps++) {
    result = lb_update_finish(&world->session);
    assert_true(steps < STEPS);
  }
  return result;
}

/* A module whose update was cut when `length` bytes had come; `old` is what the slot held before. */
static struct world *open_world(uint32_t length, const struct built_image *old)
{
  struct world *world = unit_allocate(sizeof(*world));
  struct lb_update_config config;

  fixture_open_miniature(&world->fixture, true, 2);
  fixture_put_made(&world->fixture, "factory", 1, 1024);
  world->slot = fixture_partition(&world->fixture, "ota_0");
  if (old) {
    fixture_put_image(&world->fixture, "ota_0", old);
  }
  image_make(&world->image, 3, SIZE / 16 * 16, "3.3.004");
  world->image.bytes = realloc(world->image.bytes, SIZE);
  assert_non_null(world->image.bytes);
  memset(world->image.bytes + world->image.length, 0xFF, SIZE - world->image.length);
  config = config_of(world, SOURCE, VALIDATOR);
  assert_result(lb_update_start(&world->session, &config), LB_OK);
  assert_result(feed(world, length), LB_OK);
  return world;
}

static void close_world(struct world *world)
{
  image_free(&world->image);
  fixture_close(&world->fixture);
  free(world);
}

static int resume(struct world *world, const char *source, const char *validator, uint32_t size)
{
  struct lb_update_config config = config_of(world, source, validator);
  int result;

  config.size = size;
  flash_tap_clear(&world->fixture.tap);
  result = lb_update_resume(&world->session, &config);
  for (int steps = 0; result == LB_MORE; steps++) {
    result = lb_update_resume_step(&world->session);
    assert_true(steps < STEPS);
  }
  assert_int_equal(world->fixture.tap.count, 0); /* nothing is touched */
  return result;
}

static void assert_goes_on(struct world *world, uint32_t position)
{
  assert_result(resume(world, SOURCE, VALIDATOR, SIZE), LB_OK);
  assert_int_equal(lb_update_position(&world->session), position);
  assert_result(finish(world), LB_OK);
  assert_memory_equal(slot_bytes(world), world->image.bytes, world->image.length);
  assert_string_equal(fixture_selected(&world->fixture), "ota_0");
}

static void test_blocks_done(void **state)
{
  (void)state;
  for (uint32_t blocks = 1; blocks <= 4; blocks++) {
    struct world *world = open_world(blocks * BLOCK + 600, NULL);
    assert_goes_on(world, blocks * BLOCK);
    close_world(world);
  }
}

/* A block that is not what its CRC says, and all behind it, comes again. */
static void test_wrong_crc(void **state)
{
  (void)state;
  for (uint32_t block = 0; block < 3; block++) {
    struct world *world = open_world(3 * BLOCK + 600, NULL);
    slot_bytes(world)[block * BLOCK + 700] ^= 0x10;
    if (block == 0) {
      assert_result(resume(world, SOURCE, VALIDATOR, SIZE), LB_ERR_NO_JOURNAL);
    } else {
      assert_goes_on(world, block * BLOCK);
    }
    close_world(world);
  }
}

static void test_of_another_update(void **state)
{
  struct world *world = open_world(2 * BLOCK + 600, NULL);

  (void)state;
  assert_result(resume(world, "host/b.bin", VALIDATOR, SIZE), LB_ERR_NO_JOURNAL);
  assert_result(resume(world, SOURCE, "\"2\"", SIZE), LB_ERR_NO_JOURNAL);
  assert_result(resume(world, SOURCE, "", SIZE), LB_ERR_NO_JOURNAL);
  assert_result(resume(world, SOURCE, VALIDATOR, SIZE + 16), LB_ERR_NO_JOURNAL);
  assert_result(resume(world, NULL, NULL, SIZE), LB_ERR_NO_JOURNAL);
  assert_result(resume(world, SOURCE, VALIDATOR, LB_SIZE_UNKNOWN), LB_OK);
  close_world(world);
}

/* Its first bytes are kept back; the journal has them. Bits that neither of the two explains are none of ours. */
static void test_first_bytes(void **state)
{
  (void)state;
  struct world *world = open_world(2 * BLOCK + 600, NULL);
  slot_bytes(world)[1] = (uint8_t) ~(world->image.bytes[1]);
  assert_result(resume(world, SOURCE, VALIDATOR, SIZE), LB_ERR_NO_JOURNAL);
  close_world(world);

  /* some of their bits are there already, though blocks are missing: this may pass for an image, so it is not one to
   * erase in */
  world = open_world(2 * BLOCK + 600, NULL);
  slot_bytes(world)[0] = 0xE9;
  assert_result(resume(world, SOURCE, VALIDATOR, SIZE), LB_ERR_NO_JOURNAL);
  close_world(world);
}

/* Cut while the first bytes were being programmed: everything else is there. */
static void test_sealing(void **state)
{
  (void)state;
  for (uint32_t bytes = 0; bytes <= LB_IMAGE_HEADER_SIZE; bytes += 8) {
    struct world *world = open_world(SIZE, NULL);
    int result = LB_MORE;

    for (int steps = 0; steps < STEPS && result == LB_MORE && !world->session.sealed; steps++) {
      result = lb_update_finish(&world->session);
    }
    assert_result(result, LB_MORE);
    assert_true(world->session.sealed);
    memset(slot_bytes(world) + bytes, 0xFF, LB_IMAGE_HEADER_SIZE - bytes);
    assert_goes_on(world, world->image.length);
    close_world(world);
  }
}

/* Where marks are in disorder nothing of what the slot held before is compared any more. */
static void test_disorder(void **state)
{
  struct built_image old;

  (void)state;
  for (int disorder = 0; disorder < 2; disorder++) {
    image_make(&old, 3, SIZE / 16 * 16, "3.3.004"); /* the same image: all of it could be kept */
    struct world *world = open_world(2 * BLOCK, &old);
    struct lb_journal journal;

    assert_result(lb_journal_read(&journal, world->fixture.device.flash, &world->slot), LB_OK);
    if (disorder) {
      assert_result(lb_journal_begin_block(&journal, 3), LB_OK);
    }
    assert_result(resume(world, SOURCE, VALIDATOR, SIZE), LB_OK);
    uint32_t position = lb_update_position(&world->session);
    assert_result(finish(world), LB_OK);
    assert_true(position <= 2 * BLOCK);
    assert_true(disorder ? world->session.writer.sectors_kept == 0 : world->session.writer.sectors_kept > 0);
    close_world(world);
    image_free(&old);
  }
}

/* An image that turns out bad is not gone on with; a lost link and a cut are. */
static void test_bad_image(void **state)
{
  (void)state;
  for (int bad = 0; bad < 2; bad++) {
    struct world *world = open_world(BLOCK + 600, NULL);
    struct lb_journal journal;

    if (bad) {
      world->image.bytes[BLOCK + 700] ^= 1;
      assert_result(finish(world), LB_ERR_IMAGE_CHECKSUM);
    }
    assert_result(lb_journal_read(&journal, world->fixture.device.flash, &world->slot),
                  bad ? LB_ERR_NO_JOURNAL : LB_OK);
    close_world(world);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_blocks_done), cmocka_unit_test(test_wrong_crc), cmocka_unit_test(test_of_another_update),
      cmocka_unit_test(test_first_bytes), cmocka_unit_test(test_sealing),   cmocka_unit_test(test_disorder),
      cmocka_unit_test(test_bad_image),
  };

  return cmocka_run_group_tests_name("resume_rules", tests, NULL, NULL);
}
