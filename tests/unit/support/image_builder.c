// SPDX-License-Identifier: MIT
#include "tests/unit/support/image_builder.h"

#include <mbedtls/md.h>

#include "lifeboat/bytes.h"
#include "tests/unit/support/unit.h"

#define PAGE        0x10000U
#define HEADER      24U
#define ROW         8U
#define DESCRIPTION 256U
#define DIGEST      32U

void image_plan_small(struct image_plan *plan, uint32_t seed)
{
  *plan = (struct image_plan){
      .seed = seed,
      .segment_count = 4,
      .segments = {{ESP32_DATA, true, 1028},
                   {ESP32_DRAM, false, 200},
                   {ESP32_CODE, true, 1500},
                   {ESP32_IRAM, false, 44}},
      .description = true,
      .secure_version = 7,
      .version = "3.3.004",
      .project = "ovms3",
      .time = "16:26:57",
      .date = "Apr  7 2018",
      .idf = "v3.1-dev-453-g0f978bcb",
      .hash_appended = 1,
  };
}

void image_plan_sized(struct image_plan *plan, uint32_t seed, uint32_t length)
{
  /* Header, four segment headers, the data, 4 bytes of padding with the checksum, the digest. */
  uint32_t data = length - HEADER - 4 * ROW - 4 - DIGEST;
  uint32_t quarter = data / 16 * 4;

  assert_true(length % 16 == 0 && length >= 1024);
  image_plan_small(plan, seed);
  plan->segments[0].length = quarter > DESCRIPTION ? quarter : DESCRIPTION;
  plan->segments[1].length = data / 64 * 4;
  plan->segments[3].length = data / 32 * 4;
  plan->segments[2].length = data - plan->segments[0].length - plan->segments[1].length - plan->segments[3].length;
}

/* Fills data that begins at `offset` of the image, so that equal plans share their bytes place by place. */
static void fill_content(const struct image_plan *plan, uint8_t *bytes, uint32_t offset, uint32_t length)
{
  while (length > 0) {
    uint32_t piece = offset / 4096;
    uint32_t here = 4096 - offset % 4096;
    struct unit_random random = {.state = plan->seed};
    uint8_t content[4096];

    random.state = ((uint64_t)unit_random_next(&random) << 32) | piece;
    if (plan->variant && (piece * 2654435761U >> 8) % plan->variant_every == plan->variant % plan->variant_every) {
      random.state ^= (uint64_t)plan->variant << 40;
    }
    unit_random_fill(&random, content, sizeof(content));
    here = here < length ? here : length;
    memcpy(bytes, content + offset % 4096, here);
    bytes += here;
    offset += here;
    length -= here;
  }
}

static void put_text(uint8_t *bytes, size_t size, const char *text, char *expected)
{
  size_t length = text ? strlen(text) : 0;

  assert_true(length <= size);
  memset(bytes, 0, size);
  if (length) {
    memcpy(bytes, text, length);
    memcpy(expected, text, length);
  }
  expected[length] = '\0';
}

static void put_description(uint8_t *bytes, const struct image_plan *plan, struct lb_image_description *expected)
{
  memset(bytes, 0, DESCRIPTION);
  lb_store_le32(bytes, 0xABCD5432U);
  lb_store_le32(bytes + 4, plan->secure_version);
  put_text(bytes + 16, 32, plan->version, expected->version);
  put_text(bytes + 48, 32, plan->project, expected->project);
  put_text(bytes + 80, 16, plan->time, expected->time);
  put_text(bytes + 96, 16, plan->date, expected->date);
  put_text(bytes + 112, 32, plan->idf, expected->idf);
  for (uint32_t i = 0; i < 32; i++) {
    bytes[144 + i] = (uint8_t)(plan->seed * 31 + i);
  }
  memcpy(expected->elf_sha256, bytes + 144, 32);
  expected->secure_version = plan->secure_version;
  expected->present = true;
}

static void put_header(struct built_image *image, const struct image_plan *plan)
{
  uint8_t *bytes = image->bytes;

  bytes[0] = 0xE9;
  bytes[1] = (uint8_t)plan->segment_count;
  bytes[2] = 2;
  bytes[3] = 0x4F;
  lb_store_le32(bytes + 4, 0x40081234U);
  bytes[8] = 0xEE;
  lb_store_le16(bytes + 12, plan->chip_id);
  bytes[14] = plan->min_revision_legacy;
  lb_store_le16(bytes + 15, plan->min_revision);
  lb_store_le16(bytes + 17, plan->max_revision);
  bytes[23] = plan->hash_appended;
  image->info = (struct lb_image_info){
      .segment_count = (uint8_t)plan->segment_count,
      .spi_mode = 2,
      .flash_frequency = 0xF,
      .flash_size = 4,
      .entry = 0x40081234U,
      .chip_id = plan->chip_id,
      .min_revision_legacy = plan->min_revision_legacy,
      .min_revision = plan->min_revision,
      .max_revision = plan->max_revision,
  };
}

void image_build(struct built_image *image, const struct image_plan *plan)
{
  uint32_t end = HEADER;
  uint32_t offset = HEADER;

  assert_true(plan->segment_count <= sizeof(plan->segments) / sizeof(plan->segments[0]));
  for (uint32_t i = 0; i < plan->segment_count; i++) {
    end += ROW + plan->segments[i].length;
  }
  image->length = (end / 16 + 1) * 16 + (plan->hash_appended ? DIGEST : 0);
  image->bytes = unit_allocate(image->length);
  put_header(image, plan);
  for (uint32_t i = 0; i < plan->segment_count; i++) {
    const struct image_plan_segment *segment = &plan->segments[i];
    uint32_t load = segment->mapped ? segment->base + (offset + ROW) % PAGE : segment->base;

    lb_store_le32(image->bytes + offset, load);
    lb_store_le32(image->bytes + offset + 4, segment->length);
    offset += ROW;
    fill_content(plan, image->bytes + offset, offset, segment->length);
    if (i < LB_IMAGE_SEGMENTS_MAX) {
      image->info.segments[i] = (struct lb_image_segment){.load = load, .length = segment->length, .offset = offset};
      image->info.segments_known = i + 1;
    }
    offset += segment->length;
  }
  if (plan->description) {
    assert_true(plan->segments[0].length >= DESCRIPTION);
    put_description(image->bytes + HEADER + ROW, plan, &image->info.description);
  }
  image->info.length = image->length;
  image_seal(image);
}

void image_free(struct built_image *image)
{
  free(image->bytes);
  image->bytes = NULL;
}

void image_make(struct built_image *image, uint32_t seed, uint32_t length, const char *version)
{
  struct image_plan plan;

  image_plan_sized(&plan, seed, length);
  plan.version = version;
  image_build(image, &plan);
  assert_int_equal(image->length, length);
}

void image_seal_digest(struct built_image *image)
{
  if (image->bytes[23] == 0) {
    return;
  }
  assert_int_equal(mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), image->bytes, image->length - DIGEST,
                              image->bytes + image->length - DIGEST),
                   0);
  memcpy(image->info.digest, image->bytes + image->length - DIGEST, DIGEST);
}

void image_seal(struct built_image *image)
{
  uint8_t checksum = 0xEF;
  uint32_t place = image->length - 1 - (image->bytes[23] ? DIGEST : 0);

  for (uint32_t i = 0; i < image->info.segments_known; i++) {
    for (uint32_t at = 0; at < image->info.segments[i].length; at++) {
      checksum ^= image->bytes[image->info.segments[i].offset + at];
    }
  }
  image->bytes[place] = checksum;
  image->info.checksum = checksum;
  image_seal_digest(image);
}
