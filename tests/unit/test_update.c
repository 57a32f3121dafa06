// SPDX-License-Identifier: MIT
/* The update session: what is refused and leaves no trace, the order of what is written, and that nothing else is. */
#include "lifeboat/update.h"

#include "lifeboat/bytes.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/unit.h"

#define SLOT      0x4000U  /* of the miniature module */
#define TARGET    0x30000U /* its ota_1 */
#define UNDEFINED 0xFFFFFFFFU

static bool in_otadata(const struct tap_operation *operation)
{
  return operation->address >= 0xd000 && operation->address < 0xf000;
}

/* A miniature module that runs ota_0 and has something older in ota_1. */
static void open_running_ota_0(struct fixture *fixture)
{
  fixture_open_miniature(fixture, true, 2);
  fixture_put_made(fixture, "factory", 1, 9600);
  fixture_put_made(fixture, "ota_0", 2, 8000);
  fixture_put_made(fixture, "ota_1", 3, 10000);
  fixture_put_record(fixture, 0, 1, UNDEFINED);
}

static void assert_boots(struct fixture *fixture, const char *label)
{
  struct lb_boot_decision decision;

  assert_result(fixture_boot(fixture, &decision), LB_OK);
  assert_string_equal(decision.partition.label, label);
}

/* Everything but the target and otadata is as it was. */
static void assert_rest_untouched(struct fixture *fixture, const uint8_t *before)
{
  uint32_t end = fixture->flash.driver.size;

  assert_true(fixture_same(fixture, before, 0, 0xd000));
  assert_true(fixture_same(fixture, before, 0xf000, TARGET - 0xf000));
  assert_true(fixture_same(fixture, before, TARGET + SLOT, end - TARGET - SLOT));
}

/* ---- it works ---- */

static void test_pieces_buffers_sizes(void **state)
{
  static const uint32_t pieces[] = {1, 7, 24, 100, 288, 289, 512, 4096, 0x10000};
  struct fixture fixture;
  struct built_image image;
  uint8_t *before;

  (void)state;
  open_running_ota_0(&fixture);
  image_make(&image, 4, 9008, "3.3.004");
  before = fixture_snapshot(&fixture);
  for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
    for (int variant = 0; variant < 4; variant++) {
      struct lb_update_config config = fixture_config(&fixture, "ota_0", "ota_1");
      struct lb_update update;

      config.size = variant & 1 ? image.length : LB_SIZE_UNKNOWN;
      config.sector_buffer = variant & 2 ? fixture.sector : NULL;
      fixture_restore(&fixture, before);
      assert_result(fixture_update(&fixture, &config, image.bytes, image.length, pieces[i], &update), LB_OK);
      assert_memory_equal(fixture_bytes(&fixture) + TARGET, image.bytes, image.length);
      assert_string_equal(fixture_selected(&fixture), "ota_1");
      assert_boots(&fixture, "ota_1");
      assert_rest_untouched(&fixture, before);
      assert_int_equal(update.received, image.length);
      assert_string_equal(update.image.info.description.version, "3.3.004");
      assert_result(lb_update_finish(&update), LB_OK); /* and so it stays */
    }
  }
  free(before);
  image_free(&image);
  fixture_close(&fixture);
}

static void test_every_length(void **state)
{
  struct fixture fixture;

  (void)state;
  open_running_ota_0(&fixture);
  for (uint32_t length = 1024; length <= SLOT; length += 16 * 13) {
    struct lb_update_config config = fixture_config(&fixture, "ota_0", "ota_1");
    struct built_image image;

    image_make(&image, length, length, "1");
    fixture_put_record(&fixture, 0, 1, UNDEFINED);
    fixture_blank_record(&fixture, 1);
    assert_result(fixture_update(&fixture, &config, image.bytes, length, 777, NULL), LB_OK);
    assert_memory_equal(fixture_bytes(&fixture) + TARGET, image.bytes, length);
    assert_boots(&fixture, "ota_1");
    image_free(&image);
  }
  fixture_close(&fixture);
}

static void test_exactly_the_slot(void **state)
{
  struct fixture fixture;
  struct built_image image;
  struct lb_update_config config;

  (void)state;
  open_running_ota_0(&fixture);
  config = fixture_config(&fixture, "ota_0", "ota_1");
  config.size = SLOT;
  image_make(&image, 5, SLOT, "1");
  assert_result(fixture_update(&fixture, &config, image.bytes, SLOT, 4096, NULL), LB_OK);
  assert_boots(&fixture, "ota_1");
  image_free(&image);
  fixture_close(&fixture);
}

