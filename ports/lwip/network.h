// SPDX-License-Identifier: MIT
/*
 * A struct port_network for boards without an operating system: HTTP over lwIP, polled. lwIP keeps its state in
 * globals, so there is one network and its functions take no context. All memory is static: 44 KB here, 38 KB in lwIP.
 *
 * What a server sends stays in a ring of one TCP window per transfer until the module reads it; the window opens only
 * as it does so. Nothing is ever dropped, and a server cannot send more than there is room for.
 *
 * There is one network to be on, named "ethernet"; it is up when DHCP has given an address. A transfer that is opened
 * a little earlier waits for that.
 */
#ifndef PORTS_LWIP_NETWORK_H
#define PORTS_LWIP_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "module/port.h"
#include "ports/lwip/ethernet.h"

#define NETWORK_TRANSFERS 3U /* a download, its digest or version beside it, and one to spare */

struct network_options {
  const struct ethernet *ethernet; /* outlives the network, as the clock does */
  const struct port_clock *clock;
  uint32_t seed; /* different at each start: port numbers, DHCP and DNS begin with it */
  bool link_up;
};

/* Begins; to be called once. */
const struct port_network *network_open(const struct network_options *options);

/*
 * Does what can be done without waiting: frames, time-outs, transfers. To be called every few milliseconds; the
 * network's reply and read call it themselves.
 */
void network_poll(void);

/* The module's address; false while it has none. */
bool network_address(uint8_t address[4]);

#endif
