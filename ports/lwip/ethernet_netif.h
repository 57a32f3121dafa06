// SPDX-License-Identifier: MIT
/* lwIP's network interface over a struct ethernet. */
#ifndef PORTS_LWIP_ETHERNET_NETIF_H
#define PORTS_LWIP_ETHERNET_NETIF_H

#include "ports/lwip/ethernet.h"
#include <lwip/netif.h>

/* Adds the interface to lwIP as the only one, down and without an address. Both structs outlive it. */
void ethernet_netif_add(struct netif *netif, const struct ethernet *ethernet);

/* Hands what frames have come to lwIP, a bounded number. */
void ethernet_netif_poll(struct netif *netif);

#endif
