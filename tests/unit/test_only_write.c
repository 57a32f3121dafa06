// SPDX-License-Identifier: MIT
/*
 * Updates that select nothing (only_write), what an abandoned update leaves (lb_update_remains), and which sectors of a
 * slot may be kept.
 */
#include "lifeboat/erase.h"
#include "lifeboat/update.h"
#include "ports/mbedtls/hash.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/unit.h"

#define UNDEFINED 0xFFFFFFFFU
#define BLOCK     2048U /* of the miniature flash */
#define ENDLESS   1000000U

/* Verifies beside an update that is under way: with a hash of its own. */
static int verify_slot(struct fixture *fixture, const char *label)
{
  static struct mbedtls_hash context;
  static struct lb_hash sha256;
  struct lb_device device = fixture->device;
  struct lb_partition slot = fixture_partition(fixture, label);
  struct lb_verify verify;

  mbedtls_hash_sha256(&sha256, &context);
  device.sha256 = &sha256;
  device.flash = &fixture->flash.driver; /* the tap counts what the library under test does */
  return lb_verify_partition(&verify, &device, &slot);
}

static bool slot_equals(struct fixture *fixture, const char *label, const void *bytes, uint32_t length)
{
  return memcmp(fixture_bytes(fixture) + fixture_partition(fixture, label).offset, bytes, length) == 0;
}

static struct lb_update_config only_write(struct fixture *fixture, const char *running, const char *target)
{
  struct lb_update_config config = fixture_config(fixture, running, target);

  config.only_write = true;
  return config;
}

/* ---- refusals ---- */

static void refuse(struct fixture *fixture, const struct lb_update_config *config, int expected)
{
  static const uint8_t bytes[LB_IMAGE_HEAD_SIZE] = {LB_IMAGE_MAGIC};
  uint8_t *before = fixture_snapshot(fixture);
  struct lb_update update;
  uint32_t used = 7;

  flash_tap_clear(&fixture->tap);
  assert_result(lb_update_start(&update, config), expected);
  assert_result(lb_update_write(&update, bytes, sizeof(bytes), &used), expected);
  assert_int_equal(used, 0);
  assert_result(lb_update_finish(&update), expected);
  assert_int_equal(lb_update_remains(&update), LB_REMAINS_AS_BEFORE);
  assert_false(lb_update_touched_flash(&update));
  assert_false(lb_update_is_verified(&update));
  assert_int_equal(fixture->tap.count, 0);
  assert_true(fixture_same(fixture, before, 0, fixture->flash.driver.size));
  free(before);
}

static void refuse_labels(struct fixture *fixture, const char *running, const char *target, int expected)
{
  struct lb_update_config config = only_write(fixture, running, target);

  refuse(fixture, &config, expected);
}

static void test_refusals(void **state)
{
  struct fixture fixture;
  struct lb_update_config config;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  fixture_put_made(&fixture, "factory", 1, 4096);
  refuse_labels(&fixture, "ota_0", "ota_0", LB_ERR_TARGET_RUNNING);
  refuse_labels(&fixture, "factory", "factory", LB_ERR_TARGET_RUNNING);
  refuse_labels(&fixture, "ota_0", "factory", LB_ERR_TARGET_FACTORY);
  config = only_write(&fixture, "factory", "ota_0");
  config.size = config.target.size + 1;
  refuse(&fixture, &config, LB_ERR_IMAGE_TOO_LONG);
  config.target.offset += 0x1000;
  refuse(&fixture, &config, LB_ERR_NOT_FOUND);
  fixture_put_record(&fixture, 0, 1, UNDEFINED);
  refuse_labels(&fixture, "factory", "ota_0", LB_ERR_TARGET_SELECTED);
  refuse_labels(&fixture, "ota_1", "ota_0", LB_ERR_TARGET_SELECTED);
  fixture_put_record(&fixture, 1, 2, LB_OTADATA_PENDING_VERIFY);
  refuse_labels(&fixture, "factory", "ota_1", LB_ERR_TARGET_SELECTED);
  flash_tap_clear(&fixture.tap);
  fixture.tap.fail_read_at = 0; /* what cannot be known is not assumed */
  config = only_write(&fixture, "factory", "ota_0");
  struct lb_update update;
  assert_result(lb_update_start(&update, &config), LB_ERR_FLASH_READ);
  fixture_close(&fixture);
}

