// SPDX-License-Identifier: MIT
/* lifeboat flash create: the flash of a module as it leaves production. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ports/mbedtls/hash.h"
#include "ports/sim/flash.h"
#include "tool/commands.h"
#include "tool/file.h"
#include "tool/image_file.h"
#include "tool/layout.h"
#include "tool/options.h"
#include "tool/report.h"

#define SLOTS 3U

struct request {
  const char *path;
  const struct layout *layout;
  bool force;
  const char *images[SLOTS]; /* in the order of slot_labels; NULL: none */
};

/* What went into a slot, to be told once all is done. */
struct content {
  char version[33];
  uint32_t length;
};

static const char *const slot_labels[SLOTS] = {"factory", "ota_0", "ota_1"};
static const char *const slot_options[SLOTS] = {"--factory", "--ota-0", "--ota-1"};

/* ---- options ---- */

enum { LAYOUT = SLOTS, FORCE };

static bool parse_options(struct request *request, int argc, char **argv)
{
  static const struct option table[] = {
      {"factory", required_argument, NULL, 0}, {"ota-0", required_argument, NULL, 1},
      {"ota-1", required_argument, NULL, 2},   {"layout", required_argument, NULL, LAYOUT},
      {"force", no_argument, NULL, FORCE},     {0}};
  const char *layout = "ovms";
  int option = 0;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (option == OPTIONS_WRONG) {
      return false;
    }
    if (option == LAYOUT) {
      layout = optarg;
    } else if (option == FORCE) {
      request->force = true;
    } else {
      request->images[option] = optarg;
    }
  }
  request->layout = layout_find(layout);
  if (request->layout == NULL) {
    report_error("--layout: %s is unknown; there are ovms and 7m", layout);
    return false;
  }
  if (!options_words(argc, 1, 1, "one FILE")) {
    return false;
  }
  request->path = argv[optind];
  for (uint32_t i = 0; i < SLOTS; i++) {
    if (request->images[i] != NULL && file_is_same(request->images[i], request->path)) {
      report_error("%s is the image of %s - name another file for the flash", request->path, slot_labels[i]);
      return false;
    }
  }
  return true;
}

/* A module without its default image could not boot; an image without a slot has nowhere to go. */
static bool check_slots(const struct request *request, const struct lb_table *table)
{
  bool has_default = false;
  for (uint32_t i = 0; i < SLOTS; i++) {
    struct lb_partition slot;
    bool exists = lb_table_find_label(table, slot_labels[i], &slot) == LB_OK;
    if (!exists && request->images[i] != NULL) {
      report_error("%s: this layout has no such slot", slot_options[i]);
      return false;
    }
    if (exists && !has_default && request->images[i] == NULL) {
      report_error("%s IMAGE is missing: a module of this layout boots from there", slot_options[i]);
      return false;
    }
    has_default = has_default || exists;
  }
  return true;
}

/* ---- the flash ---- */

static bool write_table(const struct lb_flash *flash, const struct lb_table *table)
{
  static const uint32_t addresses[] = {LB_TABLE_ADDRESS, LB_TABLE_COPY_ADDRESS};
  for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
    int err = lb_flash_program(flash, addresses[i], table->bytes, LB_TABLE_SIZE);
    if (err) {
      report_library_error("partition table", err);
      return false;
    }
  }
  return true;
}

static bool program_image(const struct lb_flash *flash, const char *path, const struct file_bytes *bytes,
                          const struct lb_partition *slot, struct content *content)
{
  struct image_file file;
  if (!image_file_inspect_bytes(&file, bytes->data, bytes->length, lb_chip_by_name("esp32"))) {
    report_problem(path, file.problem);
    return false;
  }
  const struct lb_image_info *info = &file.image.info;
  if (info->length > slot->size) {
    report_image_too_long(path, info->length, slot);
    return false;
  }
  int err = lb_flash_program(flash, slot->offset, bytes->data, info->length);
  if (err) {
    report_library_error(path, err);
    return false;
  }
  content->length = info->length;
  memcpy(content->version, info->description.version, sizeof(content->version));
  return true;
}

static bool write_images(const struct request *request, const struct lb_flash *flash, const struct lb_table *table,
                         struct content *contents)
{
  for (uint32_t i = 0; i < SLOTS; i++) {
    struct lb_partition slot;
    struct file_bytes bytes;
    const char *path = request->images[i];
    if (path == NULL || lb_table_find_label(table, slot_labels[i], &slot) != LB_OK) {
      continue;
    }
    if (!file_read(path, IMAGE_FILE_MAX, &bytes)) {
      return false;
    }
    bool good = program_image(flash, path, &bytes, &slot, &contents[i]);
    file_free(&bytes);
    if (!good) {
      return false;
    }
  }
  return true;
}

/* ---- the file ---- */

/* Writes the file; a module that runs on the old one keeps it, since we would have to take it away beneath it. */
static bool write_file(const struct request *request, struct sim_flash *flash)
{
  struct sim_flash old;
  int result = sim_flash_open_file(&old, request->path, SIM_FLASH_READ_WRITE);
  if (result == SIM_FLASH_ERR_IN_USE) {
    report_problem(request->path, sim_flash_error_info(result));
    return false;
  }
  bool good = file_write(request->path, sim_flash_bytes(flash), LAYOUT_FLASH_SIZE, request->force);
  sim_flash_close(&old);
  return good;
}

static void print_contents(const struct request *request, const struct content *contents)
{
  for (uint32_t i = 0; i < SLOTS; i++) {
    if (request->images[i] != NULL) {
      printf("%s: version %s, %u bytes, from %s\n", slot_labels[i], contents[i].version, contents[i].length,
             request->images[i]);
    }
  }
  printf("%s: made, %u bytes\n", request->path, LAYOUT_FLASH_SIZE);
}

static bool create(const struct request *request, const struct lb_table *table)
{
  struct sim_geometry geometry = sim_geometry_real(LAYOUT_FLASH_SIZE);
  struct content contents[SLOTS] = {0};
  struct sim_flash flash;
  struct stat status;
  if (!request->force && lstat(request->path, &status) == 0) {
    report_error("%s exists; --force replaces it", request->path);
    return false;
  }
  int err = sim_flash_open_memory(&flash, &geometry);
  if (err) {
    report_problem("flash", sim_flash_error_info(err));
    return false;
  }
  bool good = write_table(&flash.driver, table) && write_images(request, &flash.driver, table, contents) &&
              write_file(request, &flash);
  if (good) {
    print_contents(request, contents);
  }
  sim_flash_close(&flash);
  return good;
}

int flash_create_command(int argc, char **argv)
{
  struct request request = {0};
  struct mbedtls_hash context;
  struct lb_hash md5;
  struct lb_table table;
  if (!parse_options(&request, argc, argv)) {
    return TOOL_EXIT_USAGE;
  }
  mbedtls_hash_md5(&md5, &context);
  int err = layout_table(request.layout, &md5, &table);
  if (err) {
    report_library_error("partition table", err);
    return TOOL_EXIT_FAILED;
  }
  if (!check_slots(&request, &table)) {
    return TOOL_EXIT_USAGE;
  }
  return create(&request, &table) ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED;
}
