// SPDX-License-Identifier: MIT
/* `module reset`, `module wait`, `help`, `exit`. */
#include "module/console.h"
#include "module/print.h"

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

/* ---- letting time pass ---- */

#define WAIT_MOST_S  604800U /* a week */
#define WAIT_STEP_MS 1000U   /* meanwhile the module's own clock is looked at */

static int wait_step(struct console *console)
{
  const struct port_clock *clock = console->module->port->clock;
  const uint64_t now = clock->now_ms(clock->context);
  const uint64_t until = console->job.state.wait_until_ms;
  if (now >= until) {
    return LB_OK;
  }
  console->job.waiting = true;
  console->job.wait_ms = until - now < WAIT_STEP_MS ? (uint32_t)(until - now) : WAIT_STEP_MS;
  return LB_MORE;
}

static void wait_cancel(struct console *console)
{
  console_tell_cancelled(console);
}

int module_wait_start(struct console *console, int argc, char **argv)
{
  const struct port_clock *clock = console->module->port->clock;
  uint32_t seconds = 0;
  (void)argc;
  for (const char *at = argv[0]; *at != '\0'; at++) {
    if (*at < '0' || *at > '9' || seconds > WAIT_MOST_S) {
      return console_refuse_arguments(console);
    }
    seconds = seconds * 10U + (uint32_t)(*at - '0');
  }
  if (seconds < 1 || seconds > WAIT_MOST_S) {
    return console_refuse_arguments(console);
  }
  console->job.state.wait_until_ms = clock->now_ms(clock->context) + (uint64_t)seconds * 1000U;
  console->job.step = wait_step;
  console->job.cancel = wait_cancel;
  return LB_MORE;
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
