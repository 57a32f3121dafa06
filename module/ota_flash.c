// SPDX-License-Identifier: MIT
/* `ota flash http [URL] [to SLOT]` and `ota flash vfs FILE [to SLOT]`: the console's side of the update. */
#include "module/console.h"
#include "module/depot.h"
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
  flash_report_failure(job, MODULE_ERR_CANCELLED);
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
  if (lb_table_find_label(console->module->table, argv[*argc + 1], target) != LB_OK || target->type != LB_TYPE_APP) {
    console_print(console, "Error: OTA partition not found\n");
    return LB_ERR_NOT_FOUND;
  }
  return LB_OK;
}

static int start(struct console *console, enum source_kind kind, int argc, char **argv)
{
  struct flash_job *job = &console->module->flash_job;
  struct lb_partition target;
  bool named;
  if (job->stage != FLASH_JOB_IDLE) {
    console_print(console, "Error: Flash operation already in progress - cannot flash again\n");
    return MODULE_ERR_UPDATE_RUNNING;
  }
  int err = take_target(console, &argc, argv, &target, &named);
  if (err) {
    return err;
  }
  if (argc > 1 || (kind == SOURCE_FILE && argc < 1)) {
    return console_error(console, MODULE_ERR_USAGE);
  }
  job->source.kind = kind;
  size_t length = argc > 0 ? print_text(job->source.name, SOURCE_NAME_SIZE, "%s", argv[0])
                           : depot_url(job->source.name, SOURCE_NAME_SIZE, "ovms3.bin");
  if (length >= SOURCE_NAME_SIZE) {
    return console_error(console, MODULE_ERR_LINE_TOO_LONG);
  }
  err = flash_job_start(job, console, named ? &target : NULL);
  if (err == LB_MORE) {
    console->job.step = step;
    console->job.cancel = cancel;
  }
  return err;
}

int ota_flash_http_start(struct console *console, int argc, char **argv)
{
  return start(console, SOURCE_HTTP, argc, argv);
}

int ota_flash_vfs_start(struct console *console, int argc, char **argv)
{
  return start(console, SOURCE_FILE, argc, argv);
}
