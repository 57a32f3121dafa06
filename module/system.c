// SPDX-License-Identifier: MIT
/* `module reset`, `boot status`, `help`, `exit`. */
#include "module/console.h"
#include "module/print.h"

static const char *const causes[] = {"PowerOn", "SoftReset", "Crash"};

int module_reset_start(struct console *console, int argc, char **argv)
{
  (void)argc;
  (void)argv;
  if (console->module->flash_user) {
    return console_error(console, MODULE_ERR_UPDATE_RUNNING);
  }
  console->module->reset_requested = true;
  return LB_OK;
}

static void print_fallback(struct console *console)
{
  const struct lb_boot_decision *boot = &console->module->boot;
  if (boot->selected_error != LB_OK && boot->selected.label[0] == '\0') {
    console_print(console, "  Nothing could be selected; %s was booted\n", boot->partition.label);
  } else if (boot->selected_error != LB_OK) {
    console_print(console, "  %s did not boot: %s; %s was booted instead\n", boot->selected.label,
                  lb_error_info(boot->selected_error)->cause, boot->partition.label);
  }
  if (console->module->table->first_error != LB_OK) {
    console_print(console, "  The partition table is damaged (%s); its copy at 0x%04x is used\n",
                  lb_error_info(console->module->table->first_error)->cause, (unsigned)LB_TABLE_COPY_ADDRESS);
  }
}

int boot_status_start(struct console *console, int argc, char **argv)
{
  const struct module *module = console->module;
  const struct port_clock *clock = module->port->clock;
  uint64_t since = clock->now_ms(clock->context) - module->uptime.boot_time_ms;
  (void)argc;
  (void)argv;
  console_print(console, "Last boot was %u second(s) ago\n", (unsigned)(since / 1000U));
  console_print(console, "  This is reset #%u since last power cycle\n", (unsigned)module->uptime.resets);
  console_print(console, "  Detected boot reason: %s\n", causes[module->uptime.cause]);
  console_print(console, "  Crash counters: %u total, %u early\n", (unsigned)module->uptime.crashes,
                (unsigned)module->uptime.early_crashes);
  print_fallback(console);
  return LB_OK;
}

int help_start(struct console *console, int argc, char **argv)
{
  char line[CONSOLE_LINE_SIZE];
  size_t at = 0;
  line[0] = '\0';
  for (int i = 0; i < argc && at < sizeof line; i++) {
    at += print_text(line + at, sizeof line - at, i > 0 ? " %s" : "%s", argv[i]);
  }
  if (console_explain(console, line) == 0) {
    return console_error_text(console, MODULE_ERR_COMMAND, "%s: there is no such command - see `help`", line);
  }
  return LB_OK;
}

int exit_start(struct console *console, int argc, char **argv)
{
  (void)argc;
  (void)argv;
  console->module->exit_requested = true;
  return LB_OK;
}
