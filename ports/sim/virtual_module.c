// SPDX-License-Identifier: MIT
#include "ports/sim/virtual_module.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot/bootloader.h"
#include "module/console.h"
#include "ports/sim/board.h"
#include "ports/sim/consoles.h"
#include "ports/sim/input.h"
#include "ports/sim/signals.h"

struct virtual_module {
  const struct virtual_module_options *options;
  struct sim_board board;
  struct bootloader bootloader;
  struct module_uptime uptime;
  struct module module;
  struct console console; /* the main one, on stdin and stdout */
  struct input_host host;
  struct input *input;
  struct consoles *consoles; /* the attached ones; NULL without --listen */
  unsigned lives;            /* resets so far */
  bool halted;               /* after a reset nothing boots */
  bool editing;              /* a person is at the prompt */
};

/* ---- the main console ---- */

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

/* ---- boots ---- */

/* The bootloader, and if it finds something to boot, that firmware with a console. */
static int boot(struct virtual_module *vm, enum module_boot_cause cause)
{
  const struct port *port = &vm->board.port;
  struct bootloader *bootloader = &vm->bootloader;
  vm->board.flash.idle.poll = NULL; /* the firmware that was interested is gone */
  bootloader->device = (struct lb_device){
      .flash = port->flash,
      .sha256 = port->sha256,
      .md5 = port->md5,
      .chip = port->chip,
      .revision = port->revision,
  };
  bootloader->log = write_log;
  int err = bootloader_run(bootloader);
  if (err) {
    return err;
  }
  vm->uptime.cause = cause;
  vm->uptime.resets += cause == MODULE_BOOT_POWER_ON ? 0 : 1;
  vm->uptime.boot_time_ms = port->clock->now_ms(port->clock->context);
  module_start(&vm->module, port, &bootloader->table, &bootloader->decision, &bootloader->verify.image.info,
               &vm->uptime);
  console_start(&vm->console, &vm->module, NULL, write_output);
  return LB_OK;
}

/* Through the bootloader again, with fresh consoles for everybody. What they were doing is abandoned. */
static void reset(struct virtual_module *vm)
{
  console_cancel(&vm->console);
  consoles_cancel(vm->consoles);
  if (vm->editing) {
    fputs("\n", stdout); /* the boot log stands below what is being typed */
  }
  (void)fflush(stdout);
  vm->lives++;
  vm->module.reset_requested = false;
  vm->halted = boot(vm, MODULE_BOOT_RESET) != LB_OK;
  if (vm->halted) {
    return;
  }
  consoles_restart(vm->consoles);
  if (vm->editing) {
    input_redisplay(vm->input);
  }
}

/* ---- beside the main console ---- */

/*
 * One round of the attached consoles. `idle`: the main console has nothing to do until `fd` (-1: none) is readable; if
 * they have nothing to do either, that is waited for, for a bounded time.
 */
static void attend(struct virtual_module *vm, bool idle, int fd)
{
  consoles_work(vm->consoles);
  if (vm->module.reset_requested) {
    reset(vm);
  } else if (idle && !consoles_are_busy(vm->consoles)) {
    const bool job = vm->console.job.step || consoles_have_job(vm->consoles);
    consoles_wait(vm->consoles, &vm->board.clock, fd, job);
  }
}

static bool can_be_read(int fd)
{
  struct pollfd descriptor = {.fd = fd, .events = POLLIN};
  return poll(&descriptor, 1, 0) > 0;
}

/* The main console waits for a key or for a line. */
static enum input_event wait_for_input(void *context)
{
  struct virtual_module *vm = context;
  enum input_event event = INPUT_END;
  vm->editing = input_is_terminal(vm->input);
  while (!signals_terminated() && !vm->halted) {
    if (signals_take_interrupt()) {
      event = INPUT_INTERRUPTED;
      break;
    }
    if (can_be_read(STDIN_FILENO)) {
      event = INPUT_READY;
      break;
    }
    sim_clock_checkpoint(&vm->board.clock);
    attend(vm, true, STDIN_FILENO);
  }
  vm->editing = false;
  return event;
}