static void test_refusals_without_factory(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_miniature(&fixture, false, 2);
  refuse_labels(&fixture, "ota_1", "ota_0", LB_ERR_TARGET_SELECTED); /* blank otadata boots ota_0 */
  fixture_close(&fixture);
}

static void test_refusals_by_the_table(void **state)
{
  static const struct lb_partition rows[] = {
      {0x10000, 0x10000, 0, 0, 0x00, "factory"},
      {0x20000, 0x10000, LB_FLAG_READ_ONLY, 0, 0x10, "ota_0"},
      {0x30000, 0x10000, LB_FLAG_ENCRYPTED, 0, 0x11, "ota_1"},
      {0x40000, 0x10800, 0, 0, 0x12, "ota_2"},
      {0xd000, 0x2000, 0, 1, 0x00, "otadata"},
  };
  const struct sim_geometry geometry = sim_geometry_real(4U << 20);
  struct fixture fixture;

  (void)state;
  fixture_open(&fixture, &geometry, rows, 5);
  refuse_labels(&fixture, "factory", "ota_0", LB_ERR_TARGET_PROTECTED);
  refuse_labels(&fixture, "factory", "ota_1", LB_ERR_TARGET_PROTECTED);
  refuse_labels(&fixture, "factory", "ota_2", LB_ERR_TARGET_SECTORS);
  fixture_close(&fixture);
  fixture_open(&fixture, &geometry, rows, 4);
  struct lb_update_config config = only_write(&fixture, "factory", "ota_0");
  config.target.flags = 0; /* what the caller thinks of it does not matter */
  refuse(&fixture, &config, LB_ERR_TARGET_PROTECTED);
  fixture_close(&fixture);
}

static void test_no_otadata(void **state)
{
  static const struct lb_partition rows[] = {
      {0x10000, 0x10000, 0, 0, 0x00, "factory"},
      {0x20000, 0x10000, 0, 0, 0x10, "ota_0"},
  };
  const struct sim_geometry geometry = sim_geometry_real(4U << 20);
  struct fixture fixture;

  (void)state;
  fixture_open(&fixture, &geometry, rows, 2);
  refuse_labels(&fixture, "factory", "ota_0", LB_ERR_NO_OTADATA);
  fixture_close(&fixture);
}

/* ---- nothing is selected ---- */

struct record {
  uint32_t sequence; /* 0: blank */
  uint32_t state;
  bool torn;
};

static const struct start {
  const char *selected;
  struct record records[2];
} starts[] = {
    {"factory", {{0, 0, false}, {0, 0, false}}},
    {"ota_0", {{1, UNDEFINED, false}, {0, 0, false}}},
    {"ota_0", {{3, UNDEFINED, false}, {2, UNDEFINED, false}}},
    {"ota_0", {{1, LB_OTADATA_NEW, false}, {0, 0, false}}},
    {"ota_0", {{1, LB_OTADATA_PENDING_VERIFY, false}, {2, LB_OTADATA_ABORTED, false}}},
    {"ota_0", {{1, UNDEFINED, false}, {2, UNDEFINED, true}}}, /* torn: it would select the target */
    {"factory", {{1, UNDEFINED, true}, {2, UNDEFINED, true}}},
    {"factory", {{2, LB_OTADATA_INVALID, false}, {4, UNDEFINED, true}}},
    {"ota_0", {{0xFFFFFFFDU, UNDEFINED, false}, {0xFFFFFFFEU, UNDEFINED, true}}},
};

#define STARTS (sizeof(starts) / sizeof(starts[0]))

