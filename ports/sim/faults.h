// SPDX-License-Identifier: MIT
/*
 * Firmware that misbehaves, by the slot it was booted from: `lifeboat module --fault SLOT=KIND`.
 *
 *   crash-at-start       breaks down before its first line
 *   crash-after:SECONDS  breaks down when it has run for so long, also in the middle of a command
 *   hang                 executes nothing; the watchdog resets it after FAULT_WATCHDOG_MS
 *   no-network           has no network, whatever one does
 */
#ifndef PORTS_SIM_FAULTS_H
#define PORTS_SIM_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/partition.h"
#include "module/port.h"

#define FAULTS_MOST       16U
#define FAULT_WATCHDOG_MS 5000U
#define FAULT_CRASHES     100U    /* in a row, without a line being read between them: then the module is given up */
#define FAULT_SECONDS_MAX 604800U /* a week */

enum fault_kind { FAULT_CRASH_AT_START, FAULT_CRASH_AFTER, FAULT_HANG, FAULT_NO_NETWORK };

struct fault {
  char slot[LB_LABEL_SIZE]; /* its label */
  enum fault_kind kind;
  uint32_t seconds; /* of FAULT_CRASH_AFTER */
};

struct faults {
  struct fault list[FAULTS_MOST];
  unsigned count;
};

/* Adds "SLOT=KIND". NULL, or what is wrong with it, in words. */
const char *faults_add(struct faults *faults, const char *text);

/* The fault of that kind of firmware in that slot, or NULL. */
const struct fault *faults_find(const struct faults *faults, const char *slot, enum fault_kind kind);

/* The label of a slot in `faults` that the table does not have, or NULL. */
const char *faults_wrong_slot(const struct faults *faults, const struct lb_table *table);

/* A network whose link stays down: for the module, in place of `real`. Valid until the next call. */
const struct port_network *faults_no_network(struct port_network *room, const struct port_network *real);

#endif