/* Round and round all slots, from what boots to what the library chooses. */
static void test_in_turn(void **state)
{
  struct fixture fixture;
  uint8_t *factory;

  (void)state;
  fixture_open_miniature(&fixture, true, 4);
  fixture_put_made(&fixture, "factory", 1, 9600);
  factory = unit_copy(fixture_bytes(&fixture) + 0x10000, SLOT);
  for (uint32_t turn = 0; turn < 12; turn++) {
    struct lb_boot_decision decision;
    struct lb_update_config config;
    struct lb_target target;
    struct built_image image;
    int result;

    assert_result(fixture_boot(&fixture, &decision), LB_OK);
    assert_result(lb_target_start(&target, &fixture.device, &decision.partition), LB_OK);
    do {
      result = lb_target_step(&target);
    } while (result == LB_MORE);
    assert_result(result, LB_OK);
    config = fixture_config(&fixture, decision.partition.label, target.slot.label);
    image_make(&image, 100 + turn, 4096 + turn * 160, "1");
    assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 1000, NULL), LB_OK);
    assert_int_equal(target.slot.subtype, 0x10 + turn % 4);
    assert_boots(&fixture, target.slot.label);
    image_free(&image);
  }
  assert_memory_equal(fixture_bytes(&fixture) + 0x10000, factory, SLOT);
  free(factory);
  fixture_close(&fixture);
}

static void test_seven_megabyte_layout(void **state)
{
  struct fixture fixture;
  struct built_image image;
  struct lb_update_config config;

  (void)state;
  fixture_open_7m(&fixture);
  fixture_put_made(&fixture, "ota_0", 1, 300000);
  image_make(&image, 2, 200000, "2");
  assert_boots(&fixture, "ota_0");
  config = fixture_config(&fixture, "ota_0", "ota_1");
  assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 4096, NULL), LB_OK);
  assert_boots(&fixture, "ota_1");
  config = fixture_config(&fixture, "ota_1", "ota_0");
  assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 4096, NULL), LB_OK);
  assert_boots(&fixture, "ota_0");
  image_free(&image);
  fixture_close(&fixture);
}

/* ---- the order of what is written ---- */

static void test_order(void **state)
{
  struct fixture fixture;
  struct built_image image;
  struct lb_update_config config;
  uint32_t last_target = 0;
  uint32_t first_otadata = 0xFFFFFFFFU;

  (void)state;
  open_running_ota_0(&fixture);
  image_make(&image, 6, 9008, "1");
  for (int with = 0; with < 2; with++) {
    config = fixture_config(&fixture, "ota_0", "ota_1");
    config.sector_buffer = with ? fixture.sector : NULL;
    fixture_put_record(&fixture, 0, 1, UNDEFINED);
    fixture_blank_record(&fixture, 1);
    flash_tap_clear(&fixture.tap);
    first_otadata = 0xFFFFFFFFU;
    assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 500, NULL), LB_OK);
    assert_int_equal(fixture.tap.log[0].kind, TAP_ERASE);
    assert_int_equal(fixture.tap.log[0].address, TARGET);
    for (uint32_t i = 0; i < fixture.tap.count; i++) {
      if (in_otadata(&fixture.tap.log[i])) {
        first_otadata = first_otadata == 0xFFFFFFFFU ? i : first_otadata;
      } else {
        last_target = i;
      }
    }
    assert_true(last_target < first_otadata); /* selected last */
    assert_int_equal(fixture.tap.log[last_target].kind, TAP_PROGRAM);
    assert_int_equal(fixture.tap.log[last_target].address, TARGET);
    assert_in_range(fixture.tap.log[last_target].length, 1, 24); /* the first bytes last */
  }
  image_free(&image);
  fixture_close(&fixture);
}

/* Until the last program of the target its first 24 bytes are blank, at every single operation. */
static void test_first_bytes_stay_blank(void **state)
{
  struct fixture fixture;
  struct built_image image;
  uint8_t *before;
  bool sealed = false;

  (void)state;
  open_running_ota_0(&fixture);
  before = fixture_snapshot(&fixture);
  image_make(&image, 6, 6400, "1");
  for (uint64_t cut = 2; !sealed; cut++) {
    struct lb_update_config config = fixture_config(&fixture, "ota_0", "ota_1");
    uint32_t blank = 0;

    fixture_restore(&fixture, before);
    sim_flash_cut_at(&fixture.flash, cut, SIM_CUT_BEFORE);
    assert_true(fixture_update(&fixture, &config, image.bytes, image.length, 500, NULL) < 0);
    assert_true(sim_flash_cut_fired(&fixture.flash));
    sim_flash_power_on(&fixture.flash);
    while (blank < 24 && fixture_bytes(&fixture)[TARGET + blank] == 0xFF) {
      blank++;
    }
    sealed = blank == 0; /* 0xE9 is there: then all of it is */
    assert_true(blank == 24 || memcmp(fixture_bytes(&fixture) + TARGET, image.bytes, image.length) == 0);
    assert_boots(&fixture, "ota_0");
  }
  free(before);
  image_free(&image);
  fixture_close(&fixture);
}