static void put_records(struct fixture *fixture, const struct record *records)
{
  for (uint32_t i = 0; i < 2; i++) {
    fixture_blank_record(fixture, i);
    if (records[i].sequence) {
      fixture_put_record(fixture, i, records[i].sequence, records[i].state);
    }
    if (records[i].torn) {
      fixture_bytes(fixture)[fixture_partition(fixture, "otadata").offset + i * 0x1000 + 29] ^= 0x04;
    }
  }
}

static void open_with(struct fixture *fixture, const struct start *start)
{
  fixture_open_miniature(fixture, true, 2);
  fixture_put_made(fixture, "factory", 1, 4096);
  fixture_put_made(fixture, "ota_0", 2, 8000);
  put_records(fixture, start->records);
  assert_string_equal(fixture_selected(fixture), start->selected);
}

/* Nothing but the target, and in otadata no more than that an old record of the target is made void. */
static void test_otadata_stays(void **state)
{
  static const uint32_t pieces[] = {1, 288, 4096};
  struct built_image image;

  (void)state;
  image_make(&image, 7, 9600, "3.3.004");
  for (size_t i = 0; i < STARTS; i++) {
    struct fixture fixture;
    uint8_t *before;

    open_with(&fixture, &starts[i]);
    before = fixture_snapshot(&fixture);
    for (size_t j = 0; j < 3; j++) {
      struct lb_update_config config = only_write(&fixture, starts[i].selected, "ota_1");
      uint32_t offset = config.target.offset;
      uint32_t end = offset + config.target.size;
      struct lb_update update;

      config.size = j == 1 ? image.length : LB_SIZE_UNKNOWN;
      config.sector_buffer = j == 2 ? NULL : fixture.sector;
      fixture_restore(&fixture, before);
      assert_result(fixture_update(&fixture, &config, image.bytes, image.length, pieces[j], &update), LB_OK);
      assert_int_equal(lb_update_remains(&update), LB_REMAINS_WHOLE);
      assert_true(lb_update_is_verified(&update));
      assert_true(fixture_same(&fixture, before, 0, 0xd000));
      assert_true(fixture_same(&fixture, before, 0xf000, offset - 0xf000));
      assert_string_equal(fixture_selected(&fixture), starts[i].selected);
      assert_true(fixture_same(&fixture, before, end, fixture.flash.driver.size - end));
      assert_true(slot_equals(&fixture, "ota_1", image.bytes, image.length));
      assert_result(verify_slot(&fixture, "ota_1"), LB_OK);
    }
    free(before);
    fixture_close(&fixture);
  }
  image_free(&image);
}

static int select_now(struct fixture *fixture, const char *label)
{
  struct lb_partition slot = fixture_partition(fixture, label);
  struct lb_select select;
  int result = lb_select_start(&select, &fixture->device, &slot, NULL);

  while (result == LB_OK || result == LB_MORE) {
    result = lb_select_step(&select);
    if (result == LB_OK) {
      return LB_OK;
    }
  }
  return result;
}

/* What was written only can be selected afterwards as any other. */
static void test_selected_afterwards(void **state)
{
  struct built_image image;
  struct fixture fixture;
  struct lb_boot_decision decision;
  struct lb_update_config config;

  (void)state;
  image_make(&image, 7, 9600, "3.3.004");
  open_with(&fixture, &starts[6]);
  config = only_write(&fixture, "factory", "ota_1");
  assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 4096, NULL), LB_OK);
  assert_result(fixture_boot(&fixture, &decision), LB_OK);
  assert_string_equal(decision.partition.label, "factory");
  assert_result(select_now(&fixture, "ota_1"), LB_OK);
  assert_result(fixture_boot(&fixture, &decision), LB_OK);
  assert_string_equal(decision.partition.label, "ota_1");
  refuse_labels(&fixture, "factory", "ota_1", LB_ERR_TARGET_SELECTED);
  fixture_close(&fixture);
  image_free(&image);
}

/*
 * Somebody selects the target between the start and the first bytes. An update that is to select nothing does not move
 * that selection away: it is refused, as it would have been at the start.
 */
