// SPDX-License-Identifier: MIT
/* The board as the module's firmware sees it: a struct port over the drivers. */
#ifndef PORTS_SIFIVE_U_FIRMWARE_PORT_H
#define PORTS_SIFIVE_U_FIRMWARE_PORT_H

#include "module/port.h"

/*
 * Opens the drivers and returns the port; there is one. Factory and everything below the first partition can be neither
 * erased nor programmed from then on. NULL: the flash does not answer, or it has no partition table; that has been told
 * on the UART.
 */
const struct port *firmware_port_open(struct lb_table *table);

/* Between any two pieces of work: feeds the watchdog, and does what the network has for us. */
void firmware_port_poll(void);

#endif
