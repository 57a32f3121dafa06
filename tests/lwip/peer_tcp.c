// SPDX-License-Identifier: MIT
#include "tests/lwip/peer_tcp.h"

#include "tests/lwip/cable.h"
#include "tests/lwip/peer.h"
#include "tests/lwip/wire.h"

#define FIN             0x01U
#define SYN             0x02U
#define RST             0x04U
#define PUSH            0x08U
#define ACK             0x10U
#define FIRST_WAIT_MS   200U
#define LONGEST_WAIT_MS 3000U
#define FAST_REPEATS    3U
#define OUR_WINDOW      8192U
#define SEGMENT         1460U
#define SYN_OPTIONS     4U
#define FIRST_NUMBER    0xFFFFF000U /* soon they begin anew */

struct peer_tcp_settings peer_tcp_settings;
struct peer_connection peer_connections[PEER_CONNECTIONS];
static uint32_t connection_count;

void peer_tcp_start(void)
{
  for (uint32_t i = 0; i < PEER_CONNECTIONS; i++) {
    free(peer_connections[i].stream);
  }
  memset(peer_connections, 0, sizeof peer_connections);
  connection_count = 0;
  peer_tcp_settings = (struct peer_tcp_settings){.segment = SEGMENT};
}

uint32_t peer_tcp_count(void)
{
  return connection_count;
}

struct peer_connection *peer_tcp_last(void)
{
  assert_true(connection_count > 0);
  return &peer_connections[connection_count - 1];
}

void peer_tcp_say(struct peer_connection *connection, const void *bytes, uint32_t length)
{
  connection->stream = realloc(connection->stream, connection->length + length + 1U);
  assert_non_null(connection->stream);
  memcpy(connection->stream + connection->length, bytes, length);
  connection->length += length;
}

/* ---- sending ---- */

/* A segment of the stream's bytes from `from` on; its FIN lies behind its last one. */
static void send_segment(struct peer_connection *connection, uint32_t flags, uint32_t from, uint32_t length)
{
  uint8_t frame[CABLE_FRAME_SIZE] = {0};
  uint8_t *header = frame + WIRE_PAYLOAD_AT;
  const uint32_t options = flags & SYN ? SYN_OPTIONS : 0;

  wire_store16(header, connection->port);
  wire_store16(header + 2, connection->module_port);
  wire_store32(header + 4, connection->first + from - (flags & SYN ? 1U : 0U));
  wire_store32(header + 8, connection->expected);
  header[12] = (uint8_t)((WIRE_TCP + options) / 4 << 4);
  header[13] = (uint8_t)flags;
  wire_store16(header + 14, OUR_WINDOW);
  if (options) {
    header[WIRE_TCP] = 2;
    header[WIRE_TCP + 1] = SYN_OPTIONS;
    wire_store16(header + WIRE_TCP + 2, SEGMENT);
  }
  if (length > 0) {
    memcpy(header + WIRE_TCP + options, connection->stream + from, length);
  }
  peer_send_ip(frame, WIRE_PROTOCOL_TCP, connection->address, PEER_MODULE, WIRE_TCP + options + length);
}

void peer_tcp_send(struct peer_connection *connection, uint32_t from, uint32_t length)
{
  assert_true(from + length <= connection->length);
  send_segment(connection, ACK, from, length < peer_tcp_settings.segment ? length : peer_tcp_settings.segment);
  if (from + length > connection->most_sent) {
    connection->most_sent = from + length;
  }
}

static bool closes(const struct peer_connection *connection)
{
  return connection->has_answered && !connection->manner.stays_open && connection->manner.silent_from == PEER_NEVER;
}

/* Where the stream ends for now; a FIN counts as one byte more. */
static uint32_t end_of(const struct peer_connection *connection)
{
  const struct peer_manner *manner = &connection->manner;
  uint32_t end = connection->length + (closes(connection) ? 1U : 0U);

  end = manner->silent_from < end ? manner->silent_from : end;
  end = manner->pace_bytes > 0 && connection->released < end ? connection->released : end;
  return end;
}

static bool is_silent(const struct peer_connection *connection)
{
  return connection->has_answered && connection->acknowledged >= connection->manner.silent_from;
}

