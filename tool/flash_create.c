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
#include "tool/image_names.h"
#include "tool/layout.h"
#include "tool/options.h"
#include "tool/report.h"

#define SLOTS 3U

struct request {
  const char *path;
  const struct layout *layout;
  const struct lb_chip *chip; /* NULL: what the bootloader is for, else the ESP32 */
  uint32_t size;              /* of the flash */
  bool force;
  const char *bootloader;    /* NULL: none */
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

enum { LAYOUT = SLOTS, FORCE, BOOTLOADER, SIZE, CHIP };

static bool take_layout(struct request *request)
{
  request->layout = layout_find(optarg);
  if (request->layout == NULL) {
    report_error("--layout: %s is unknown; there are ovms and 7m", optarg);
  }
  return request->layout != NULL;
}

static bool take_size(struct request *request)
{
  uint8_t value = 0;
  if (image_size_value(optarg, &value) && sim_flash_size_is_valid(1ULL << (20 + value))) {
    request->size = 1U << (20 + value);
    return true;
  }
  report_error("--size: a flash has 4MB, 8MB, 16MB or 32MB, not %s", optarg);
  return false;
}

static bool take_option(struct request *request, int option)
{
  switch (option) {
  case LAYOUT:
    return take_layout(request);
  case FORCE:
    request->force = true;
    return true;
  case BOOTLOADER:
    request->bootloader = optarg;
    return true;
  case SIZE:
    return take_size(request);
  case CHIP:
    return options_chip(optarg, &request->chip);
  case OPTIONS_WRONG:
    return false;
  default:
    request->images[option] = optarg;
    return true;
  }
}

/* Writing the flash over what it is made from would lose that. */
static bool spares(const struct request *request, const char *image, const char *what)
{
  bool same = image != NULL && file_is_same(image, request->path);
  if (same) {
    report_error("%s is the image of %s - name another file for the flash", request->path, what);
  }
  return !same;
}

static bool parse_options(struct request *request, int argc, char **argv)
{
  static const struct option table[] = {{"factory", required_argument, NULL, 0},
                                        {"ota-0", required_argument, NULL, 1},
                                        {"ota-1", required_argument, NULL, 2},
                                        {"layout", required_argument, NULL, LAYOUT},
                                        {"force", no_argument, NULL, FORCE},
                                        {"bootloader", required_argument, NULL, BOOTLOADER},
                                        {"size", required_argument, NULL, SIZE},
                                        {"chip", required_argument, NULL, CHIP},
                                        {0}};
  int option = 0;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (!take_option(request, option)) {
      return false;
    }
  }
  if (!options_words(argc, 1, 1, "one FILE")) {
    return false;
  }
  request->path = argv[optind];
  bool good = spares(request, request->bootloader, "the bootloader");
  for (uint32_t i = 0; good && i < SLOTS; i++) {
    good = spares(request, request->images[i], slot_labels[i]);
  }
  return good;
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

/* Its place ends with the first partition table, of which there are two. */
static bool program_bootloader(struct request *request, const struct lb_flash *flash, const struct file_bytes *bytes,
                               uint32_t *length)
{
  struct image_file file;
  if (!image_file_inspect_bootloader(&file, bytes->data, bytes->length, request->chip)) {
    report_problem(request->bootloader, file.problem);
    return false;
  }
  request->chip = lb_chip_by_id(file.image.info.chip_id);
  uint32_t address = layout_bootloader_address(request->chip);
  uint32_t room = LB_TABLE_COPY_ADDRESS - address;
  *length = file.image.info.length;
  if (*length > room) {
    report_error("%s: the bootloader is %u bytes, there are %u from 0x%x to the copy of the partition table",
                 request->bootloader, *length, room, address);
    return false;
  }
  int err = lb_flash_program(flash, address, bytes->data, *length);
  if (err) {
    report_library_error(request->bootloader, err);
  }
  return err == LB_OK;
}

/* Decides also which chip the applications have to be for, if nobody said. */
static bool write_bootloader(struct request *request, const struct lb_flash *flash, uint32_t *length)
{
  struct file_bytes bytes;
  if (request->bootloader == NULL) {
    request->chip = request->chip != NULL ? request->chip : lb_chip_by_name("esp32");
    return true;
  }
  if (!file_read(request->bootloader, IMAGE_FILE_MAX, &bytes)) {
    return false;
  }
  bool good = program_bootloader(request, flash, &bytes, length);
  file_free(&bytes);
  return good;
}

static bool program_image(const struct request *request, const struct lb_flash *flash, const char *path,
                          const struct file_bytes *bytes, const struct lb_partition *slot, struct content *content)
{
  struct image_file file;
  if (!image_file_inspect_bytes(&file, bytes->data, bytes->length, request->chip)) {
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
    bool good = program_image(request, flash, path, &bytes, &slot, &contents[i]);
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
  bool good = file_write(request->path, sim_flash_bytes(flash), request->size, request->force);
  sim_flash_close(&old);
  return good;
}

static void print_contents(const struct request *request, uint32_t bootloader, const struct content *contents)
{
  if (request->bootloader != NULL) {
    printf("bootloader: chip %s, %u bytes, from %s\n", request->chip->name, bootloader, request->bootloader);
  }
  for (uint32_t i = 0; i < SLOTS; i++) {
    if (request->images[i] != NULL) {
      printf("%s: version %s, %u bytes, from %s\n", slot_labels[i], contents[i].version, contents[i].length,
             request->images[i]);
    }
  }
  printf("%s: made, %u bytes\n", request->path, request->size);
}

static bool create(struct request *request, const struct lb_table *table)
{
  struct sim_geometry geometry = sim_geometry_real(request->size);
  uint32_t bootloader = 0;
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
  bool good = write_table(&flash.driver, table) && write_bootloader(request, &flash.driver, &bootloader) &&
              write_images(request, &flash.driver, table, contents) && write_file(request, &flash);
  if (good) {
    print_contents(request, bootloader, contents);
  }
  sim_flash_close(&flash);
  return good;
}

int flash_create_command(int argc, char **argv)
{
  struct request request = {.layout = layout_find("ovms"), .size = LAYOUT_FLASH_SIZE};
  struct mbedtls_hash context;
  struct lb_hash md5;
  struct lb_table table;
  if (!parse_options(&request, argc, argv)) {
    return TOOL_EXIT_USAGE;
  }
  mbedtls_hash_md5(&md5, &context);
  int err = layout_table(request.layout, request.size, &md5, &table);
  if (err == LB_ERR_TABLE_BOUNDS) {
    report_error("--size: the layouts that there are need 16MB or more");
    return TOOL_EXIT_USAGE;
  }
  if (err) {
    report_library_error("partition table", err);
    return TOOL_EXIT_FAILED;
  }
  if (!check_slots(&request, &table)) {
    return TOOL_EXIT_USAGE;
  }
  return create(&request, &table) ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED;
}
