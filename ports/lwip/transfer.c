// SPDX-License-Identifier: MIT
#include "ports/lwip/transfer.h"

#include <string.h>

#include "ports/http/redirect.h"
#include "ports/http/request.h"
#include "ports/http/text.h"
#include <lwip/dns.h>
#include <lwip/pbuf.h>

static void enter(struct port_transfer *transfer, enum transfer_state state)
{
  transfer->state = state;
  transfer->silence_ms = 0;
}

/* Something came. Bytes that come one by one keep the connection, but an update that takes days is none. */
static void heard(struct port_transfer *transfer, uint32_t length)
{
  transfer->silence_ms = 0;
  transfer->slow_bytes += length;
  if (transfer->slow_bytes >= TRANSFER_SLOW_BYTES) {
    transfer->slow_bytes = 0;
    transfer->slow_ms = 0;
  }
}

/* ---- what lwIP calls ---- */

/*
 * lwIP cannot be told that an answer is not wanted any more: it may have been asked for by the transfer that was in
 * this place before. About the same name it is as good; lwIP asks once for all spellings of it.
 */
static void on_resolved(const char *name, const ip_addr_t *address, void *context)
{
  struct port_transfer *transfer = context;
  if (transfer->state != TRANSFER_RESOLVING || !http_text_is(name, transfer->url.host)) {
    return;
  }
  transfer->has_resolved = address != NULL;
  transfer->has_no_address = address == NULL;
  if (address) {
    transfer->address = *address;
  }
}

static err_t on_connected(void *context, struct tcp_pcb *connection, err_t err)
{
  struct port_transfer *transfer = context;
  (void)connection;
  (void)err; /* always ERR_OK: a refusal comes by on_broken */
  transfer->has_connected = true;
  return ERR_OK;
}

/* lwIP has freed the connection already. */
static void on_broken(void *context, err_t err)
{
  struct port_transfer *transfer = context;
  (void)err;
  transfer->connection = NULL;
  transfer->has_broken = true;
}

/* The window is as large as the ring, so that there is room; were there none, lwIP would bring the bytes again. */
static err_t on_received(void *context, struct tcp_pcb *connection, struct pbuf *bytes, err_t err)
{
  struct port_transfer *transfer = context;
  (void)connection;
  (void)err;
  if (!bytes) {
    transfer->has_closed = true;
    return ERR_OK;
  }
  if (bytes->tot_len > BYTE_RING_SIZE - transfer->ring.length) {
    return ERR_MEM;
  }
  heard(transfer, bytes->tot_len);
  for (const struct pbuf *piece = bytes; piece; piece = piece->next) {
    byte_ring_put(&transfer->ring, piece->payload, piece->len);
  }
  pbuf_free(bytes);
  return ERR_OK;
}

/* ---- the connection ---- */

static void hang_up(struct port_transfer *transfer)
{
  struct tcp_pcb *connection = transfer->connection;
  transfer->connection = NULL;
  if (!connection) {
    return;
  }
  tcp_arg(connection, NULL);
  tcp_recv(connection, NULL);
  tcp_err(connection, NULL);
  /* a server that is not done is told by a reset; nor is anything kept for it */
  if (!transfer->has_closed || tcp_close(connection) != ERR_OK) {
    tcp_abort(connection);
  }
}

void transfer_end(struct port_transfer *transfer, int error)
{
  if (transfer->state != TRANSFER_UNUSED && transfer->state != TRANSFER_ENDED) {
    hang_up(transfer);
    transfer->error = error;
    enter(transfer, TRANSFER_ENDED);
  }
}

void transfer_close(struct port_transfer *transfer)
{
  transfer_end(transfer, LB_OK);
  transfer->state = TRANSFER_UNUSED;
}

/* Asks for transfer->url, for the first time or behind a redirect. */
static void begin_anew(struct port_transfer *transfer)
{
  transfer->has_resolved = false;
  transfer->has_no_address = false;
  transfer->has_connected = false;
  transfer->has_closed = false;
  transfer->has_broken = false;
  transfer->slow_ms = 0;
  transfer->slow_bytes = 0;
  byte_ring_clear(&transfer->ring);
  http_response_start(&transfer->response);
  enter(transfer, TRANSFER_WAITING);
}

