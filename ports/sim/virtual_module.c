// SPDX-License-Identifier: MIT
#include "ports/sim/virtual_module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/bootloader.h"
#include "module/console.h"
#include "module/port_error.h"
#include "ports/mbedtls/hash.h"
#include "ports/sim/files.h"
#include "ports/sim/flash.h"
#include "ports/sim/input.h"
#include "ports/sim/network.h"
#include "ports/sim/signals.h"

#define CHIP_REVISION 300U /* the module has an ESP32 of revision 3.0 */
#define WAIT_MS       50U

struct virtual_module {
  const struct virtual_module_options *options;
  struct sim_clock clock;
  struct sim_flash flash;
  struct sim_files files;
  struct sim_network *network;
  struct lb_hash sha256;
  struct lb_hash sha256_other;
  struct lb_hash md5;
  struct mbedtls_hash hash_contexts[3];
  struct port port;
  struct bootloader bootloader;
  struct module_uptime uptime;
  struct module module;
  struct console console;
  struct input *input;
};

/* ---- opening ---- */

static void refuse(const char *what, const struct lb_error_info *info)
{
  fprintf(stderr, "Error: %s: %s - %s (%s, %d)\n", what, info->cause, info->remedy, info->esp_name, info->esp_code);
}

static bool mount(struct virtual_module *vm, const char *name, const char *folder)
{
  int err = folder ? sim_files_mount(&vm->files, name, folder) : LB_OK;
  if (err) {
    refuse(folder, module_error_info(err));
  }
  return err == LB_OK;
}

static bool open_network(struct virtual_module *vm)
{
  const struct virtual_module_options *options = vm->options;
  const struct sim_network_options network = {
      .link_up = options->link_up,
      .ssid = "virtual",
      .hosts = options->hosts,
      .host_count = options->host_count,
      .ca_file = options->ca_file,
      .clock = &vm->clock,
  };
  int err = sim_network_open(&vm->network, &network);
  if (err) {
    refuse(options->ca_file ? options->ca_file : "network", module_error_info(err));
  }
  return err == LB_OK;
}

static bool open_flash(struct virtual_module *vm)
{
  int err = sim_flash_open_file(&vm->flash, vm->options->flash, SIM_FLASH_READ_WRITE);
  if (err) {
    refuse(vm->options->flash, sim_flash_error_info(err));
    return false;
  }
  if (vm->options->flash_takes_time) {
    sim_flash_set_timing(&vm->flash, &sim_timing_w25q128jv, &vm->clock);
  }
  return true;
}

static void open_hashes(struct virtual_module *vm)
{
  mbedtls_hash_sha256(&vm->sha256, &vm->hash_contexts[0]);
  mbedtls_hash_sha256(&vm->sha256_other, &vm->hash_contexts[1]);
  mbedtls_hash_md5(&vm->md5, &vm->hash_contexts[2]);
}

static bool power_up(struct virtual_module *vm)
{
  sim_clock_start(&vm->clock, vm->options->clock);
  sim_files_open(&vm->files);
  open_hashes(vm);
  if (!open_flash(vm) || !mount(vm, "sd", vm->options->sd) || !mount(vm, "store", vm->options->store) ||
      !open_network(vm)) {
    return false;
  }
  vm->input = input_open();
  vm->port = (struct port){
      .flash = &vm->flash.driver,
      .sha256 = &vm->sha256,
      .sha256_other = &vm->sha256_other,
      .md5 = &vm->md5,
      .chip = lb_chip_by_name("esp32"),
      .revision = CHIP_REVISION,
      .clock = &vm->clock.port,
      .files = &vm->files.port,
      .network = sim_network_port(vm->network),
      .idle = &vm->flash.idle,
  };
  return vm->input != NULL;
}

static void power_down(struct virtual_module *vm)
{
  input_close(vm->input);
  sim_network_close(vm->network);
  sim_files_close(&vm->files);
  sim_flash_close(&vm->flash);
}

/* ---- running ---- */

static void write_log(void *context, const char *text)
{
  (void)context;
  fputs(text, stderr);
}

