// SPDX-License-Identifier: MIT
/* How an update ended, in words: the lines that owners know, and below them cause, remedy and what is left behind. */
#include <stddef.h>

#include "module/console.h"
#include "module/flash_job.h"
#include "module/flash_log.h"
#include "module/flash_resume.h"
#include "module/module.h"
#include "module/print.h"

#define BILLION 1000000000U

/* What the first byte of something that is no image tells about it. */
static const char *guess(uint8_t first)
{
  switch (first) {
  case '<':
    return "it looks like a web page, perhaps of a captive portal or an error";
  case 0xFF:
    return "it looks like a merged flash image or erased flash";
  case 0x1F:
    return "it looks compressed";
  case 'L':
    return "it may be a patch: those are found beside their image, or flashed from a file";
  case 0x7F:
    return "it looks like an ELF file: an image is made from it";
  default:
    return "it is something else";
  }
}

static int report_magic(struct flash_job *job, int error)
{
  uint8_t first = job->work.update.head[0];
  return console_error_text(
      job->console, error, "%s is no application image: its first byte is 0x%02x instead of 0xe9, %s - check the %s",
      job->source.name, (unsigned)first, guess(first), job->source.kind == SOURCE_HTTP ? "address" : "file");
}

static int report_chip(struct flash_job *job, int error)
{
  const struct lb_chip *other = lb_chip_by_id(job->work.update.image.info.chip_id);
  return console_error_text(job->console, error, "image is made for chip %s, this module has %s - use its own firmware",
                            other ? other->name : "unknown", job->module->port->chip->name);
}

static int report_project(struct flash_job *job, int error)
{
  return console_error_text(job->console, error, "image is of project %s, this module runs %s - use its own firmware",
                            job->work.update.image.info.description.project, job->module->firmware.description.project);
}

static int report_too_long(struct flash_job *job, int error)
{
  console_print(job->console, "Error: target partition too small (%u bytes capacity) - aborting\n",
                (unsigned)job->target.size);
  const struct lb_error_info *info = lb_error_info(error);
  char size[24];
  if (job->source.size > UINT32_MAX) {
    print_text(size, sizeof size, "%u%09u", (unsigned)(job->source.size / BILLION),
               (unsigned)(job->source.size % BILLION));
  } else {
    print_text(size, sizeof size, "%u", (unsigned)job->size);
  }
  console_print(job->console, "  image is %s bytes, partition %s holds %u (%s, %d) - %s\n", size, job->target.label,
                (unsigned)job->target.size, info->esp_name, info->esp_code, info->remedy);
  return error;
}

static int report_too_small(struct flash_job *job, int error)
{
  if (job->source.kind == SOURCE_FILE) {
    return console_error_text(job->console, error, "%s is %u bytes, too small for an image - check the file",
                              job->source.name, (unsigned)job->size);
  }
  return console_known_error(job->console, error, "Expected download file size (%u) is invalid", (unsigned)job->size);
}

static int report_file(struct flash_job *job, int error)
{
  bool missing = error == PORT_ERR_FILE_NOT_FOUND || error == PORT_ERR_FILE_NO_MOUNT;
  return console_known_error(job->console, error, missing ? "Cannot find file %s" : "Cannot open %s", job->source.name);
}

static int report_http_status(struct flash_job *job, int error)
{
  console_print(job->console, "Error: Request failed\n");
  console_print(job->console, "  the server answered %d instead of 200 for %s - %s (%s, %d)\n", job->source.http_status,
                job->source.name, flash_retry_is_lost(job, error) ? "try again later" : "check the address",
                "ESP_ERR_INVALID_RESPONSE", 0x108);
  return error;
}

/* What the inspector found wrong, after the first bytes had been accepted, and what reading back found. */
static int report_bad_image(struct flash_job *job, int error)
{
  return console_known_error(job->console, error,
                             "partition contained invalid app image, or signature validation failed");
}

static int report_image(struct flash_job *job, int error)
{
  if (job->source.kind == SOURCE_SLOT && job->stage == FLASH_JOB_CONNECTING) {
    return console_error_text(job->console, error, "%s cannot be copied: %s - copy another slot", job->source.name,
                              lb_error_info(error)->cause);
  }
  switch (error) {
  case LB_ERR_IMAGE_MAGIC:
    return report_magic(job, error);
  case LB_ERR_IMAGE_CHIP:
    return report_chip(job, error);
  case LB_ERR_IMAGE_PROJECT:
    return report_project(job, error);
  case LB_ERR_FAILED_BEFORE:
    return flash_log_report_failed_before(job, error);
  case LB_ERR_READ_BACK:
    return report_bad_image(job, error);
  default:
    return lb_update_touched_flash(&job->work.update) ? report_bad_image(job, error)
                                                      : console_error(job->console, error);
  }
}