/* If otadata selects the target, the selection is with the running slot before the target is touched. */
static void check_selection_moves(struct fixture *fixture, const char *running)
{
  struct lb_update_config config = fixture_config(fixture, running, "ota_1");
  uint8_t *before = fixture_snapshot(fixture);
  struct built_image image;
  uint32_t first_target = 0;

  image_make(&image, 7, 6400, "1");
  flash_tap_clear(&fixture->tap);
  assert_string_equal(fixture_selected(fixture), "ota_1");
  assert_result(fixture_update(fixture, &config, image.bytes, image.length, 500, NULL), LB_OK);
  assert_string_equal(fixture_selected(fixture), "ota_1");
  while (in_otadata(&fixture->tap.log[first_target])) {
    first_target++;
  }
  assert_true(first_target > 0);
  assert_int_equal(fixture->tap.log[first_target].address, TARGET);
  fixture_restore(fixture, before);
  sim_flash_cut_at(&fixture->flash, first_target + 1, SIM_CUT_BEFORE);
  assert_true(fixture_update(fixture, &config, image.bytes, image.length, 500, NULL) < 0);
  assert_true(sim_flash_cut_fired(&fixture->flash));
  sim_flash_power_on(&fixture->flash);
  assert_string_equal(fixture_selected(fixture), running);
  assert_true(fixture_same(fixture, before, 0xf000, fixture->flash.driver.size - 0xf000));
  image_free(&image);
  free(before);
}

static void test_selection_moves_first(void **state)
{
  struct fixture fixture;

  (void)state;
  open_running_ota_0(&fixture);
  fixture_put_record(&fixture, 1, 2, UNDEFINED); /* ota_1 */
  check_selection_moves(&fixture, "ota_0");
  fixture_blank_record(&fixture, 0);
  fixture_put_record(&fixture, 1, 2, UNDEFINED);
  check_selection_moves(&fixture, "factory");
  fixture_put_record(&fixture, 0, 4, UNDEFINED);
  fixture_put_record(&fixture, 1, 3, UNDEFINED);
  check_selection_moves(&fixture, "factory");
  fixture_close(&fixture);
}

/* The same image once more, with a buffer: only its first block is erased. */
static void test_same_image_again(void **state)
{
  struct fixture fixture;
  struct built_image image;
  struct lb_update_config config;
  struct lb_update update;

  (void)state;
  open_running_ota_0(&fixture);
  image_make(&image, 8, 9216, "1");
  fixture_put_image(&fixture, "ota_1", &image);
  config = fixture_config(&fixture, "ota_0", "ota_1");
  assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 600, &update), LB_OK);
  assert_int_equal(sim_flash_wear(&fixture.flash, TARGET), 1);
  for (uint32_t at = 2048; at < SLOT; at += 512) {
    assert_int_equal(sim_flash_wear(&fixture.flash, TARGET + at), 0);
  }
  assert_int_equal(update.writer.sectors_kept, (9216 - 2048) / 512);
  image_free(&image);
  fixture_close(&fixture);
}

/* ---- refused, and nothing touched ---- */

static void assert_refused(struct fixture *fixture, const struct lb_update_config *config, const uint8_t *bytes,
                           uint32_t length, int expected)
{
  static const uint32_t pieces[] = {1, 24, 4096, 0x20000};
  uint8_t *before = fixture_snapshot(fixture);

  for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
    struct lb_update update;
    uint32_t used;

    flash_tap_clear(&fixture->tap);
    assert_result(fixture_update(fixture, config, bytes, length, pieces[i], &update), expected);
    assert_int_equal(fixture->tap.count, 0);
    assert_true(fixture_same(fixture, before, 0, fixture->flash.driver.size));
    assert_false(lb_update_touched_flash(&update));
    assert_false(lb_update_is_verified(&update));
    assert_result(lb_update_write(&update, bytes, 1, &used), expected); /* the session has ended */
    assert_int_equal(used, 0);
    assert_result(lb_update_finish(&update), expected);
  }
  free(before);
}

static void test_refused_images(void **state)
{
  static const char html[] = "<!DOCTYPE html><html><body>Sign in to the network</body></html>";
  struct fixture fixture;
  struct lb_update_config config;
  struct built_image image;
  uint8_t *bytes;

  (void)state;
  open_running_ota_0(&fixture);
  fixture_put_record(&fixture, 1, 2, UNDEFINED); /* the target is selected, and stays so */
  config = fixture_config(&fixture, "ota_0", "ota_1");
  image_make(&image, 9, 8000, "1");
  bytes = unit_copy(image.bytes, image.length);

  assert_refused(&fixture, &config, (const uint8_t *)html, sizeof(html), LB_ERR_IMAGE_MAGIC);
  memset(bytes, 0xFF, 8000); /* a merged flash image begins blank */
  assert_refused(&fixture, &config, bytes, image.length, LB_ERR_IMAGE_MAGIC);
  memcpy(bytes, image.bytes, image.length);
  bytes[12] = 9;
  assert_refused(&fixture, &config, bytes, image.length, LB_ERR_IMAGE_CHIP);
  bytes[12] = 0;
  lb_store_le16(bytes + 15, 301);
  assert_refused(&fixture, &config, bytes, image.length, LB_ERR_IMAGE_REVISION);
  lb_store_le16(bytes + 15, 0);
  bytes[23] = 0;
  assert_refused(&fixture, &config, bytes, image.length, LB_ERR_IMAGE_NO_HASH);
  bytes[23] = 1;
  bytes[1] = 17;
  assert_refused(&fixture, &config, bytes, image.length, LB_ERR_IMAGE_SEGMENTS);
  bytes[1] = 4;
  lb_store_le32(bytes + 28, 0xFFFFFFFFU);
  assert_refused(&fixture, &config, bytes, image.length, LB_ERR_IMAGE_SEGMENT_LENGTH);
  lb_store_le32(bytes + 28, 102U << 20);
  assert_refused(&fixture, &config, bytes, image.length, LB_ERR_IMAGE_SEGMENT_LENGTH);
  lb_store_le32(bytes + 28, SLOT);
  assert_refused(&fixture, &config, bytes, image.length, LB_ERR_IMAGE_TOO_LONG);
  memcpy(bytes, image.bytes, image.length);
  lb_store_le32(bytes + 24, 0x3F400024);
  assert_refused(&fixture, &config, bytes, image.length, LB_ERR_IMAGE_SEGMENT_MAPPING);
  lb_store_le32(bytes + 24, 0x3FFF0018);
  assert_refused(&fixture, &config, bytes, image.length, LB_ERR_IMAGE_BOOTLOADER);
  free(bytes);
  image_free(&image);
  fixture_close(&fixture);
}

