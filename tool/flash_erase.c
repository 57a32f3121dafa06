// SPDX-License-Identifier: MIT
/* lifeboat flash erase: makes an OTA slot blank. */
#include <stdio.h>

#include "lifeboat/erase.h"
#include "ports/sim/signals.h"
#include "tool/commands.h"
#include "tool/flash_dump.h"
#include "tool/report.h"

static void report_refusal(const struct flash_dump *dump, const struct lb_partition *slot, int error)
{
  char label[LB_LABEL_SIZE];
  flash_dump_label(slot, label);
  if (error == LB_ERR_TARGET_RUNNING || error == LB_ERR_TARGET_SELECTED) {
    report_error("Cannot erase boot partition");
    report_hint("%s %s - select another slot first: lifeboat flash boot %s SLOT", label,
                error == LB_ERR_TARGET_RUNNING ? "boots now" : "is selected by otadata", dump->path);
  } else {
    report_library_error(label, error);
  }
}

static int erase_all(struct flash_dump *dump, const struct lb_partition *slot)
{
  struct lb_erase erase;
  int result = LB_ERR_TARGET_FACTORY; /* said first, though it may be what boots as well */
  if (lb_partition_is_ota(slot)) {
    result = lb_erase_start(&erase, &dump->device.device, &dump->boot.partition, slot);
  }
  if (result != LB_OK) {
    report_refusal(dump, slot, result);
    return TOOL_EXIT_FAILED;
  }
  signals_catch();
  do {
    result = lb_erase_step(&erase);
    if (result == LB_MORE && (signals_take_interrupt() || signals_terminated())) {
      report_error("interrupted: %s is erased in part and does not boot - repeat the command", slot->label);
      return TOOL_EXIT_INTERRUPTED;
    }
  } while (result == LB_MORE);
  if (result != LB_OK) {
    report_refusal(dump, slot, result);
    return TOOL_EXIT_FAILED;
  }
  return flash_dump_sync(dump) ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED;
}

static int report_erased(struct flash_dump *dump, const struct lb_partition *slot, bool json)
{
  char label[LB_LABEL_SIZE];
  flash_dump_decide(dump);
  if (json) {
    return report_json_line(flash_dump_json(dump, "erase", slot)) ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED;
  }
  printf("%s: erased, 0x%x bytes at 0x%08x\n", flash_dump_label(slot, label), slot->size, slot->offset);
  flash_dump_print_boot(dump);
  return TOOL_EXIT_DONE;
}

static int erase_slot(struct flash_dump *dump, const struct lb_partition *slot, bool json)
{
  int code = erase_all(dump, slot);
  return code == TOOL_EXIT_DONE ? report_erased(dump, slot, json) : code;
}

int flash_erase_command(int argc, char **argv)
{
  return flash_dump_command(argc, argv, erase_slot);
}
