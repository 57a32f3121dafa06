// SPDX-License-Identifier: MIT
/* `ota erase SLOT`. */
#include "module/console.h"
#include "module/print.h"

/* What an erase leaves that did not come to its end. */
static void report_remains(struct console *console)
{
  const struct lb_erase *erase = &console->job.state.erase;
  if (erase->address != erase->slot.offset) {
    console_print(console, "  Partition %s is incomplete and will not boot\n", erase->slot.label);
  }
}

static int step(struct console *console)
{
  int result = lb_erase_step(&console->job.state.erase);
  if (result < 0) {
    console_error(console, result);
    report_remains(console);
    return result;
  }
  if (result == LB_OK) {
    console_print(console, "Partition erase complete\n");
  }
  return result;
}

static void cancel(struct console *console)
{
  console_tell_cancelled(console);
  report_remains(console);
}

int ota_erase_start(struct console *console, int argc, char **argv)
{
  struct module *module = console->module;
  struct lb_partition slot;
  (void)argc;
  int err = console_claim_flash(console);
  if (err == LB_OK) {
    err = command_find_slot(console, argv[0], &slot);
  }
  if (err) {
    return err;
  }
  err = lb_erase_start(&console->job.state.erase, &module->device, &module->boot.partition, &slot);
  if (err == LB_ERR_TARGET_RUNNING) {
    return console_known_error(console, err, "Cannot erase currently running partition");
  }
  if (err == LB_ERR_TARGET_SELECTED) {
    return console_known_error(console, err, "Cannot erase boot partition");
  }
  if (err) {
    return console_error(console, err);
  }
  console_print(console, "OTA Erase: Erasing partition...\n");
  console->job.step = step;
  console->job.cancel = cancel;
  return LB_MORE;
}