static void test_empty_and_short(void **state)
{
  struct fixture fixture;
  struct lb_update_config config;
  struct built_image image;

  (void)state;
  open_running_ota_0(&fixture);
  config = fixture_config(&fixture, "ota_0", "ota_1");
  image_make(&image, 9, 8000, "1");
  for (uint32_t length = 0; length < LB_IMAGE_HEAD_SIZE; length += length < 40 ? 1 : 31) {
    assert_refused(&fixture, &config, image.bytes, length, LB_ERR_IMAGE_TRUNCATED);
  }
  config.size = 8000;
  assert_refused(&fixture, &config, image.bytes, 100, LB_ERR_SIZE_MISMATCH);
  image_free(&image);
  fixture_close(&fixture);
}

static void test_projects(void **state)
{
  struct fixture fixture;
  struct lb_update_config config;
  struct image_plan plan;
  struct built_image image;

  (void)state;
  open_running_ota_0(&fixture);
  config = fixture_config(&fixture, "ota_0", "ota_1");
  image_make(&image, 9, 8000, "1");
  config.project = "ovms";
  assert_refused(&fixture, &config, image.bytes, image.length, LB_ERR_IMAGE_PROJECT);
  config.project = "ovms3x";
  assert_refused(&fixture, &config, image.bytes, image.length, LB_ERR_IMAGE_PROJECT);
  config.project = "ovms3";
  assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 512, NULL), LB_OK);
  fixture_put_record(&fixture, 0, 3, UNDEFINED);
  config.project = "";
  assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 512, NULL), LB_OK);
  image_free(&image);
  image_plan_sized(&plan, 9, 8000); /* names no project: older than descriptions */
  plan.description = false;
  image_build(&image, &plan);
  fixture_put_record(&fixture, 0, 5, UNDEFINED);
  config.project = "ovms3";
  assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 512, NULL), LB_OK);
  image_free(&image);
  fixture_close(&fixture);
}

static void test_refused_at_the_start(void **state)
{
  struct fixture fixture;
  struct lb_update_config config;
  uint8_t byte = 0xE9;

  (void)state;
  open_running_ota_0(&fixture);
  config = fixture_config(&fixture, "ota_0", "ota_1");
  config.size = SLOT + 1;
  assert_refused(&fixture, &config, &byte, 1, LB_ERR_IMAGE_TOO_LONG);
  config.size = 0xFFFFFFFFU;
  assert_refused(&fixture, &config, &byte, 1, LB_ERR_IMAGE_TOO_LONG);
  config = fixture_config(&fixture, "ota_0", "ota_0");
  assert_refused(&fixture, &config, &byte, 1, LB_ERR_TARGET_RUNNING);
  config = fixture_config(&fixture, "ota_0", "factory");
  assert_refused(&fixture, &config, &byte, 1, LB_ERR_TARGET_FACTORY);
  config = fixture_config(&fixture, "ota_0", "nvs");
  assert_refused(&fixture, &config, &byte, 1, LB_ERR_TARGET_FACTORY);
  config = fixture_config(&fixture, "ota_0", "ota_1");
  config.target.offset += 0x1000;
  assert_refused(&fixture, &config, &byte, 1, LB_ERR_NOT_FOUND);
  fixture_close(&fixture);
}

static void test_partial_sector_target(void **state)
{
  const struct sim_geometry geometry = sim_geometry_miniature(0x40000);
  static const struct lb_partition rows[] = {{0xd000, 0x2000, 0, 1, 0, "otadata"},
                                             {0x10000, 0x4000, 0, 0, 0, "factory"},
                                             {0x20000, 0x4100, 0, 0, 0x10, "ota_0"}};
  struct fixture fixture;
  struct lb_update_config config;
  uint8_t byte = 0xE9;

  (void)state;
  fixture_open(&fixture, &geometry, rows, 3);
  config = fixture_config(&fixture, "factory", "ota_0");
  assert_refused(&fixture, &config, &byte, 1, LB_ERR_TARGET_SECTORS);
  fixture_close(&fixture);
}

