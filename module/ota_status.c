// SPDX-License-Identifier: MIT
/* `ota status`: what runs, what the depot offers, what boots next. */
#include <stddef.h>

#include "module/console.h"
#include "module/depot.h"
#include "module/ota_status_full.h"
#include "module/port_error.h"
#include "module/print.h"
#include "module/source.h"
#include "module/version.h"
#include "module/words.h"

#define LOOKUP_MS 10000U /* nobody waits longer than that for a version */

static void print_firmware(struct console *console)
{
  struct module *module = console->module;
  char tag[SETTINGS_VALUE_SIZE];
  const struct lb_image_description *firmware = &module->firmware.description;
  (void)settings_get(&module->settings, "ota", "tag", tag, NULL); /* if it cannot be read: its default */
  console_print(console, "Firmware:          %s/%s/%s", firmware->version[0] != '\0' ? firmware->version : "unknown",
                module->boot.partition.label, tag);
  if (firmware->present) {
    console_print(console, " (build idf %s %s %s)", firmware->idf, firmware->date, firmware->time);
  }
  console_print(console, "\n");
}

/* Behind the server's version, in the full status only: what that means for this module. */
static const char *verdict(const struct console *console, const char *available)
{
  switch (version_compare(available, console->module->firmware.description.version)) {
  case VERSION_NEWER:
    return " (is newer)";
  case VERSION_OLDER:
    return " (is older)";
  case VERSION_SAME:
    return " (no update required)";
  case VERSION_UNRELATED:
    break;
  }
  return "";
}

/* `unknown` is why there is no version: a word for the full status, where the line is not simply left out. */
static int print_status(struct console *console, const char *available, const char *unknown)
{
  const struct module *module = console->module;
  const struct flash_job *update = &module->flash_job;
  struct lb_otadata otadata;
  struct lb_partition next;
  print_firmware(console);
  if (available) {
    console_print(console, "Server Available:  %s%s\n", available,
                  console->job.state.status.full ? verdict(console, available) : "");
  } else if (console->job.state.status.full) {
    console_print(console, "Server Available:  not known: %s\n", unknown);
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

static bool has_line(const char *text)
{
  while (*text != '\0' && *text != '\n') {
    text++;
  }
  return *text == '\n';
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
    if (reply.status != PORT_HTTP_OK) {
      return MODULE_ERR_STATUS;
    }
  }
  uint32_t got = 0;
  uint32_t room = VERSION_TEXT_SIZE - 1U - job->length;
  int result = network->read(job->transfer, job->text + job->length, room, &got);
  job->length += got;
  job->text[job->length] = '\0';
  if (result == LB_MORE) {
    return got == room ? LB_OK : LB_MORE; /* as much as a version needs: the changelog is not read */
  }
  return result;
}

/* Prints the plain status; with full, the steps go on from there. */
static int tell(struct console *console, const char *available, const char *unknown)
{
  int err = print_status(console, available, unknown);
  console->job.state.status.told = true;
  return err == LB_OK && console->job.state.status.full ? status_full_start(console) : err;
}

/* A depot that does not answer is no error of `ota status`: the line is left out. */
static int step(struct console *console)
{
  struct status_job *job = &console->job.state.status;
  const struct port_clock *clock = console->module->port->clock;
  if (job->told) {
    return status_full_step(console);
  }
  int result = job->transfer ? read_version(console) : job->error;
  if (result == LB_MORE && clock->now_ms(clock->context) < job->give_up_ms) {
    console->job.waiting = true;
    return LB_MORE;
  }
  bool whole = job->length < VERSION_TEXT_SIZE - 1U || has_line(job->text);
  bool known = result == LB_OK && whole && depot_take_version(job->text);
  close_lookup(console);
  const char *unknown = result == LB_OK     ? "the server's answer is no version"
                        : result == LB_MORE ? "the server did not answer in time"
                                            : module_error_info(result)->cause;
  return tell(console, known ? job->text : NULL, unknown);
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
  bool check = argc == 0 || !words_equal(argv[0], "nocheck");
  job->full = argc > 0 && words_equal(argv[0], "full");
  if (argc > 0 && check && !job->full) {
    return console_refuse_arguments(console);
  }
  job->transfer = NULL;
  job->told = false;
  job->replied = false;
  job->length = 0;
  job->text[0] = '\0';
  job->give_up_ms = port->clock->now_ms(port->clock->context) + LOOKUP_MS;
  depot_url(console->module, url, sizeof url, "ovms3.ver");
  job->error = port->network->is_up(port->network->context) ? LB_OK : PORT_ERR_LINK_DOWN;
  if (check && job->error == LB_OK) {
    job->error = port->network->open(port->network->context, url, &job->transfer);
    job->transfer = job->error == LB_OK ? job->transfer : NULL;
  }
  console->job.step = step;
  console->job.cancel = cancel;
  return LB_MORE;
}
