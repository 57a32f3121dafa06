// SPDX-License-Identifier: MIT
/* Where the board's applications are loaded and begin to run: images at every edge of its window, and beyond. */
#include "lifeboat/bytes.h"
#include "lifeboat/device.h"
#include "lifeboat/image.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/image_builder.h"
#include "tests/unit/support/unit.h"

#define BOARD 0xFFF0U
#define START 0x80080000U
#define END   0x88000000U
#define ENTRY (START + 256)

struct part {
  uint32_t load;
  uint32_t length;
};

/* An image of the board with those segments, the first of which has a description if it has the room. */
static void make(struct built_image *built, uint32_t entry, const struct part *parts, uint32_t count)
{
  struct image_plan plan;

  image_plan_small(&plan, 21);
  plan.chip_id = BOARD;
  plan.segment_count = count;
  plan.description = parts[0].length >= LB_IMAGE_DESCRIPTION_SIZE;
  for (uint32_t i = 0; i < count; i++) {
    plan.segments[i] = (struct image_plan_segment){parts[i].load, false, parts[i].length};
  }
  image_build(built, &plan);
  lb_store_le32(built->bytes + 4, entry);
  image_seal_digest(built);
}

static struct lb_image_rules board_rules(void)
{
  return (struct lb_image_rules){.chip = lb_chip_by_id(BOARD), .revision = 0, .capacity = 0x400000, .address = 0x10000};
}

static int inspect(struct lb_image *image, const struct lb_image_rules *rules, const struct built_image *built)
{
  assert_result(lb_image_start(image, rules, unit_sha256()), LB_OK);
  (void)lb_image_write(image, built->bytes, built->length, NULL);
  return lb_image_finish(image);
}

/* Judged by the board, by a tool that believes the image, and as a bootloader, whose places do not matter. */
static void assert_judged(uint32_t entry, const struct part *parts, uint32_t count, int expected)
{
  struct lb_image_rules rules = board_rules();
  struct built_image built;
  struct lb_image image;

  make(&built, entry, parts, count);
  assert_result(inspect(&image, &rules, &built), expected);
  assert_result(lb_image_judge_application(&image), expected);
  rules.chip = NULL;
  assert_result(inspect(&image, &rules, &built), expected);
  assert_result(lb_image_judge_application(&image), expected);
  rules.loads_anywhere = true;
  assert_result(inspect(&image, &rules, &built), LB_OK);
  rules.chip = lb_chip_by_id(BOARD);
  assert_result(inspect(&image, &rules, &built), LB_OK);
  image_free(&built);
}

static void test_chip(void **state)
{
  const struct lb_chip *board = lb_chip_by_id(BOARD);

  (void)state;
  assert_non_null(board);
  assert_string_equal(board->name, "sifive_u");
  assert_ptr_equal(lb_chip_by_name("sifive_u"), board);
  assert_int_equal(board->ram.start, START);
  assert_int_equal(board->ram.end, END);
  assert_false(lb_chip_maps(board, 0) || lb_chip_maps(board, START) || lb_chip_maps_data(board, START));
  assert_true(lb_chip_loads(board, START, END - START));
  assert_true(lb_chip_loads(board, START, 0) && lb_chip_loads(board, END, 0));
  assert_false(lb_chip_loads(board, START, END - START + 1));
  assert_false(lb_chip_loads(board, START - 1, 1) || lb_chip_loads(board, END, 1) || lb_chip_loads(board, END - 1, 2));
  assert_false(lb_chip_loads(board, START, 0xFFFFFFFFU) || lb_chip_loads(board, 0xFFFFFFFFU, 0xFFFFFFFFU));
  assert_false(lb_chip_loads(board, 0, 0) || lb_chip_loads(board, 0, 1));
}

/* On the chips that map their flash nothing is judged by this. */
static void test_other_chips(void **state)
{
  (void)state;
  for (uint32_t id = 0; id < BOARD; id++) {
    const struct lb_chip *chip = lb_chip_by_id((uint16_t)id);

    if (chip) {
      assert_true(chip->ram.start == 0 && chip->ram.end == 0);
      assert_true(lb_chip_loads(chip, 0, 0xFFFFFFFFU) && lb_chip_loads(chip, 0xFFFFFFFFU, 0xFFFFFFFFU));
    }
  }
}

