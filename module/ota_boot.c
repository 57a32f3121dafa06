// SPDX-License-Identifier: MIT
/* `ota boot SLOT`: selects what boots next, after its image has been verified. */
#include "module/console.h"
#include "module/print.h"

static int step(struct console *console)
{
  struct lb_select *select = &console->job.state.select;
  const struct lb_partition *target = &select->target;
  int result = lb_select_step(select);
  if (result == LB_MORE) {
    return LB_MORE;
  }
  if (result <= LB_ERR_IMAGE_MAGIC && result >= LB_ERR_IMAGE_PROJECT) {
    return console_error_text(console, LB_ERR_READ_BACK, "%s cannot be booted: %s - flash it first, or choose another",
                              target->label, lb_error_info(result)->cause);
  }
  if (result) {
    return console_error(console, result);
  }
  console_print(console, "Boot from %s at 0x%08x (size 0x%08x)\n", target->label, (unsigned)target->offset,
                (unsigned)target->size);
  return LB_OK;
}

static void cancel(struct console *console)
{
  console_error(console, MODULE_ERR_CANCELLED);
}

int ota_boot_start(struct console *console, int argc, char **argv)
{
  struct module *module = console->module;
  struct lb_partition target;
  (void)argc; /* the table of commands has seen to it */
  if (module->flash_job.stage != FLASH_JOB_IDLE) {
    return console_error(console, MODULE_ERR_UPDATE_RUNNING);
  }
  int err = lb_table_find_label(module->table, argv[0], &target);
  if (err == LB_OK) {
    err = lb_select_start(&console->job.state.select, &module->device, &target);
  }
  if (err == LB_ERR_NOT_FOUND) {
    console_print(console, "Error: OTA partition not found\n");
    return err;
  }
  if (err) {
    return console_error(console, err);
  }
  console->job.step = step;
  console->job.cancel = cancel;
  return LB_MORE;
}
