// SPDX-License-Identifier: MIT
/* The inspector: good images in pieces of every size, and every way in which an image can be bad. */
#include "lifeboat/image.h"

#include "lifeboat/bytes.h"
#include "lifeboat/device.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/image_builder.h"
#include "tests/unit/support/unit.h"

#define CAPACITY 0x400000U

static struct lb_image_rules esp32_rules(void)
{
  return (struct lb_image_rules){
      .chip = lb_chip_by_name("esp32"), .revision = 300, .capacity = CAPACITY, .address = 0x410000};
}

/* Pushes bytes in pieces and says that no more come. The copy on the heap lets ASan see every read beyond it. */
static int inspect(struct lb_image *image, const struct lb_image_rules *rules, const uint8_t *bytes, uint32_t length,
                   uint32_t piece)
{
  int result = LB_MORE;

  assert_result(lb_image_start(image, rules, unit_sha256()), LB_OK);
  for (uint32_t at = 0; at < length && result == LB_MORE; at += piece) {
    uint32_t here = length - at < piece ? length - at : piece;
    uint8_t *copy = unit_copy(bytes + at, here);

    result = lb_image_write(image, copy, here, NULL);
    free(copy);
  }
  return lb_image_finish(image);
}

static int inspect_whole(struct lb_image *image, const struct built_image *built)
{
  struct lb_image_rules rules = esp32_rules();

  return inspect(image, &rules, built->bytes, built->length, built->length);
}

static void assert_info(const struct lb_image_info *info, const struct lb_image_info *expected)
{
  assert_int_equal(info->segment_count, expected->segment_count);
  assert_int_equal(info->spi_mode, expected->spi_mode);
  assert_int_equal(info->flash_frequency, expected->flash_frequency);
  assert_int_equal(info->flash_size, expected->flash_size);
  assert_int_equal(info->entry, expected->entry);
  assert_int_equal(info->chip_id, expected->chip_id);
  assert_int_equal(info->min_revision_legacy, expected->min_revision_legacy);
  assert_int_equal(info->min_revision, expected->min_revision);
  assert_int_equal(info->max_revision, expected->max_revision);
  assert_int_equal(info->segments_known, expected->segments_known);
  for (uint32_t i = 0; i < expected->segments_known; i++) {
    assert_int_equal(info->segments[i].load, expected->segments[i].load);
    assert_int_equal(info->segments[i].length, expected->segments[i].length);
    assert_int_equal(info->segments[i].offset, expected->segments[i].offset);
  }
  assert_int_equal(info->length, expected->length);
  assert_int_equal(info->checksum, expected->checksum);
  assert_memory_equal(info->digest, expected->digest, sizeof(info->digest));
  assert_int_equal(info->description.present, expected->description.present);
  assert_int_equal(info->description.secure_version, expected->description.secure_version);
  assert_string_equal(info->description.version, expected->description.version);
  assert_string_equal(info->description.project, expected->description.project);
  assert_string_equal(info->description.time, expected->description.time);
  assert_string_equal(info->description.date, expected->description.date);
  assert_string_equal(info->description.idf, expected->description.idf);
  assert_memory_equal(info->description.elf_sha256, expected->description.elf_sha256, 32);
}

static void test_pieces_of_every_size(void **state)
{
  static const uint32_t pieces[] = {1, 3, 7, 24, 255, 4096, 0xFFFFFFFFU};
  struct lb_image_rules rules = esp32_rules();
  struct built_image built;
  struct lb_image image;

  (void)state;
  image_make(&built, 1, 20000, "3.3.004-7-gabc");
  for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
    uint32_t piece = pieces[i] < built.length ? pieces[i] : built.length;

    assert_result(inspect(&image, &rules, built.bytes, built.length, piece), LB_OK);
    assert_info(&image.info, &built.info);
    assert_result(lb_image_judge_application(&image), LB_OK);
  }
  image_free(&built);
}

