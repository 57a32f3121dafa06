// SPDX-License-Identifier: MIT
#include "bench/images.h"

#include <mbedtls/sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lifeboat/bytes.h"
#include "lifeboat/image.h"
#include "tool/image_build.h"
#include "tool/image_describe.h"
#include "tool/report.h"

struct known_image {
  const char *version;
  uint32_t length;
  const char *sha256;
};

static const struct known_image known_images[IMAGES_COUNT] = {
    [IMAGES_585] = {"3.3.003-585", 3659184, "c3e7a45f42c58a42ef4fc5949d77ce810ece6cb7366bae669b9a856ce08c19bf"},
    [IMAGES_658] = {"3.3.003-658", 3672672, "4a54ed95d596be5f4f7c7ec8682721904471ebc15ef87704f37ecd195c00663e"},
    [IMAGES_600] = {"3.3.003-600", 3653024, "9fc6780797d0cbfa06df35b5b8e38fc40aeaad615dcb71acc9dae0f7f3885275"},
    [IMAGES_601] = {"3.3.003-601", 3653024, "864d5d41f000380877b3b324ad9288e031d237fca25a704724fdddf34f20dddd"},
};

/* ---- real ones ---- */

static bool read_bytes(const char *path, uint32_t length, uint8_t *bytes)
{
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    return false;
  }
  const bool good = fread(bytes, 1, length, file) == length && fgetc(file) == EOF;
  fclose(file);
  return good;
}

static bool has_digest(const uint8_t *bytes, uint32_t length, const char *sha256)
{
  uint8_t digest[LB_SHA256_SIZE];
  char text[2 * LB_SHA256_SIZE + 1];
  if (mbedtls_sha256_ret(bytes, length, digest, 0) != 0) {
    return false;
  }
  report_hex(digest, sizeof(digest), text);
  return strcmp(text, sha256) == 0;
}

static bool load_one(struct images *images, const char *folder, const struct known_image *known,
                     struct bench_image *image)
{
  char path[4096];
  const int needed = snprintf(path, sizeof(path), "%s/ovms-%s.bin", folder, known->version);
  image->bytes = malloc(known->length);
  image->length = known->length;
  const bool good = needed > 0 && (size_t)needed < sizeof(path) && image->bytes != NULL &&
                    read_bytes(path, known->length, image->bytes) &&
                    has_digest(image->bytes, known->length, known->sha256);
  if (!good) {
    snprintf(images->note, sizeof(images->note),
             "made images of the same sizes (ovms-%s.bin in LIFEBOAT_FIRMWARE is missing or not the right one)",
             known->version);
  }
  return good;
}

static bool load_real(struct images *images)
{
  const char *folder = getenv("LIFEBOAT_FIRMWARE");
  if (folder == NULL || folder[0] == '\0') {
    snprintf(images->note, sizeof(images->note), "made images of the same sizes (LIFEBOAT_FIRMWARE is not set)");
    return false;
  }
  for (int i = 0; i < IMAGES_COUNT; i++) {
    if (!load_one(images, folder, &known_images[i], &images->version[i])) {
      images_free(images);
      return false;
    }
  }
  snprintf(images->note, sizeof(images->note), "real OVMS images (LIFEBOAT_FIRMWARE)");
  return true;
}

/* ---- made ones ---- */

/* Both at the place in their page that the headers before them leave, so that no padding is needed in between. */
#define DATA_ADDRESS 0x3F400020U
#define CODE_ADDRESS 0x400D1020U
#define CODE_OFFSET  0x101020U /* of the code in the image */
#define DATA_LENGTH  (CODE_OFFSET - LB_IMAGE_SEGMENT_HEADER_SIZE - LB_IMAGE_DESCRIPTION_OFFSET)
#define TAIL         48U /* padding, checksum and digest */

/*
 * What they hold: noise of half a byte's entropy in each byte, so that compressing it halves it. Another seed has no
 * sector in common with it. As in versions of real firmware, some is new and some has only moved, or a few bytes
 * differ.
 */
