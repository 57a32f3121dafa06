// SPDX-License-Identifier: MIT
/*
 * Application images. The first byte: bits 0-1 the chip's rules, bit 2 makes the checksum right, bit 3 the digest; then
 * four bytes of capacity, four of address, one that seeds how the image is cut to pieces. However it is cut, the
 * inspector says the same; what it takes for good is inside its capacity and has the checksum and digest it should
 * have.
 */
#include <stdlib.h>
#include <string.h>

#include "lifeboat/device.h"
#include "lifeboat/image.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/support/hashes.h"

#define FIX_CHECKSUM 4U
#define FIX_DIGEST   8U

struct verdict {
  struct lb_image image;
  int finish;
  uint32_t used;
};

/* `seed` 0: in one piece. */
static void inspect(struct verdict *verdict, const struct lb_image_rules *rules, const uint8_t *bytes, uint32_t length,
                    uint32_t seed)
{
  int result = LB_MORE;

  memset(verdict, 0, sizeof(*verdict));
  FUZZ_REQUIRE(lb_image_start(&verdict->image, rules, unit_sha256()) == LB_OK);
  for (uint32_t at = 0; at < length && result == LB_MORE;) {
    uint32_t used = 0xFFFFFFFF;
    uint32_t piece = seed > 0 ? 1 + seed * (at + 7) % 251 : length;
    piece = piece < length - at ? piece : length - at;
    if (piece % 5 == 0) {
      FUZZ_REQUIRE(lb_image_write(&verdict->image, bytes + at, 0, &used) == LB_MORE && used == 0);
    }
    result = lb_image_write(&verdict->image, bytes + at, piece, &used);
    FUZZ_REQUIRE(used <= piece);
    FUZZ_REQUIRE(result != LB_MORE || used == piece);
    verdict->used += used;
    at += piece;
  }
  FUZZ_REQUIRE(result <= LB_MORE);
  verdict->finish = lb_image_finish(&verdict->image);
  FUZZ_REQUIRE(result == LB_MORE ? verdict->finish == LB_ERR_IMAGE_TRUNCATED : verdict->finish == result);
  FUZZ_REQUIRE(verdict->image.position <= rules->capacity);
  FUZZ_REQUIRE(verdict->image.info.segments_known <= LB_IMAGE_SEGMENTS_MAX);
}

static void check_text(const char *text, size_t size)
{
  const char *end = memchr(text, '\0', size);

  FUZZ_REQUIRE(end != NULL);
  for (; text < end; text++) {
    FUZZ_REQUIRE(*text >= 0x20 && *text < 0x7F);
  }
}

static void check_info(const struct lb_image_info *info)
{
  check_text(info->description.version, sizeof(info->description.version));
  check_text(info->description.project, sizeof(info->description.project));
  check_text(info->description.time, sizeof(info->description.time));
  check_text(info->description.date, sizeof(info->description.date));
  check_text(info->description.idf, sizeof(info->description.idf));
}

static void check_good(const struct verdict *verdict, const struct lb_image_rules *rules, const uint8_t *bytes,
                       uint32_t length)
{
  const struct lb_image_info *info = &verdict->image.info;
  uint8_t digest[LB_SHA256_SIZE];
  uint8_t checksum = 0xEF;

  FUZZ_REQUIRE(info->length <= length && info->length <= rules->capacity && verdict->used == info->length);
  FUZZ_REQUIRE(info->length >= 64 && info->length % 16 == 0);
  unit_sha256_of(bytes, info->length - LB_SHA256_SIZE, digest);
  FUZZ_REQUIRE(memcmp(digest, bytes + info->length - LB_SHA256_SIZE, LB_SHA256_SIZE) == 0);
  FUZZ_REQUIRE(memcmp(digest, info->digest, LB_SHA256_SIZE) == 0);
  FUZZ_REQUIRE(info->segments_known == info->segment_count && info->segment_count == bytes[1]);
  for (uint32_t i = 0; i < info->segments_known; i++) {
    const struct lb_image_segment *segment = &info->segments[i];
    FUZZ_REQUIRE(segment->offset <= info->length && segment->length <= info->length - segment->offset);
    for (uint32_t j = 0; j < segment->length; j++) {
      checksum ^= bytes[segment->offset + j];
    }
  }
  FUZZ_REQUIRE(checksum == info->checksum && checksum == bytes[info->length - LB_SHA256_SIZE - 1]);
}

/* An image whose parts fit gets the checksum and the digest that belong to it. */
static void seal(const struct verdict *verdict, uint8_t *bytes, uint32_t length, uint8_t mode)
{
  const struct lb_image_info *info = &verdict->image.info;
  uint8_t checksum = 0xEF;

  if (info->length == 0 || info->length > length) {
    return;
  }
  for (uint32_t i = 0; i < info->segments_known; i++) {
    for (uint32_t j = 0; j < info->segments[i].length; j++) {
      checksum ^= bytes[info->segments[i].offset + j];
    }
  }
  if ((mode & FIX_CHECKSUM) != 0) {
    bytes[info->length - LB_SHA256_SIZE - 1] = checksum;
  }
  if ((mode & FIX_DIGEST) != 0) {
    unit_sha256_of(bytes, info->length - LB_SHA256_SIZE, bytes + info->length - LB_SHA256_SIZE);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct verdict whole;
  static struct verdict pieces;
  struct fuzz_input input = {data, size};
  uint8_t mode = fuzz_take_byte(&input);
  const struct lb_image_rules rules = {
      .chip = (mode & 1U) != 0 ? lb_chip_by_name("esp32") : NULL,
      .revision = (mode & 2U) != 0 ? 300 : LB_REVISION_ANY,
      .capacity = fuzz_take_word(&input),
      .address = fuzz_take_word(&input) & 0xFFFF0000U,
  };
  uint32_t seed = fuzz_take_byte(&input) + 1U;
  uint32_t length = (uint32_t)input.length;
  uint8_t *bytes = fuzz_allocate(length);

  fuzz_take_bytes(&input, bytes, length, 0);
  inspect(&whole, &rules, bytes, length, 0);
  seal(&whole, bytes, length, mode);
  inspect(&whole, &rules, bytes, length, 0);
  inspect(&pieces, &rules, bytes, length, seed);
  FUZZ_REQUIRE(whole.finish == pieces.finish && whole.used == pieces.used);
  FUZZ_REQUIRE(whole.image.position == pieces.image.position);
  FUZZ_REQUIRE(memcmp(&whole.image.info, &pieces.image.info, sizeof(whole.image.info)) == 0);
  FUZZ_REQUIRE(lb_image_judge_application(&whole.image) == lb_image_judge_application(&pieces.image));
  check_info(&whole.image.info);
  if (whole.finish == LB_OK) {
    check_good(&whole, &rules, bytes, length);
  }
  free(bytes);
  return 0;
}
