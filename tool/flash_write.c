// SPDX-License-Identifier: MIT
/* lifeboat flash write: writes an image file into a slot of a dump. */
#include <string.h>

#include "tool/commands.h"
#include "tool/file.h"
#include "tool/flash_update.h"
#include "tool/image_file.h"
#include "tool/options.h"
#include "tool/report.h"

struct request {
  const char *path;
  const char *slot;
  const char *image;
  const struct lb_chip *chip; /* NULL: the dump tells */
  bool select;
  bool production;
  bool any_project;
  bool json;
};

static bool parse_options(struct request *request, int argc, char **argv)
{
  static const struct option table[] = {{"chip", required_argument, NULL, 'c'},  {"json", no_argument, NULL, 'j'},
                                        {"select", no_argument, NULL, 's'},      {"production", no_argument, NULL, 'p'},
                                        {"any-project", no_argument, NULL, 'a'}, {0}};
  int option = 0;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (option == OPTIONS_WRONG || (option == 'c' && !options_chip(optarg, &request->chip))) {
      return false;
    }
    request->select = request->select || option == 's';
    request->production = request->production || option == 'p';
    request->any_project = request->any_project || option == 'a';
    request->json = request->json || option == 'j';
  }
  if (!options_words(argc, 3, 3, "FILE SLOT IMAGE")) {
    return false;
  }
  request->path = argv[optind];
  request->slot = argv[optind + 1];
  request->image = argv[optind + 2];
  return true;
}

static bool is_factory(const struct lb_partition *slot)
{
  return slot->type == LB_TYPE_APP && slot->subtype == LB_SUBTYPE_FACTORY;
}

/* What is refused before anything is touched; the update itself looks again. */
static bool may_write(const struct flash_dump *dump, const struct request *request, const struct flash_update *update)
{
  const struct lb_partition *slot = &update->slot;
  if (is_factory(slot) && !request->production) {
    report_error("factory is the backup of every update and is not written - in production --production does it");
    return false;
  }
  if (!is_factory(slot) && flash_dump_boots(dump, slot)) {
    report_error("Cannot flash to running image partition");
    report_hint("it boots now - write another slot, or select one first: lifeboat flash boot %s SLOT", dump->path);
    return false;
  }
  if ((slot->flags & (LB_FLAG_READ_ONLY | LB_FLAG_ENCRYPTED)) != 0) {
    report_library_error(slot->label, LB_ERR_TARGET_PROTECTED);
    return false;
  }
  if (update->length > slot->size) {
    report_image_too_long(update->source, update->length, slot);
    return false;
  }
  return true;
}

/* Another product's image is refused before anything is touched, for factory as for the other slots. */
static bool is_of_project(const struct flash_update *update, const struct image_file *image)
{
  const char *named = image->image.info.description.project;
  bool known = update->project != NULL && update->project[0] != '\0' && named[0] != '\0';
  if (known && strcmp(update->project, named) != 0) {
    report_library_error(update->source, LB_ERR_IMAGE_PROJECT);
    return false;
  }
  return true;
}

static int write_slot(struct flash_dump *dump, const struct request *request, struct flash_update *update,
                      const struct image_file *image)
{
  if (!flash_dump_slot(dump, request->slot, &update->slot) || !may_write(dump, request, update)) {
    return TOOL_EXIT_FAILED;
  }
  if (!request->any_project && dump->boot_result == LB_OK) {
    update->project = dump->project;
  }
  if (!is_of_project(update, image)) {
    return TOOL_EXIT_FAILED;
  }
  int code = is_factory(&update->slot) ? flash_update_factory(dump, update) : flash_update_run(dump, update);
  return code == TOOL_EXIT_DONE ? flash_update_report(dump, update, "write", &image->image.info) : code;
}

static int write_image(const struct request *request, const struct file_bytes *bytes)
{
  struct image_file image;
  struct flash_dump dump;
  struct flash_update update = {.source = request->image, .select = request->select, .json = request->json};
  if (!flash_dump_open_slots(&dump, request->path, request->chip, SIM_FLASH_READ_WRITE)) {
    return TOOL_EXIT_FAILED;
  }
  int code = TOOL_EXIT_FAILED;
  if (image_file_inspect_bytes(&image, bytes->data, bytes->length, dump.device.device.chip)) {
    update.data = bytes->data;
    update.length = image.image.info.length;
    code = write_slot(&dump, request, &update, &image);
  } else {
    report_problem(request->image, image.problem);
  }
  flash_dump_close(&dump);
  return code;
}

int flash_write_command(int argc, char **argv)
{
  struct request request = {0};
  struct file_bytes bytes;
  if (!parse_options(&request, argc, argv)) {
    return TOOL_EXIT_USAGE;
  }
  if (!file_read(request.image, IMAGE_FILE_MAX, &bytes)) {
    return TOOL_EXIT_FAILED;
  }
  int code = write_image(&request, &bytes);
  file_free(&bytes);
  return code;
}
