// SPDX-License-Identifier: MIT
/*
 * The virtual module: power-on, bootloader, firmware, console. It does not execute the image that the bootloader
 * verified; its console plays that firmware. Its main console is on stdin and stdout, and ends the module when it is
 * left; further ones can be attached to it on a socket.
 *
 * Firmware that is told to misbehave (ports/sim/faults.h) is reset as by the hardware. If it crashes FAULT_CRASHES
 * times without a line being read, the module is given up; SIGINT and SIGTERM end that sooner.
 */
#ifndef PORTS_SIM_VIRTUAL_MODULE_H
#define PORTS_SIM_VIRTUAL_MODULE_H

#include <stdbool.h>

#include "ports/sim/clock.h"
#include "ports/sim/faults.h"

struct virtual_module_options {
  const char *flash;        /* the flash file */
  const char *sd;           /* folder mounted as /sd, or NULL */
  const char *store;        /* folder mounted as /store, or NULL */
  const char *const *hosts; /* "NAME=ADDR:PORT" each, checked by sim_network_host_is_valid */
  unsigned host_count;
  const char *ca_file; /* authorities for https, or NULL: those of the computer */
  const char *listen;  /* path of a Unix socket for further consoles, or NULL */
  bool link_up;
  bool flash_takes_time; /* the chip's timing, instead of none */
  enum sim_clock_kind clock;
  bool keep_going;      /* with input that is no terminal: go on behind a command that failed */
  struct faults faults; /* of firmware that misbehaves */
  bool has_seed;        /* else chance is not the same at each start */
  uint32_t seed;
  bool transcript; /* with input that is no terminal: print prompt and line, as a terminal would have shown them */
};

/* How the virtual module ended. */
enum virtual_module_end {
  VIRTUAL_MODULE_DONE,        /* end of input, exit or SIGTERM, and no command failed */
  VIRTUAL_MODULE_FAILED,      /* a command failed (input that is no terminal only) */
  VIRTUAL_MODULE_NOT_STARTED, /* flash, folders or network could not be opened: said on stderr */
  VIRTUAL_MODULE_HALTED,      /* nothing on the flash boots, or what boots only crashes: said on stderr */
  VIRTUAL_MODULE_INTERRUPTED  /* SIGINT or SIGTERM ended a command, on whichever console */
};

/* Runs a module from power-on to the end of its console. */
enum virtual_module_end virtual_module_run(const struct virtual_module_options *options);

#endif