int transfer_begin(struct port_transfer *transfer, const struct port_clock *clock, const struct port_request *request)
{
  if (!request->url) {
    return PORT_ERR_URL;
  }
  int err = http_request_check(request);
  err = err ? err : http_url_parse(&transfer->url, request->url);
  if (err) {
    return err;
  }
  transfer->clock = clock;
  transfer->attended_ms = clock->now_ms(clock->context);
  transfer->error = LB_OK;
  transfer->first = request->first;
  transfer->validator[0] = '\0';
  if (request->first > 0) {
    memcpy(transfer->validator, request->validator, strlen(request->validator) + 1); /* checked: it fits */
  }
  transfer->redirects = 0;
  transfer->connection = NULL;
  begin_anew(transfer);
  return LB_OK;
}

/* ---- until the request is sent ---- */

static void attend_waiting(struct port_transfer *transfer, bool has_address)
{
  if (!has_address) {
    if (transfer->silence_ms >= TRANSFER_CONNECT_MS) {
      transfer_end(transfer, PORT_ERR_LINK_DOWN);
    }
    return;
  }
  const err_t err = dns_gethostbyname(transfer->url.host, &transfer->address, on_resolved, transfer);
  transfer->has_resolved = err == ERR_OK;
  transfer->has_no_address = err != ERR_OK && err != ERR_INPROGRESS;
  if (err != ERR_MEM) { /* else all places for questions are taken: later */
    enter(transfer, TRANSFER_RESOLVING);
  } else if (transfer->silence_ms >= TRANSFER_CONNECT_MS) {
    transfer_end(transfer, PORT_ERR_NAME);
  }
}

static void connect_server(struct port_transfer *transfer)
{
  transfer->connection = tcp_new();
  if (!transfer->connection) {
    if (transfer->silence_ms >= TRANSFER_CONNECT_MS) {
      transfer_end(transfer, PORT_ERR_CONNECT);
    }
    return; /* connections that are ending take all the places: later */
  }
  tcp_arg(transfer->connection, transfer);
  tcp_recv(transfer->connection, on_received);
  tcp_err(transfer->connection, on_broken);
  if (tcp_connect(transfer->connection, &transfer->address, transfer->url.port, on_connected) != ERR_OK) {
    transfer_end(transfer, PORT_ERR_CONNECT); /* no way leads there */
    return;
  }
  enter(transfer, TRANSFER_CONNECTING);
}

static void attend_resolving(struct port_transfer *transfer, bool has_address)
{
  (void)has_address;
  if (transfer->has_resolved) {
    connect_server(transfer);
  } else if (transfer->has_no_address || transfer->silence_ms >= TRANSFER_CONNECT_MS) {
    transfer_end(transfer, PORT_ERR_NAME);
  }
}

static void attend_connecting(struct port_transfer *transfer, bool has_address)
{
  (void)has_address;
  if (transfer->has_connected) {
    enter(transfer, TRANSFER_REQUESTING);
  } else if (transfer->has_broken) {
    transfer_end(transfer, PORT_ERR_CONNECT);
  } else if (transfer->silence_ms >= TRANSFER_CONNECT_MS) {
    transfer_end(transfer, PORT_ERR_TIMEOUT);
  }
}

static void attend_requesting(struct port_transfer *transfer, bool has_address)
{
  char text[HTTP_REQUEST_SIZE];
  uint32_t length = 0;
  (void)has_address;
  int err = http_request_write(text, &transfer->url, transfer->first, transfer->validator, &length);
  if (!err && !transfer->connection) {
    err = PORT_ERR_CLOSED;
  }
  if (err) {
    transfer_end(transfer, err);
    return;
  }
  const err_t written = tcp_write(transfer->connection, text, (u16_t)length, TCP_WRITE_FLAG_COPY);
  if (written == ERR_OK) {
    tcp_output(transfer->connection);
    enter(transfer, TRANSFER_ANSWERING);
  } else if (written != ERR_MEM || transfer->silence_ms >= TRANSFER_CONNECT_MS) {
    transfer_end(transfer, PORT_ERR_CLOSED); /* else lwIP has no memory for it now: later */
  }
}

/* ---- the answer ---- */