static void test_selected_meanwhile(void **state)
{
  struct built_image image;
  struct fixture fixture;
  struct lb_update_config config;
  struct lb_update update;
  uint8_t *before;
  uint32_t used;

  (void)state;
  image_make(&image, 7, 9600, "3.3.004");
  open_with(&fixture, &starts[0]);
  config = only_write(&fixture, "factory", "ota_0");
  assert_result(lb_update_start(&update, &config), LB_OK);
  fixture_put_record(&fixture, 0, 1, UNDEFINED);
  before = fixture_snapshot(&fixture);
  int result = LB_OK;
  for (uint32_t at = 0, calls = 0; result == LB_OK && at < image.length; at += used) {
    assert_true(calls++ < ENDLESS);
    result = lb_update_write(&update, image.bytes + at, image.length - at, &used);
  }
  assert_result(result, LB_ERR_TARGET_SELECTED);
  assert_true(fixture_same(&fixture, before, 0, fixture.flash.driver.size));
  free(before);
  fixture_close(&fixture);
  image_free(&image);
}

/* ---- what is left behind ---- */

enum slot_content { BLANK, OLDER, EQUAL, UNFINISHED, NOISE };

static void put_content(struct fixture *fixture, const char *label, enum slot_content content,
                        const struct built_image *image)
{
  struct lb_partition slot = fixture_partition(fixture, label);
  uint8_t *bytes = fixture_bytes(fixture) + slot.offset;

  memset(bytes, content == NOISE ? 0x5A : 0xFF, slot.size);
  if (content == OLDER) {
    fixture_put_made(fixture, label, 99, 12000);
  }
  if (content == EQUAL || content == UNFINISHED) {
    memcpy(bytes, image->bytes, image->length);
  }
  if (content == UNFINISHED) {
    memset(bytes, 0xFF, LB_IMAGE_HEADER_SIZE);
  }
}

struct moment {
  struct fixture *fixture;
  const struct lb_update *update;
  const struct built_image *image;
  const uint8_t *before;
  const char *target;
  bool until_sealed; /* do not look while the sealed image is being read back */
  unsigned seen[3];
};

/* What lb_update_remains says now, compared with what is in the slot. */
static void look(struct moment *moment)
{
  struct lb_partition slot = fixture_partition(moment->fixture, moment->target);
  bool whole = verify_slot(moment->fixture, moment->target) == LB_OK &&
               slot_equals(moment->fixture, moment->target, moment->image->bytes, moment->image->length);
  enum lb_update_remains remains = lb_update_remains(moment->update);

  moment->seen[remains]++;
  switch (remains) {
  case LB_REMAINS_AS_BEFORE:
    assert_true(fixture_same(moment->fixture, moment->before, slot.offset, slot.size));
    break;
  case LB_REMAINS_UNFINISHED:
    if (whole && !moment->until_sealed) {
      fail_here("\"a part of an image, which does not verify\", but all of it is there and verifies");
    }
    break;
  case LB_REMAINS_WHOLE:
    assert_true(whole);
    break;
  }
}

/* An update, looked at after each call. */
static void watch(struct moment *moment, struct lb_update *update, const struct lb_update_config *config)
{
  const struct built_image *image = moment->image;
  int result = lb_update_start(update, config);

  moment->update = update;
  assert_result(result, LB_OK);
  look(moment);
  for (uint32_t at = 0, calls = 0; at < image->length; calls++) {
    uint32_t piece = image->length - at < 600 ? image->length - at : 600;
    uint32_t used;

    assert_result(lb_update_write(update, image->bytes + at, piece, &used), LB_OK);
    assert_true(calls < ENDLESS);
    at += used;
    look(moment);
  }
  do {
    result = lb_update_finish(update);
    look(moment);
  } while (result == LB_MORE);
  assert_result(result, LB_OK);
}

