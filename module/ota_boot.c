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
  if (lb_error_is_of_image(result)) {
    return console_error_text(console, LB_ERR_NOT_BOOTABLE, "%s cannot be booted: %s - %s", target->label,
                              lb_error_info(result)->cause, lb_error_info(LB_ERR_NOT_BOOTABLE)->remedy);
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
  console_tell_cancelled(console);
  print_next_boot(console); /* it may have been too late */
}

int ota_boot_start(struct console *console, int argc, char **argv)
{
  struct module *module = console->module;
  struct lb_partition target;
  (void)argc; /* the table of commands has seen to it */
  int err = console_claim_flash(console);
  if (err == LB_OK) {
    err = command_find_slot(console, argv[0], &target);
  }
  if (err) {
    return err;
  }
  const struct lb_trial_terms terms = module_trial_terms(module);
  err = lb_select_start(&console->job.state.select, &module->device, &target, &terms);
  if (err) {
    return console_error(console, err);
  }
  console->job.step = step;
  console->job.cancel = cancel;
  return LB_MORE;
}
