// SPDX-License-Identifier: MIT
/*
 * The other end of the cable: a network with a DHCP server, a name server, and HTTP servers at every address but
 * PEER_NOBODY. It checks each frame of the module's, and fails the test for one that is not as the RFCs want it.
 */
#ifndef TESTS_LWIP_PEER_H
#define TESTS_LWIP_PEER_H

#include <stdbool.h>
#include <stdint.h>

#define PEER_MODULE_MAC                                                                                                \
  {                                                                                                                    \
    0x02, 0, 0, 0, 0, 1                                                                                                \
  }
#define PEER_MODULE   0x0A00000FU /* 10.0.0.15, what DHCP gives */
#define PEER_ROUTER   0x0A000001U /* DHCP and names, too */
#define PEER_SERVER   0x0A000050U /* 10.0.0.80 */
#define PEER_OTHER    0xC0000250U /* 192.0.2.80, behind the router */
#define PEER_NOBODY   0x0A000063U /* 10.0.0.99 */
#define PEER_PORT_DNS 53U

struct peer_settings {
  bool no_dhcp;
  bool no_dns;
  uint32_t lease_seconds;
  uint32_t refuse_requests; /* DHCP requests to be answered by a NAK */
};

/* What happened; for tests to look at. */
struct peer_counts {
  uint32_t arp_replies;
  uint32_t discovers;
  uint32_t requests;
  uint32_t releases;
  uint32_t questions;
};

extern struct peer_settings peer_settings;
extern struct peer_counts peer_counts;

/* As at the beginning: it knows of no connection. */
void peer_start(void);

/* A frame of the module's. */
void peer_receive(const uint8_t *frame, uint32_t length);

/* Time has passed. */
void peer_tick(void);

/* ---- for peer_*.c ---- */

struct peer_datagram {
  uint32_t from;
  uint32_t to;
  uint16_t from_port;
  uint16_t to_port;
  const uint8_t *data;
  uint32_t length;
};

/* Sends an IP packet; the headers up to its payload are this function's to fill, `length` counts the payload. */
void peer_send_ip(uint8_t *frame, uint32_t protocol, uint32_t from, uint32_t to, uint32_t length);
void peer_send_datagram(const struct peer_datagram *datagram);

void peer_dhcp_receive(const struct peer_datagram *datagram);
void peer_dns_receive(const struct peer_datagram *datagram);

#endif