static void watch_all(bool until_sealed)
{
  struct built_image image;

  image_make(&image, 7, 9600, "3.3.004");
  for (unsigned turn = 0; turn < 20; turn++) {
    struct fixture fixture;
    struct lb_update update;
    struct lb_update_config config;
    struct moment moment = {.fixture = &fixture, .image = &image, .target = "ota_1", .until_sealed = until_sealed};

    open_with(&fixture, &starts[turn % 2]);
    put_content(&fixture, "ota_1", (enum slot_content)(turn / 4), &image);
    config = fixture_config(&fixture, starts[turn % 2].selected, "ota_1");
    config.only_write = turn & 2;
    uint8_t *before = fixture_snapshot(&fixture);
    moment.before = before;
    watch(&moment, &update, &config);
    assert_true(moment.seen[0] > 0 && moment.seen[1] > 0 && moment.seen[2] > 0);
    free(before);
    fixture_close(&fixture);
  }
  image_free(&image);
}

static void test_remains(void **state)
{
  (void)state;
  watch_all(true);
}

/*
 * The first bytes have been programmed and the image is read back: whoever cancels now (some 0.2 s of a real update) is
 * told that the slot is incomplete, though it is whole.
 */
static void test_remains_while_reading_back(void **state)
{
  (void)state;
  watch_all(false);
}

/* The selected slot is the target: the selection moves first, and until an erase the slot is as it was. */
static void test_remains_when_the_selection_moves(void **state)
{
  struct built_image image;
  struct fixture fixture;
  struct lb_update update;
  struct lb_update_config config;

  (void)state;
  image_make(&image, 7, 9600, "3.3.004");
  open_with(&fixture, &starts[2]);
  struct moment moment = {.fixture = &fixture, .image = &image, .target = "ota_0", .until_sealed = true};
  config = fixture_config(&fixture, "factory", "ota_0");
  uint8_t *before = fixture_snapshot(&fixture);
  moment.before = before;
  watch(&moment, &update, &config);
  assert_true(moment.seen[LB_REMAINS_AS_BEFORE] > 3); /* both records were erased first */
  assert_string_equal(fixture_selected(&fixture), "ota_0");
  free(before);
  fixture_close(&fixture);
  image_free(&image);
}

/* The power goes at each operation; what is said then holds when it is back. */
static void cut_at(struct fixture *fixture, const struct built_image *image, const uint8_t *before, bool select,
                   uint32_t number, enum sim_cut cut, bool *fired)
{
  struct lb_update_config config = only_write(fixture, "factory", "ota_1");
  struct lb_partition slot = config.target;
  struct lb_update update;
  int result;

  config.only_write = !select;
  fixture_restore(fixture, before);
  sim_flash_power_on(&fixture->flash);
  sim_flash_cut_at(&fixture->flash, number, cut);
  result = fixture_update(fixture, &config, image->bytes, image->length, 4096, &update);
  *fired = sim_flash_cut_fired(&fixture->flash);
  sim_flash_power_on(&fixture->flash);
  assert_true((result == LB_OK) != *fired);
  switch (lb_update_remains(&update)) {
  case LB_REMAINS_AS_BEFORE:
    assert_true(fixture_same(fixture, before, slot.offset, slot.size));
    break;
  case LB_REMAINS_UNFINISHED:
    assert_true(fixture_same(fixture, before, slot.offset, slot.size) || verify_slot(fixture, "ota_1") != LB_OK);
    break;
  case LB_REMAINS_WHOLE:
    assert_result(verify_slot(fixture, "ota_1"), LB_OK);
    assert_true(slot_equals(fixture, "ota_1", image->bytes, image->length));
    break;
  }
  if (!select) {
    struct lb_partition otadata = fixture_partition(fixture, "otadata");

    assert_true(fixture_same(fixture, before, otadata.offset, otadata.size));
  }
}