static void test_no_otadata(void **state)
{
  const struct sim_geometry geometry = sim_geometry_miniature(0x40000);
  static const struct lb_partition rows[] = {{0x10000, 0x4000, 0, 0, 0, "factory"},
                                             {0x20000, 0x4000, 0, 0, 0x10, "ota_0"}};
  struct fixture fixture;
  struct lb_update_config config;
  struct built_image image;

  (void)state;
  fixture_open(&fixture, &geometry, rows, 2);
  image_make(&image, 9, 8000, "1");
  config = fixture_config(&fixture, "factory", "ota_0");
  assert_refused(&fixture, &config, image.bytes, image.length, LB_ERR_NO_OTADATA);
  image_free(&image);
  fixture_close(&fixture);
}

/* The header of an image with one segment tells its length: one that is 16 bytes too long is refused by it. */
static void test_length_known_by_the_header(void **state)
{
  struct fixture fixture;
  struct lb_update_config config;
  struct image_plan plan;
  struct built_image image;

  (void)state;
  open_running_ota_0(&fixture);
  config = fixture_config(&fixture, "ota_0", "ota_1");
  image_plan_small(&plan, 9);
  plan.segment_count = 1;
  plan.segments[0].length = SLOT - 24 - 8 - 4 - 32 + 16;
  image_build(&image, &plan);
  assert_int_equal(image.length, SLOT + 16);
  assert_refused(&fixture, &config, image.bytes, image.length, LB_ERR_IMAGE_TOO_LONG);
  image_free(&image);
  fixture_close(&fixture);
}

/* And one that is longer than what was announced is refused by it, too; one that is as long is not. */
static void test_announced_less_than_the_header_says(void **state)
{
  struct fixture fixture;
  struct lb_update_config config;
  struct image_plan plan;
  struct built_image image;

  (void)state;
  open_running_ota_0(&fixture);
  config = fixture_config(&fixture, "ota_0", "ota_1");
  image_plan_small(&plan, 9);
  plan.segment_count = 1;
  plan.segments[0].length = 4096;
  image_build(&image, &plan);
  config.size = image.length - 1;
  assert_refused(&fixture, &config, image.bytes, 300, LB_ERR_IMAGE_TRUNCATED);
  config.size = image.length;
  assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 512, NULL), LB_OK);
  image_free(&image);
  fixture_close(&fixture);
}

/* Complete in less than the bytes that are judged: refused or installed, but never half of either. */
static void test_tiny_image(void **state)
{
  struct fixture fixture;
  struct lb_update_config config;
  struct image_plan plan;
  struct built_image image;
  int result;

  (void)state;
  open_running_ota_0(&fixture);
  config = fixture_config(&fixture, "ota_0", "ota_1");
  image_plan_small(&plan, 9);
  plan.segment_count = 1;
  plan.description = false;
  plan.segments[0].length = 64;
  image_build(&image, &plan);
  assert_true(image.length < LB_IMAGE_HEAD_SIZE);
  flash_tap_clear(&fixture.tap);
  result = fixture_update(&fixture, &config, image.bytes, image.length, 10, NULL);
  assert_int_equal(result == LB_OK, fixture.tap.count > 0);
  assert_boots(&fixture, result == LB_OK ? "ota_1" : "ota_0");
  image_free(&image);
  fixture_close(&fixture);
}

/* Complete with exactly the bytes that are judged: finish does all the writing, and moves the selection first. */
static void test_image_of_head_size(void **state)
{
  struct fixture fixture;
  struct lb_update_config config;
  struct image_plan plan;
  struct built_image image;

  (void)state;
  open_running_ota_0(&fixture);
  fixture_put_record(&fixture, 1, 2, UNDEFINED); /* the target is selected */
  image_plan_small(&plan, 9);
  plan.segment_count = 1;
  plan.description = false;
  plan.segments[0].length = 220;
  image_build(&image, &plan);
  assert_int_equal(image.length, LB_IMAGE_HEAD_SIZE);
  for (int with = 0; with < 2; with++) {
    config = fixture_config(&fixture, "ota_0", "ota_1");
    config.sector_buffer = with ? fixture.sector : NULL;
    assert_string_equal(fixture_selected(&fixture), "ota_1");
    assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 288, NULL), LB_OK);
    assert_memory_equal(fixture_bytes(&fixture) + TARGET, image.bytes, image.length);
    assert_boots(&fixture, "ota_1");
  }
  image_free(&image);
  fixture_close(&fixture);
}

/* ---- what goes wrong later: the running slot stays selected ---- */

static void assert_fails(struct fixture *fixture, const struct lb_update_config *config, const uint8_t *bytes,
                         uint32_t length, int expected)
{
  static const uint32_t pieces[] = {1, 288, 1000, 0x20000};
  uint8_t *before = fixture_snapshot(fixture);

  for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
    struct lb_update update;
    uint32_t used;

    fixture_restore(fixture, before);
    assert_result(fixture_update(fixture, config, bytes, length, pieces[i], &update), expected);
    assert_string_equal(fixture_selected(fixture), "ota_0");
    assert_boots(fixture, "ota_0");
    assert_rest_untouched(fixture, before);
    assert_result(lb_update_write(&update, bytes, 1, &used), expected);
    assert_result(lb_update_finish(&update), expected);
  }
  fixture_restore(fixture, before);
  free(before);
}

