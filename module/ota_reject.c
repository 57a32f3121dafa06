// SPDX-License-Identifier: MIT
/* `ota reject`: firmware on trial goes back at once to what was confirmed last. */
#include "module/console.h"
#include "module/print.h"
#include "module/trial_report.h"

int ota_reject_start(struct console *console, int argc, char **argv)
{
  struct module *module = console->module;
  struct lb_otadata otadata;
  struct lb_partition fallback;
  (void)argc;
  (void)argv;
  int err = console_claim_flash(console);
  if (err) {
    return err;
  }
  err = module_trial_find(module, &otadata);
  if (err == LB_OK) {
    err = lb_otadata_fallback(&otadata, module->table, &fallback);
  }
  if (err == LB_OK) {
    err = module_trial_reject(module, LB_TRIAL_OPERATOR);
  }
  if (err) {
    return refuse_verdict(console, err, "select another firmware with `ota boot SLOT`");
  }
  console_print(console, "Firmware in %s is rejected\n", module->boot.partition.label);
  console_print(console, "  The module goes back to %s\n", fallback.label);
  return LB_OK;
}