static void test_inside(void **state)
{
  static const struct part whole[] = {{START, 1024}};
  static const struct part at_end[] = {{END - 1024, 1024}};
  static const struct part three[] = {{START, 256}, {0x81000000, 64}, {END - 4, 4}};
  static const struct part with_empty[] = {{START, 512}, {START + 512, 0}, {END, 0}};

  (void)state;
  assert_judged(START, whole, 1, LB_OK);
  assert_judged(START + 1023, whole, 1, LB_OK);
  assert_judged(END - 1024, at_end, 1, LB_OK);
  assert_judged(END - 1, at_end, 1, LB_OK);
  assert_judged(START + 255, three, 3, LB_OK);
  assert_judged(0x8100003F, three, 3, LB_OK);
  assert_judged(END - 4, three, 3, LB_OK);
  assert_judged(ENTRY, with_empty, 3, LB_OK);
}

/* Each segment in turn below, across and behind both edges, and where its end would overflow. */
static void test_segment_outside(void **state)
{
  static const struct part outside[] = {{START - 4, 4},
                                        {START - 4, 8},
                                        {START - 4, 1024},
                                        {END - 4, 8},
                                        {END, 4},
                                        {END - 1020, 1024},
                                        {0, 4},
                                        {0x80020000, 64},
                                        {0x80000000, 0x400},
                                        {0xFFFFFFFCU, 4},
                                        {0xFFFFFFFCU, 8},
                                        {0xFFFFFF00U, 1024},
                                        {END + 4, 0},
                                        {0xFFFFFFFFU, 0x100000},
                                        {START - 1, 0x400},
                                        {0x40080000, 44}};

  (void)state;
  for (uint32_t at = 0; at < 3; at++) {
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
      struct part parts[] = {{START, 1024}, {0x81000000, 64}, {0x82000000, 44}, {0x83000000, 512}};

      parts[at] = outside[i];
      assert_judged(0x83000000, parts, 4, LB_ERR_IMAGE_LOAD);
    }
  }
}

static void test_entry_outside(void **state)
{
  static const struct part parts[] = {{START + 256, 1024}, {0x81000000, 64}, {0x82000000, 0}};
  static const uint32_t entries[] = {0,          START - 1,  START,      START + 255, START + 256 + 1024, 0x80FFFFFF,
                                     0x81000040, 0x82000000, END - 1,    END,         0x80020000,         0xFFFFFFFFU,
                                     0x40081234, 0x00080100, 0x7FFFFFFF, 0x80000000};

  (void)state;
  for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
    assert_judged(entries[i], parts, 3, LB_ERR_IMAGE_LOAD);
  }
}

/* Not a byte later than it can be known: the entry with the header, a segment with its header, byte by byte. */
static void test_as_soon_as_possible(void **state)
{
  static const struct {
    uint32_t entry;
    struct part parts[2];
    uint32_t count;
    uint32_t bytes; /* that tell */
  } cases[] = {
      {START - 4, {{START, 512}}, 1, 24},
      {END, {{START, 512}}, 1, 24},
      {START, {{START - 4, 512}}, 1, 32},
      {START + 512, {{START, 512}}, 1, 32},
      {START, {{START, 512}, {END - 4, 8}}, 2, 32 + 512 + 8},
      {START + 512, {{START, 512}, {0x81000000, 8}}, 2, 32 + 512 + 8},
  };
  struct lb_image_rules rules = board_rules();

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct built_image built;
    struct lb_image image;
    uint32_t at = 0;
    int result = LB_MORE;

    make(&built, cases[i].entry, cases[i].parts, cases[i].count);
    assert_result(lb_image_start(&image, &rules, unit_sha256()), LB_OK);
    while (result == LB_MORE && at < built.length) {
      result = lb_image_write(&image, built.bytes + at, 1, NULL);
      at++;
    }
    assert_result(result, LB_ERR_IMAGE_LOAD);
    assert_int_equal(at, cases[i].bytes);
    image_free(&built);
  }
}

/* ---- on a module of that chip ---- */