static void test_random_pieces(void **state)
{
  struct lb_image_rules rules = esp32_rules();
  struct unit_random random;
  struct built_image built;
  struct lb_image image;

  (void)state;
  unit_random_seed(&random, "image pieces", 5);
  image_make(&built, 2, 6400, "1.2.3");
  for (int turn = 0; turn < 200; turn++) {
    uint32_t at = 0;
    uint32_t used;
    int result = LB_MORE;

    assert_result(lb_image_start(&image, &rules, unit_sha256()), LB_OK);
    while (result == LB_MORE) {
      uint32_t piece = unit_random_below(&random, unit_random_below(&random, 4) ? 40 : 2000);

      piece = piece < built.length - at ? piece : built.length - at;
      result = lb_image_write(&image, built.bytes + at, piece, &used);
      assert_int_equal(used, piece);
      at += piece;
    }
    assert_result(result, LB_OK);
    assert_int_equal(at, built.length);
    assert_info(&image.info, &built.info);
  }
  image_free(&built);
}

/* Every length of the last segment, so that the padding has each of its four lengths; 1 and 16 segments; empty ones. */
static void test_shapes(void **state)
{
  struct image_plan plan;
  struct built_image built;
  struct lb_image image;

  (void)state;
  for (uint32_t extra = 0; extra < 40; extra += 4) {
    image_plan_small(&plan, extra + 1);
    plan.segments[3].length = extra;
    image_build(&built, &plan);
    assert_result(inspect_whole(&image, &built), LB_OK);
    assert_info(&image.info, &built.info);
    image_free(&built);
  }
  for (uint32_t segments = 1; segments <= 16; segments++) {
    image_plan_small(&plan, segments);
    plan.segment_count = segments;
    for (uint32_t i = 4; i < segments; i++) {
      plan.segments[i] = (struct image_plan_segment){ESP32_IRAM, false, i % 3 ? 64 : 0};
    }
    image_build(&built, &plan);
    assert_result(inspect_whole(&image, &built), LB_OK);
    assert_info(&image.info, &built.info);
    image_free(&built);
  }
}

static void test_no_description(void **state)
{
  static const uint32_t lengths[] = {0, 4, 252, 256, 260};
  struct image_plan plan;
  struct built_image built;
  struct lb_image image;

  (void)state;
  for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    image_plan_small(&plan, 3);
    plan.description = false;
    plan.segments[0].length = lengths[i];
    image_build(&built, &plan);
    assert_result(inspect_whole(&image, &built), LB_OK);
    assert_info(&image.info, &built.info);
    image_free(&built);
  }
}

static void test_strings_with_odd_bytes(void **state)
{
  struct image_plan plan;
  struct built_image built;
  struct lb_image image;

  (void)state;
  image_plan_small(&plan, 4);
  plan.version = "12345678901234567890123456789012"; /* 32 bytes: no NUL on the flash */
  plan.project = "a\nb\033[2J\177\200\377";
  plan.date = "1234567890123456";
  image_build(&built, &plan);
  assert_result(inspect_whole(&image, &built), LB_OK);
  assert_string_equal(image.info.description.version, plan.version);
  assert_string_equal(image.info.description.project, "a?b?[2J???");
  assert_string_equal(image.info.description.date, plan.date);
  image_free(&built);
}

/* ---- OVMS's own marks ---- */

static void build_marked(struct built_image *built, uint32_t place, const char *text, bool description)
{
  struct image_plan plan;

  image_plan_small(&plan, 9);
  plan.description = description;
  image_build(built, &plan);
  memset(built->bytes + 32 + (description ? 256 : 0), 0, plan.segments[0].length - (description ? 256 : 0));
  memcpy(built->bytes + 32 + place, text, strlen(text) + 1);
  image_seal(built);
}

#define PRE  "########OVMS_PRE########"
#define POST "########OVMSPOST########"

static void assert_marked(uint32_t place, const char *text, const char *version)
{
  static const uint32_t pieces[] = {1, 2, 5, 23, 255, 100000};
  struct lb_image_rules rules = esp32_rules();
  struct built_image built;
  struct lb_image image;

  build_marked(&built, place, text, false);
  for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
    assert_result(inspect(&image, &rules, built.bytes, built.length, pieces[i]), LB_OK);
    assert_false(image.info.description.present);
    assert_string_equal(image.info.description.version, version);
  }
  image_free(&built);
}

