// SPDX-License-Identifier: MIT
/*
 * How long a command keeps the console from answering: never longer than one erase of 64 KB and one page, by the flash
 * chip's own times on the virtual clock. A whole module runs here (support/world.h).
 */
#include "tests/unit/support/unit.h"
#include "tests/unit/support/world.h"

#define IMAGE_SIZE 1000000U

/* An update cannot be faster than its erases by 64 KB and its pages; and it must have done at least these. */
static void assert_update_time(uint64_t took)
{
  uint64_t least = (uint64_t)(IMAGE_SIZE / 0x10000) * 150000U + (uint64_t)(IMAGE_SIZE / 256) * 700U;

  assert_true(took >= least);
  assert_true(took < 3 * least);
}

static void test_flash_http(void **state)
{
  struct world *world = unit_allocate(sizeof(*world));

  (void)state;
  world_open(world, true);
  world_put_image(world, 0x10000, 300000, 1);
  world_put_image(world, 0x410000, IMAGE_SIZE, 2);
  world_put_image(world, 0x810000, 500000, 3);
  world_boot(world, "factory");
  assert_update_time(world_run(world, "ota flash http", LB_OK));
  world_assert_said(world, 0, "OTA flash was successful\n");
  world_assert_said(world, 0, "  Next boot will be from 'ota_0'\n");
  assert_true(sim_clock_longest_us(&world->clock) >= 150000U); /* it did erase by 64 KB, and the clock saw it */
  world_boot(world, "ota_0");

  /* from there into the other slot, with a selection that has to be erased */
  world_offer(world, 601, IMAGE_SIZE, "3.1.004");
  assert_update_time(world_run(world, "ota flash http", LB_OK));
  world_boot(world, "ota_1");
  world_close(world);
  free(world);
}

static void test_flash_over_the_selected_slot(void **state)
{
  struct world *world = unit_allocate(sizeof(*world));

  (void)state;
  world_open(world, true);
  world_put_image(world, 0x10000, 300000, 1);
  world_put_image(world, 0x410000, IMAGE_SIZE, 2);
  world_boot(world, "factory");
  assert_true(world_run(world, "ota boot ota_0", LB_OK) > 0);
  assert_update_time(world_run(world, "ota flash http to ota_0", LB_OK));
  world_boot(world, "ota_0");
  world_close(world);
  free(world);
}

static void test_flash_vfs(void **state)
{
  struct world *world = unit_allocate(sizeof(*world));

  (void)state;
  world_open(world, true);
  world_put_image(world, 0x10000, 300000, 1);
  world_put_image(world, 0x410000, IMAGE_SIZE, 2);
  world_boot(world, "factory");
  assert_update_time(world_run(world, "ota flash vfs /sd/ovms3.bin to ota_0", LB_OK));
  world_assert_said(world, 0, "  Flashed 1000000 bytes from /sd/ovms3.bin\n");
  world_boot(world, "ota_0");

  /* the same again, onto a slot that holds most of it already */
  memcpy(sim_flash_bytes(&world->flash) + 0x810000, world->image.bytes, world->image.length);
  sim_flash_bytes(&world->flash)[0x810000 + 0x70123] ^= 0x10;
  assert_true(world_run(world, "ota flash vfs /sd/ovms3.bin", LB_OK) > 0);
  world_boot(world, "ota_1");
  world_close(world);
  free(world);
}

static void test_boot(void **state)
{
  static const char *const labels[] = {"ota_1", "ota_0", "ota_1", "ota_1", "factory", "ota_0", "factory"};
  struct world *world = unit_allocate(sizeof(*world));

  (void)state;
  world_open(world, true);
  world_put_image(world, 0x10000, 300000, 1);
  world_put_image(world, 0x410000, IMAGE_SIZE, 2);
  world_put_image(world, 0x810000, 500000, 3);
  world_boot(world, "factory");
  for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
    char line[32];
    char answer[32];

    snprintf(line, sizeof(line), "ota boot %s", labels[i]);
    snprintf(answer, sizeof(answer), "Boot from %s at 0x", labels[i]);
    /* the image is read at 20 MB/s: 50 ns a byte */
    assert_true(world_run(world, line, LB_OK) >= 300000U / 20U);
    world_assert_said(world, 0, answer);
    world_boot(world, labels[i]);
  }
  world_close(world);
  free(world);
}

