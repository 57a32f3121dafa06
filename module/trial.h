// SPDX-License-Identifier: MIT
/*
 * The firmware's part of its trial (lifeboat/trial.h; docs/DESIGN.md, "Trial"): it counts how long it runs, looks for
 * its depot in the background, confirms itself once the trial time has run and it has reached its depot or an operator
 * has given his word, and goes back if its predecessor had reached the depot and it has not in a day of running.
 *
 * Otadata is left alone while a console's command holds the flash (module->flash_user): marks are made up for after it.
 * Only that the trial time has run is marked during an update, where that leaves otadata alone: a download may take
 * long, and a loss of power in it is no failed attempt.
 */
#ifndef MODULE_TRIAL_H
#define MODULE_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/trial.h"
#include "module/depot_lookup.h"

struct module;

#define MODULE_QUARTER_MS 900000U /* a quarter of an hour */
#define MODULE_LOOK_MS    600000U /* from one look for the depot to the next */
#define MODULE_AGAIN_MS   10000U  /* after a mark could not be made, until it is tried again */

struct module_trial {
  /* what otadata says of the running firmware, as it was read last */
  bool known; /* it has been read since it may have changed */
  bool on_trial;
  bool survived;       /* in this run the trial time has run, and that needs no mark any more */
  bool depot_expected; /* it has to reach its depot in a day */
  bool half_confirmed; /* a cut has left a verdict that is to be completed */
  bool no_mark;        /* there is no record of it, so that nothing can be marked */
  uint32_t quarters;   /* of an hour, marked in all its runs */

  /* what happened in this run */
  bool depot_reached; /* or in one before */
  bool depot_marked;  /* and that has been marked, in this run for certain: what is seen may be half a mark */
  bool word_given;    /* an operator has said `ota confirm` */
  bool confirmed;     /* its trial has ended well */
  uint32_t counted;   /* quarters of an hour that have been marked */
  uint64_t again_ms;  /* marks are not tried before */
  int error;          /* why the last mark could not be made, or LB_OK */
  bool has_terms;     /* the settings have been read since they may have changed: */
  uint32_t time_s;    /* `ota trial.time` */
  uint32_t attempts;  /* `ota trial.attempts` */

  /* looking for the depot */
  bool looking;
  bool looked;      /* in this run, and got an answer or none */
  uint64_t look_ms; /* not before */
  struct depot_lookup lookup;
};

/* How a slot is selected now: as the settings and what is known of the depot say. `module` has to stay until then. */
struct lb_trial_terms module_trial_terms(struct module *module);

/* Seconds that a firmware on trial has to run, and those that this one has run since it was booted. */
uint32_t module_trial_time(struct module *module);
uint32_t module_run_time(const struct module *module);

/* Settings have been changed. */
void module_trial_forget_settings(struct module *module);

/* The depot has answered as a depot does. */
void module_depot_reached(struct module *module);

/*
 * Is the running firmware on trial? LB_OK, and `otadata` tells how it stands; else as lb_trial_find, and `otadata` is
 * filled if it could be read at all.
 */
int module_trial_find(struct module *module, struct lb_otadata *otadata);

/*
 * The word of an operator. LB_OK: confirmed; LB_MORE: it will be, once the trial time has run. Errors as lb_trial_find
 * and of the flash. The caller holds the flash.
 */
int module_trial_confirm(struct module *module);

/*
 * Ends the trial badly and asks for a reset: the next boot goes back. Errors as lb_trial_find. The caller holds the
 * flash, or nobody does.
 */
int module_trial_reject(struct module *module, enum lb_trial_cause cause);

/*
 * The clock of all this: called by the port between any two polls of consoles, and at least every second while they
 * have nothing to do. A bounded piece: a few marks, a step of the history of updates, one of looking for the depot. May
 * set module->reset_requested. True: there is more to do at once.
 */
bool module_tick(struct module *module);

/* Has module_tick something to wait for on the network, so that the port should not sleep long? */
bool module_is_looking(const struct module *module);

/*
 * The firmware ends in order: before a reset that was asked for, and before it is switched off. All commands have ended
 * or were cancelled. If an update was, the history gets that now, which may take some erases. A crash, a watchdog and a
 * loss of power do not come by here.
 */
void module_stop(struct module *module);

/*
 * The firmware ends without a goodbye: a crash, the watchdog, a loss of power. Nothing is marked; only what the port
 * has open for it is closed, as a port whose network and files outlive the firmware needs it. Commands on consoles have
 * to be cancelled before, where somebody still listens; the flash job's source is closed all the same.
 */
void module_die(struct module *module);

#endif
