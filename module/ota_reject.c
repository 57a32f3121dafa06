// SPDX-License-Identifier: MIT
/*
 * `ota reject`: firmware on trial goes back at once to what was confirmed last, or to what the bootloader takes in
 * place of that. It is verified first: where nothing else boots the firmware stays on trial.
 */
#include <string.h>

#include "module/console.h"
#include "module/print.h"
#include "module/trial_report.h"

/* The slots in the bootloader's order: what was confirmed last, then factory, then the others. LB_ERR_NOT_FOUND. */
static int find_candidate(const struct console *console, struct lb_partition *slot)
{
  const struct reject_job *job = &console->job.state.reject;
  if (job->index == 0) {
    *slot = job->fallback;
    return LB_OK;
  }
  return lb_table_app_slot(console->module->table, job->index - 1U, slot);
}

/* Whatever record selects it, what was confirmed last is never passed over; the rest is, if it failed a trial. */
static bool has_failed(const struct console *console, const uint8_t digest[LB_SHA256_SIZE])
{
  const struct reject_job *job = &console->job.state.reject;
  const bool is_running = memcmp(digest, console->module->firmware.digest, LB_SHA256_SIZE) == 0;
  if (job->index == 0 && lb_otadata_confirmed(&job->otadata) != LB_OTADATA_NONE) {
    return false;
  }
  return is_running || lb_otadata_has_failed(&job->otadata, digest);
}

static int reject(struct console *console)
{
  struct module *module = console->module;
  const struct reject_job *job = &console->job.state.reject;
  const struct lb_partition slot = job->verify.partition;
  const struct lb_partition fallback = job->fallback;
  const int why = job->fallback_error;
  const int err = module_trial_reject(module, LB_TRIAL_OPERATOR);
  if (err) {
    return refuse_verdict(console, err, "select another firmware with `ota boot SLOT`");
  }
  console_print(console, "Firmware in %s is rejected\n", module->boot.partition.label);
  if (why != LB_OK) {
    console_print(console, "  %s cannot be booted: %s\n", fallback.label, lb_error_info(why)->cause);
  }
  console_print(console, "  The module goes back to %s\n", slot.label);
  return LB_OK;
}

/* Begins to verify the next candidate. */
static int begin_next(struct console *console)
{
  struct module *module = console->module;
  struct reject_job *job = &console->job.state.reject;
  struct lb_partition slot;
  if (find_candidate(console, &slot) != LB_OK) {
    return console_error_text(console, LB_ERR_NOT_BOOTABLE,
                              "%s stays on trial: no other slot holds an image that boots - flash one first",
                              module->boot.partition.label);
  }
  const bool seen = job->index > 0 && lb_partition_same(&slot, &job->fallback);
  if (seen || lb_partition_same(&slot, &module->boot.partition)) {
    job->index++;
    return LB_MORE;
  }
  const int err = lb_verify_start(&job->verify, &module->device, &slot);
  job->verifying = err == LB_OK;
  return err ? console_error(console, err) : LB_MORE;
}

static int step(struct console *console)
{
  struct reject_job *job = &console->job.state.reject;
  if (!job->verifying) {
    return begin_next(console);
  }
  int result = lb_verify_step(&job->verify);
  if (result == LB_MORE) {
    return LB_MORE;
  }
  if (result == LB_OK && has_failed(console, job->verify.image.info.digest)) {
    result = LB_ERR_FAILED_BEFORE;
  }
  if (result == LB_OK) {
    return reject(console);
  }
  if (job->index == 0) {
    job->fallback_error = result;
  }
  job->verifying = false;
  job->index++;
  return LB_MORE;
}

static void cancel(struct console *console)
{
  console_tell_cancelled(console);
}

int ota_reject_start(struct console *console, int argc, char **argv)
{
  struct module *module = console->module;
  struct reject_job *job = &console->job.state.reject;
  (void)argc;
  (void)argv;
  int err = console_claim_flash(console);
  if (err) {
    return err;
  }
  err = module_trial_find(module, &job->otadata);
  if (err == LB_OK) {
    err = lb_otadata_fallback(&job->otadata, module->table, &job->fallback);
  }
  if (err) {
    return refuse_verdict(console, err, "select another firmware with `ota boot SLOT`");
  }
  job->index = 0;
  job->fallback_error = LB_OK;
  job->verifying = false;
  console->job.step = step;
  console->job.cancel = cancel;
  return LB_MORE;
}
