// SPDX-License-Identifier: MIT
/*
 * A firmware that decodes patches from the card in memory, whatever they are for: `test decode BASE PATCH`. What comes
 * out is compared with the digest that the patch announces, so that is what another processor has made of it.
 */
#include <string.h>

#include "lifeboat/patch.h"
#include "module/console.h"
#include "module/module.h"
#include "module/print.h"
#include "module/words.h"
#include "ports/mbedtls/hash.h"
#include "ports/sifive_u/product.h"
#include "ports/sifive_u/timer.h"
#include "ports/sifive_u/watchdog.h"

#define BASE_MEMORY  0x82000000U /* of 128 MB that begin at 0x80000000, a firmware uses the first ones */
#define NEW_MEMORY   0x83000000U
#define PATCH_MEMORY 0x84000000U
#define MOST         0x1000000U /* bytes of each */
#define PIECE        4096U
#define US_PER_MS    1000U

static uint8_t *memory_at(uint32_t address)
{
  return (uint8_t *)(uintptr_t)address; /* no object of ours lies there */
}

/* Reads a file whole: the watchdog may wait, for this is a test. */
static int load(const struct port_files *files, const char *path, uint8_t *memory, uint32_t *length)
{
  struct port_file *file = NULL;
  struct port_file_info info;
  uint32_t got = 1;
  *length = 0;
  int err = files->open(files->context, path, &file, &info);
  if (err) {
    return err;
  }
  while (err == LB_OK && got > 0 && *length <= MOST - PIECE) {
    err = files->read(file, memory + *length, PIECE, &got);
    *length += got;
    watchdog_feed();
  }
  files->close(file);
  return err == LB_OK && got > 0 ? LB_ERR_IMAGE_TOO_LONG : err;
}

static int read_base(void *context, uint32_t offset, void *buffer, uint32_t length)
{
  (void)context;
  memcpy(buffer, memory_at(BASE_MEMORY) + offset, length);
  return LB_OK;
}

static int read_result(void *context, uint32_t offset, void *buffer, uint32_t length)
{
  (void)context;
  memcpy(buffer, memory_at(NEW_MEMORY) + offset, length);
  return LB_OK;
}

static int write_result(void *context, const void *data, uint32_t length, uint32_t *used)
{
  uint32_t *made = context;
  memcpy(memory_at(NEW_MEMORY) + *made, data, length);
  *made += length;
  *used = length;
  return LB_OK;
}

static int decode(struct lb_patch *patch, uint32_t length)
{
  uint32_t at = 0;
  int result = LB_MORE;
  while (at < length) {
    uint32_t used = 0;
    int err = lb_patch_write(patch, memory_at(PATCH_MEMORY) + at, length - at, &used);
    if (err) {
      return err;
    }
    at += used;
    watchdog_feed();
  }
  while (result == LB_MORE) {
    result = lb_patch_finish(patch);
    watchdog_feed();
  }
  return result;
}

static int test_decode(struct console *console, int argc, char **argv)
{
  static struct lb_patch_default decoder;
  static struct mbedtls_hash hash_state;
  const struct port_files *files = console->module->port->files;
  struct lb_hash sha256;
  uint32_t base_length = 0;
  uint32_t patch_length = 0;
  uint32_t made = 0;
  struct lb_patch_config config = {
      .context = &made,
      .read_base = read_base,
      .read_result = read_result,
      .write_result = write_result,
      .sha256 = &sha256,
      .result_limit = MOST,
  };

  (void)argc;
  mbedtls_hash_sha256(&sha256, &hash_state);
  int err = words_equal(argv[0], "-") ? LB_OK : load(files, argv[0], memory_at(BASE_MEMORY), &base_length);
  if (err == LB_OK) {
    err = load(files, argv[1], memory_at(PATCH_MEMORY), &patch_length);
  }
  config.base_limit = base_length;
  const uint64_t start = timer_now_us();
  if (err == LB_OK) {
    err = lb_patch_start(&decoder.patch, sizeof decoder, &config);
  }
  if (err == LB_OK) {
    err = decode(&decoder.patch, patch_length);
  }
  if (err) {
    return console_error(console, err);
  }
  console_print(console, "%u bytes made of %u in %u ms\n", (unsigned)made, (unsigned)patch_length,
                (unsigned)((timer_now_us() - start) / US_PER_MS));
  return 0;
}

static const struct command test_commands[] = {
    {.words = {"test", "decode"},
     .arguments = "BASE PATCH",
     .summary = "Decode a patch; BASE may be -",
     .least = 2,
     .most = 2,
     .start = test_decode},
};

const struct product product = {.commands = test_commands, .command_count = 1};