static void open_board(struct fixture *fixture, uint32_t entry, const struct part *parts, uint32_t count)
{
  static const struct part good[] = {{START, 2048}};
  struct built_image built;

  fixture_open_miniature(fixture, true, 2);
  fixture->device.chip = lb_chip_by_id(BOARD);
  make(&built, ENTRY, good, 1);
  fixture_put_image(fixture, "factory", &built);
  image_free(&built);
  make(&built, entry, parts, count);
  fixture_put_image(fixture, "ota_1", &built);
  image_free(&built);
  fixture_put_record(fixture, 0, 2, 0xFFFFFFFFU);
}

static int update(struct fixture *fixture, uint32_t entry, const struct part *parts, uint32_t count,
                  struct lb_update *session)
{
  struct lb_update_config config = fixture_config(fixture, "factory", "ota_0");
  struct built_image built;
  int result;

  make(&built, entry, parts, count);
  flash_tap_clear(&fixture->tap);
  result = fixture_update(fixture, &config, built.bytes, built.length, 100, session);
  image_free(&built);
  return result;
}

/* What the head tells refuses an update before a byte of flash is touched; a bootloader is such an image. */
static void test_update(void **state)
{
  static const struct part good[] = {{START, 512}, {0x81000000, 2048}};
  static const struct part bootloader[] = {{0x80020000, 4096}};
  static const struct part late[] = {{START, 4096}, {END, 4}};
  struct fixture fixture;
  struct lb_update session;

  (void)state;
  open_board(&fixture, ENTRY, good, 2);
  assert_result(update(&fixture, 0x80020000, bootloader, 1, &session), LB_ERR_IMAGE_LOAD);
  assert_int_equal(fixture.tap.count, 0);
  assert_result(update(&fixture, START, bootloader, 1, &session), LB_ERR_IMAGE_LOAD);
  assert_int_equal(fixture.tap.count, 0);
  assert_result(update(&fixture, START + 512, good, 1, &session), LB_ERR_IMAGE_LOAD);
  assert_int_equal(fixture.tap.count, 0);
  assert_false(lb_update_touched_flash(&session));
  assert_result(update(&fixture, START, late, 2, &session), LB_ERR_IMAGE_LOAD);
  assert_string_equal(fixture_selected(&fixture), "ota_1");
  assert_result(update(&fixture, 0x81000000, good, 2, &session), LB_OK);
  assert_string_equal(fixture_selected(&fixture), "ota_0");
  fixture_close(&fixture);
}

/* In a slot it is passed over as any bad image. */
static void test_boot(void **state)
{
  static const struct part good[] = {{START, 512}};
  static const struct part bad[] = {{START, 512}, {START - 4, 8}};
  struct fixture fixture;
  struct lb_boot_decision decision;

  (void)state;
  open_board(&fixture, ENTRY, good, 1);
  assert_result(fixture_boot(&fixture, &decision), LB_OK);
  assert_string_equal(decision.partition.label, "ota_1");
  fixture_close(&fixture);
  open_board(&fixture, ENTRY, bad, 2);
  assert_result(fixture_boot(&fixture, &decision), LB_OK);
  assert_string_equal(decision.partition.label, "factory");
  assert_result(decision.selected_error, LB_ERR_IMAGE_LOAD);
  fixture_close(&fixture);
}

static void test_error(void **state)
{
  (void)state;
  assert_true(lb_error_is_of_image(LB_ERR_IMAGE_LOAD));
  assert_true(lb_error_is_of_image(LB_ERR_IMAGE_MAGIC) && lb_error_is_of_image(LB_ERR_IMAGE_PROJECT));
  assert_false(lb_error_is_of_image(LB_ERR_NO_JOURNAL) || lb_error_is_of_image(LB_ERR_READ_BACK));
  assert_false(lb_error_is_of_image(LB_OK) || lb_error_is_of_image(LB_ERR_IMAGE_LOAD - 1));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_chip),          cmocka_unit_test(test_other_chips),
      cmocka_unit_test(test_inside),        cmocka_unit_test(test_segment_outside),
      cmocka_unit_test(test_entry_outside), cmocka_unit_test(test_as_soon_as_possible),
      cmocka_unit_test(test_update),        cmocka_unit_test(test_boot),
      cmocka_unit_test(test_error),
  };

  return cmocka_run_group_tests_name("image_load", tests, NULL, NULL);
}