static void complete(void *context, const char *line, void (*candidate)(void *context, const char *word),
                     void *candidate_context)
{
  console_complete(&((struct virtual_module *)context)->console, line, candidate, candidate_context);
}

static void explain(void *context, const char *line)
{
  console_explain(&((struct virtual_module *)context)->console, line);
}

/* ---- running ---- */

static bool is_interrupted(void)
{
  return signals_take_interrupt() || signals_terminated();
}

/* Executes one line to its end. LB_OK, or why it failed; `*interrupted`: because of a signal. */
static int execute(struct virtual_module *vm, const char *line, bool *interrupted)
{
  const unsigned life = vm->lives;
  int result = console_execute(&vm->console, line);
  *interrupted = false;
  while (result == LB_MORE) {
    if (is_interrupted()) {
      *interrupted = true;
      console_cancel(&vm->console);
      result = MODULE_ERR_CANCELLED;
      break;
    }
    sim_clock_checkpoint(&vm->board.clock);
    result = console_poll(&vm->console);
    if (result == LB_MORE) {
      attend(vm, console_is_waiting(&vm->console), -1);
      result = vm->lives == life ? LB_MORE : MODULE_ERR_CANCELLED; /* another console has reset the module */
    }
  }
  (void)fflush(stdout);
  return result;
}

/* Lines until the input ends or the module does. */
static enum virtual_module_end talk(struct virtual_module *vm)
{
  enum virtual_module_end so_far = VIRTUAL_MODULE_DONE;
  const bool person = input_is_terminal(vm->input);
  const char *line;
  while (!vm->module.exit_requested && !vm->halted && !signals_terminated() && (line = input_line(vm->input)) != NULL) {
    bool interrupted = false;
    if (vm->options->transcript && !person) {
      printf("%s%s\n", CONSOLE_PROMPT, line);
    }
    int result = execute(vm, line, &interrupted);
    if (interrupted && (!person || signals_terminated())) {
      return VIRTUAL_MODULE_INTERRUPTED;
    }
    if (result != LB_OK && !person) {
      so_far = VIRTUAL_MODULE_FAILED;
      if (!vm->options->keep_going) {
        return so_far;
      }
    }
    if (vm->module.reset_requested) {
      reset(vm);
      if (person) {
        signals_take_interrupt(); /* Ctrl-C was meant for what came before */
      }
    } else {
      attend(vm, false, -1); /* lines that follow each other closely leave nobody waiting */
    }
  }
  return vm->halted ? VIRTUAL_MODULE_HALTED : input_was_interrupted(vm->input) ? VIRTUAL_MODULE_INTERRUPTED : so_far;
}

static enum virtual_module_end live(struct virtual_module *vm)
{
  if (boot(vm, MODULE_BOOT_POWER_ON) != LB_OK) {
    return VIRTUAL_MODULE_HALTED;
  }
  enum virtual_module_end end = talk(vm);
  if (signals_terminated() && consoles_have_job(vm->consoles) && end == VIRTUAL_MODULE_DONE) {
    end = VIRTUAL_MODULE_INTERRUPTED;
  }
  return end;
}

/* ---- power ---- */

static bool power_up(struct virtual_module *vm)
{
  if (!sim_board_open(&vm->board, vm->options)) {
    return false;
  }
  vm->host = (struct input_host){.context = vm, .wait = wait_for_input, .complete = complete, .explain = explain};
  vm->input = input_open(&vm->host);
  if (!vm->input) {
    fputs("Error: the terminal cannot be used - close other programs\n", stderr);
    return false;
  }
  if (vm->options->listen) {
    vm->consoles = consoles_open(vm->options->listen, &vm->module);
  }
  return vm->consoles || !vm->options->listen;
}

static void power_down(struct virtual_module *vm)
{
  consoles_close(vm->consoles, vm->halted ? FAREWELL_HALTED : FAREWELL_OFF);
  input_close(vm->input);
  sim_board_close(&vm->board);
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