static bool is_of_network(int error)
{
  return error <= PORT_ERR_LINK_DOWN && error >= PORT_ERR_NO_TLS;
}

static int report_cause(struct flash_job *job, int error)
{
  bool from_image = lb_error_is_of_image(error) || error == LB_ERR_READ_BACK || error == LB_ERR_FAILED_BEFORE;
  bool of_file = error <= PORT_ERR_FILE_NOT_FOUND && error >= PORT_ERR_FILE_BUSY;
  bool too_long_for_target = job->size > job->target.size || job->source.kind != SOURCE_SLOT;
  if (error == LB_ERR_TARGET_RUNNING) {
    return console_known_error(job->console, error, "Cannot flash to running image partition");
  }
  if (error == LB_ERR_NO_TARGET) {
    return console_known_error(job->console, error, "Target partition cannot be determined - aborting");
  }
  if (error == MODULE_ERR_STATUS) {
    return report_http_status(job, error);
  }
  if (error == MODULE_ERR_TOO_SMALL || error == MODULE_ERR_NO_LENGTH) {
    return report_too_small(job, error);
  }
  if (error == LB_ERR_IMAGE_TOO_LONG && !job->has_session && too_long_for_target) {
    return report_too_long(job, error);
  }
  if (error == LB_ERR_SIZE_MISMATCH && job->source.kind != SOURCE_HTTP) {
    return console_error(job->console, error);
  }
  if (error == LB_ERR_SIZE_MISMATCH || (error == PORT_ERR_CLOSED && job->has_session)) {
    uint32_t came = job->base + job->ahead.end;
    return console_known_error(job->console, error, "Download file size (%u) does not match expected (%u)",
                               (unsigned)came, (unsigned)flash_patch_wanted(job));
  }
  if (from_image) {
    return report_image(job, error);
  }
  if (of_file) {
    return report_file(job, error);
  }
  return is_of_network(error) ? console_known_error(job->console, error, "Request failed")
                              : console_error(job->console, error);
}

/* After a failure in the middle: what is in the target now, and what will boot. */
static void report_remains(struct flash_job *job)
{
  static const char *const remains[] = {
      [LB_REMAINS_AS_BEFORE] = "is as it was",
      [LB_REMAINS_UNFINISHED] = "is incomplete and will not boot",
      [LB_REMAINS_WHOLE] = "holds the whole new firmware",
  };
  enum lb_update_remains what = LB_REMAINS_AS_BEFORE;
  if (job->has_session && lb_update_touched_flash(&job->work.update)) {
    what = lb_update_remains(&job->work.update);
  } else if (!job->left_unfinished) {
    return;
  }
  if (what == LB_REMAINS_AS_BEFORE && job->left_unfinished) {
    what = LB_REMAINS_UNFINISHED;
  }
  console_print(job->console, "  Partition %s %s\n", job->target.label, remains[what]);
  print_next_boot(job->console);
}

int flash_report_failure(struct flash_job *job, int error)
{
  report_cause(job, error);
  report_remains(job);
  if (job->stage > FLASH_JOB_CHOOSING && job->source.kind != SOURCE_SLOT) {
    flash_resume_report(job,
                        error == MODULE_ERR_CANCELLED || error == MODULE_ERR_RESET || flash_retry_is_lost(job, error));
  }
  return error;
}

void flash_report_success(struct flash_job *job)
{
  if (job->source.kind == SOURCE_SLOT) {
    console_print(job->console, "OTA copy was successful\n");
    console_print(job->console, "  Copied %u bytes from %s to %s\n", (unsigned)job->size, job->source.name,
                  job->target.label);
    return;
  }
  console_print(job->console, "OTA flash was successful\n");
  console_print(job->console, "  Flashed %u bytes from %s\n", (unsigned)job->work.update.image.info.length,
                job->source.name);
  if (job->patch.way != FLASH_PATCH_NOT) {
    console_print(job->console, "  By %s%s: %u bytes instead of %u\n",
                  job->patch.offer.from_nothing ? "compressed image" : "patch from ",
                  job->patch.offer.from_nothing ? "" : job->patch.offer.base.label, (unsigned)job->patch.offer.size,
                  (unsigned)job->size);
  }
  print_next_boot(job->console);
}