/* A full slot: reading it takes longer than any step may, so it has to be read in steps. */
static void test_boot_of_a_full_slot(void **state)
{
  struct world *world = unit_allocate(sizeof(*world));

  (void)state;
  world_open(world, false);
  world_put_image(world, 0x10000, 300000, 1);
  world_put_image(world, 0x710000, 5000000, 2);
  world_boot(world, "ota_0");
  assert_true(world_run(world, "ota boot ota_1", LB_OK) > WORLD_LONGEST_US);
  world_boot(world, "ota_1");
  world_close(world);
  free(world);
}

static void test_refused(void **state)
{
  struct world *world = unit_allocate(sizeof(*world));

  (void)state;
  world_open(world, true);
  world_put_image(world, 0x10000, 300000, 1);
  world_put_image(world, 0x410000, IMAGE_SIZE, 2);
  sim_flash_bytes(&world->flash)[0x410000 + IMAGE_SIZE - 1] ^= 1;
  world_boot(world, "factory");
  assert_true(world_run(world, "ota boot ota_0", LB_ERR_NOT_BOOTABLE) > 0);
  world_assert_said(world, 0, "(ESP_ERR_OTA_VALIDATE_FAILED, 5379)\n");
  world->image.bytes[IMAGE_SIZE - 1] ^= 1;
  assert_true(world_run(world, "ota flash http", LB_ERR_IMAGE_DIGEST) > 0);
  world_assert_said(world, 0, "Error: partition contained invalid app image");
  world_boot(world, "factory");
  world_close(world);
  free(world);
}

/* Copying reads a slot while it erases and programs another one. */
static void test_copy(void **state)
{
  struct world *world = unit_allocate(sizeof(*world));

  (void)state;
  world_open(world, true);
  world_put_image(world, 0x10000, IMAGE_SIZE, 1);
  world_put_image(world, 0x410000, IMAGE_SIZE, 2);
  world_put_image(world, 0x810000, 500000, 3);
  world_boot(world, "factory");
  assert_update_time(world_run(world, "ota copy factory ota_1", LB_OK));
  world_assert_said(world, 0, "  Copied 1000000 bytes from factory to ota_1\n");
  assert_true(sim_clock_longest_us(&world->clock) >= 150000U);
  assert_true(world_run(world, "ota copy factory ota_1", LB_OK) > 0); /* most of it is there already */
  assert_update_time(world_run(world, "ota copy ota_0 ota_1", LB_OK));
  world_close(world);
  free(world);
}

static void test_erase(void **state)
{
  struct world *world = unit_allocate(sizeof(*world));

  (void)state;
  world_open(world, true);
  world_put_image(world, 0x10000, 300000, 1);
  world_put_image(world, 0x410000, IMAGE_SIZE, 2);
  world_boot(world, "factory");
  assert_true(world_run(world, "ota erase ota_0", LB_OK) >= 64U * 150000U);
  world_close(world);
  free(world);
}

/* All images are read, and more than once if need be: many steps, each a short one. */
static void test_status_full(void **state)
{
  struct world *world = unit_allocate(sizeof(*world));

  (void)state;
  world_open(world, true);
  world_put_image(world, 0x10000, 3000000, 1);
  world_put_image(world, 0x410000, 3000000, 2);
  world_put_image(world, 0x810000, 3000000, 3);
  world_boot(world, "factory");
  assert_true(world_run(world, "ota status full", LB_OK) >= 9000000U / 20U);
  assert_true(sim_clock_longest_us(&world->clock) < 10000U); /* no step of it needs as long as an erase */
  world_assert_said(world, 0, "OTA_1 image:       3.1.001 (3000000 bytes");
  world_close(world);
  free(world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_flash_http),
      cmocka_unit_test(test_flash_over_the_selected_slot),
      cmocka_unit_test(test_flash_vfs),
      cmocka_unit_test(test_boot),
      cmocka_unit_test(test_boot_of_a_full_slot),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_copy),
      cmocka_unit_test(test_erase),
      cmocka_unit_test(test_status_full),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
