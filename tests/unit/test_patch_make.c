// SPDX-License-Identifier: MIT
/*
 * The maker of patches: what it makes gives the result again, whatever the files are. Random files, images whose
 * headers lie, files that repeat themselves, both profiles; errors, progress and cancelling. A failure names its seed.
 */
#include "tool/patch/make.h"

#include "lifeboat/bytes.h"
#include "tests/unit/support/unit.h"
#include "tool/patch/plan.h"

#define HEADER         24U
#define SEGMENT_HEADER 8U
#define COMMON         800U /* bytes that all sealed images begin with */
#define ROUNDS         120U
#define LONGEST        5000U
#define OVERHEAD       100U /* bytes by which a patch may be larger than the result, besides one in a hundred */

static uint32_t seed;

static uint32_t random_below(uint32_t limit)
{
  seed ^= seed << 13;
  seed ^= seed >> 17;
  seed ^= seed << 5;
  return seed % limit;
}

struct file {
  uint8_t bytes[2U * LONGEST];
  uint32_t length;
};

/* ---- files ---- */

static void fill_random(struct file *file, uint32_t length)
{
  file->length = length;
  for (uint32_t i = 0; i < length; i++) {
    file->bytes[i] = (uint8_t)random_below(256);
  }
}

/* Instructions and addresses as they may be in an image for that chip; not more than that many kinds of bytes. */
static void fill_segment(uint8_t *bytes, uint32_t length, uint32_t load, uint32_t span)
{
  static const uint8_t instructions[] = {0x25, 0x21, 0x36, 0x1D, 0x81, 0x6F, 0xEF, 0x17, 0x97, 0x13, 0x00};
  for (uint32_t i = 0; i < length; i++) {
    bytes[i] = random_below(3) ? (uint8_t)random_below(256) : instructions[random_below(sizeof(instructions))];
  }
  for (uint32_t i = 0; i + 4U <= length; i += 4U + 4U * random_below(8)) {
    if (random_below(2)) {
      lb_store_le32(bytes + i, load + random_below(span));
    }
  }
}

/* An image of up to three segments; sealed neither by checksum nor by digest. */
static void fill_image(struct file *file)
{
  static const uint8_t chips[] = {0, 2, 5, 9, 12, 13, 16, 77};
  static const uint32_t loads[] = {0x3F400020, 0x400D0020, 0x42000020, 0x3C000020, 0x80000000, 0x3FFB0000, 0xFFFFFFF0};
  memset(file->bytes, 0, HEADER);
  file->bytes[0] = 0xE9;
  file->bytes[1] = (uint8_t)(1U + random_below(3));
  file->bytes[12] = chips[random_below(sizeof(chips))];
  file->bytes[23] = (uint8_t)random_below(2);
  file->length = HEADER;
  for (uint8_t i = 0; i < file->bytes[1]; i++) {
    uint32_t load = loads[random_below(sizeof(loads) / sizeof(loads[0]))];
    uint32_t length = random_below(LONGEST / 4U);
    lb_store_le32(file->bytes + file->length, load);
    lb_store_le32(file->bytes + file->length + 4, length);
    fill_segment(file->bytes + file->length + SEGMENT_HEADER, length, load, length + 1U);
    file->length += SEGMENT_HEADER + length;
  }
}

/* Some bytes changed, taken out, moved or repeated; in headers, too, which say what is not so then. */
static void mutate(struct file *file, const struct file *from)
{
  *file = *from;
  for (uint32_t i = random_below(6); i > 0 && file->length > HEADER; i--) {
    uint32_t at = random_below(file->length);
    uint32_t length = random_below(file->length - at < 200U ? file->length - at : 200U);
    switch (random_below(4)) {
    case 0:
      file->bytes[random_below(2) ? at : random_below(HEADER + SEGMENT_HEADER)] ^= (uint8_t)(1U << random_below(8));
      break;
    case 1:
      memmove(file->bytes + at, file->bytes + at + length, file->length - at - length);
      file->length -= length;
      break;
    case 2:
      if (file->length + length <= sizeof(file->bytes)) {
        memmove(file->bytes + at + length, file->bytes + at, file->length - at);
        file->length += length;
      }
      break;
    default:
      lb_store_le32(file->bytes + HEADER + (random_below(2) ? 4U : 0),
                    random_below(2) ? 0xFFFFFFFFU - random_below(64) : random_below(file->length));
      break;
    }
  }
}

