// SPDX-License-Identifier: MIT
/*
 * How long a command keeps the console from answering: never longer than one erase of 64 KB and one page, by the flash
 * chip's own times on the virtual clock. A whole module runs here, with a network and files that are bytes in memory.
 */
#include "boot/bootloader.h"
#include "module/console.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/unit.h"

#include "ports/mbedtls/hash.h"

#define LONGEST_US 150700U /* an erase of 64 KB, 150 ms, and a page, 0.7 ms */
#define IMAGE_SIZE 1000000U
#define IDLE_MS    50U
#define PIECE      1460U     /* what comes of the network at once */
#define PIECES_GAP 3U        /* and in only one of so many polls */
#define ENDLESS    10000000U /* polls */

/* ---- a network and files that hold one image ---- */

struct port_transfer {
  const struct built_image *image;
  uint32_t sent;
  uint32_t polls;
  bool open;
};

struct port_file {
  const struct built_image *image;
  uint32_t read;
  bool open;
};

struct world {
  struct sim_clock clock;
  struct sim_flash flash;
  struct built_image image;
  struct port_transfer transfer;
  struct port_file file;
  struct port_network network;
  struct port_files files;
  struct mbedtls_hash hash_contexts[3];
  struct lb_hash hashes[3];
  struct port port;
  struct bootloader bootloader;
  struct module_uptime uptime;
  struct module module;
  struct console console;
  char output[8192];
  size_t output_length;
};

static bool network_is_up(void *context)
{
  (void)context;
  return true;
}

static int network_open(void *context, const char *url, struct port_transfer **transfer)
{
  struct world *world = context;

  (void)url;
  assert_false(world->transfer.open);
  world->transfer = (struct port_transfer){.image = &world->image, .open = true};
  *transfer = &world->transfer;
  return LB_OK;
}

static int network_reply(struct port_transfer *transfer, struct port_reply *reply)
{
  *reply = (struct port_reply){.status = 200, .has_length = true, .length = transfer->image->length};
  return transfer->polls++ < PIECES_GAP ? LB_MORE : LB_OK;
}

static int network_read(struct port_transfer *transfer, void *buffer, uint32_t capacity, uint32_t *got)
{
  uint32_t left = transfer->image->length - transfer->sent;
  uint32_t piece = left < PIECE ? left : PIECE;

  *got = 0;
  if (transfer->polls++ % PIECES_GAP != 0) {
    return LB_MORE;
  }
  *got = piece < capacity ? piece : capacity;
  memcpy(buffer, transfer->image->bytes + transfer->sent, *got);
  transfer->sent += *got;
  return transfer->sent == transfer->image->length ? LB_OK : LB_MORE;
}

static void network_close(struct port_transfer *transfer)
{
  transfer->open = false;
}

static int files_open(void *context, const char *path, struct port_file **file, struct port_file_info *info)
{
  struct world *world = context;

  assert_string_equal(path, "/sd/ovms3.bin");
  assert_false(world->file.open);
  world->file = (struct port_file){.image = &world->image, .open = true};
  *file = &world->file;
  *info = (struct port_file_info){.size = world->image.length};
  return LB_OK;
}

static int files_read(struct port_file *file, void *buffer, uint32_t capacity, uint32_t *got)
{
  uint32_t left = file->image->length - file->read;

  *got = left < capacity ? left : capacity;
  memcpy(buffer, file->image->bytes + file->read, *got);
  file->read += *got;
  return LB_OK;
}

static void files_close(struct port_file *file)
{
  file->open = false;
}

/* ---- a module ---- */

static void keep_output(void *context, const char *text, size_t length)
{
  struct world *world = context;

  assert_true(world->output_length + length < sizeof(world->output));
  memcpy(world->output + world->output_length, text, length);
  world->output_length += length;
  world->output[world->output_length] = '\0';
}

static void ignore_log(void *context, const char *text)
{
  (void)context;
  (void)text;
}

static void put_table(struct world *world, const struct lb_partition *rows, uint32_t count)
{
  struct lb_table table;
  uint8_t *bytes = sim_flash_bytes(&world->flash);

  lb_table_start(&table);
  for (uint32_t i = 0; i < count; i++) {
    assert_result(lb_table_add(&table, &rows[i]), LB_OK);
  }
  assert_result(lb_table_finish(&table, world->flash.driver.size, &world->hashes[2]), LB_OK);
  memcpy(bytes + LB_TABLE_ADDRESS, table.bytes, LB_TABLE_SIZE);
  memcpy(bytes + LB_TABLE_COPY_ADDRESS, table.bytes, LB_TABLE_SIZE);
}