static void test_marks(void **state)
{
  (void)state;
  assert_marked(300, PRE "3.1.003-2-g7ea18b4" POST, "3.1.003-2-g7ea18b4");
  assert_marked(0, PRE "3.1" POST, "3.1");
  assert_marked(250, PRE "3.1" POST, "3.1");
  assert_marked(1028 - 52, PRE "3.1" POST, "3.1");
  assert_marked(300, "x########" PRE "3.1" POST, "3.1");
  assert_marked(300, "###" PRE "3.1" POST, "3.1");
  assert_marked(300, PRE PRE "3.1" POST, "3.1");
  assert_marked(300, "########OVMS_" PRE "3.1" POST, "3.1");
  assert_marked(300, "########OVMS_PRE###" PRE "3.1" POST, "3.1");
  assert_marked(300, PRE "12345678901234567890123456789012" POST, "12345678901234567890123456789012");
  assert_marked(300, PRE POST, "");
  assert_marked(300, PRE "any other text" POST, "");
  assert_marked(300, POST "3.1" POST, "");
  assert_marked(300, "no marks at all", "");
}

/* As in the real images: the bare mark of the code that looks for it comes first. */
static void test_bare_mark_first(void **state)
{
  struct lb_image_rules rules = esp32_rules();
  struct built_image built;
  struct lb_image image;
  static const char text[] = PRE "\0" PRE "3.3.003-600-g6dfb141e-dirty" POST "\0" POST;

  (void)state;
  build_marked(&built, 300, "", false);
  memcpy(built.bytes + 32 + 300, text, sizeof(text));
  image_seal(&built);
  for (uint32_t piece = 1; piece < 80; piece++) {
    assert_result(inspect(&image, &rules, built.bytes, built.length, piece), LB_OK);
    assert_string_equal(image.info.description.version, "3.3.003-600-g6dfb141e-dirty");
  }
  image_free(&built);
}

/* What is not between both marks is no version. */
static void test_unfinished_marks(void **state)
{
  (void)state;
  assert_marked(1028 - 28, PRE "3.1.", "");
  assert_marked(300, PRE "3.1\n" POST, "");
  assert_marked(300, PRE "123456789012345678901234567890123" POST, "");
}

static void test_description_before_marks(void **state)
{
  struct built_image built;
  struct lb_image image;

  (void)state;
  build_marked(&built, 400, PRE "9.9.999" POST, true);
  assert_result(inspect_whole(&image, &built), LB_OK);
  assert_true(image.info.description.present);
  assert_string_equal(image.info.description.version, "3.3.004");
  image_free(&built);
}

/* ---- one check broken at a time ---- */

static void small_image(struct built_image *built)
{
  struct image_plan plan;

  image_plan_small(&plan, 11);
  image_build(built, &plan);
}

static void test_magic(void **state)
{
  struct lb_image_rules rules = esp32_rules();
  struct built_image built;
  struct lb_image image;

  (void)state;
  small_image(&built);
  built.bytes[0] = 0xE8;
  assert_result(inspect_whole(&image, &built), LB_ERR_IMAGE_MAGIC);
  assert_result(inspect(&image, &rules, built.bytes, 1, 1), LB_ERR_IMAGE_MAGIC);
  assert_result(lb_image_judge_application(&image), LB_ERR_IMAGE_MAGIC);
  assert_result(inspect(&image, &rules, (const uint8_t *)"<!DOCTYPE html>", 15, 15), LB_ERR_IMAGE_MAGIC);
  image_free(&built);
}

static void test_segment_count(void **state)
{
  static const uint8_t counts[] = {0, 17, 18, 255};
  struct built_image built;
  struct lb_image image;

  (void)state;
  small_image(&built);
  for (size_t i = 0; i < sizeof(counts); i++) {
    built.bytes[1] = counts[i];
    image_seal_digest(&built);
    assert_result(inspect_whole(&image, &built), LB_ERR_IMAGE_SEGMENTS);
  }
  image_free(&built);
}

