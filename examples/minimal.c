// SPDX-License-Identifier: MIT
/*
 * The smallest product with Lifeboat: a flash driver, hashes, the bootloader, and an update from memory into the other
 * slot. Its chip is 4 MB of RAM here; docs/integrating.md goes through it. Compiled and run by the tests.
 *
 *   minimal TABLE FACTORY-IMAGE NEW-IMAGE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/bootloader.h"
#include "lifeboat/target.h"
#include "lifeboat/update.h"
#include "ports/mbedtls/hash.h"

#define FLASH_SIZE (16U << 20)

/* ---- 1. the flash driver: here a piece of memory that behaves like NOR flash ---- */

static uint8_t memory[FLASH_SIZE];

static int chip_read(void *context, uint32_t address, void *buffer, uint32_t length)
{
  (void)context;
  memcpy(buffer, memory + address, length);
  return 0;
}

static int chip_program(void *context, uint32_t address, const void *data, uint32_t length)
{
  const uint8_t *bytes = data;
  (void)context;
  for (uint32_t i = 0; i < length; i++) {
    memory[address + i] &= bytes[i];
  }
  return 0;
}

static int chip_erase(void *context, uint32_t address, uint32_t length)
{
  (void)context;
  memset(memory + address, 0xFF, length);
  return 0;
}

static const struct lb_flash flash = {
    .read = chip_read,
    .program = chip_program,
    .erase = chip_erase,
    .size = FLASH_SIZE,
    .page_size = 256,
    .erase_sizes = {4096, 32768, 65536},
};

/* ---- 2. hashes: Mbed TLS, each with a state of its own ---- */

static struct mbedtls_hash sha256_state, md5_state;
static struct lb_hash sha256, md5;

/* ---- 3. the bootloader ---- */

static void log_piece(void *context, const char *text)
{
  (void)context;
  fputs(text, stdout);
}

static struct bootloader bootloader;

static int boot(void)
{
  bootloader.device = (struct lb_device){
      .flash = &flash, .sha256 = &sha256, .md5 = &md5, .chip = lb_chip_by_name("esp32"), .revision = 300};
  bootloader.log = log_piece;
  bootloader.reset = LB_RESET_COMMANDED; /* on a board: as the reset register says */
  return bootloader_run(&bootloader); /* on a board: then load the segments of bootloader.verify.image.info and jump */
}

/* ---- 4. the update, in the firmware ---- */

static int choose_target(const struct lb_device *device, const struct lb_partition *running, struct lb_partition *slot)
{
  static struct lb_target target;
  int result = lb_target_start(&target, device, running);
  while (result == LB_OK && (result = lb_target_step(&target)) == LB_MORE) {
    result = LB_OK; /* feed the watchdog here */
  }
  *slot = target.slot;
  return result;
}

static int give(struct lb_update *update, const uint8_t *piece, uint32_t length)
{
  int err = LB_OK;
  while (!err && length > 0) {
    uint32_t used; /* it may take less than all, even nothing: the rest is given again */
    err = lb_update_write(update, piece, length, &used);
    piece += used;
    length -= used;
  }
  return err;
}

static int update(const struct lb_partition *running, const char *project, const uint8_t *image, uint32_t length)
{
  static struct lb_table table;
  static struct lb_update session;
  static uint8_t sector[4096]; /* lb_flash_sector(&flash) bytes */
  const struct lb_device device = {.flash = &flash,
                                   .sha256 = &sha256,
                                   .md5 = &md5,
                                   .table = &table,
                                   .chip = lb_chip_by_name("esp32"),
                                   .revision = 300};
  struct lb_update_config config = {
      .device = &device,
      .running = *running,
      .size = length,
      .project = project,
      .sector_buffer = sector,
      .trial = {.attempts = 3},
  };
  int err = lb_table_read(&table, &flash, &md5);
  if (!err) {
    err = choose_target(&device, running, &config.target);
  }
  if (!err) {
    err = lb_update_start(&session, &config);
  }
  if (!err) {
    err = give(&session, image, length); /* in a real product: piece by piece, as they come */
  }
  while (!err && (err = lb_update_finish(&session)) == LB_MORE) {
    err = LB_OK; /* feed the watchdog here */
  }
  return err;
}

/* ---- 5. the new firmware, on trial ---- */

/* In a real product: after it has run for some minutes, and has reached the server that updates come from. */
static int confirm(const struct lb_partition *running)
{
  const struct lb_device device = {
      .flash = &flash, .sha256 = &sha256, .md5 = &md5, .table = &bootloader.table, .revision = 300};
  return lb_trial_confirm(&device, running);
}

/* ---- what a factory and a network would do ---- */

static uint32_t load(const char *path, uint8_t *bytes, uint32_t most)
{
  FILE *file = fopen(path, "rb");
  size_t length = file ? fread(bytes, 1, most, file) : 0;
  if (file) {
    fclose(file);
  }
  if (length == 0) {
    fprintf(stderr, "Error: cannot read %s\n", path);
    exit(EXIT_FAILURE);
  }
  return (uint32_t)length;
}

int main(int argc, char **argv)
{
  static uint8_t image[4U << 20];
  if (argc != 4) {
    fputs("Usage: minimal TABLE FACTORY-IMAGE NEW-IMAGE\n", stderr);
    return 2;
  }
  mbedtls_hash_sha256(&sha256, &sha256_state);
  mbedtls_hash_md5(&md5, &md5_state);
  memset(memory, 0xFF, sizeof memory);
  load(argv[1], memory + LB_TABLE_ADDRESS, LB_TABLE_SECTOR);
  load(argv[1], memory + LB_TABLE_COPY_ADDRESS, LB_TABLE_SECTOR);
  load(argv[2], memory + 0x10000, 4U << 20);
  uint32_t length = load(argv[3], image, sizeof image);

  int err = boot();
  if (!err) {
    err = update(&bootloader.decision.partition, bootloader.verify.image.info.description.project, image, length);
  }
  if (!err) {
    err = boot();
  }
  if (!err) {
    err = confirm(&bootloader.decision.partition);
  }
  if (!err) {
    err = boot();
  }
  if (err) {
    fprintf(stderr, "Error: %s - %s\n", lb_error_info(err)->cause, lb_error_info(err)->remedy);
  }
  return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