/* Puts an image into a slot, and something else behind it that an update has to erase. */
static void put_image(struct world *world, uint32_t address, uint32_t size, uint32_t seed)
{
  struct built_image image;
  uint8_t *bytes = sim_flash_bytes(&world->flash);

  image_make(&image, seed, size, "3.1.001");
  memcpy(bytes + address, image.bytes, size);
  memset(bytes + address + size, 0x5A, 0x200000);
  image_free(&image);
}

static void open_ports(struct world *world)
{
  world->network = (struct port_network){
      .context = world,
      .is_up = network_is_up,
      .open = network_open,
      .reply = network_reply,
      .read = network_read,
      .close = network_close,
  };
  world->files = (struct port_files){
      .context = world,
      .open = files_open,
      .read = files_read,
      .close = files_close,
  };
  world->port = (struct port){
      .flash = &world->flash.driver,
      .sha256 = &world->hashes[0],
      .sha256_other = &world->hashes[1],
      .md5 = &world->hashes[2],
      .chip = lb_chip_by_name("esp32"),
      .revision = 300,
      .clock = &world->clock.port,
      .files = &world->files,
      .network = &world->network,
      .idle = &world->flash.idle,
  };
}

/* Through the bootloader into a firmware with a console, without taking simulated time. */
static void boot(struct world *world, const char *expected)
{
  struct bootloader *bootloader = &world->bootloader;

  sim_flash_set_timing(&world->flash, NULL, NULL);
  world->flash.idle.poll = NULL;
  bootloader->device = (struct lb_device){
      .flash = world->port.flash,
      .sha256 = world->port.sha256,
      .md5 = world->port.md5,
      .chip = world->port.chip,
      .revision = world->port.revision,
  };
  bootloader->log = ignore_log;
  assert_result(bootloader_run(bootloader), LB_OK);
  assert_string_equal(bootloader->decision.partition.label, expected);
  module_start(&world->module, &world->port, &bootloader->table, &bootloader->decision, &bootloader->verify.image.info,
               &world->uptime);
  console_start(&world->console, &world->module, world, keep_output);
  sim_flash_set_timing(&world->flash, &sim_timing_w25q128jv, &world->clock);
}

static void open_world(struct world *world, bool factory)
{
  const struct sim_geometry geometry = sim_geometry_real(16U << 20);
  uint32_t count;
  const struct lb_partition *rows = factory ? layout_ovms(&count) : layout_7m(&count);

  memset(world, 0, sizeof(*world));
  sim_clock_start(&world->clock, SIM_CLOCK_VIRTUAL);
  assert_result(sim_flash_open_memory(&world->flash, &geometry), LB_OK);
  mbedtls_hash_sha256(&world->hashes[0], &world->hash_contexts[0]);
  mbedtls_hash_sha256(&world->hashes[1], &world->hash_contexts[1]);
  mbedtls_hash_md5(&world->hashes[2], &world->hash_contexts[2]);
  put_table(world, rows, count);
  image_make(&world->image, 600, IMAGE_SIZE, "3.1.003");
  open_ports(world);
}

static void close_world(struct world *world)
{
  image_free(&world->image);
  sim_flash_close(&world->flash);
}

/* ---- what is measured ---- */

/* Runs a command to its end, as the virtual module does. Returns the simulated time that it took, in microseconds. */
static uint64_t run(struct world *world, const char *line, int expected)
{
  uint64_t begin = sim_clock_now_us(&world->clock);
  uint32_t polls = 0;

  world->output_length = 0;
  world->output[0] = '\0';
  sim_clock_forget_checkpoints(&world->clock);
  sim_clock_checkpoint(&world->clock);
  int result = console_execute(&world->console, line);
  while (result == LB_MORE) {
    assert_true(polls++ < ENDLESS);
    sim_clock_checkpoint(&world->clock);
    result = console_poll(&world->console);
    if (console_is_waiting(&world->console)) {
      world->port.clock->idle(world->port.clock->context, IDLE_MS);
    }
  }
  sim_clock_checkpoint(&world->clock);
  uint64_t longest = sim_clock_longest_us(&world->clock);
  uint64_t took = sim_clock_now_us(&world->clock) - begin;
  print_message("%s: %llu us, at most %llu us between two polls\n", line, (unsigned long long)took,
                (unsigned long long)longest);
  if (result != expected) {
    fail_here("%s: %s\n%s", line, unit_result_name(result), world->output);
  }
  assert_true(longest <= LONGEST_US);
  assert_int_equal(world->flash.counters.refused, 0);
  assert_false(world->transfer.open);
  assert_false(world->file.open);
  return took;
}

