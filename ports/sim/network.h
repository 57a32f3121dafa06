// SPDX-License-Identifier: MIT
/*
 * The virtual module's network: HTTP and HTTPS through libcurl, in the same thread, without blocking.
 *
 * Each transfer has a connection of its own, which it asks the server to close at the end, so that bytes beyond the
 * announced length are noticed. No proxy, no .netrc, no cookies, no compression: what comes is what was asked for.
 */
#ifndef PORTS_SIM_NETWORK_H
#define PORTS_SIM_NETWORK_H

#include <stdbool.h>

#include "module/port.h"
#include "ports/sim/clock.h"

#define SIM_NETWORK_TRANSFERS 4U

struct sim_network; /* all of it is allocated by sim_network_open */

struct sim_network_options {
  bool link_up;
  const char *ssid;         /* of the network it is on, "" for none */
  const char *const *hosts; /* the hosts file, "NAME=ADDR:PORT" each; see sim_network_host_is_valid */
  unsigned host_count;
  const char *ca_file;     /* trust only the authorities in this file; NULL: those of the computer */
  struct sim_clock *clock; /* measures time-outs, waits for sockets when idle; outlives the network */
};

/*
 * Is this "NAME=ADDR:PORT", like "api.openvehicles.com=127.0.0.1:8080" or "x=[::1]:80"? Connections to NAME, whatever
 * the port in the URL, then go to ADDR:PORT; the server and the check of its certificate still see NAME.
 */
bool sim_network_host_is_valid(const char *host);

/*
 * LB_ERR_ARGUMENT for a host that is not valid, PORT_ERR_FILE_NOT_FOUND if the authorities' file cannot be read,
 * PORT_ERR_FILE_IO if libcurl or the memory fails.
 */
int sim_network_open(struct sim_network **network, const struct sim_network_options *options);

/* Ends it with all its transfers; NULL does nothing. */
void sim_network_close(struct sim_network *network);

/* For the module; valid until sim_network_close. */
const struct port_network *sim_network_port(struct sim_network *network);

#endif