static void write_output(void *context, const char *text, size_t length)
{
  (void)context;
  /* What cannot be written is noticed at the end: the module does not stop working because nobody listens. */
  (void)fwrite(text, 1, length, stdout);
  if (memchr(text, '\n', length)) {
    (void)fflush(stdout);
  }
}

/* The bootloader, and if it finds something to boot, that firmware with a console. */
static int boot(struct virtual_module *vm, enum module_boot_cause cause)
{
  struct bootloader *bootloader = &vm->bootloader;
  vm->flash.idle.poll = NULL; /* the firmware that was interested is gone */
  bootloader->device = (struct lb_device){
      .flash = &vm->flash.driver,
      .sha256 = &vm->sha256,
      .md5 = &vm->md5,
      .chip = vm->port.chip,
      .revision = vm->port.revision,
  };
  bootloader->log = write_log;
  int err = bootloader_run(bootloader);
  if (err) {
    return err;
  }
  vm->uptime.cause = cause;
  vm->uptime.resets += cause == MODULE_BOOT_POWER_ON ? 0 : 1;
  vm->uptime.boot_time_ms = vm->port.clock->now_ms(vm->port.clock->context);
  module_start(&vm->module, &vm->port, &bootloader->table, &bootloader->decision, &bootloader->verify.image.info,
               &vm->uptime);
  console_start(&vm->console, &vm->module, NULL, write_output);
  return LB_OK;
}

/* Executes one line to its end. LB_OK, MODULE_ERR_CANCELLED by a signal, or why the command failed. */
static int execute(struct virtual_module *vm, const char *line)
{
  int result = console_execute(&vm->console, line);
  while (result == LB_MORE) {
    if (signals_take_interrupt() || signals_terminated()) {
      console_cancel(&vm->console);
      result = MODULE_ERR_CANCELLED;
      break;
    }
    sim_clock_checkpoint(&vm->clock);
    result = console_poll(&vm->console);
    if (console_is_waiting(&vm->console)) {
      vm->port.clock->idle(vm->port.clock->context, WAIT_MS);
    }
  }
  (void)fflush(stdout);
  return result;
}

/* Lines until the input ends or a reset is asked for; `*again` tells which. */
static enum virtual_module_end talk(struct virtual_module *vm, bool *again, enum virtual_module_end so_far)
{
  const char *line;
  bool person = input_is_terminal(vm->input);
  *again = false;
  signals_take_interrupt();
  while (!vm->module.exit_requested && (line = input_line(vm->input, &vm->console)) != NULL) {
    if (vm->options->transcript && !person) {
      printf("%s%s\n", CONSOLE_PROMPT, line);
    }
    int result = execute(vm, line);
    if (result == MODULE_ERR_CANCELLED && (!person || signals_terminated())) {
      return VIRTUAL_MODULE_INTERRUPTED;
    }
    if (result != LB_OK && !person) {
      so_far = VIRTUAL_MODULE_FAILED;
      if (!vm->options->keep_going) {
        return so_far;
      }
    }
    if (vm->module.reset_requested) {
      *again = true;
      return so_far;
    }
  }
  return so_far;
}

static enum virtual_module_end live(struct virtual_module *vm)
{
  enum virtual_module_end end = VIRTUAL_MODULE_DONE;
  enum module_boot_cause cause = MODULE_BOOT_POWER_ON;
  bool again = true;
  while (again) {
    if (boot(vm, cause) != LB_OK) {
      return VIRTUAL_MODULE_HALTED;
    }
    cause = MODULE_BOOT_RESET;
    end = talk(vm, &again, end);
  }
  return end;
}

enum virtual_module_end virtual_module_run(const struct virtual_module_options *options)
{
  struct virtual_module *vm = calloc(1, sizeof *vm);
  enum virtual_module_end end = VIRTUAL_MODULE_NOT_STARTED;
  if (!vm) {
    fputs("Error: no memory for the virtual module - close other programs\n", stderr);
    return end;
  }
  vm->options = options;
  signals_catch();
  if (power_up(vm)) {
    end = live(vm);
    if (ferror(stdout) && end == VIRTUAL_MODULE_DONE) {
      fputs("Error: the console's output could not be written - see where it was sent\n", stderr);
      end = VIRTUAL_MODULE_FAILED;
    }
  }
  power_down(vm);
  free(vm);
  return end;
}