static void test_announced_sizes(void **state)
{
  struct fixture fixture;
  struct lb_update_config config;
  struct built_image image;

  (void)state;
  open_running_ota_0(&fixture);
  config = fixture_config(&fixture, "ota_0", "ota_1");
  image_make(&image, 9, 8000, "1");
  config.size = 7999;
  assert_fails(&fixture, &config, image.bytes, 7999, LB_ERR_IMAGE_TRUNCATED);
  config.size = 8001;
  assert_fails(&fixture, &config, image.bytes, 8000, LB_ERR_SIZE_MISMATCH);
  config.size = 8000;
  assert_fails(&fixture, &config, image.bytes, 7000, LB_ERR_SIZE_MISMATCH);
  config.size = LB_SIZE_UNKNOWN;
  assert_fails(&fixture, &config, image.bytes, 7000, LB_ERR_IMAGE_TRUNCATED);
  assert_fails(&fixture, &config, image.bytes, 7999, LB_ERR_IMAGE_TRUNCATED);
  config.size = 7000; /* announced and sent, but the image is longer */
  assert_fails(&fixture, &config, image.bytes, 7000, LB_ERR_IMAGE_TRUNCATED);
  image_free(&image);
  fixture_close(&fixture);
}

static void test_damaged_on_the_way(void **state)
{
  struct fixture fixture;
  struct lb_update_config config;
  struct built_image image;

  (void)state;
  open_running_ota_0(&fixture);
  config = fixture_config(&fixture, "ota_0", "ota_1");
  image_make(&image, 9, 8000, "1");
  image.bytes[4000] ^= 1;
  assert_fails(&fixture, &config, image.bytes, 8000, LB_ERR_IMAGE_CHECKSUM);
  image.bytes[4001] ^= 1;
  assert_fails(&fixture, &config, image.bytes, 8000, LB_ERR_IMAGE_DIGEST);
  image_free(&image);
  fixture_close(&fixture);
}

static void test_too_long_with_its_last_segment(void **state)
{
  struct fixture fixture;
  struct lb_update_config config;
  struct built_image image;

  (void)state;
  open_running_ota_0(&fixture);
  config = fixture_config(&fixture, "ota_0", "ota_1");
  image_make(&image, 9, SLOT + 16, "1");
  assert_fails(&fixture, &config, image.bytes, image.length, LB_ERR_IMAGE_TOO_LONG);
  image_free(&image);
  image_make(&image, 9, SLOT + 4096, "1");
  assert_fails(&fixture, &config, image.bytes, image.length, LB_ERR_IMAGE_TOO_LONG);
  image_free(&image);
  fixture_close(&fixture);
}

static void test_trailing(void **state)
{
  static const uint32_t pieces[] = {1, 100, 4096, 0x20000};
  struct fixture fixture;
  struct lb_update_config config;
  struct built_image image;
  uint8_t *bytes = unit_allocate(SLOT);

  (void)state;
  open_running_ota_0(&fixture);
  image_make(&image, 9, 8000, "1");
  memset(bytes, 0xFF, SLOT);
  memcpy(bytes, image.bytes, 8000);
  for (size_t i = 0; i < 8; i++) {
    config = fixture_config(&fixture, "ota_0", "ota_1");
    config.size = i & 1 ? SLOT : LB_SIZE_UNKNOWN;
    fixture_put_record(&fixture, 0, 1, UNDEFINED);
    fixture_blank_record(&fixture, 1);
    assert_result(fixture_update(&fixture, &config, bytes, SLOT, pieces[i / 2], NULL), LB_OK);
    assert_boots(&fixture, "ota_1");
  }
  fixture_put_record(&fixture, 0, 1, UNDEFINED);
  fixture_blank_record(&fixture, 1);
  config.size = LB_SIZE_UNKNOWN;
  for (uint32_t at = 8000; at < SLOT; at += 2795) {
    bytes[at] = 0xFE;
    assert_fails(&fixture, &config, bytes, SLOT, LB_ERR_IMAGE_TRAILING);
    bytes[at] = 0xFF;
  }
  free(bytes);
  image_free(&image);
  fixture_close(&fixture);
}

/* Erased flash behind the image does not become an error because the pieces are large: it is not written. */
static void test_trailing_beyond_the_slot(void **state)
{
  static const uint32_t pieces[] = {1, 512, 4096, 0x20000};
  struct fixture fixture;
  struct built_image image;
  uint8_t *bytes = unit_allocate(SLOT + 5000);

  (void)state;
  open_running_ota_0(&fixture);
  image_make(&image, 9, SLOT - 160, "1");
  memset(bytes, 0xFF, SLOT + 5000);
  memcpy(bytes, image.bytes, image.length);
  for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
    struct lb_update_config config = fixture_config(&fixture, "ota_0", "ota_1");

    fixture_put_record(&fixture, 0, 1, UNDEFINED);
    fixture_blank_record(&fixture, 1);
    assert_result(fixture_update(&fixture, &config, bytes, SLOT + 5000, pieces[i], NULL), LB_OK);
    assert_boots(&fixture, "ota_1");
  }
  free(bytes);
  image_free(&image);
  fixture_close(&fixture);
}