/* An image of that many segments that is sealed by checksum and digest; what lies behind COMMON is from `fill`. */
static void fill_sealed(struct file *file, uint8_t segments, uint32_t length, uint8_t (*fill)(uint32_t offset))
{
  uint8_t checksum = 0xEF;
  memset(file->bytes, 0, sizeof(file->bytes));
  file->bytes[0] = 0xE9;
  file->bytes[1] = segments;
  file->bytes[23] = 1;
  file->length = HEADER;
  for (uint8_t i = 0; i < segments; i++) {
    lb_store_le32(file->bytes + file->length, 0x400D0020); /* code, for the walker */
    lb_store_le32(file->bytes + file->length + 4, length / segments);
    file->length += SEGMENT_HEADER;
    for (uint32_t end = file->length + length / segments; file->length < end; file->length++) {
      file->bytes[file->length] =
          file->length < COMMON ? (uint8_t)(lb_patch_hash(file->length) >> 24) : fill(file->length);
      checksum ^= file->bytes[file->length];
    }
  }
  file->length += 16U - file->length % 16U;
  file->bytes[file->length - 1U] = checksum;
  assert_int_equal(patch_sha256(file->bytes, file->length, file->bytes + file->length), LB_OK);
  file->length += LB_SHA256_SIZE;
}

/* Numbers of 28 bits, of which what looks for instructions makes nothing. */
static uint8_t any_number(uint32_t offset)
{
  return (uint8_t)random_below(offset % 4U == 3U ? 16U : 256U);
}

static uint8_t zero(uint32_t offset)
{
  (void)offset;
  return 0;
}

/* ---- making ---- */

/* A copy in a block of its own, so that the sanitizer sees each access outside. */
static uint8_t *copy_of(const struct file *file)
{
  uint8_t *copy = malloc(file->length ? file->length : 1U);
  assert_non_null(copy);
  memcpy(copy, file->bytes, file->length);
  return copy;
}

static void assert_made(const struct file *base, const struct file *result, uint8_t profile, const char *what)
{
  uint32_t started = seed;
  struct patch_make_options options = {.profile = profile};
  struct patch_bytes patch;
  struct patch_bytes made;
  uint8_t *from = copy_of(base);
  uint8_t *into = copy_of(result);
  int status = patch_make(from, base->length, into, result->length, &options, &patch);
  if (status != LB_OK) {
    fail_here("%s, seed 0x%08x: %s", what, started, patch_error_text(status));
  }
  status = patch_apply(from, base->length, patch.data, patch.length, &made);
  if (status != LB_OK || made.length != result->length || memcmp(made.data, into, result->length) != 0) {
    fail_here("%s, seed 0x%08x: applying gives %d and %u of %u bytes", what, started, status, made.length,
              result->length);
  }
  if (patch.length > result->length + result->length / 100U + OVERHEAD) {
    fail_here("%s, seed 0x%08x: %u bytes for %u", what, started, patch.length, result->length);
  }
  free(patch.data);
  free(made.data);
  free(from);
  free(into);
}

static void assert_made_with_both(const struct file *base, const struct file *result, const char *what)
{
  assert_made(base, result, LB_PATCH_PROFILE_DEFAULT, what);
  assert_made(base, result, LB_PATCH_PROFILE_SMALL, what);
}

/* ---- tests ---- */

static void test_random_files(void **state)
{
  (void)state;
  static struct file base;
  static struct file result;
  seed = 0x5EED0001;
  for (uint32_t i = 0; i < ROUNDS / 4U; i++) {
    fill_random(&base, i < 3U ? i : random_below(LONGEST + 1U));
    fill_random(&result, i % 5U == 0 ? i / 5U : random_below(LONGEST + 1U));
    assert_made_with_both(&base, &result, "random files");
    mutate(&result, &base);
    assert_made_with_both(&base, &result, "a random file, changed");
  }
}

static void test_hostile_images(void **state)
{
  (void)state;
  static struct file base;
  static struct file first;
  static struct file second;
  seed = 0x5EED0002;
  for (uint32_t i = 0; i < ROUNDS; i++) {
    fill_image(&base);
    mutate(&first, &base);
    mutate(&second, &base);
    assert_made(&first, &second, (uint8_t)(LB_PATCH_PROFILE_DEFAULT + i % 2U), "changed images");
  }
}

