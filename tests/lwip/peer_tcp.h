// SPDX-License-Identifier: MIT
/*
 * The servers' TCP (RFC 793), as little of it as is enough: it answers one request a connection with a stream of bytes,
 * repeats what is not acknowledged, heeds the module's window, and fails the test if the module breaks the rules.
 */
#ifndef TESTS_LWIP_PEER_TCP_H
#define TESTS_LWIP_PEER_TCP_H

#include <stdbool.h>
#include <stdint.h>

#define PEER_REQUEST_SIZE 2048U
#define PEER_CONNECTIONS  64U
#define PEER_NEVER        UINT32_MAX

enum peer_state {
  PEER_UNUSED,
  PEER_CALLED, /* the module's SYN came */
  PEER_OPEN,
  PEER_GONE /* closed on both sides, or reset */
};

/* What the module's callback says about an answer, in `peer_connection`. Places are bytes of the stream. */
struct peer_manner {
  uint32_t silent_from; /* from there on it says nothing, not even by ACKs; PEER_NEVER */
  uint32_t reset_from;  /* there it resets; PEER_NEVER */
  uint32_t pace_bytes;  /* at once so many bytes at the most, in each pace_ms; 0: as fast as it goes */
  uint32_t pace_ms;
  bool stays_open; /* does not close behind the last byte */
};

struct peer_connection {
  enum peer_state state;
  uint32_t address;
  uint16_t port;
  uint16_t module_port;
  char request[PEER_REQUEST_SIZE];
  uint32_t request_length;
  bool has_answered;
  bool has_module_closed;
  bool has_module_reset;

  uint8_t *stream;
  uint32_t length; /* of the stream; what follows is counted from its beginning: */
  uint32_t acknowledged;
  uint32_t sent;
  uint32_t most_sent;
  uint32_t edge; /* the first byte behind the window */
  uint32_t window;
  uint32_t released; /* by the pace */
  struct peer_manner manner;

  uint32_t first;    /* sequence number of the stream's first byte */
  uint32_t called;   /* the module's first */
  uint32_t expected; /* and next */
  uint32_t repeats;  /* of the same acknowledgement */
  uint64_t due_ms;   /* when it is repeated */
  uint32_t wait_ms;
  uint64_t released_ms;
};

struct peer_tcp_settings {
  /* The whole request has come: fills stream, length and manner. */
  void (*answer)(struct peer_connection *connection);
  uint32_t segment;    /* bytes of the longest one */
  bool refuses;        /* answers SYN with RST */
  bool never_accepts;  /* does not answer SYN */
  bool closes_at_once; /* behind the SYN */
  bool is_disturbed;   /* others send in its name: what does not fit is their fault, and ends the connection */
};

extern struct peer_tcp_settings peer_tcp_settings;
extern struct peer_connection peer_connections[PEER_CONNECTIONS];

void peer_tcp_start(void);
void peer_tcp_receive(const uint8_t *packet, uint32_t length);
void peer_tcp_tick(void);

/* The connection that was called last; fails the test if there is none. */
struct peer_connection *peer_tcp_last(void);
uint32_t peer_tcp_count(void);

/* Sends at most a segment of the stream's bytes, whether it is their turn and the window takes them or not. */
void peer_tcp_send(struct peer_connection *connection, uint32_t from, uint32_t length);

/* Takes a copy of these bytes as the end of the stream. */
void peer_tcp_say(struct peer_connection *connection, const void *bytes, uint32_t length);

#endif