static void assert_said(const struct world *world, const char *text)
{
  if (!strstr(world->output, text)) {
    fail_here("\"%s\" is not in:\n%s", text, world->output);
  }
}

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
  open_world(world, true);
  put_image(world, 0x10000, 300000, 1);
  put_image(world, 0x410000, IMAGE_SIZE, 2);
  put_image(world, 0x810000, 500000, 3);
  boot(world, "factory");
  assert_update_time(run(world, "ota flash http", LB_OK));
  assert_said(world, "OTA flash was successful\n");
  assert_said(world, "  Next boot will be from 'ota_0'\n");
  assert_true(sim_clock_longest_us(&world->clock) >= 150000U); /* it did erase by 64 KB, and the clock saw it */
  boot(world, "ota_0");

  /* from there into the other slot, with a selection that has to be erased */
  image_free(&world->image);
  image_make(&world->image, 601, IMAGE_SIZE, "3.1.004");
  assert_update_time(run(world, "ota flash http", LB_OK));
  boot(world, "ota_1");
  close_world(world);
  free(world);
}

static void test_flash_over_the_selected_slot(void **state)
{
  struct world *world = unit_allocate(sizeof(*world));

  (void)state;
  open_world(world, true);
  put_image(world, 0x10000, 300000, 1);
  put_image(world, 0x410000, IMAGE_SIZE, 2);
  boot(world, "factory");
  assert_true(run(world, "ota boot ota_0", LB_OK) > 0);
  assert_update_time(run(world, "ota flash http to ota_0", LB_OK));
  boot(world, "ota_0");
  close_world(world);
  free(world);
}

static void test_flash_vfs(void **state)
{
  struct world *world = unit_allocate(sizeof(*world));

  (void)state;
  open_world(world, true);
  put_image(world, 0x10000, 300000, 1);
  put_image(world, 0x410000, IMAGE_SIZE, 2);
  boot(world, "factory");
  assert_update_time(run(world, "ota flash vfs /sd/ovms3.bin to ota_0", LB_OK));
  assert_said(world, "  Flashed 1000000 bytes from /sd/ovms3.bin\n");
  boot(world, "ota_0");

  /* the same again, onto a slot that holds most of it already */
  memcpy(sim_flash_bytes(&world->flash) + 0x810000, world->image.bytes, world->image.length);
  sim_flash_bytes(&world->flash)[0x810000 + 0x70123] ^= 0x10;
  assert_true(run(world, "ota flash vfs /sd/ovms3.bin", LB_OK) > 0);
  boot(world, "ota_1");
  close_world(world);
  free(world);
}

static void test_boot(void **state)
{
  static const char *const labels[] = {"ota_1", "ota_0", "ota_1", "ota_1", "factory", "ota_0", "factory"};
  struct world *world = unit_allocate(sizeof(*world));

  (void)state;
  open_world(world, true);
  put_image(world, 0x10000, 300000, 1);
  put_image(world, 0x410000, IMAGE_SIZE, 2);
  put_image(world, 0x810000, 500000, 3);
  boot(world, "factory");
  for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
    char line[32];
    char answer[32];

    snprintf(line, sizeof(line), "ota boot %s", labels[i]);
    snprintf(answer, sizeof(answer), "Boot from %s at 0x", labels[i]);
    /* the image is read at 20 MB/s: 50 ns a byte */
    assert_true(run(world, line, LB_OK) >= 300000U / 20U);
    assert_said(world, answer);
    boot(world, labels[i]);
  }
  close_world(world);
  free(world);
}

/* A full slot: reading it takes longer than any step may, so it has to be read in steps. */
static void test_boot_of_a_full_slot(void **state)
{
  struct world *world = unit_allocate(sizeof(*world));

  (void)state;
  open_world(world, false);
  put_image(world, 0x10000, 300000, 1);
  put_image(world, 0x710000, 5000000, 2);
  boot(world, "ota_0");
  assert_true(run(world, "ota boot ota_1", LB_OK) > LONGEST_US);
  boot(world, "ota_1");
  close_world(world);
  free(world);
}

static void test_refused(void **state)
{
  struct world *world = unit_allocate(sizeof(*world));

  (void)state;
  open_world(world, true);
  put_image(world, 0x10000, 300000, 1);
  put_image(world, 0x410000, IMAGE_SIZE, 2);
  sim_flash_bytes(&world->flash)[0x410000 + IMAGE_SIZE - 1] ^= 1;
  boot(world, "factory");
  assert_true(run(world, "ota boot ota_0", LB_ERR_NOT_BOOTABLE) > 0);
  assert_said(world, "(ESP_ERR_OTA_VALIDATE_FAILED, 5379)\n");
  world->image.bytes[IMAGE_SIZE - 1] ^= 1;
  assert_true(run(world, "ota flash http", LB_ERR_IMAGE_DIGEST) > 0);
  assert_said(world, "Error: partition contained invalid app image");
  boot(world, "factory");
  close_world(world);
  free(world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_flash_http),          cmocka_unit_test(test_flash_over_the_selected_slot),
      cmocka_unit_test(test_flash_vfs),           cmocka_unit_test(test_boot),
      cmocka_unit_test(test_boot_of_a_full_slot), cmocka_unit_test(test_refused),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
