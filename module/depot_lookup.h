// SPDX-License-Identifier: MIT
/*
 * Asking the depot for the version it offers (the version file of module/depot.h): for `ota status`, and for firmware
 * on trial, which has to reach its depot. In steps that never wait.
 */
#ifndef MODULE_DEPOT_LOOKUP_H
#define MODULE_DEPOT_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "module/port.h"

struct module;

#define DEPOT_LOOKUP_MS   10000U /* nobody waits longer than that for a version */
#define DEPOT_LOOKUP_SIZE 64U

struct depot_lookup {
  const struct port *port;
  struct port_transfer *transfer; /* NULL: none is under way */
  int error;                      /* why none could be begun */
  uint64_t give_up_ms;
  bool replied;
  uint32_t length;
  char text[DEPOT_LOOKUP_SIZE]; /* the version, once LB_OK was said */
  const char *unknown;          /* once it has failed: why there is no version, in words */
};

/* Begins to ask; what may be wrong is told by the first step. */
void depot_lookup_start(struct depot_lookup *lookup, struct module *module);

/* LB_MORE: wait for the network; LB_OK: lookup->text is a version; LB_ERR_NOT_FOUND: lookup->unknown says why none. */
int depot_lookup_step(struct depot_lookup *lookup);

/* Ends it, also in the middle; safe to call again, and on a struct that is all zero. */
void depot_lookup_stop(struct depot_lookup *lookup);

#endif
