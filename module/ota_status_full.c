// SPDX-License-Identifier: MIT
/* What `ota status full` adds: hardware, partition table, and the image in each slot, verified as it is shown. */
#include "module/ota_status_full.h"

#include "module/console.h"
#include "module/partitions.h"
#include "module/print.h"
#include "module/trial_report.h"

#define MEGABYTE 0x100000U

static void print_hardware(struct console *console)
{
  const struct port *port = console->module->port;
  console_print(console, "Hardware:          %s v%u.%u, %u MB flash\n", port->chip->name,
                (unsigned)port->revision / 100U, (unsigned)port->revision % 100U,
                (unsigned)(port->flash->size / MEGABYTE));
}

static void print_partition_type(struct console *console)
{
  const struct lb_table *table = console->module->table;
  struct lb_partition factory;
  bool has_factory = lb_table_find(table, LB_TYPE_APP, LB_SUBTYPE_FACTORY, &factory) == LB_OK;
  console_print(console, "Partition type:    %s%u OTA slots\n", has_factory ? "factory and " : "",
                (unsigned)lb_table_ota_count(table));
  console_print(console, "Partition table:   ");
  partitions_print_origin(console);
}

/* "Factory image:", "OTA_0 image:", as the real module has it, from the label. */
static void print_label(struct console *console, const struct lb_partition *slot)
{
  char title[LB_LABEL_SIZE + 8];
  size_t length = print_text(title, sizeof title, "%s image:", slot->label);
  size_t capitals = lb_partition_is_ota(slot) ? 3 : 1;
  for (size_t i = 0; i < capitals && i < length; i++) {
    bool small = title[i] >= 'a' && title[i] <= 'z';
    title[i] = small ? (char)(title[i] - 'a' + 'A') : title[i];
  }
  console_print(console, "%-18s ", title);
}

static void print_image(struct console *console, const struct lb_verify *verify, int result)
{
  const struct lb_image_info *info = &verify->image.info;
  print_label(console, &verify->partition);
  if (result != LB_OK) {
    console_print(console, "none that boots: %s\n", lb_error_info(result)->cause);
    return;
  }
  console_print(console, "%s (%u bytes", info->description.version[0] != '\0' ? info->description.version : "unknown",
                (unsigned)info->length);
  if (info->description.present) {
    console_print(console, ", build idf %s %s %s", info->description.idf, info->description.date,
                  info->description.time);
  }
  console_print(console, ")\n");
}

int status_full_start(struct console *console)
{
  struct status_job *job = &console->job.state.status;
  print_hardware(console);
  print_partition_type(console);
  print_trials(console);
  job->slot = 0;
  job->verifying = false;
  return LB_MORE;
}

int status_full_step(struct console *console)
{
  struct module *module = console->module;
  struct status_job *job = &console->job.state.status;
  struct lb_partition slot;
  int result = LB_OK;
  if (module->hash_user && module->hash_user != console) { /* another console's full status comes first */
    console->job.waiting = true;
    return LB_MORE;
  }
  module->hash_user = console;
  if (!job->verifying) {
    if (lb_table_app_slot(module->table, job->slot, &slot) != LB_OK) {
      return LB_OK;
    }
    result = lb_verify_start(&job->verify, &module->device_other, &slot);
    job->verifying = result == LB_OK;
    return result ? console_error(console, result) : LB_MORE;
  }
  result = lb_verify_step(&job->verify);
  if (result != LB_MORE) {
    print_image(console, &job->verify, result);
    job->verifying = false;
    job->slot++;
  }
  return LB_MORE;
}
