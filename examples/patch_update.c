// SPDX-License-Identifier: MIT
/*
 * An update by patch with the library alone: the patch is fetched into the free tail of the slot that will be written,
 * checked as a whole, and applied from there to what another slot holds. The link breaks off once on the way.
 * docs/integrating.md goes through it; examples/minimal.c has what a product needs besides. Compiled and run by the
 * tests.
 *
 *   patch_update TABLE FACTORY-IMAGE PATCH
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lifeboat/boot.h"
#include "lifeboat/claim.h"
#include "lifeboat/stage.h"
#include "lifeboat/target.h"
#include "lifeboat/update_patch.h"
#include "lifeboat/verify.h"
#include "ports/mbedtls/hash.h"

#define FLASH_SIZE (16U << 20)
#define PATCH_URL  "example.com/new.patch"
#define PATCH_TAG  "\"1\"" /* the server's strong ETag, with its quotes */

/* ---- a flash of memory, as in minimal.c ---- */

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

/* ---- hashes: the patch's own beside the session's ---- */

static struct mbedtls_hash sha256_state, patch_sha256_state, md5_state;
static struct lb_hash sha256, patch_sha256, md5;

/* ---- 1. the patch waits in the slot's tail ---- */

/* A server. `end` is where the link breaks off. */
struct link {
  const uint8_t *bytes;
  uint32_t at;
  uint32_t end;
};

/* Pieces of any size, as they come; 0: that was all. */
static uint32_t receive(struct link *link, uint8_t *buffer, uint32_t room)
{
  uint32_t left = link->end - link->at;
  uint32_t length = left < room ? left : room;
  memcpy(buffer, link->bytes + link->at, length);
  link->at += length;
  return length;
}

/* Is there a part of it from before? Then stage->position says how much, which need not come again. */
static int open_stage(struct lb_stage *stage, const struct lb_partition *target, const struct lb_stage_subject *subject)
{
  bool same = false;
  int err = lb_stage_open(stage, &flash, target);
  if (err == LB_OK) {
    err = lb_stage_is_about(stage, subject->source, subject->validator, &same);
  }
  if (err == LB_OK && (!same || stage->size != subject->size)) {
    err = LB_ERR_NO_STAGE;
  }
  while (err == LB_OK && (err = lb_stage_measure(stage)) == LB_MORE) {
    err = LB_OK; /* feed the watchdog here */
  }
  return err;
}

static int make_stage(struct lb_stage *stage, const struct lb_partition *target, const struct lb_stage_subject *subject)
{
  int err = lb_stage_start(stage, &flash, target, subject);
  while (err == LB_OK && (err = lb_stage_create(stage, subject)) == LB_MORE) {
    err = LB_OK;
  }
  return err;
}

/* Gives the stage what comes: it takes a page at a time. */
static int fill_stage(struct lb_stage *stage, struct link *link)
{
  static uint8_t buffer[1024]; /* some pages */
  uint32_t fill = 0;
  link->at = stage->position; /* HTTP: Range: bytes=<position>- and If-Range: <validator> */
  while (stage->position < stage->size) {
    uint32_t used = 0;
    fill += receive(link, buffer + fill, (uint32_t)sizeof buffer - fill);
    int err = lb_stage_write(stage, buffer, fill, &used);
    if (err) {
      return err;
    }
    fill -= used;
    memmove(buffer, buffer + used, fill);
    if (link->at == link->end && fill < flash.page_size && stage->position + fill < stage->size) {
      return LB_ERR_PATCH_TRUNCATED; /* the link is lost; what is staged stays */
    }
  }
  return LB_OK;
}

/* No byte of an image has been touched yet. What is no good is not kept: it would be found and refused again. */
static int check_stage(struct lb_stage *stage, const struct lb_partition *target)
{
  bool discarded;
  int err;
  while ((err = lb_stage_check(stage)) == LB_MORE) {
  }
  int end = lb_error_is_of_patch(err) ? lb_stage_discard(&flash, target, &discarded) : LB_OK;
  return err ? err : end;
}

static int fetch(struct lb_stage *stage, const struct lb_partition *target, const struct lb_stage_subject *subject,
                 struct link *link)
{
  int err = open_stage(stage, target, subject);
  if (err == LB_ERR_NO_STAGE) {
    err = make_stage(stage, target, subject); /* LB_ERR_STAGE_ROOM: apply it as it comes, without a stage */
  }
  if (!err) {
    printf("fetching from byte %u of %u on\n", (unsigned)stage->position, (unsigned)stage->size);
    err = fill_stage(stage, link);
  }
  return err ? err : check_stage(stage, target);
}

/* ---- 2. what it changes ---- */

/* The slot that states the digest of the patch's base. Whether its image is that the decoder finds out. */
static int find_base(const struct lb_device *device, const struct lb_partition *target,
                     const struct lb_patch_info *info, struct lb_partition *base)
{
  for (uint32_t i = 0; lb_table_app_slot(device->table, i, base) == LB_OK; i++) {
    struct lb_claim claim;
    if (!lb_partition_same(base, target) && lb_claim_read(&claim, device->flash, base) == LB_OK &&
        memcmp(claim.digest, info->base_digest, LB_PATCH_BASE_DIGEST) == 0) {
      return LB_OK;
    }
  }
  return LB_ERR_PATCH_BASE;
}

/* ---- 3. the update ---- */