static void test_segment_length(void **state)
{
  static const struct {
    uint32_t length;
    int result;
  } lengths[] = {
      {1, LB_ERR_IMAGE_SEGMENT_LENGTH},           {1026, LB_ERR_IMAGE_SEGMENT_LENGTH},
      {0x1000000, LB_ERR_IMAGE_SEGMENT_LENGTH},   {0xFFFFFFFF, LB_ERR_IMAGE_SEGMENT_LENGTH},
      {0xFFFFFFFC, LB_ERR_IMAGE_SEGMENT_LENGTH},  {0xFFFFFFE0, LB_ERR_IMAGE_SEGMENT_LENGTH},
      {102U << 20, LB_ERR_IMAGE_SEGMENT_LENGTH},  {0x80000000, LB_ERR_IMAGE_SEGMENT_LENGTH},
      {0xFFFFFC, LB_ERR_IMAGE_TOO_LONG},          {CAPACITY, LB_ERR_IMAGE_TOO_LONG},
      {CAPACITY - 32 + 4, LB_ERR_IMAGE_TOO_LONG},
  };
  struct built_image built;
  struct lb_image image;

  (void)state;
  for (uint32_t segment = 0; segment < 4; segment++) {
    small_image(&built);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
      lb_store_le32(built.bytes + built.info.segments[segment].offset - 4, lengths[i].length);
      assert_result(inspect_whole(&image, &built), lengths[i].result);
      assert_true(image.info.segments_known <= segment + 1);
    }
    image_free(&built);
  }
}

static void test_chip(void **state)
{
  struct lb_image_rules rules = esp32_rules();
  struct image_plan plan;
  struct built_image built;
  struct lb_image image;

  (void)state;
  image_plan_small(&plan, 12);
  plan.chip_id = 9;
  plan.segments[0].base = 0x3C000000;
  plan.segments[2].base = 0x42000000;
  image_build(&built, &plan);
  assert_result(inspect_whole(&image, &built), LB_ERR_IMAGE_CHIP);
  rules.chip = lb_chip_by_name("esp32s3");
  assert_result(inspect(&image, &rules, built.bytes, built.length, 100), LB_OK);
  rules.chip = NULL;
  assert_result(inspect(&image, &rules, built.bytes, built.length, 100), LB_OK);
  assert_result(lb_image_judge_application(&image), LB_OK);
  built.bytes[24] ^= 0x10; /* judged by the chip that the image names */
  image_seal_digest(&built);
  assert_result(inspect(&image, &rules, built.bytes, built.length, 100), LB_ERR_IMAGE_SEGMENT_MAPPING);
  image_free(&built);
}

static void test_unknown_chip(void **state)
{
  struct lb_image_rules rules = esp32_rules();
  struct built_image built;
  struct lb_image image;

  (void)state;
  small_image(&built);
  lb_store_le16(built.bytes + 12, 0x100);
  image_seal_digest(&built);
  assert_result(inspect_whole(&image, &built), LB_ERR_IMAGE_CHIP);
  rules.chip = NULL;
  assert_result(inspect(&image, &rules, built.bytes, built.length, 100), LB_OK);
  image_free(&built);
}

static void test_revision(void **state)
{
  static const struct {
    uint16_t chip, min, max;
    uint8_t legacy;
    int result;
  } cases[] = {
      {300, 0, 0, 0, LB_OK},
      {300, 300, 399, 3, LB_OK},
      {300, 301, 0, 0, LB_ERR_IMAGE_REVISION},
      {100, 300, 0, 3, LB_ERR_IMAGE_REVISION},
      {300, 0, 300, 0, LB_OK},
      {300, 0, 299, 0, LB_ERR_IMAGE_REVISION},
      {300, 0, 0xFFFF, 0, LB_OK},
      {100, 0, 0, 3, LB_ERR_IMAGE_REVISION},
      {300, 0, 0, 3, LB_OK},
      {LB_REVISION_ANY, 301, 200, 255, LB_OK},
  };
  struct lb_image_rules rules = esp32_rules();
  struct image_plan plan;
  struct built_image built;
  struct lb_image image;

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    image_plan_small(&plan, 13);
    plan.min_revision = cases[i].min;
    plan.max_revision = cases[i].max;
    plan.min_revision_legacy = cases[i].legacy;
    image_build(&built, &plan);
    rules.revision = cases[i].chip;
    assert_result(inspect(&image, &rules, built.bytes, built.length, 64), cases[i].result);
    image_free(&built);
  }
}

static void test_hash_appended(void **state)
{
  static const uint8_t values[] = {0, 2, 3, 255};
  struct built_image built;
  struct lb_image image;

  (void)state;
  small_image(&built);
  for (size_t i = 0; i < sizeof(values); i++) {
    built.bytes[23] = values[i];
    if (values[i]) {
      image_seal_digest(&built);
    }
    assert_result(inspect_whole(&image, &built), LB_ERR_IMAGE_NO_HASH);
  }
  image_free(&built);
}

