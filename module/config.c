// SPDX-License-Identifier: MIT
/* `config list`, `config set`, `config rm`. */
#include <stddef.h>

#include "module/console.h"
#include "module/port_error.h"
#include "module/print.h"
#include "module/settings.h"

struct listing {
  struct console *console;
  uint32_t count;
};

static void print_setting(void *context, const char *param, const char *instance, const char *value, bool is_default)
{
  struct listing *listing = context;
  console_print(listing->console, "%s %s: ", param, instance);
  console_print_clean(listing->console, value);
  console_print(listing->console, "%s\n", is_default ? " (default)" : "");
  listing->count++;
}

static int refuse(struct console *console, int error, const char *param, const char *instance)
{
  const struct lb_error_info *info = module_error_info(error);
  return console_error_text(console, error, "%s %s: %s - %s", param, instance, info->cause,
                            error == MODULE_ERR_SETTING ? settings_form(param, instance) : info->remedy);
}

int config_list_start(struct console *console, int argc, char **argv)
{
  struct listing listing = {.console = console};
  const char *param = argc > 0 ? argv[0] : NULL;
  int err = settings_list(&console->module->settings, param, print_setting, &listing);
  if (err) {
    return console_error(console, err);
  }
  if (listing.count == 0 && param) {
    return console_error_text(console, LB_ERR_NVS_NOT_FOUND, "%s: there is no such parameter - see `config list`",
                              param);
  }
  return LB_OK;
}

static int step(struct console *console)
{
  struct config_job *job = &console->job.state.config;
  struct settings *settings = &console->module->settings;
  int result = job->value ? settings_set(settings, job->param, job->instance, job->value)
                          : settings_remove(settings, job->param, job->instance);
  if (result == LB_OK) {
    module_trial_forget_settings(console->module);
    console_print(console, job->value ? "Parameter has been set.\n" : "Instance has been removed.\n");
    if (job->value && !settings_is_used(job->param, job->instance)) {
      console_print(console, "  This firmware does not use %s %s: see `config list %s` for what it uses\n", job->param,
                    job->instance, job->param);
    }
  }
  return result < 0 ? refuse(console, result, job->param, job->instance) : result;
}

static void cancel(struct console *console)
{
  console_tell_cancelled(console);
}

/* The words stay in the console's line until the next one. */
static int start(struct console *console, const char *param, const char *instance, const char *value)
{
  console->job.state.config = (struct config_job){.param = param, .instance = instance, .value = value};
  console->job.step = step;
  console->job.cancel = cancel;
  return LB_MORE;
}

int config_set_start(struct console *console, int argc, char **argv)
{
  (void)argc;
  return start(console, argv[0], argv[1], argv[2]);
}

int config_rm_start(struct console *console, int argc, char **argv)
{
  (void)argc;
  return start(console, argv[0], argv[1], NULL);
}