static void drop_from_ring(struct port_transfer *transfer, uint32_t length)
{
  byte_ring_drop(&transfer->ring, length);
  if (transfer->connection) {
    tcp_recved(transfer->connection, (u16_t)length);
  }
}

void transfer_take(struct port_transfer *transfer, void *body, uint32_t capacity, uint32_t *got)
{
  struct http_response *response = &transfer->response;
  *got = 0;
  while (transfer->ring.length > 0 && response->stage != HTTP_FAILED && response->stage != HTTP_REDIRECT) {
    uint32_t length = 0;
    uint32_t used = 0;
    uint32_t copied = 0;
    const uint8_t *part = byte_ring_part(&transfer->ring, &length);
    uint8_t *place = body ? (uint8_t *)body + *got : NULL;
    /* what it returns is in response->stage, too */
    http_response_write(response, part, length, &used, place, capacity - *got, &copied);
    *got += copied;
    drop_from_ring(transfer, used);
    if (used < length) {
      break; /* no room for the next byte of the body */
    }
  }
  if (*got > 0) {
    transfer->silence_ms = 0;
  }
}

static void follow_redirect(struct port_transfer *transfer)
{
  const int err = http_redirect_follow(&transfer->url, &transfer->response, &transfer->redirects);
  if (err) {
    transfer_end(transfer, err);
    return;
  }
  hang_up(transfer);
  begin_anew(transfer);
}

/* Whether more comes than was announced is only known when the server has closed, or does not for a while. */
static bool is_all(const struct port_transfer *transfer)
{
  const struct http_response *response = &transfer->response;
  const bool may_exceed = response->reply.has_length && response->reply.length > 0;
  return response->stage == HTTP_COMPLETE && (!may_exceed || transfer->silence_ms >= TRANSFER_LINGER_MS);
}

static void attend_answering(struct port_transfer *transfer, bool has_address)
{
  struct http_response *response = &transfer->response;
  uint32_t got = 0;
  (void)has_address;
  transfer_take(transfer, NULL, 0, &got); /* all but the body */
  if (response->stage == HTTP_REDIRECT) {
    follow_redirect(transfer);
  } else if (response->stage == HTTP_FAILED) {
    transfer_end(transfer, response->error);
  } else if (transfer->ring.length > 0) {
    return; /* the module reads first */
  } else if (transfer->has_closed || transfer->has_broken) {
    transfer_end(transfer, http_response_end(response, transfer->has_closed));
  } else if (is_all(transfer)) {
    transfer_end(transfer, LB_OK);
  } else if (transfer->silence_ms >= PORT_NETWORK_TIMEOUT_MS) {
    transfer_end(transfer, PORT_ERR_TIMEOUT);
  } else if (transfer->slow_ms >= TRANSFER_SLOW_MS) {
    transfer_end(transfer, PORT_ERR_SLOW);
  }
}

/* ---- all of it ---- */

/* Time that passes while bytes wait to be read is not the server's. */
static void measure_silence(struct port_transfer *transfer)
{
  const uint64_t now = transfer->clock->now_ms(transfer->clock->context);
  const uint64_t gap = now - transfer->attended_ms;
  const uint64_t attended = gap < TRANSFER_GAP_MS ? gap : TRANSFER_GAP_MS;
  transfer->attended_ms = now;
  transfer->silence_ms += attended;
  transfer->slow_ms += attended;
  if (transfer->ring.length > 0) {
    transfer->silence_ms = 0;
  }
  if (transfer->ring.length >= TRANSFER_SLOW_BYTES) {
    transfer->slow_ms = 0;
  }
}

void transfer_attend(struct port_transfer *transfer, bool has_address)
{
  static void (*const attend[])(struct port_transfer *, bool) = {
      [TRANSFER_WAITING] = attend_waiting,       [TRANSFER_RESOLVING] = attend_resolving,
      [TRANSFER_CONNECTING] = attend_connecting, [TRANSFER_REQUESTING] = attend_requesting,
      [TRANSFER_ANSWERING] = attend_answering,
  };
  if (transfer->state == TRANSFER_UNUSED || transfer->state == TRANSFER_ENDED) {
    return;
  }
  measure_silence(transfer);
  attend[transfer->state](transfer, has_address);
}
