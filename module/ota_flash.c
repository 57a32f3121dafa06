// SPDX-License-Identifier: MIT
/*
 * `ota flash http [URL] [to SLOT] [force]`, `ota flash vfs FILE [to SLOT] [force]`, `ota copy FROM TO`: the console's
 * side of the job.
 */
#include "module/console.h"
#include "module/depot.h"
#include "module/flash_log.h"
#include "module/print.h"
#include "module/words.h"

static int step(struct console *console)
{
  struct flash_job *job = &console->module->flash_job;
  int result = flash_job_step(job);
  console->job.waiting = result == LB_MORE && job->waiting;
  return result;
}

static void cancel(struct console *console)
{
  struct flash_job *job = &console->module->flash_job;
  if (job->stage != FLASH_JOB_REMEMBERING && job->stage != FLASH_JOB_ENDING) { /* else its end has been told */
    flash_report_failure(job, console->cause);
    if (console->cause == MODULE_ERR_CANCELLED) {
      flash_log_cancel(job);
    }
  }
  flash_job_abandon(job);
}

/* Takes "to SLOT" from the end of the arguments. LB_OK: `*named` tells whether it was there. */
static int take_target(struct console *console, int *argc, char **argv, struct lb_partition *target, bool *named)
{
  *named = *argc >= 2 && words_equal(argv[*argc - 2], "to");
  if (!*named) {
    return LB_OK;
  }
  *argc -= 2;
  return command_find_slot(console, argv[*argc + 1], target);
}

/* Takes the word "force" from the end of the arguments. */
static bool take_force(int *argc, char **argv)
{
  if (*argc == 0 || !words_equal(argv[*argc - 1], "force")) {
    return false;
  }
  (*argc)--;
  return true;
}

static int claim(struct console *console)
{
  if (console->module->flash_user) {
    return console_known_error(console, MODULE_ERR_UPDATE_RUNNING,
                               "Flash operation already in progress - cannot flash again");
  }
  return console_claim_flash(console);
}

/* Begins the job and makes it the console's command. */
static int begin(struct console *console, const struct lb_partition *target)
{
  int result = flash_job_start(&console->module->flash_job, console, target);
  if (result == LB_MORE) {
    console->job.step = step;
    console->job.cancel = cancel;
  }
  return result;
}

static int start(struct console *console, enum source_kind kind, int argc, char **argv)
{
  struct flash_job *job = &console->module->flash_job;
  struct lb_partition target;
  bool named;
  int err = claim(console);
  if (err) {
    return err;
  }
  job->force = take_force(&argc, argv);
  err = take_target(console, &argc, argv, &target, &named);
  if (err) {
    return err;
  }
  bool again = take_force(&argc, argv); /* "force to SLOT" is as good as "to SLOT force" */
  if (again && job->force) {
    return console_refuse_arguments(console);
  }
  job->force = job->force || again;
  if (argc > 1 || (kind == SOURCE_FILE && argc < 1) || (argc == 1 && words_equal(argv[0], "to"))) {
    return console_refuse_arguments(console);
  }
  job->source.kind = kind;
  job->remember = argc > 0;
  size_t length = argc > 0 ? print_text(job->source.name, SOURCE_NAME_SIZE, "%s", argv[0])
                           : depot_url(console->module, job->source.name, SOURCE_NAME_SIZE, "ovms3.bin");
  if (length >= SOURCE_NAME_SIZE) {
    return console_error(console, MODULE_ERR_LINE_TOO_LONG);
  }
  return begin(console, named ? &target : NULL);
}

int ota_flash_http_start(struct console *console, int argc, char **argv)
{
  return start(console, SOURCE_HTTP, argc, argv);
}

int ota_flash_vfs_start(struct console *console, int argc, char **argv)
{
  return start(console, SOURCE_FILE, argc, argv);
}

int ota_copy_start(struct console *console, int argc, char **argv)
{
  struct module *module = console->module;
  struct source *source = &module->flash_job.source;
  struct lb_partition target;
  (void)argc;
  int err = claim(console);
  if (err) {
    return err;
  }
  if (command_find_slot(console, argv[0], &source->slot) != LB_OK ||
      command_find_slot(console, argv[1], &target) != LB_OK) {
    return LB_ERR_NOT_FOUND;
  }
  source->kind = SOURCE_SLOT;
  module->flash_job.remember = false;
  module->flash_job.force = false;
  print_text(source->name, SOURCE_NAME_SIZE, "%s", source->slot.label);
  err = lb_target_allowed(module->table, &module->boot.partition, &target);
  if (err == LB_OK) {
    err = lb_target_not_selected(&module->device, &target);
  }
  if (err == LB_ERR_TARGET_RUNNING || err == LB_ERR_TARGET_SELECTED) {
    return console_known_error(console, err, "Cannot copy to %s partition",
                               err == LB_ERR_TARGET_RUNNING ? "currently running" : "boot");
  }
  if (err == LB_OK) {
    err = lb_target_not_fallback(&module->device, &module->boot.partition, &target);
  }
  if (err) {
    return console_error(console, err);
  }
  if (lb_partition_same(&source->slot, &target)) {
    return console_error_text(console, LB_ERR_ARGUMENT, "%s cannot be copied to itself - name another slot",
                              target.label);
  }
  return begin(console, &target);
}