static void restart_timer(struct peer_connection *connection)
{
  connection->wait_ms = FIRST_WAIT_MS;
  connection->due_ms = cable_now() + connection->wait_ms;
}

/* Sends from `sent` on what the window takes; of a closed one, a byte if it is probed. */
static void send_stream(struct peer_connection *connection, bool probes)
{
  uint32_t end = end_of(connection);
  uint32_t edge = connection->edge;

  if (probes && edge == connection->acknowledged) {
    edge++;
  }
  end = end < edge ? end : edge;
  while (connection->sent < end) {
    uint32_t length = end - connection->sent;
    uint32_t flags = ACK | PUSH;

    length = length < peer_tcp_settings.segment ? length : peer_tcp_settings.segment;
    if (connection->sent + length > connection->length) {
      length--; /* the last one is the FIN */
      flags |= FIN;
    }
    send_segment(connection, flags, connection->sent, length);
    connection->sent += length + (flags & FIN ? 1U : 0U);
  }
  connection->most_sent = connection->sent > connection->most_sent ? connection->sent : connection->most_sent;
}

static void repeat(struct peer_connection *connection)
{
  connection->wait_ms = connection->wait_ms < LONGEST_WAIT_MS / 2 ? connection->wait_ms * 2 : LONGEST_WAIT_MS;
  connection->due_ms = cable_now() + connection->wait_ms;
  if (connection->state == PEER_CALLED) {
    send_segment(connection, SYN | ACK, 0, 0);
  } else if (!is_silent(connection)) {
    connection->sent = connection->acknowledged;
    send_stream(connection, true);
  }
}

static void tick(struct peer_connection *connection)
{
  const struct peer_manner *manner = &connection->manner;

  if (manner->pace_bytes > 0 && cable_now() - connection->released_ms >= manner->pace_ms) {
    connection->released_ms = cable_now();
    connection->released += manner->pace_bytes;
    send_stream(connection, false);
  }
  if (connection->has_answered && connection->acknowledged >= manner->reset_from) {
    send_segment(connection, RST | ACK, connection->acknowledged, 0);
    connection->state = PEER_GONE;
    return;
  }
  const bool has_more = connection->state == PEER_CALLED || connection->acknowledged < end_of(connection);
  if (has_more && cable_now() >= connection->due_ms) {
    repeat(connection);
  }
}

void peer_tcp_tick(void)
{
  for (uint32_t i = 0; i < connection_count; i++) {
    if (peer_connections[i].state == PEER_CALLED || peer_connections[i].state == PEER_OPEN) {
      tick(&peer_connections[i]);
    }
  }
}

/* ---- receiving ---- */

static struct peer_connection *find(uint32_t address, uint16_t port, uint16_t module_port)
{
  for (uint32_t i = connection_count; i > 0; i--) {
    struct peer_connection *connection = &peer_connections[i - 1];

    if (connection->address == address && connection->port == port && connection->module_port == module_port) {
      return connection;
    }
  }
  return NULL;
}

/* The module announces the largest segment, and repeats the same number if it calls again. */
static void take_call(struct peer_connection *connection, const uint8_t *packet)
{
  const uint8_t *header = packet + WIRE_IP;

  const uint32_t number = wire_load32(header + 4);
  if (connection && number == connection->called) {
    return; /* again, and our timer repeats */
  }
  assert_true(!connection || connection->state == PEER_GONE); /* else it has forgotten what it said */
  if (peer_tcp_settings.never_accepts) {
    return;
  }
  assert_true(connection_count < PEER_CONNECTIONS);
  assert_true(header[12] >> 4 > 5 && header[20] == 2 && wire_load16(header + 22) == SEGMENT);
  connection = &peer_connections[connection_count++];
  connection->state = peer_tcp_settings.refuses ? PEER_GONE : PEER_CALLED;
  connection->address = wire_load32(packet + 16);
  connection->port = wire_load16(header + 2);
  connection->module_port = wire_load16(header);
  connection->first = FIRST_NUMBER + unit_random_below(&cable_random, FIRST_WAIT_MS);
  connection->called = number;
  connection->expected = number + 1;
  connection->window = wire_load16(header + 14);
  connection->edge = connection->window;
  connection->manner = (struct peer_manner){.silent_from = PEER_NEVER, .reset_from = PEER_NEVER};
  restart_timer(connection);
  send_segment(connection, peer_tcp_settings.refuses ? RST | ACK : SYN | ACK, 0, 0);
}