/* Long runs of equal bytes and short periods: nothing takes long that is found everywhere. */
static void test_repeating_files(void **state)
{
  (void)state;
  static struct file base;
  static struct file result;
  seed = 0x5EED0003;
  for (uint32_t period = 1; period < 40U; period = 2U * period + 1U) {
    base.length = sizeof(base.bytes);
    result.length = sizeof(result.bytes);
    for (uint32_t i = 0; i < base.length; i++) {
      base.bytes[i] = (uint8_t)(i % period * 7U);
      result.bytes[i] = (uint8_t)((i + 1U) % period * 7U);
    }
    for (uint32_t i = 0; i < 20U; i++) {
      result.bytes[random_below(result.length)] ^= 1U;
    }
    assert_made_with_both(&base, &result, "files that repeat themselves");
  }
}

static void test_edges(void **state)
{
  (void)state;
  static struct file base;
  static struct file none;
  seed = 0x5EED0004;
  fill_image(&base);
  assert_made_with_both(&base, &base, "two equal files");
  assert_made_with_both(&base, &none, "an empty result");
  assert_made_with_both(&none, &base, "no base");
  assert_made_with_both(&none, &none, "nothing at all");
}

static void test_errors(void **state)
{
  (void)state;
  struct patch_make_options options = {.profile = 9};
  struct patch_bytes patch = {.length = 5};
  uint8_t byte = 0;
  assert_int_equal(patch_make(&byte, 1, &byte, 1, &options, &patch), LB_ERR_ARGUMENT);
  assert_null(patch.data);
  assert_int_equal(patch.length, 0);
  options.profile = LB_PATCH_PROFILE_DEFAULT;
  assert_int_equal(patch_make(&byte, PATCH_LENGTH_MAX + 1U, &byte, 1, &options, &patch), PATCH_INPUT_TOO_LONG);
  assert_int_equal(patch_make(&byte, 1, &byte, PATCH_LENGTH_MAX + 1U, &options, &patch), PATCH_INPUT_TOO_LONG);
  assert_string_equal(patch_error_text(PATCH_CANCELLED), "interrupted");
  assert_string_equal(patch_error_text(LB_ERR_PATCH_CRC), lb_error_info(LB_ERR_PATCH_CRC)->cause);
}

struct watch {
  uint32_t calls;
  uint32_t last;
  uint32_t cancel_at;
  uint32_t attempts;
  bool backwards;
};

static bool watch_progress(void *context, uint32_t done, uint32_t total)
{
  struct watch *watch = context;
  watch->backwards = watch->backwards || done < watch->last || done > total;
  watch->last = done;
  return ++watch->calls != watch->cancel_at;
}

static void watch_attempt(void *context, const struct patch_attempt *attempt)
{
  struct watch *watch = context;
  double bits = 0;
  for (uint32_t i = 0; i < attempt->kind_count; i++) {
    bits += attempt->bits[i];
  }
  assert_true(bits / 8 <= attempt->length);
  watch->attempts++;
}

static void test_progress_and_cancelling(void **state)
{
  (void)state;
  static struct file base;
  static struct file result;
  struct watch watch = {0};
  struct patch_make_options options = {LB_PATCH_PROFILE_SMALL, watch_progress, watch_attempt, &watch};
  struct patch_bytes patch;
  seed = 0x5EED0005;
  fill_image(&base);
  mutate(&result, &base);
  assert_int_equal(patch_make(base.bytes, base.length, result.bytes, result.length, &options, &patch), LB_OK);
  assert_true(patch.length > 0 && watch.calls > 3U && watch.attempts > 0);
  assert_false(watch.backwards);
  free(patch.data);
  uint32_t calls = watch.calls;
  for (uint32_t at = 1; at <= calls; at++) {
    watch = (struct watch){.cancel_at = at};
    assert_int_equal(patch_make(base.bytes, base.length, result.bytes, result.length, &options, &patch),
                     PATCH_CANCELLED);
    assert_null(patch.data);
    assert_int_equal(watch.calls, at);
  }
}