/* A segment that the chip maps has to lie where its address says, counted from the slot's own place. */
static void test_mapping(void **state)
{
  struct lb_image_rules rules = esp32_rules();
  struct built_image built;
  struct lb_image image;

  (void)state;
  small_image(&built);
  for (uint32_t shift = 4; shift < 0x10000; shift *= 2) {
    rules.address = 0x410000 + shift;
    assert_result(inspect(&image, &rules, built.bytes, built.length, 300), LB_ERR_IMAGE_SEGMENT_MAPPING);
    rules.address = shift;
    assert_result(inspect(&image, &rules, built.bytes, built.length, 300), LB_ERR_IMAGE_SEGMENT_MAPPING);
  }
  rules.address = 0xFF0000;
  assert_result(inspect(&image, &rules, built.bytes, built.length, 300), LB_OK);
  rules.address = 0;
  assert_result(inspect(&image, &rules, built.bytes, built.length, 300), LB_OK);
  for (uint32_t segment = 0; segment < 4; segment += 2) {
    uint8_t *load = built.bytes + built.info.segments[segment].offset - 8;
    uint32_t good = lb_load_le32(load);

    lb_store_le32(load, good ^ 4);
    image_seal_digest(&built);
    assert_result(inspect_whole(&image, &built), LB_ERR_IMAGE_SEGMENT_MAPPING);
    lb_store_le32(load, good);
    image_seal_digest(&built);
  }
  assert_result(inspect_whole(&image, &built), LB_OK);
  image_free(&built);
}

static void test_checksum_and_digest(void **state)
{
  struct built_image built;
  struct lb_image image;

  (void)state;
  small_image(&built);
  built.bytes[built.length - 33] ^= 0x40;
  image_seal_digest(&built);
  assert_result(inspect_whole(&image, &built), LB_ERR_IMAGE_CHECKSUM);
  image_seal(&built);
  for (uint32_t at = built.length - 32; at < built.length; at++) {
    built.bytes[at] ^= 1;
    assert_result(inspect_whole(&image, &built), LB_ERR_IMAGE_DIGEST);
    built.bytes[at] ^= 1;
  }
  /* Two equal flips: the xor does not see them. */
  built.bytes[500] ^= 0x10;
  built.bytes[501] ^= 0x10;
  assert_result(inspect_whole(&image, &built), LB_ERR_IMAGE_DIGEST);
  image_free(&built);
}

static void test_capacity_is_exact(void **state)
{
  struct lb_image_rules rules = esp32_rules();
  struct built_image built;
  struct lb_image image;

  (void)state;
  small_image(&built);
  rules.capacity = built.length;
  assert_result(inspect(&image, &rules, built.bytes, built.length, 97), LB_OK);
  for (uint32_t capacity = 0; capacity < built.length; capacity += capacity < 400 ? 1 : 13) {
    rules.capacity = capacity;
    assert_result(inspect(&image, &rules, built.bytes, built.length, 97), LB_ERR_IMAGE_TOO_LONG);
  }
  rules.capacity = built.length - 1;
  assert_result(inspect(&image, &rules, built.bytes, built.length, built.length), LB_ERR_IMAGE_TOO_LONG);
  image_free(&built);
}

/* Once the last segment's header is known so is the length: it is judged then, not when the bytes have come. */
static void test_length_is_judged_with_the_last_header(void **state)
{
  struct lb_image_rules rules = esp32_rules();
  struct image_plan plan;
  struct built_image built;
  struct lb_image image;

  (void)state;
  image_plan_small(&plan, 14);
  plan.segment_count = 1;
  image_build(&built, &plan);
  rules.capacity = built.length - 1;
  assert_result(lb_image_start(&image, &rules, unit_sha256()), LB_OK);
  assert_result(lb_image_write(&image, built.bytes, 32, NULL), LB_ERR_IMAGE_TOO_LONG);
  image_free(&built);
}