struct recipe {
  uint32_t seed;
  uint32_t fresh;      /* bytes at the beginning that are another seed's */
  uint32_t moved_by;   /* bytes by which the rest lies further on: no multiple of anything */
  uint32_t odd_places; /* where one byte differs, all over it */
};

static const struct recipe recipes[IMAGES_COUNT] = {
    [IMAGES_585] = {.seed = 1},
    [IMAGES_658] = {.seed = 1, .fresh = 96000, .moved_by = 1001},
    [IMAGES_600] = {.seed = 2},
    [IMAGES_601] = {.seed = 2, .odd_places = 150},
};

#define NO_ADDRESS 0x0CU /* low half of a byte that does not begin an instruction with an address */

/* xorshift */
static void fill(uint8_t *bytes, uint32_t length, uint32_t seed)
{
  uint32_t state = seed * 2654435761U + 1U;
  for (uint32_t i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    bytes[i] = (uint8_t)(state >> 28 << 4 | NO_ADDRESS);
  }
}

static void follow(const struct recipe *recipe, uint8_t *noise, uint32_t length)
{
  fill(noise + recipe->moved_by, length - recipe->moved_by, recipe->seed);
  fill(noise, recipe->fresh, recipe->seed + IMAGES_COUNT);
  for (uint32_t i = 0; i < recipe->odd_places; i++) {
    noise[LB_IMAGE_DESCRIPTION_SIZE + i * (length / recipe->odd_places - 1U)] ^= 0x10U;
  }
}

static bool add_parts(struct image_parts *parts, const struct known_image *known, const struct recipe *recipe)
{
  const uint32_t code_length = known->length - TAIL - CODE_OFFSET;
  uint8_t *noise = malloc(known->length);
  if (noise == NULL) {
    report_error("not enough memory for an image");
    return false;
  }
  follow(recipe, noise, known->length);
  memset(noise, 0, LB_IMAGE_DESCRIPTION_SIZE);
  lb_store_le32(noise, LB_IMAGE_DESCRIPTION_MAGIC);
  const bool good = image_parts_add(parts, "data", DATA_ADDRESS, noise, DATA_LENGTH) &&
                    image_parts_add(parts, "code", CODE_ADDRESS, noise + DATA_LENGTH, code_length);
  free(noise);
  return good;
}

static bool make_one(const struct known_image *known, const struct recipe *recipe, struct bench_image *image)
{
  const struct image_header header = {
      .chip = lb_chip_by_name("esp32"), .entry = CODE_ADDRESS, .spi_mode = 2, .flash_size = 4};
  const struct image_description_fields fields = {
      .version = known->version, .project = "ovms3", .date = "Jan  1 2022", .time = "00:00:00"};
  struct image_parts parts = {0};
  struct image_bytes built = {0};
  const bool good = add_parts(&parts, known, recipe) && image_parts_arrange(&parts, header.chip) &&
                    image_describe(&parts, header.chip, &fields) && image_build(&header, &parts, known->length, &built);
  image_parts_free(&parts);
  *image = (struct bench_image){built.data, built.length};
  return good;
}

static bool make_all(struct images *images)
{
  for (int i = 0; i < IMAGES_COUNT; i++) {
    if (!make_one(&known_images[i], &recipes[i], &images->version[i])) {
      images_free(images);
      return false;
    }
  }
  return true;
}

bool images_load(struct images *images)
{
  memset(images, 0, sizeof(*images));
  images->real = load_real(images);
  return images->real || make_all(images);
}

void images_free(struct images *images)
{
  for (int i = 0; i < IMAGES_COUNT; i++) {
    free(images->version[i].bytes);
    images->version[i] = (struct bench_image){0};
  }
}

uint32_t images_equal_sectors(const struct bench_image *image, const struct bench_image *other, uint32_t sector)
{
  uint32_t equal = 0;
  for (uint32_t at = 0; at < image->length; at += sector) {
    const uint32_t size = image->length - at < sector ? image->length - at : sector;
    const bool inside = at < other->length && size <= other->length - at;
    equal += inside && memcmp(image->bytes + at, other->bytes + at, size) == 0 ? 1 : 0;
  }
  return equal;
}
