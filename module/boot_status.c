// SPDX-License-Identifier: MIT
/* `boot status`: why and how the running firmware was booted, and how its trial stands. */
#include "module/console.h"
#include "module/print.h"
#include "module/trial_report.h"

static const char *const reasons[] = {
    [LB_RESET_POWER_ON] = "PowerOn",
    [LB_RESET_COMMANDED] = "SoftReset",
    [LB_RESET_CRASH] = "Crash",
    [LB_RESET_WATCHDOG] = "Watchdog",
};

static void print_fallback(struct console *console)
{
  const struct lb_boot_decision *boot = &console->module->boot;
  const char *booted = boot->partition.label;
  struct lb_partition failed = boot->failed;
  enum lb_trial_cause cause = boot->cause;
  if (boot->went_back || trial_went_back(console->module, &failed, &cause)) {
    console_print(console, "  %s failed its trial (%s); %s was booted instead\n", failed.label, trial_cause_text(cause),
                  booted);
  }
  if (boot->selected_error != LB_OK && boot->selected.label[0] == '\0') {
    console_print(console, "  Nothing could be selected; %s was booted\n", booted);
  } else if (boot->selected_error != LB_OK) {
    console_print(console, "  %s did not boot: %s; %s was booted instead\n", boot->selected.label,
                  lb_error_info(boot->selected_error)->cause, booted);
  }
  if (console->module->table->first_error != LB_OK) {
    console_print(console, "  The partition table is damaged (%s); its copy at 0x%04x is used\n",
                  lb_error_info(console->module->table->first_error)->cause, (unsigned)LB_TABLE_COPY_ADDRESS);
  }
}

/* Which attempt it is was decided at boot; whether its trial goes on, otadata tells. */
static void print_trial(struct console *console)
{
  struct module *module = console->module;
  const struct lb_boot_decision *boot = &module->boot;
  struct lb_otadata otadata;
  const unsigned time = module_trial_time(module);
  const unsigned run = module_run_time(module);
  if (module->trial.confirmed) {
    console_print(console, "  Its trial has ended well: %s is confirmed\n", boot->partition.label);
  } else if (boot->on_trial && module_trial_find(module, &otadata) == LB_OK) {
    console_print(console, "  On trial: attempt %u of %u, %u second(s) of %u run\n", (unsigned)boot->attempt,
                  (unsigned)boot->attempts, run < time ? run : time, time);
    print_what_is_missing(console, &otadata);
  }
}

int boot_status_start(struct console *console, int argc, char **argv)
{
  struct module *module = console->module;
  (void)argc;
  (void)argv;
  console_print(console, "Last boot was %u second(s) ago\n", (unsigned)module_run_time(module));
  console_print(console, "  This is reset #%u since last power cycle\n", (unsigned)module->uptime.resets);
  console_print(console, "  Detected boot reason: %s\n", reasons[module->uptime.cause]);
  console_print(console, "  Crash counters: %u total, %u early\n", (unsigned)module->uptime.crashes,
                (unsigned)module->uptime.early_crashes);
  print_fallback(console);
  print_trial(console);
  return LB_OK;
}