static void test_inspecting(void **state)
{
  (void)state;
  static struct file base;
  struct patch_make_options options = {.profile = LB_PATCH_PROFILE_SMALL};
  struct lb_patch_info info;
  struct patch_bytes patch;
  seed = 0x5EED0006;
  fill_random(&base, 700);
  assert_int_equal(patch_make(NULL, 0, base.bytes, base.length, &options, &patch), LB_OK);
  assert_int_equal(patch_inspect(patch.data, patch.length, &info), LB_OK);
  assert_int_equal(info.result_length, 700);
  assert_true(patch_crc_is_good(patch.data, patch.length, &info));
  patch.data[patch.length - 1U] ^= 1U;
  assert_false(patch_crc_is_good(patch.data, patch.length, &info));
  assert_int_equal(patch_inspect(patch.data, LB_PATCH_HEADER_SIZE - 1U, &info), LB_ERR_PATCH_TRUNCATED);
  assert_int_equal(patch_inspect(patch.data, 2, &info), LB_ERR_PATCH_MAGIC);
  assert_int_equal(patch_inspect(base.bytes, base.length, &info), LB_ERR_PATCH_MAGIC);
  free(patch.data);
}

static void test_digest(void **state)
{
  (void)state;
  /* SHA-256 of nothing: a file of just these 32 bytes is sealed */
  static const uint8_t nothing[LB_SHA256_SIZE] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
                                                  0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
                                                  0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
  uint8_t digest[LB_SHA256_SIZE];
  bool sealed = true;
  assert_int_equal(patch_digest(NULL, 0, digest, &sealed), LB_OK);
  assert_false(sealed);
  assert_memory_equal(digest, nothing, sizeof(digest));
  assert_int_equal(patch_digest(nothing, sizeof(nothing), digest, &sealed), LB_OK);
  assert_true(sealed);
  assert_memory_equal(digest, nothing, sizeof(digest));
}

/* The header of the patch that makes this image from that base, and the digest that image and patch should have. */
static void assert_named(const struct file *base, const struct file *image, uint8_t profile, struct lb_patch_info *info,
                         const uint8_t *digest)
{
  struct patch_make_options options = {.profile = profile};
  struct patch_bytes patch;
  assert_int_equal(patch_make(base->bytes, base->length, image->bytes, image->length, &options, &patch), LB_OK);
  assert_int_equal(patch_inspect(patch.data, patch.length, info), LB_OK);
  assert_memory_equal(info->result_digest, digest, LB_SHA256_SIZE);
  free(patch.data);
}

/* An image has one digest, whatever way to make it is the best. */
static void test_digest_of_images(void **state)
{
  (void)state;
  static struct file base;
  static struct file image;
  struct lb_patch_info info;
  uint8_t all[LB_SHA256_SIZE];
  seed = 0x5EED0007;
  fill_sealed(&base, 1, LONGEST, zero);
  fill_sealed(&image, 1, LONGEST, any_number); /* mostly changed: no walker is smaller */
  const uint8_t *sealed = image.bytes + image.length - LB_SHA256_SIZE;
  for (uint8_t profile = LB_PATCH_PROFILE_DEFAULT; profile <= LB_PATCH_PROFILE_SMALL; profile++) {
    assert_named(&base, &image, profile, &info, sealed);
    assert_true(info.walker == LB_PATCH_WALKER_NONE && info.base_length > 0 && info.tail > 0);
  }
  fill_sealed(&base, 9, LONGEST, zero);
  fill_sealed(&image, 9, LONGEST, any_number);
  sealed = image.bytes + image.length - LB_SHA256_SIZE;
  assert_named(&base, &image, LB_PATCH_PROFILE_DEFAULT, &info, sealed);
  /* the small profile keeps eight segments: it cannot compute the end */
  assert_int_equal(patch_sha256(image.bytes, image.length, all), LB_OK);
  assert_named(&base, &image, LB_PATCH_PROFILE_SMALL, &info, all);
  assert_int_equal(info.tail, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_files),     cmocka_unit_test(test_hostile_images),
      cmocka_unit_test(test_repeating_files),  cmocka_unit_test(test_edges),
      cmocka_unit_test(test_errors),           cmocka_unit_test(test_progress_and_cancelling),
      cmocka_unit_test(test_inspecting),       cmocka_unit_test(test_digest),
      cmocka_unit_test(test_digest_of_images),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