static int give(struct lb_update_patch *by_patch, const struct lb_stage *stage)
{
  uint8_t chunk[256];
  uint32_t used = 0;
  int err = LB_OK;
  for (uint32_t at = 0; !err && at < stage->size; at += used) {
    uint32_t left = stage->size - at;
    uint32_t length = left < sizeof chunk ? left : (uint32_t)sizeof chunk;
    err = lb_stage_read(stage, at, chunk, length);
    if (!err) {
      err = lb_update_patch_write(by_patch, chunk, length, &used); /* it may take less than all, even nothing */
    }
  }
  while (!err && (err = lb_update_patch_finish(by_patch)) == LB_MORE) {
    err = LB_OK;
  }
  return err;
}

/* After a loss of power in here everything is done again: the session keeps the blocks that are right. */
static int apply(const struct lb_device *device, const struct lb_partition *running, const struct lb_partition *target,
                 const struct lb_partition *base, const struct lb_stage *stage, uint32_t image_size)
{
  static struct lb_update session;
  static struct lb_update_patch by_patch;
  static struct lb_patch_default decoder; /* struct lb_patch_small takes only patches of the small profile */
  static uint8_t sector[4096];            /* lb_flash_sector(&flash) bytes */
  const struct lb_update_config config = {
      .device = device,
      .running = *running,
      .target = *target,
      .size = image_size,
      .reserved = lb_stage_reserved(stage),
      .sector_buffer = sector,
      .source = PATCH_URL,
      .validator = "",
      .trial = {.attempts = 3},
  };
  bool discarded;
  int err = lb_update_start(&session, &config);
  if (!err) {
    err = lb_update_patch_start(&by_patch, &decoder.patch, sizeof decoder, &session, base, &patch_sha256);
  }
  if (!err) {
    err = give(&by_patch, stage);
  }
  while (!err && (err = lb_update_finish(&session)) == LB_MORE) {
    err = LB_OK;
  }
  bool leads_nowhere = lb_error_is_of_patch(err) || lb_error_is_of_image(err); /* else it waits for the next try */
  int end = !err || leads_nowhere ? lb_stage_discard(&flash, target, &discarded) : LB_OK;
  return err ? err : end;
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

static int choose_target(const struct lb_device *device, const struct lb_partition *running, struct lb_partition *slot)
{
  static struct lb_target target;
  int result = lb_target_start(&target, device, running);
  while (result == LB_OK && (result = lb_target_step(&target)) == LB_MORE) {
    result = LB_OK;
  }
  *slot = target.slot;
  return result;
}

static int update(const struct lb_device *device, const struct lb_partition *running, const uint8_t *patch,
                  uint32_t length)
{
  struct lb_partition target, base;
  struct lb_patch_info info;
  struct lb_stage stage;
  struct link link = {.bytes = patch, .end = length / 2};
  int err = length < LB_PATCH_HEADER_SIZE ? LB_ERR_PATCH_TRUNCATED : lb_patch_read_header(&info, patch);
  if (!err) {
    err = choose_target(device, running, &target);
  }
  if (!err && info.base_length > 0) {
    err = find_base(device, &target, &info, &base);
  }
  if (err) {
    return err;
  }
  const struct lb_stage_subject subject = {
      .source = PATCH_URL, .validator = PATCH_TAG, .size = length, .image_size = info.result_length};
  printf("%u bytes instead of %u, from %s to %s\n", (unsigned)length, (unsigned)info.result_length,
         info.base_length > 0 ? base.label : "nothing", target.label);
  err = fetch(&stage, &target, &subject, &link);
  if (err == LB_ERR_PATCH_TRUNCATED) {
    puts("the link is lost");
    link.end = length;
    err = fetch(&stage, &target, &subject, &link);
  }
  return err ? err : apply(device, running, &target, info.base_length > 0 ? &base : NULL, &stage, info.result_length);
}

/* What the bootloader would start. */
static int boot(struct lb_device *device, struct lb_table *table, struct lb_boot_decision *decision)
{
  static struct lb_verify verify;
  int err = lb_boot_preview(device, table, &verify, NULL, decision);
  if (!err) {
    printf("%s runs, version %s\n", decision->partition.label, verify.image.info.description.version);
  }
  return err;
}

int main(int argc, char **argv)
{
  static uint8_t patch[4U << 20];
  static struct lb_table table;
  struct lb_boot_decision decision;
  struct lb_device device = {
      .flash = &flash, .sha256 = &sha256, .md5 = &md5, .chip = lb_chip_by_name("esp32"), .revision = 300};
  if (argc != 4) {
    fputs("Usage: patch_update TABLE FACTORY-IMAGE PATCH\n", stderr);
    return 2;
  }
  mbedtls_hash_sha256(&sha256, &sha256_state);
  mbedtls_hash_sha256(&patch_sha256, &patch_sha256_state);
  mbedtls_hash_md5(&md5, &md5_state);
  memset(memory, 0xFF, sizeof memory);
  load(argv[1], memory + LB_TABLE_ADDRESS, LB_TABLE_SECTOR);
  load(argv[2], memory + 0x10000, 4U << 20);
  uint32_t length = load(argv[3], patch, sizeof patch);

  int err = boot(&device, &table, &decision);
  if (!err) {
    err = update(&device, &decision.partition, patch, length);
  }
  if (!err) {
    err = boot(&device, &table, &decision);
  }
  if (err) {
    fprintf(stderr, "Error: %s - %s\n", lb_error_info(err)->cause, lb_error_info(err)->remedy);
  }
  return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
