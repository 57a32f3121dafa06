// SPDX-License-Identifier: MIT
#include "boot/bootloader.h"

#include <stddef.h>

#include "lifeboat/error.h"

static void line(const struct bootloader *bootloader, const char *const *pieces)
{
  bootloader->log(bootloader->log_context, "boot: ");
  for (; *pieces; pieces++) {
    bootloader->log(bootloader->log_context, *pieces);
  }
  bootloader->log(bootloader->log_context, "\n");
}

#define LINE(bootloader, ...) line(bootloader, (const char *const[]){__VA_ARGS__, NULL})

static void log_tried(const struct bootloader *bootloader, int result, const struct lb_partition *partition,
                      const struct lb_image_info *image)
{
  if (result == LB_OK) {
    LINE(bootloader, partition->label, ": verified, version ",
         image->description.version[0] != '\0' ? image->description.version : "unknown");
  } else {
    LINE(bootloader, partition->label, ": does not verify: ", lb_boot_cause(result));
  }
}

static void log_selected(const struct bootloader *bootloader, int result, const struct lb_partition *partition)
{
  if (result) {
    LINE(bootloader, "otadata cannot be used: ", lb_boot_cause(result));
  }
  if (partition) {
    LINE(bootloader, "selected: ", partition->label);
  }
}

static const char *cause_text(enum lb_trial_cause cause)
{
  static const char *const texts[] = {
      [LB_TRIAL_UNKNOWN] = "unknown",
      [LB_TRIAL_CRASHED] = "it crashed",
      [LB_TRIAL_HUNG] = "it hung",
      [LB_TRIAL_POWER] = "the power was lost before its trial time had run",
      [LB_TRIAL_OPERATOR] = "rejected by the operator",
      [LB_TRIAL_NO_DEPOT] = "it did not reach its depot",
  };
  return texts[cause];
}

static void report(void *context, enum lb_boot_event event, int result, const struct lb_partition *partition,
                   const struct lb_image_info *image)
{
  const struct bootloader *bootloader = context;
  switch (event) {
  case LB_BOOT_EVENT_TABLE:
    if (result) {
      LINE(bootloader, "the partition table at 0x8000 cannot be used: ", lb_boot_cause(result));
    }
    break;
  case LB_BOOT_EVENT_COPY:
    LINE(bootloader, "using the copy of the partition table at 0x7000");
    break;
  case LB_BOOT_EVENT_SELECTED:
    log_selected(bootloader, result, partition);
    break;
  case LB_BOOT_EVENT_TRIED:
    log_tried(bootloader, result, partition, image);
    break;
  case LB_BOOT_EVENT_REJECTED:
    LINE(bootloader, partition->label, ": failed its trial: ", cause_text((enum lb_trial_cause)result));
    break;
  case LB_BOOT_EVENT_PASSED:
    LINE(bootloader, partition->label, ": passed over, this image failed its trial");
    break;
  case LB_BOOT_EVENT_MARKS:
    LINE(bootloader, partition->label, ": its trial cannot be marked: ", lb_boot_cause(result));
    break;
  }
}

/* Attempts are at most two digits. */
static const char *number_text(uint32_t number, char text[3])
{
  text[0] = (char)('0' + number / 10U % 10U);
  text[1] = (char)('0' + number % 10U);
  text[2] = '\0';
  return number < 10U ? text + 1 : text;
}

static void log_attempt(const struct bootloader *bootloader)
{
  const struct lb_boot_decision *decision = &bootloader->decision;
  char attempt[3];
  char attempts[3];
  LINE(bootloader, "starting ", decision->partition.label, " on trial, attempt ",
       number_text(decision->attempt, attempt), " of ", number_text(decision->attempts, attempts));
}

static void log_result(const struct bootloader *bootloader)
{
  const struct lb_boot_decision *decision = &bootloader->decision;
  bool fallback = decision->reason == LB_BOOT_FALLBACK_FACTORY || decision->reason == LB_BOOT_FALLBACK_OTHER;
  if (fallback) {
    LINE(bootloader, "falling back to ", decision->partition.label);
  } else if (decision->reason == LB_BOOT_WENT_BACK) {
    LINE(bootloader, "going back to ", decision->partition.label);
  }
  if (decision->on_trial) {
    log_attempt(bootloader);
  } else {
    LINE(bootloader, "starting ", decision->partition.label);
  }
}

int bootloader_run(struct bootloader *bootloader)
{
  const struct lb_boot_log log = {.context = bootloader, .report = report};
  int err = lb_boot(&bootloader->device, &bootloader->table, &bootloader->verify, &log, bootloader->reset,
                    &bootloader->decision);
  if (err) {
    LINE(bootloader, "halted: ", lb_boot_cause(err), " - ", lb_boot_remedy(err));
    return err;
  }
  log_result(bootloader);
  return LB_OK;
}
