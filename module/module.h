// SPDX-License-Identifier: MIT
/*
 * The module's firmware: what runs after the bootloader has decided. It owns the update that may be under way; consoles
 * (module/console.h) are its users' way to it. All memory is in these structs; nothing is allocated.
 */
#ifndef MODULE_MODULE_H
#define MODULE_MODULE_H

#include "lifeboat/boot.h"
#include "module/flash_job.h"
#include "module/port.h"
#include "module/settings.h"
#include "module/trial.h"
#include "module/update_log.h"

/* What survives a reset but not a loss of power; the port keeps it. */
struct module_uptime {
  uint32_t resets;        /* since power-on */
  uint32_t crashes;       /* and resets by the watchdog */
  uint32_t early_crashes; /* of them, those before the trial time had run */
  uint64_t boot_time_ms;  /* of the port's clock, at the last boot */
  enum lb_reset cause;
};

struct module {
  const struct port *port;
  struct lb_device device;       /* for the update and for selecting */
  struct lb_device device_other; /* for what runs beside an update: a hash of its own */
  const struct lb_table *table;
  struct lb_boot_decision boot;
  struct lb_image_info firmware; /* of the running image */
  struct module_uptime uptime;
  struct settings settings;
  struct update_log update_log;     /* the history of updates */
  struct module_trial trial;        /* of the running firmware, see module/trial.h */
  struct flash_job flash_job;       /* the update under way, if any */
  const struct console *hash_user;  /* the console that computes on device_other's hash, or NULL */
  const struct console *flash_user; /* the console whose command changes the flash, or NULL */
  uint32_t copies;                  /* of files, under way on all consoles */
  bool reset_requested;             /* `module reset` was given: go through the bootloader again */
  bool exit_requested;              /* `exit` was given: the console is left */
};

/* Starts the firmware that the bootloader booted. port and table stay; the rest is copied. */
void module_start(struct module *module, const struct port *port, const struct lb_table *table,
                  const struct lb_boot_decision *boot, const struct lb_image_info *firmware,
                  const struct module_uptime *uptime);

#endif