static void test_remains_after_a_cut(void **state)
{
  struct built_image image;
  struct fixture fixture;
  uint8_t *before;

  (void)state;
  image_make(&image, 7, 9600, "3.3.004");
  open_with(&fixture, &starts[0]);
  put_content(&fixture, "ota_1", OLDER, &image);
  before = fixture_snapshot(&fixture);
  for (unsigned turn = 0; turn < 4; turn++) {
    bool fired = true;

    for (uint32_t number = 1; fired; number++) {
      sim_flash_seed(&fixture.flash, number);
      cut_at(&fixture, &image, before, turn & 1, number, turn & 2 ? SIM_CUT_TORN : SIM_CUT_BEFORE, &fired);
      assert_true(number < 1000);
      assert_true(fired || number > 100);
    }
  }
  free(before);
  fixture_close(&fixture);
  image_free(&image);
}

/* ---- which sectors are kept ---- */

/* An update of ota_1 to `image`; returns how many sectors it kept. */
static uint32_t update_keeps(struct fixture *fixture, const struct built_image *image, bool select)
{
  struct lb_update_config config = fixture_config(fixture, "factory", "ota_1");
  struct lb_update update;

  config.only_write = !select;
  flash_tap_clear(&fixture->tap);
  assert_result(fixture_update(fixture, &config, image->bytes, image->length, 4096, &update), LB_OK);
  return update.writer.sectors_kept;
}

static bool was_erased(const struct fixture *fixture, uint32_t address)
{
  for (uint32_t i = 0; i < fixture->tap.count; i++) {
    const struct tap_operation *operation = &fixture->tap.log[i];

    if (operation->kind == TAP_ERASE && address >= operation->address &&
        address - operation->address < operation->length) {
      return true;
    }
  }
  return false;
}

/* Nothing that a cut update left is kept, however right it looks: its first byte tells. */
static void test_a_cut_slot_is_erased(void **state)
{
  static const uint8_t firsts[] = {0xFF, 0xEB, 0xF9, 0xE8, 0xE1, 0x69, 0x00};
  struct built_image image;
  struct fixture fixture;

  (void)state;
  image_make(&image, 7, 12000, "3.3.004");
  open_with(&fixture, &starts[0]);
  for (unsigned turn = 0; turn < 2 * sizeof(firsts); turn++) {
    uint32_t offset = fixture_partition(&fixture, "ota_1").offset;

    put_content(&fixture, "ota_1", EQUAL, &image);
    fixture_bytes(&fixture)[offset] = firsts[turn / 2];
    fixture_blank_record(&fixture, 0);
    assert_int_equal(update_keeps(&fixture, &image, turn % 2), 0);
    for (uint32_t at = 0; at < image.length; at++) {
      assert_true(was_erased(&fixture, offset + at));
    }
  }
  fixture_close(&fixture);
  image_free(&image);
}

/* Of a whole slot everything behind its first block is kept. */
static void test_a_whole_slot_is_kept(void **state)
{
  const uint32_t sector = 512;
  struct built_image image;
  struct fixture fixture;
  uint32_t sectors;

  (void)state;
  image_make(&image, 7, 12000, "3.3.004");
  open_with(&fixture, &starts[0]);
  sectors = (image.length - BLOCK + sector - 1) / sector;
  for (unsigned turn = 0; turn < 2; turn++) {
    put_content(&fixture, "ota_1", EQUAL, &image);
    assert_int_equal(update_keeps(&fixture, &image, turn), sectors);
    for (uint32_t at = BLOCK; at < image.length; at += sector) {
      assert_false(was_erased(&fixture, fixture_partition(&fixture, "ota_1").offset + at));
    }
    fixture_blank_record(&fixture, 0);
  }
  /* one bit: that sector and the rest of its block */
  put_content(&fixture, "ota_1", EQUAL, &image);
  fixture_bytes(&fixture)[fixture_partition(&fixture, "ota_1").offset + 2 * BLOCK + sector + 3] ^= 0x80;
  assert_int_equal(update_keeps(&fixture, &image, false), sectors - 3);
  fixture_close(&fixture);
  image_free(&image);
}