/* The module may not acknowledge what was never sent, nor take back a window that it gave. */
static void take_acknowledgement(struct peer_connection *connection, const uint8_t *header, uint32_t length)
{
  const uint32_t place = wire_load32(header + 8) - connection->first;
  const uint32_t window = wire_load16(header + 14);

  if ((int32_t)(place - connection->acknowledged) < 0) {
    return; /* an old one */
  }
  if (place > connection->most_sent && peer_tcp_settings.is_disturbed) {
    send_segment(connection, RST | ACK, connection->sent, 0);
    connection->state = PEER_GONE;
    return;
  }
  if (place > connection->most_sent) {
    fail_here("the module acknowledged byte %u of %u", place, connection->most_sent);
  }
  const bool is_repeat = place == connection->acknowledged && window == connection->window && length == 0;
  connection->repeats = is_repeat ? connection->repeats + 1 : 0;
  if (place > connection->acknowledged) {
    restart_timer(connection);
  }
  connection->acknowledged = place;
  connection->sent = connection->sent > place ? connection->sent : place;
  connection->window = window;
  connection->edge = place + window > connection->edge ? place + window : connection->edge;
  if (connection->repeats == FAST_REPEATS && place < connection->most_sent && place < connection->length) {
    const uint32_t end = connection->length < connection->most_sent ? connection->length : connection->most_sent;

    peer_tcp_send(connection, place, end - place);
  }
}

/* Takes what comes next of the request, and drops what does not. */
static void take_data(struct peer_connection *connection, uint32_t number, const uint8_t *data, uint32_t length)
{
  const uint32_t known = connection->expected - number;

  if (known >= length || connection->has_module_closed) {
    return;
  }
  const uint32_t count = length - known;
  assert_true(connection->request_length + count < PEER_REQUEST_SIZE);
  memcpy(connection->request + connection->request_length, data + known, count);
  connection->request_length += count;
  connection->expected += count;
  if (!connection->has_answered && strstr(connection->request, "\r\n\r\n") && peer_tcp_settings.answer) {
    connection->released_ms = cable_now();
    connection->has_answered = true;
    peer_tcp_settings.answer(connection);
    restart_timer(connection);
  }
}

static void receive(struct peer_connection *connection, const uint8_t *header, uint32_t length)
{
  const uint32_t header_length = (uint32_t)(header[12] >> 4) * 4U;
  const uint32_t number = wire_load32(header + 4);
  const uint32_t data_length = length - header_length;

  if (connection->state == PEER_CALLED) {
    connection->state = PEER_OPEN;
    connection->has_answered = peer_tcp_settings.closes_at_once;
  }
  take_acknowledgement(connection, header, data_length);
  if (connection->state == PEER_GONE) {
    return;
  }
  take_data(connection, number, header + header_length, data_length);
  if (header[13] & FIN && number + data_length == connection->expected && !connection->has_module_closed) {
    connection->has_module_closed = true;
    connection->expected++;
  }
  if (is_silent(connection)) {
    return;
  }
  if (data_length > 0 || header[13] & FIN) {
    send_segment(connection, ACK, connection->sent, 0);
  }
  send_stream(connection, false);
  if (connection->has_module_closed && closes(connection) && connection->acknowledged > connection->length) {
    connection->state = PEER_GONE;
  }
}

void peer_tcp_receive(const uint8_t *packet, uint32_t length)
{
  const uint8_t *header = packet + WIRE_IP;
  struct peer_connection *connection = find(wire_load32(packet + 16), wire_load16(header + 2), wire_load16(header));

  assert_in_range((header[12] >> 4) * 4, WIRE_TCP, length);
  if (header[13] & SYN) {
    take_call(connection, packet);
  } else if (connection && header[13] & RST) {
    connection->has_module_reset = true;
    connection->state = PEER_GONE;
  } else if (connection && connection->state == PEER_GONE && header[13] & FIN) {
    connection->expected = wire_load32(header + 4) + length - (uint32_t)(header[12] >> 4) * 4U + 1;
    send_segment(connection, ACK, connection->sent, 0); /* ours was lost */
  } else if (connection && connection->state != PEER_GONE) {
    receive(connection, header, length);
  }
}
