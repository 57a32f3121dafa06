// SPDX-License-Identifier: MIT
/* What is started is what was verified: segments that read differently the second time are noticed. */
#define _GNU_SOURCE
#include "boot/load.h"

#include <string.h>
#include <sys/mman.h>

#include "ports/mbedtls/hash.h"
#include "tests/unit/support/image_builder.h"
#include "tests/unit/support/unit.h"

#define MEMORY      0x20000000U /* free in every process, also beside a sanitizer's shadow */
#define MEMORY_SIZE 0x100000U
#define ADDRESS     0x10000U
#define CHIP_SIZE   0x40000U

struct chip {
  uint8_t bytes[CHIP_SIZE];
  uint32_t flip[2]; /* addresses whose lowest bit reads wrongly; 0: none */
  bool broken;
};

static struct chip chip;

static int read_chip(void *context, uint32_t address, void *buffer, uint32_t length)
{
  struct chip *from = context;
  memcpy(buffer, from->bytes + address, length);
  for (uint32_t i = 0; i < 2; i++) {
    if (from->flip[i] >= address && from->flip[i] - address < length) {
      ((uint8_t *)buffer)[from->flip[i] - address] ^= 1;
    }
  }
  return from->broken ? -1 : 0;
}

static const struct lb_flash flash = {.context = &chip, .read = read_chip, .size = CHIP_SIZE, .page_size = 256};

/* An image of three segments, one of them longer than what is read at once. */
static struct built_image make(void)
{
  struct image_plan plan;
  struct built_image image;

  image_plan_small(&plan, 7);
  plan.segment_count = 3;
  plan.segments[0] = (struct image_plan_segment){.base = MEMORY, .length = 260};
  plan.segments[1] = (struct image_plan_segment){.base = MEMORY + 0x1000, .length = 9004};
  plan.segments[2] = (struct image_plan_segment){.base = MEMORY + 0x8000, .length = 4};
  image_build(&image, &plan);
  memset(&chip, 0, sizeof chip);
  memcpy(chip.bytes + ADDRESS, image.bytes, image.length);
  memset((void *)(uintptr_t)MEMORY, 0xA5, MEMORY_SIZE);
  return image;
}

static int load(const struct lb_image_info *info)
{
  struct mbedtls_hash state;
  struct lb_hash sha256;

  mbedtls_hash_sha256(&sha256, &state);
  return load_segments(&flash, &sha256, ADDRESS, info);
}

static void test_segments_lie_where_they_belong(void **state)
{
  struct built_image image = make();

  (void)state;
  assert_result(load(&image.info), LB_OK);
  for (uint32_t i = 0; i < image.info.segment_count; i++) {
    const struct lb_image_segment *segment = &image.info.segments[i];
    const uint8_t *memory = (const uint8_t *)(uintptr_t)segment->load;
    assert_memory_equal(memory, image.bytes + segment->offset, segment->length);
    assert_int_equal(memory[segment->length], 0xA5);
  }
  image_free(&image);
}

static void test_every_byte_counts(void **state)
{
  struct built_image image = make();

  (void)state;
  for (uint32_t at = 0; at < image.info.length - LB_SHA256_SIZE; at += at < 700 ? 1 : 97) {
    chip.flip[0] = ADDRESS + at;
    assert_result(load(&image.info), LB_ERR_IMAGE_DIGEST);
  }
  image_free(&image);
}

/* Two bits of one column, which the image's xor does not notice. */
static void test_bits_that_make_up_for_each_other(void **state)
{
  struct built_image image = make();

  (void)state;
  chip.flip[0] = ADDRESS + image.info.segments[1].offset;
  chip.flip[1] = chip.flip[0] + 4096;
  assert_result(load(&image.info), LB_ERR_IMAGE_DIGEST);
  image_free(&image);
}

static void test_flash_that_cannot_be_read(void **state)
{
  struct built_image image = make();

  (void)state;
  chip.broken = true;
  assert_result(load(&image.info), LB_ERR_FLASH_READ);
  image_free(&image);
}

static int map_memory(void **state)
{
  (void)state;
  void *memory = mmap((void *)(uintptr_t)MEMORY, MEMORY_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  return memory == (void *)(uintptr_t)MEMORY ? 0 : -1;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_segments_lie_where_they_belong),
      cmocka_unit_test(test_every_byte_counts),
      cmocka_unit_test(test_bits_that_make_up_for_each_other),
      cmocka_unit_test(test_flash_that_cannot_be_read),
  };
  return cmocka_run_group_tests(tests, map_memory, NULL);
}
