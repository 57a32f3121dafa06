// SPDX-License-Identifier: MIT
/* `ota status`: what runs, what the depot offers, what boots next. */
#include <stddef.h>

#include "module/console.h"
#include "module/depot.h"
#include "module/print.h"
#include "module/source.h"
#include "module/words.h"

#define LOOKUP_MS 10000U /* nobody waits longer than that for a version */
#define HTTP_OK   200

static void print_firmware(struct console *console)
{
  const struct module *module = console->module;
  const struct lb_image_description *firmware = &module->firmware.description;
  console_print(console, "Firmware:          %s/%s/%s", firmware->version[0] != '\0' ? firmware->version : "unknown",
                module->boot.partition.label, DEPOT_TAG);
  if (firmware->present) {
    console_print(console, " (build idf %s %s %s)", firmware->idf, firmware->date, firmware->time);
  }
  console_print(console, "\n");
}

static int print_status(struct console *console, const char *available)
{
  const struct module *module = console->module;
  const struct flash_job *update = &module->flash_job;
  struct lb_otadata otadata;
  struct lb_partition next;
  print_firmware(console);
  if (available) {
    console_print(console, "Server Available:  %s\n", available);
  }
  console_print(console, "Running partition: %s\n", module->boot.partition.label);
  int err = lb_otadata_read(&otadata, &module->device);
  if (err == LB_OK || err == LB_ERR_NO_OTADATA) {
    err = lb_otadata_selected(&otadata, module->table, &next);
  }
  if (err) {
    return console_error(console, err);
  }
  console_print(console, "Boot partition:    %s\n", next.label);
  if (update->stage != FLASH_JOB_IDLE) {
    console_print(console, "Status:            %s (%u%%)\n", flash_job_text(update),
                  (unsigned)flash_job_percent(update));
  }
  return LB_OK;
}

static void close_lookup(struct console *console)
{
  struct status_job *job = &console->job.state.status;
  const struct port_network *network = console->module->port->network;
  if (job->transfer) {
    network->close(job->transfer);
    job->transfer = NULL;
  }
}

/* Reads the start of the version file. LB_MORE, LB_OK: job->text holds what there is, or why there is nothing. */
static int read_version(struct console *console)
{
  struct status_job *job = &console->job.state.status;
  const struct port_network *network = console->module->port->network;
  struct port_reply reply;
  if (!job->replied) {
    int result = network->reply(job->transfer, &reply);
    if (result != LB_OK) {
      return result;
    }
    job->replied = true;
    if (reply.status != HTTP_OK) {
      return MODULE_ERR_STATUS;
    }
  }
  uint32_t got = 0;
  uint32_t room = VERSION_TEXT_SIZE - 1U - job->length;
  int result = network->read(job->transfer, job->text + job->length, room, &got);
  job->length += got;
  job->text[job->length] = '\0';
  if (result == LB_MORE) {
    return got == room ? LB_OK : LB_MORE;
  }
  return result;
}

/* A depot that does not answer is no error of `ota status`: the line is left out. */
static int step(struct console *console)
{
  struct status_job *job = &console->job.state.status;
  const struct port_clock *clock = console->module->port->clock;
  int result = read_version(console);
  if (result == LB_MORE && clock->now_ms(clock->context) < job->give_up_ms) {
    console->job.waiting = true;
    return LB_MORE;
  }
  bool known = result == LB_OK && depot_take_version(job->text);
  close_lookup(console);
  return print_status(console, known ? job->text : NULL);
}

static void cancel(struct console *console)
{
  close_lookup(console);
  console_error(console, MODULE_ERR_CANCELLED);
}

int ota_status_start(struct console *console, int argc, char **argv)
{
  const struct port *port = console->module->port;
  struct status_job *job = &console->job.state.status;
  char url[SOURCE_NAME_SIZE];
  if (argc > 0 && !words_equal(argv[0], "nocheck")) {
    return console_error_text(console, MODULE_ERR_USAGE, "%s: the arguments do not fit - usage: ota status [nocheck]",
                              argv[0]);
  }
  depot_url(url, sizeof url, "ovms3.ver");
  if (argc > 0 || !port->network->is_up(port->network->context) ||
      port->network->open(port->network->context, url, &job->transfer) != LB_OK) {
    return print_status(console, NULL);
  }
  job->replied = false;
  job->length = 0;
  job->give_up_ms = port->clock->now_ms(port->clock->context) + LOOKUP_MS;
  console->job.step = step;
  console->job.cancel = cancel;
  return LB_MORE;
}