static void test_length_is_known_with_the_last_header(void **state)
{
  struct lb_image_rules rules = esp32_rules();
  struct image_plan plan;
  struct built_image built;
  struct lb_image image;

  (void)state;
  for (uint32_t extra = 0; extra < 20; extra += 4) {
    uint32_t last;

    image_plan_small(&plan, 14);
    plan.segments[3].length = 44 + extra;
    image_build(&built, &plan);
    last = built.info.segments[3].offset;
    assert_result(lb_image_start(&image, &rules, unit_sha256()), LB_OK);
    assert_result(lb_image_write(&image, built.bytes, last - 1, NULL), LB_MORE);
    assert_int_equal(image.info.length, 0);
    assert_result(lb_image_write(&image, built.bytes + last - 1, 1, NULL), LB_MORE);
    assert_int_equal(image.info.length, built.length);
    image_free(&built);
  }
}

static void test_truncated(void **state)
{
  struct lb_image_rules rules = esp32_rules();
  struct built_image built;
  struct lb_image image;

  (void)state;
  small_image(&built);
  for (uint32_t length = 0; length < built.length; length++) {
    assert_result(inspect(&image, &rules, built.bytes, length, length ? length : 1), LB_ERR_IMAGE_TRUNCATED);
    assert_result(lb_image_write(&image, built.bytes, 1, NULL), LB_ERR_IMAGE_TRUNCATED);
  }
  image_free(&built);
}

static void test_trailing_is_not_used(void **state)
{
  struct lb_image_rules rules = esp32_rules();
  struct built_image built;
  struct lb_image image;
  uint8_t *more;
  uint32_t used = 0;

  (void)state;
  small_image(&built);
  more = unit_allocate(built.length + 100);
  memcpy(more, built.bytes, built.length);
  assert_result(lb_image_start(&image, &rules, unit_sha256()), LB_OK);
  assert_result(lb_image_write(&image, more, built.length + 100, &used), LB_OK);
  assert_int_equal(used, built.length);
  assert_result(lb_image_write(&image, more, 100, &used), LB_OK);
  assert_int_equal(used, 0);
  assert_result(lb_image_finish(&image), LB_OK);
  assert_info(&image.info, &built.info);
  free(more);
  image_free(&built);
}

static void test_errors_are_final(void **state)
{
  struct lb_image_rules rules = esp32_rules();
  struct built_image built;
  struct lb_image image;
  uint32_t used = 77;

  (void)state;
  small_image(&built);
  built.bytes[1] = 0;
  assert_result(inspect(&image, &rules, built.bytes, built.length, 10), LB_ERR_IMAGE_SEGMENTS);
  assert_result(lb_image_write(&image, built.bytes, built.length, &used), LB_ERR_IMAGE_SEGMENTS);
  assert_int_equal(used, 0);
  assert_result(lb_image_finish(&image), LB_ERR_IMAGE_SEGMENTS);
  image_free(&built);
}

/* ---- any single bit ---- */

static void test_single_bits(void **state)
{
  struct lb_image_rules rules = esp32_rules();
  struct unit_random random;
  struct built_image built;
  struct lb_image image;

  (void)state;
  unit_random_seed(&random, "image bits", 6);
  small_image(&built);
  for (uint32_t turn = 0; turn < 24 * 8 + 8 * 8 + 3000; turn++) {
    uint32_t bit = turn < 32 * 8 ? turn : unit_random_below(&random, built.length * 8);
    int result;

    built.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    result = inspect(&image, &rules, built.bytes, built.length, 509);
    if (result >= 0) {
      fail_here("bit %u of byte 0x%x was not noticed", bit % 8, bit / 8);
    }
    built.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
  }
  assert_result(inspect(&image, &rules, built.bytes, built.length, 509), LB_OK);
  image_free(&built);
}

/* ---- bootloader or application ---- */

static void test_bootloader_images(void **state)
{
  struct lb_image_rules rules = esp32_rules();
  struct image_plan plan;
  struct built_image built;
  struct lb_image image;

  (void)state;
  image_plan_small(&plan, 15);
  plan.segments[0] = (struct image_plan_segment){0x3FFF0018, false, 300};
  plan.description = false;
  image_build(&built, &plan);
  assert_result(lb_image_start(&image, &rules, unit_sha256()), LB_OK);
  assert_result(lb_image_write(&image, built.bytes, LB_IMAGE_HEAD_SIZE, NULL), LB_MORE);
  assert_result(lb_image_judge_application(&image), LB_ERR_IMAGE_BOOTLOADER);
  assert_result(inspect_whole(&image, &built), LB_OK); /* complete and good, and still no application */
  assert_result(lb_image_judge_application(&image), LB_ERR_IMAGE_BOOTLOADER);
  image_free(&built);
}

