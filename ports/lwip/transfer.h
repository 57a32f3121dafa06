// SPDX-License-Identifier: MIT
/*
 * One transfer: a GET and what its redirects lead to, each over a connection of its own. For network.c.
 *
 * lwIP's callbacks only note what has happened; what follows from it is done by transfer_attend, one state after the
 * other.
 */
#ifndef PORTS_LWIP_TRANSFER_H
#define PORTS_LWIP_TRANSFER_H

#include "module/port.h"
#include "ports/http/response.h"
#include "ports/http/url.h"
#include "ports/lwip/byte_ring.h"
#include <lwip/ip_addr.h>
#include <lwip/tcp.h>

/* For an address, a name's address, and the server to accept. */
#define TRANSFER_CONNECT_MS 30000U

/* A server that does not close the connection after the announced length is not waited for longer than this. */
#define TRANSFER_LINGER_MS  500U

/* Not having looked for longer than this is our own silence, not the server's. */
#define TRANSFER_GAP_MS     1000U

/* A server that sends less than this in that time, though it is never silent for long, will never get there. */
#define TRANSFER_SLOW_BYTES 1024U
#define TRANSFER_SLOW_MS    (5U * PORT_NETWORK_TIMEOUT_MS)

enum transfer_state {
  TRANSFER_UNUSED,
  TRANSFER_WAITING,    /* the module has no address yet */
  TRANSFER_RESOLVING,  /* the name's address is asked for */
  TRANSFER_CONNECTING, /* the server was called */
  TRANSFER_REQUESTING, /* it has accepted, the request is not sent yet */
  TRANSFER_ANSWERING,
  TRANSFER_ENDED, /* the connection is gone; what has come can still be read */
};

struct port_transfer {
  enum transfer_state state;
  int error; /* while TRANSFER_ENDED */
  const struct port_clock *clock;

  struct http_url url;
  uint64_t first;
  char validator[PORT_VALIDATOR_SIZE];
  uint32_t redirects;

  /* noted by the callbacks */
  bool has_resolved; /* into `address`, or there is none: */
  bool has_no_address;
  bool has_connected;
  bool has_closed; /* the server has, orderly */
  bool has_broken; /* reset, or lwIP has given up; `connection` is NULL then */

  ip_addr_t address;
  struct tcp_pcb *connection; /* NULL: none */
  struct byte_ring ring;
  struct http_response response;

  uint64_t attended_ms; /* when we looked last */
  uint64_t silence_ms;  /* for how long nothing has come, or changed, as far as we looked */
  uint64_t slow_ms;     /* for how long less than TRANSFER_SLOW_BYTES have come, in the same way: */
  uint64_t slow_bytes;  /* these */
};

/* Begins. PORT_ERR_URL, PORT_ERR_NO_TLS; LB_ERR_ARGUMENT for a part without a strong validator. */
int transfer_begin(struct port_transfer *transfer, const struct port_clock *clock, const struct port_request *request);

/* Does what can be done now. `has_address`: the module has one. */
void transfer_attend(struct port_transfer *transfer, bool has_address);

/* Gives it up with this error, if it has not ended; what has come can still be read. */
void transfer_end(struct port_transfer *transfer, int error);

/* Body bytes out of the ring; the server may then send more. */
void transfer_take(struct port_transfer *transfer, void *body, uint32_t capacity, uint32_t *got);

/* The place is free again. */
void transfer_close(struct port_transfer *transfer);

#endif
