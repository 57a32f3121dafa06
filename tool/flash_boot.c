// SPDX-License-Identifier: MIT
/* lifeboat flash boot: selects what boots next, after its image has been verified. */
#include <stdio.h>

#include "tool/commands.h"
#include "tool/flash_dump.h"
#include "tool/report.h"

static void report_refusal(const struct lb_partition *slot, int error)
{
  const struct lb_error_info *code = lb_error_info(LB_ERR_READ_BACK);
  char label[LB_LABEL_SIZE];
  flash_dump_label(slot, label);
  if (error == LB_ERR_NOT_FOUND) {
    report_error("OTA partition not found");
    report_hint("%s is neither factory nor a slot that otadata can select", label);
  } else if (lb_error_is_of_image(error)) {
    report_error("%s cannot be booted: %s - flash it first, or choose another (%s, %d)", label,
                 lb_error_info(error)->cause, code->esp_name, code->esp_code);
  } else {
    report_library_error(label, error);
  }
}

static int report_selected(const struct flash_dump *dump, const struct lb_partition *slot,
                           const struct lb_image_info *image, bool json)
{
  char label[LB_LABEL_SIZE];
  if (json) {
    cJSON *object = flash_dump_json(dump, "boot", slot);
    cJSON_AddStringToObject(object, "version", image->description.version);
    return report_json_line(object) ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED;
  }
  printf("Boot from %s at 0x%08x (size 0x%08x)\n", flash_dump_label(slot, label), slot->offset, slot->size);
  return TOOL_EXIT_DONE;
}

static int boot(struct flash_dump *dump, const struct lb_partition *slot, bool json)
{
  struct lb_image_info image;
  int result = flash_dump_select(dump, slot, &image);
  if (result != LB_OK) {
    report_refusal(slot, result);
    return TOOL_EXIT_FAILED;
  }
  if (!flash_dump_sync(dump)) {
    return TOOL_EXIT_FAILED;
  }
  flash_dump_decide(dump);
  return report_selected(dump, slot, &image, json);
}

int flash_boot_command(int argc, char **argv)
{
  return flash_dump_command(argc, argv, boot);
}