/* ---- a flash that fails, or lies ---- */

static void test_each_program_loses_a_bit(void **state)
{
  struct fixture fixture;
  struct built_image image;
  uint8_t *before;
  uint32_t noticed = 0;
  int result = LB_ERR_READ_BACK;

  (void)state;
  open_running_ota_0(&fixture);
  before = fixture_snapshot(&fixture);
  image_make(&image, 9, 4800, "1");
  for (int with = 0; with < 2; with++) {
    result = LB_ERR_READ_BACK;
    for (uint32_t at = 0; result != LB_OK; at++) {
      struct lb_update_config config = fixture_config(&fixture, "ota_0", "ota_1");

      config.sector_buffer = with ? fixture.sector : NULL;
      fixture_restore(&fixture, before);
      flash_tap_clear(&fixture.tap);
      fixture.tap.drop_program_at = at;
      result = fixture_update(&fixture, &config, image.bytes, image.length, 512, NULL);
      if (result == LB_OK) {
        assert_true(fixture.tap.programs <= at); /* there was no such program any more */
        break;
      }
      assert_result(result, LB_ERR_READ_BACK);
      assert_string_equal(fixture_selected(&fixture), "ota_0");
      noticed++;
    }
  }
  assert_true(noticed > 2 * 4800 / 64);
  free(before);
  image_free(&image);
  fixture_close(&fixture);
}

static void test_flash_that_does_not_erase(void **state)
{
  struct fixture fixture;
  struct built_image image;
  struct lb_update_config config;

  (void)state;
  open_running_ota_0(&fixture);
  config = fixture_config(&fixture, "ota_0", "ota_1");
  image_make(&image, 9, 4800, "1");
  flash_tap_clear(&fixture.tap);
  fixture.tap.skip_erases = true;
  assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 512, NULL), LB_ERR_READ_BACK);
  assert_string_equal(fixture_selected(&fixture), "ota_0");
  image_free(&image);
  fixture_close(&fixture);
}

/* The driver fails at each of its calls in turn: the error comes out by its own name, and ota_0 stays selected. */
static void fail_everywhere(struct fixture *fixture, const struct built_image *image, int expected)
{
  uint8_t *before = fixture_snapshot(fixture);

  for (uint32_t at = 0;; at += expected == LB_ERR_FLASH_READ ? 7 : 1) {
    struct lb_update_config config = fixture_config(fixture, "ota_0", "ota_1");
    int result;

    fixture_restore(fixture, before);
    flash_tap_clear(&fixture->tap);
    fixture->tap.fail_read_at = expected == LB_ERR_FLASH_READ ? at : TAP_NEVER;
    fixture->tap.fail_program_at = expected == LB_ERR_FLASH_PROGRAM ? at : TAP_NEVER;
    fixture->tap.fail_erase_at = expected == LB_ERR_FLASH_ERASE ? at : TAP_NEVER;
    result = fixture_update(fixture, &config, image->bytes, image->length, 512, NULL);
    if (result == LB_OK) {
      break;
    }
    assert_result(result, expected);
    flash_tap_clear(&fixture->tap);
    if (expected != LB_ERR_FLASH_READ) {
      assert_string_equal(fixture_selected(fixture), "ota_0");
    }
  }
  fixture_restore(fixture, before);
  free(before);
}

static void test_driver_failures(void **state)
{
  struct fixture fixture;
  struct built_image image;

  (void)state;
  open_running_ota_0(&fixture);
  fixture_put_record(&fixture, 1, 0xFFFFFFFFU, 0); /* no record, but not blank either */
  image_make(&image, 9, 4800, "1");
  fail_everywhere(&fixture, &image, LB_ERR_FLASH_PROGRAM);
  fail_everywhere(&fixture, &image, LB_ERR_FLASH_ERASE);
  fail_everywhere(&fixture, &image, LB_ERR_FLASH_READ);
  image_free(&image);
  fixture_close(&fixture);
}

static void test_hash_failures(void **state)
{
  struct fixture fixture;
  struct built_image image;
  struct failing_hash failing;
  struct lb_update_config config;

  (void)state;
  open_running_ota_0(&fixture);
  image_make(&image, 9, 4800, "1");
  fixture.device.sha256 = &failing.hash;
  config = fixture_config(&fixture, "ota_0", "ota_1");
  failing_hash_start(&failing, unit_sha256());
  failing.fail_start = true;
  assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 512, NULL), LB_ERR_HASH);
  failing_hash_start(&failing, unit_sha256());
  failing.fail_finish = true;
  assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 512, NULL), LB_ERR_HASH);
  for (uint32_t at = 0;; at++) {
    int result;

    failing_hash_start(&failing, unit_sha256());
    failing.fail_update_at = at;
    fixture_put_record(&fixture, 0, 1, UNDEFINED);
    fixture_blank_record(&fixture, 1);
    result = fixture_update(&fixture, &config, image.bytes, image.length, 512, NULL);
    if (result == LB_OK) {
      break;
    }
    assert_result(result, LB_ERR_HASH);
    assert_string_equal(fixture_selected(&fixture), "ota_0");
  }
  image_free(&image);
  fixture_close(&fixture);
}

