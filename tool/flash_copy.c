// SPDX-License-Identifier: MIT
/* lifeboat flash copy: copies the image of one slot of a dump into another. */
#include "tool/commands.h"
#include "tool/flash_update.h"
#include "tool/options.h"
#include "tool/report.h"

struct request {
  const char *path;
  const char *from;
  const char *to;
  const struct lb_chip *chip; /* NULL: the dump tells */
  bool select;
  bool json;
};

static bool parse_options(struct request *request, int argc, char **argv)
{
  static const struct option table[] = {{"chip", required_argument, NULL, 'c'},
                                        {"json", no_argument, NULL, 'j'},
                                        {"select", no_argument, NULL, 's'},
                                        {0}};
  int option = 0;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (option == OPTIONS_WRONG || (option == 'c' && !options_chip(optarg, &request->chip))) {
      return false;
    }
    request->select = request->select || option == 's';
    request->json = request->json || option == 'j';
  }
  if (!options_words(argc, 3, 3, "FILE FROM TO")) {
    return false;
  }
  request->path = argv[optind];
  request->from = argv[optind + 1];
  request->to = argv[optind + 2];
  return true;
}

static bool may_copy(const struct flash_dump *dump, const struct flash_update *update, const struct lb_partition *from)
{
  if (lb_partition_same(from, &update->slot)) {
    report_error("%s cannot be copied to itself", update->source);
    return false;
  }
  if (!lb_partition_is_ota(&update->slot)) {
    report_library_error(update->slot.label, LB_ERR_TARGET_FACTORY);
    return false;
  }
  if (flash_dump_boots(dump, &update->slot)) {
    report_error("Cannot copy to boot partition");
    report_hint("it boots now - choose another slot, or select one first: lifeboat flash boot %s SLOT", dump->path);
    return false;
  }
  return true;
}

static int copy(struct flash_dump *dump, const struct request *request)
{
  struct flash_update update = {.select = request->select, .json = request->json};
  struct lb_partition from;
  char label[LB_LABEL_SIZE];
  if (!flash_dump_slot(dump, request->from, &from) || !flash_dump_slot(dump, request->to, &update.slot)) {
    return TOOL_EXIT_FAILED;
  }
  update.source = flash_dump_label(&from, label);
  if (!may_copy(dump, &update, &from)) {
    return TOOL_EXIT_FAILED;
  }
  int err = lb_verify_partition(&dump->verify, &dump->device.device, &from);
  struct lb_image_info image = dump->verify.image.info;
  if (err) {
    report_library_error(update.source, err);
    return TOOL_EXIT_FAILED;
  }
  if (image.length > update.slot.size) {
    report_image_too_long(update.source, image.length, &update.slot);
    return TOOL_EXIT_FAILED;
  }
  update.data = sim_flash_bytes(&dump->flash) + from.offset;
  update.length = image.length;
  int code = flash_update_run(dump, &update);
  return code == TOOL_EXIT_DONE ? flash_update_report(dump, &update, "copy", &image) : code;
}

int flash_copy_command(int argc, char **argv)
{
  struct request request = {0};
  struct flash_dump dump;
  if (!parse_options(&request, argc, argv)) {
    return TOOL_EXIT_USAGE;
  }
  if (!flash_dump_open_slots(&dump, request.path, request.chip, SIM_FLASH_READ_WRITE)) {
    return TOOL_EXIT_FAILED;
  }
  int code = copy(&dump, &request);
  flash_dump_close(&dump);
  return code;
}