/* Abandons an update of ota_1 when `operation` has been asked for. Returns the address of that one. */
static uint32_t abandon_after(struct fixture *fixture, const struct built_image *image, uint32_t operations)
{
  struct lb_update_config config = only_write(fixture, "factory", "ota_1");
  struct lb_update update;
  uint32_t at = 0;

  flash_tap_clear(&fixture->tap);
  assert_result(lb_update_start(&update, &config), LB_OK);
  while (fixture->tap.count < operations) {
    uint32_t used;

    assert_result(lb_update_write(&update, image->bytes + at, image->length - at, &used), LB_OK);
    at += used;
    assert_true(at < image->length);
  }
  return fixture->tap.log[operations - 1].address;
}

/*
 * A long update is cut, a short one follows and succeeds, then the long one comes again. What was in flight at the cut
 * lies behind the short image, whose first byte is right; it has to be erased all the same, since it may read right
 * today and wrong tomorrow.
 */
static void test_in_flight_behind_a_shorter_image(void **state)
{
  struct built_image large;
  struct built_image small;
  struct fixture fixture;

  (void)state;
  image_make(&large, 7, 12000, "3.3.004");
  image_make(&small, 8, 4000, "3.3.003");
  open_with(&fixture, &starts[0]);
  for (uint32_t operations = 100; operations < 180; operations++) {
    put_content(&fixture, "ota_1", BLANK, &large);
    uint32_t in_flight = abandon_after(&fixture, &large, operations);
    (void)update_keeps(&fixture, &small, false);
    (void)update_keeps(&fixture, &large, false);
    if (in_flight >= fixture_partition(&fixture, "ota_1").offset + BLOCK && !was_erased(&fixture, in_flight)) {
      fail_here("operation %u, at 0x%x of the slot, was in flight and its sector is kept", (unsigned)operations,
                (unsigned)(in_flight - fixture_partition(&fixture, "ota_1").offset));
    }
  }
  fixture_close(&fixture);
  image_free(&large);
  image_free(&small);
}

/* The same with an erase that is cut: `ota erase`, a short image, then the one that was there before the erase. */
static void test_erase_in_flight_behind_a_shorter_image(void **state)
{
  struct built_image large;
  struct built_image small;
  struct fixture fixture;

  (void)state;
  image_make(&large, 7, 12000, "3.3.004");
  image_make(&small, 8, 4000, "3.3.003");
  open_with(&fixture, &starts[0]);
  struct lb_partition slot = fixture_partition(&fixture, "ota_1");
  struct lb_partition running = fixture_partition(&fixture, "factory");
  struct lb_erase erase;

  put_content(&fixture, "ota_1", EQUAL, &large);
  assert_result(lb_erase_start(&erase, &fixture.device, &running, &slot), LB_OK);
  for (int i = 0; i < 3; i++) {
    assert_result(lb_erase_step(&erase), LB_MORE);
  }
  /* the power goes in the fourth, which has begun: its bytes read as before, for now */
  (void)update_keeps(&fixture, &small, false);
  (void)update_keeps(&fixture, &large, false);
  assert_true(was_erased(&fixture, slot.offset + 3 * BLOCK));
  fixture_close(&fixture);
  image_free(&large);
  image_free(&small);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_refusals_without_factory),
      cmocka_unit_test(test_refusals_by_the_table),
      cmocka_unit_test(test_no_otadata),
      cmocka_unit_test(test_otadata_stays),
      cmocka_unit_test(test_selected_afterwards),
      cmocka_unit_test(test_selected_meanwhile),
      cmocka_unit_test(test_remains),
      cmocka_unit_test(test_remains_while_reading_back),
      cmocka_unit_test(test_remains_when_the_selection_moves),
      cmocka_unit_test(test_remains_after_a_cut),
      cmocka_unit_test(test_a_cut_slot_is_erased),
      cmocka_unit_test(test_a_whole_slot_is_kept),
      cmocka_unit_test(test_in_flight_behind_a_shorter_image),
      cmocka_unit_test(test_erase_in_flight_behind_a_shorter_image),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