/* What was read back verifies, but it is another image than the one that came: somebody else wrote to the slot. */
static void test_another_image_is_read_back(void **state)
{
  struct fixture fixture;
  struct built_image image;
  struct lb_update_config config;
  struct lb_update update;
  uint32_t at = 0;
  int result;

  (void)state;
  open_running_ota_0(&fixture);
  image_make(&image, 9, 4800, "1");
  config = fixture_config(&fixture, "ota_0", "ota_1");
  assert_result(lb_update_start(&update, &config), LB_OK);
  while (at < image.length) {
    uint32_t used;

    assert_result(lb_update_write(&update, image.bytes + at, image.length - at, &used), LB_OK);
    at += used;
  }
  while (fixture_bytes(&fixture)[TARGET] == 0xFF) { /* until the first bytes are programmed */
    assert_result(lb_update_finish(&update), LB_MORE);
    assert_false(lb_update_is_verified(&update));
  }
  fixture_put_made(&fixture, "ota_1", 77, 4800);
  do {
    result = lb_update_finish(&update);
  } while (result == LB_MORE);
  assert_result(result, LB_ERR_READ_BACK);
  assert_string_equal(fixture_selected(&fixture), "ota_0");
  image_free(&image);
  fixture_close(&fixture);
}

/* Verified is said when everything has been read back, and before it is selected. */
static void test_is_verified(void **state)
{
  struct fixture fixture;
  struct built_image image;
  struct lb_update_config config;
  struct lb_update update;
  uint32_t at = 0;
  int result = LB_MORE;
  bool said = false;

  (void)state;
  open_running_ota_0(&fixture);
  image_make(&image, 9, 4800, "1");
  config = fixture_config(&fixture, "ota_0", "ota_1");
  assert_result(lb_update_start(&update, &config), LB_OK);
  while (at < image.length) {
    uint32_t used;

    assert_result(lb_update_write(&update, image.bytes + at, image.length - at, &used), LB_OK);
    at += used;
  }
  flash_tap_clear(&fixture.tap);
  while (result == LB_MORE) {
    result = lb_update_finish(&update);
    if (lb_update_is_verified(&update) && !said) {
      said = true;
      assert_true(fixture.tap.bytes_read >= image.length);
      assert_string_equal(fixture_selected(&fixture), "ota_0");
    }
  }
  assert_result(result, LB_OK);
  assert_true(said && lb_update_is_verified(&update));
  image_free(&image);
  fixture_close(&fixture);
}

static void test_wrong_order_of_calls(void **state)
{
  struct fixture fixture;
  struct built_image image;
  struct lb_update_config config;
  struct lb_update update;
  uint32_t used;

  (void)state;
  open_running_ota_0(&fixture);
  image_make(&image, 9, 4800, "1");
  config = fixture_config(&fixture, "ota_0", "ota_1");
  assert_result(fixture_update(&fixture, &config, image.bytes, image.length, 512, &update), LB_OK);
  assert_true(lb_update_touched_flash(&update));
  assert_result(lb_update_write(&update, image.bytes, 1, &used), LB_ERR_STATE);
  assert_int_equal(used, 0);
  assert_string_equal(fixture_selected(&fixture), "ota_1");
  image_free(&image);
  fixture_close(&fixture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pieces_buffers_sizes),
      cmocka_unit_test(test_every_length),
      cmocka_unit_test(test_exactly_the_slot),
      cmocka_unit_test(test_in_turn),
      cmocka_unit_test(test_seven_megabyte_layout),
      cmocka_unit_test(test_order),
      cmocka_unit_test(test_first_bytes_stay_blank),
      cmocka_unit_test(test_selection_moves_first),
      cmocka_unit_test(test_same_image_again),
      cmocka_unit_test(test_refused_images),
      cmocka_unit_test(test_empty_and_short),
      cmocka_unit_test(test_projects),
      cmocka_unit_test(test_refused_at_the_start),
      cmocka_unit_test(test_partial_sector_target),
      cmocka_unit_test(test_no_otadata),
      cmocka_unit_test(test_length_known_by_the_header),
      cmocka_unit_test(test_announced_less_than_the_header_says),
      cmocka_unit_test(test_tiny_image),
      cmocka_unit_test(test_image_of_head_size),
      cmocka_unit_test(test_announced_sizes),
      cmocka_unit_test(test_damaged_on_the_way),
      cmocka_unit_test(test_too_long_with_its_last_segment),
      cmocka_unit_test(test_trailing),
      cmocka_unit_test(test_trailing_beyond_the_slot),
      cmocka_unit_test(test_each_program_loses_a_bit),
      cmocka_unit_test(test_flash_that_does_not_erase),
      cmocka_unit_test(test_driver_failures),
      cmocka_unit_test(test_hash_failures),
      cmocka_unit_test(test_another_image_is_read_back),
      cmocka_unit_test(test_is_verified),
      cmocka_unit_test(test_wrong_order_of_calls),
  };

  return cmocka_run_group_tests_name("update", tests, NULL, NULL);
}