/* ---- garbage ---- */

static void test_garbage(void **state)
{
  struct lb_image_rules rules = esp32_rules();
  struct unit_random random;
  struct lb_image image;

  (void)state;
  unit_random_seed(&random, "image garbage", 7);
  for (int turn = 0; turn < 100000; turn++) {
    uint32_t length = unit_random_below(&random, 400);
    uint8_t *bytes = unit_allocate(length);
    int result;

    unit_random_fill(&random, bytes, length);
    if (length > 24 && turn % 4) { /* let most of it get beyond the first checks */
      bytes[0] = 0xE9;
      bytes[1] = (uint8_t)(bytes[1] % (turn % 4 == 3 ? 3 : 18));
      lb_store_le16(bytes + 12, 0);
      memset(bytes + 14, 0, 9);
      bytes[23] = 1;
    }
    if (length > 32 && turn % 8 > 3) {
      lb_store_le32(bytes + 24, 0x3F400020);
      lb_store_le32(bytes + 28, unit_random_below(&random, 100) * 4);
    }
    rules.capacity = turn % 3 ? CAPACITY : unit_random_below(&random, 500);
    result = inspect(&image, &rules, bytes, length, 1 + unit_random_below(&random, 400));
    if (result >= 0) {
      fail_here("garbage number %d was taken for an image", turn);
    }
    free(bytes);
  }
}

/* ---- the hash driver fails ---- */

static void test_hash_failures(void **state)
{
  struct lb_image_rules rules = esp32_rules();
  struct failing_hash failing;
  struct built_image built;
  struct lb_image image;

  (void)state;
  small_image(&built);
  failing_hash_start(&failing, unit_sha256());
  failing.fail_start = true;
  assert_result(lb_image_start(&image, &rules, &failing.hash), LB_ERR_HASH);
  assert_result(lb_image_write(&image, built.bytes, built.length, NULL), LB_ERR_HASH);
  failing.fail_start = false;
  failing.fail_update_at = 5;
  assert_result(lb_image_start(&image, &rules, &failing.hash), LB_OK);
  assert_result(lb_image_write(&image, built.bytes, built.length, NULL), LB_ERR_HASH);
  assert_result(lb_image_finish(&image), LB_ERR_HASH);
  failing_hash_start(&failing, unit_sha256());
  failing.fail_finish = true;
  assert_result(lb_image_start(&image, &rules, &failing.hash), LB_OK);
  assert_result(lb_image_write(&image, built.bytes, built.length, NULL), LB_ERR_HASH);
  assert_result(lb_image_finish(&image), LB_ERR_HASH);
  image_free(&built);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pieces_of_every_size),
      cmocka_unit_test(test_random_pieces),
      cmocka_unit_test(test_shapes),
      cmocka_unit_test(test_no_description),
      cmocka_unit_test(test_strings_with_odd_bytes),
      cmocka_unit_test(test_marks),
      cmocka_unit_test(test_bare_mark_first),
      cmocka_unit_test(test_unfinished_marks),
      cmocka_unit_test(test_description_before_marks),
      cmocka_unit_test(test_magic),
      cmocka_unit_test(test_segment_count),
      cmocka_unit_test(test_segment_length),
      cmocka_unit_test(test_chip),
      cmocka_unit_test(test_unknown_chip),
      cmocka_unit_test(test_revision),
      cmocka_unit_test(test_hash_appended),
      cmocka_unit_test(test_mapping),
      cmocka_unit_test(test_checksum_and_digest),
      cmocka_unit_test(test_capacity_is_exact),
      cmocka_unit_test(test_length_is_judged_with_the_last_header),
      cmocka_unit_test(test_length_is_known_with_the_last_header),
      cmocka_unit_test(test_truncated),
      cmocka_unit_test(test_trailing_is_not_used),
      cmocka_unit_test(test_errors_are_final),
      cmocka_unit_test(test_single_bits),
      cmocka_unit_test(test_bootloader_images),
      cmocka_unit_test(test_garbage),
      cmocka_unit_test(test_hash_failures),
  };

  return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
