// SPDX-License-Identifier: MIT
/* `ota confirm`: the word of an operator, which stands for reaching the depot. */
#include "module/console.h"
#include "module/print.h"
#include "module/trial_report.h"

int ota_confirm_start(struct console *console, int argc, char **argv)
{
  struct module *module = console->module;
  const char *running = module->boot.partition.label;
  (void)argc;
  (void)argv;
  int result = console_claim_flash(console);
  if (result != LB_OK) {
    return result;
  }
  result = module_trial_confirm(module);
  if (result == LB_OK) {
    console_print(console, "Firmware in %s is confirmed\n", running);
    return LB_OK;
  }
  if (result != LB_MORE) {
    return refuse_verdict(console, result, "there is nothing to confirm");
  }
  console_print(console, "Firmware in %s will be confirmed in %u second(s), if it runs until then\n", running,
                (unsigned)(module_trial_time(module) - module_run_time(module)));
  console_print(console, "  A reset before that forgets it: say `ota confirm` again then\n");
  return LB_OK;
}
