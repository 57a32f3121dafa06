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
#include "ports/sim/faults.h"
#include "ports/sim/input.h"
#include "ports/sim/signals.h"

#define JOB_WAIT_MS    50U
#define PROMPT_WAIT_MS 1000U /* a signal that comes just before the wait is noticed after this */

struct virtual_module {
  const struct virtual_module_options *options;
  struct sim_board board;
  struct bootloader bootloader;
  struct module_uptime uptime;
  struct module module;
  struct console console; /* the main one, on stdin and stdout */
  struct input_host host;
  struct input *input;
  struct consoles *consoles;      /* the attached ones; NULL without --listen */
  struct port_network no_network; /* of firmware that has none */
  unsigned lives;                 /* resets so far */
  unsigned crashes;               /* in a row, without a line being read */
  bool off;                       /* after a reset no firmware runs any more: */
  enum virtual_module_end why;
  bool editing; /* a person is at the prompt */
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

static void give_up(struct virtual_module *vm, enum virtual_module_end why)
{
  vm->off = true;
  vm->why = why;
}

static bool is_interrupted(void)
{
  return signals_take_interrupt() || signals_terminated();
}

/* A crash, or the watchdog. */
static void count_crash(struct virtual_module *vm, enum lb_reset reset, bool early)
{
  const char *slot = vm->bootloader.decision.partition.label;
  vm->uptime.crashes++;
  vm->uptime.early_crashes += early ? 1 : 0;
  if (reset == LB_RESET_CRASH) {
    fprintf(stderr, "module: %s crashed\n", slot);
  } else {
    fputs("module: watchdog reset\n", stderr);
  }
  if (++vm->crashes == FAULT_CRASHES) {
    fprintf(stderr, "Error: %u crashes without a line being read - start it without --fault %s=...\n", FAULT_CRASHES,
            slot);
    give_up(vm, VIRTUAL_MODULE_HALTED);
  }
}

/* Firmware that hangs lets the time pass until the watchdog notices. */
static void hang(struct virtual_module *vm)
{
  const struct port_clock *clock = &vm->board.clock.port;
  const uint64_t until = clock->now_ms(clock->context) + FAULT_WATCHDOG_MS;
  for (uint64_t now; (now = clock->now_ms(clock->context)) < until && !signals_pending();) {
    clock->idle(clock->context, (uint32_t)(until - now));
  }
}

/* The bootloader, once. */
static int run_bootloader(struct virtual_module *vm, enum lb_reset reset)
{
  const struct port *port = &vm->board.port;
  struct bootloader *bootloader = &vm->bootloader;
  bootloader->device = (struct lb_device){
      .flash = port->flash,
      .sha256 = port->sha256,
      .md5 = port->md5,
      .chip = port->chip,
      .revision = port->revision,
  };
  bootloader->log = write_log;
  bootloader->reset = reset;
  vm->uptime.cause = reset;
  vm->uptime.resets += reset == LB_RESET_POWER_ON ? 0 : 1;
  return bootloader_run(bootloader);
}

/* Does the firmware get as far as its first line? If not: how it ends. */
static bool gets_going(struct virtual_module *vm, enum lb_reset *reset)
{
  const struct faults *faults = &vm->options->faults;
  const char *slot = vm->bootloader.decision.partition.label;
  if (faults_find(faults, slot, FAULT_CRASH_AT_START)) {
    *reset = LB_RESET_CRASH;
    return false;
  }
  if (faults_find(faults, slot, FAULT_HANG)) {
    hang(vm);
    *reset = LB_RESET_WATCHDOG;
    return false;
  }
  return true;
}

static void start_firmware(struct virtual_module *vm)
{
  struct port *port = &vm->board.port;
  const struct bootloader *bootloader = &vm->bootloader;
  const struct port_network *network = sim_network_port(vm->board.network);
  const bool has_none = faults_find(&vm->options->faults, bootloader->decision.partition.label, FAULT_NO_NETWORK);
  port->network = has_none ? faults_no_network(&vm->no_network, network) : network;
  vm->uptime.boot_time_ms = port->clock->now_ms(port->clock->context);
  module_start(&vm->module, port, &bootloader->table, &bootloader->decision, &bootloader->verify.image.info,
               &vm->uptime);
  console_start(&vm->console, &vm->module, NULL, write_output);
}

static void check_faults(struct virtual_module *vm)
{
  const char *wrong = faults_wrong_slot(&vm->options->faults, &vm->bootloader.table);
  if (wrong) {
    fprintf(stderr, "Error: --fault %s: the partition table has no such slot for firmware - name one that it has\n",
            wrong);
    give_up(vm, VIRTUAL_MODULE_NOT_STARTED);
  }
}

/* The bootloader, and if it finds something to boot that gets going, that firmware with a console. Else it is off. */
static void boot(struct virtual_module *vm, enum lb_reset reset)
{
  vm->board.flash.idle.poll = NULL; /* the firmware that was interested is gone */
  while (!vm->off) {
    if (run_bootloader(vm, reset) != LB_OK) {
      give_up(vm, VIRTUAL_MODULE_HALTED);
      return;
    }
    if (reset == LB_RESET_POWER_ON) {
      check_faults(vm);
    }
    if (!vm->off && gets_going(vm, &reset)) {
      start_firmware(vm);
      return;
    }
    if (!vm->off && is_interrupted()) {
      give_up(vm, VIRTUAL_MODULE_INTERRUPTED);
    } else if (!vm->off) {
      count_crash(vm, reset, true); /* sees to it that this ends */
    }
  }
}

/*
 * Through the bootloader again, with fresh consoles for everybody. What they were doing is abandoned; only firmware
 * that was asked to ends in order.
 */
static void restart(struct virtual_module *vm, enum lb_reset reset)
{
  console_reset(&vm->console);
  consoles_reset(vm->consoles);
  if (vm->editing) {
    fputs("\n", stdout); /* the boot log stands below what is being typed */
  }
  (void)fflush(stdout);
  vm->lives++;
  if (reset == LB_RESET_COMMANDED) {
    module_stop(&vm->module);
  } else {
    module_die(&vm->module);
    count_crash(vm, reset, module_run_time(&vm->module) < module_trial_time(&vm->module));
  }
  vm->module.reset_requested = false;
  boot(vm, reset);
  if (vm->off) {
    return;
  }
  consoles_restart(vm->consoles);
  if (vm->editing) {
    input_redisplay(vm->input);
  }
}

/* ---- beside the main console ---- */

/* Milliseconds until the running firmware crashes, at most `most`. */
static uint32_t until_crash(const struct virtual_module *vm, uint32_t most)
{
  const struct port_clock *clock = &vm->board.clock.port;
  const struct fault *fault = faults_find(&vm->options->faults, vm->module.boot.partition.label, FAULT_CRASH_AFTER);
  if (!fault) {
    return most;
  }
  const uint64_t crash = vm->uptime.boot_time_ms + (uint64_t)fault->seconds * 1000U;
  const uint64_t now = clock->now_ms(clock->context);
  const uint64_t left = crash > now ? crash - now : 0;
  return left < most ? (uint32_t)left : most;
}

/* Nothing to do: for how long, and does simulated time pass meanwhile? */
static void rest(struct virtual_module *vm, int fd)
{
  const bool job = vm->console.job.step || consoles_have_job(vm->consoles) || module_is_looking(&vm->module);
  uint32_t ms = job ? JOB_WAIT_MS : PROMPT_WAIT_MS;
  if (console_wait_ms(&vm->console) > 0 && !consoles_have_job(vm->consoles) && !module_is_looking(&vm->module)) {
    ms = console_wait_ms(&vm->console);
  }
  consoles_wait(vm->consoles, &vm->board.clock, fd, job, until_crash(vm, ms));
}

/*
 * One round of the firmware itself and of the attached consoles. `idle`: the main console has nothing to do until `fd`
 * (-1: none) is readable; if they have nothing to do either, that is waited for, for a bounded time.
 */
static void attend(struct virtual_module *vm, bool idle, int fd)
{
  const bool more = module_tick(&vm->module);
  if (!vm->module.reset_requested) {
    consoles_work(vm->consoles);
  }
  if (until_crash(vm, 1) == 0) {
    restart(vm, LB_RESET_CRASH);
  } else if (vm->module.reset_requested) {
    restart(vm, LB_RESET_COMMANDED);
  } else if (idle && !more && !consoles_are_busy(vm->consoles)) {
    rest(vm, fd);
  }
}

/* Between two lines that follow each other closely nobody waits, and what a line left to be done is done. */
static void catch_up(struct virtual_module *vm)
{
  while (!signals_pending() && module_tick(&vm->module)) {
  }
  attend(vm, false, -1);
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
  while (!signals_terminated() && !vm->off) {
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
      result = vm->lives == life ? LB_MORE : MODULE_ERR_RESET;
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
  while (!vm->module.exit_requested && !vm->off && !signals_terminated() && (line = input_line(vm->input)) != NULL) {
    bool interrupted = false;
    vm->crashes = 0;
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
      restart(vm, LB_RESET_COMMANDED);
      if (person) {
        signals_take_interrupt(); /* Ctrl-C was meant for what came before */
      }
    } else {
      catch_up(vm);
    }
  }
  return vm->off ? vm->why : input_was_interrupted(vm->input) ? VIRTUAL_MODULE_INTERRUPTED : so_far;
}

static enum virtual_module_end live(struct virtual_module *vm)
{
  boot(vm, LB_RESET_POWER_ON);
  if (vm->off) {
    return vm->why;
  }
  enum virtual_module_end end = talk(vm);
  if (signals_terminated() && consoles_have_job(vm->consoles) && end == VIRTUAL_MODULE_DONE) {
    end = VIRTUAL_MODULE_INTERRUPTED;
  }
  if (!vm->off) { /* it is switched off in order */
    consoles_cancel(vm->consoles);
    module_stop(&vm->module);
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
  consoles_close(vm->consoles, vm->off && vm->why == VIRTUAL_MODULE_HALTED ? FAREWELL_HALTED : FAREWELL_OFF);
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
