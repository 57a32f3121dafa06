// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "tests/network/peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MIN 2U
#define PATIENCE_MAX 14U
#define REFUSED      10U       /* one in so many connections is */
#define TRICKLE_US   20000000U /* from one byte to the next */

bool peer_open(struct peer *peer, const struct built_image *files, const struct sim_clock *clock)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  *peer = (struct peer){.files = files, .clock = clock, .connection = -1};
  peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (peer->listener < 0 || bind(peer->listener, (struct sockaddr *)&address, length) || listen(peer->listener, 16) ||
      getsockname(peer->listener, (struct sockaddr *)&address, &length)) {
    return false;
  }
  peer->port = ntohs(address.sin_port);
  for (size_t i = 0; i < PEER_FILES; i++) {
    const size_t needed = 2U * files[i].length + 8192U;
    peer->answer_capacity = needed > peer->answer_capacity ? needed : peer->answer_capacity;
  }
  peer->answer = malloc(peer->answer_capacity);
  return peer->answer != NULL;
}

static void hang_up(struct peer *peer, bool reset)
{
  const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  if (peer->connection < 0) {
    return;
  }
  if (reset) {
    (void)setsockopt(peer->connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  close(peer->connection);
  peer->connection = -1;
}

void peer_close(struct peer *peer)
{
  hang_up(peer, true);
  close(peer->listener);
  free(peer->answer);
  peer->answer = NULL;
}

void peer_begin(struct peer *peer, uint64_t seed)
{
  hang_up(peer, true);
  for (int left = accept(peer->listener, NULL, NULL); left >= 0; left = accept(peer->listener, NULL, NULL)) {
    close(left); /* of a client whose power went before it was heard */
  }
  peer->random.state = seed;
  peer->connections = 0;
  peer->patience = PATIENCE_MIN + unit_random_below(&peer->random, PATIENCE_MAX - PATIENCE_MIN + 1);
  peer->file = unit_random_below(&peer->random, PEER_FILES);
  peer->version = 1;
  peer->lied = false;
  peer->damaged = false;
  peer->all_strong = true;
  peer->first = 0;
}

static bool is_patient(const struct peer *peer)
{
  return peer->connections <= peer->patience;
}

static bool take_connection(struct peer *peer)
{
  const int one = 1;
  const int connection = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (connection < 0) {
    return false;
  }
  hang_up(peer, false); /* the client has only one; this is what is left of the one before */
  (void)setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  peer->connection = connection;
  peer->connections++;
  peer->request_length = 0;
  peer->answering = false;
  if (is_patient(peer) && unit_random_below(&peer->random, REFUSED) == 0) {
    peer->played[PEER_REFUSE]++;
    hang_up(peer, true);
  }
  return true;
}

static bool read_request(struct peer *peer)
{
  char *end = peer->request + peer->request_length;
  const size_t room = sizeof peer->request - 1 - peer->request_length;
  const ssize_t got = recv(peer->connection, end, room, 0);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    return false;
  }
  if (got <= 0) {
    hang_up(peer, false);
    return true;
  }
  peer->request_length += (size_t)got;
  peer->request[peer->request_length] = '\0';
  if (strstr(peer->request, "\r\n\r\n")) {
    peer->answering = true;
    peer->sent = 0;
    peer_make_answer(peer);
  }
  return true;
}

/* Has the client gone? It says nothing any more, so anything but silence means that. */
static bool client_is_gone(const struct peer *peer)
{
  char byte;
  const ssize_t got = recv(peer->connection, &byte, 1, 0);
  return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

static bool end_answer(struct peer *peer)
{
  if (peer->end == PEER_END_CLOSE || peer->end == PEER_END_RESET) {
    hang_up(peer, peer->end == PEER_END_RESET);
    return true;
  }
  if (client_is_gone(peer)) {
    hang_up(peer, false);
    return true;
  }
  const uint64_t now_us = sim_clock_now_us(peer->clock);
  if (peer->end == PEER_END_TRICKLE && now_us >= peer->next_us) {
    peer->next_us = now_us + TRICKLE_US;
    return send(peer->connection, peer->answer + peer->answer_length + peer->trickled++, 1, MSG_NOSIGNAL) == 1;
  }
  return false;
}

static bool send_answer(struct peer *peer)
{
  const size_t left = peer->answer_length - peer->sent;
  if (left == 0) {
    return end_answer(peer);
  }
  const size_t piece = left < peer->packet ? left : peer->packet;
  const ssize_t sent = send(peer->connection, peer->answer + peer->sent, piece, MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    return false;
  }
  if (sent < 0) {
    hang_up(peer, false);
    return true;
  }
  peer->sent += (size_t)sent;
  return true;
}

bool peer_step(struct peer *peer)
{
  const bool taken = take_connection(peer);
  if (peer->connection < 0) {
    return taken;
  }
  return (peer->answering ? send_answer(peer) : read_request(peer)) || taken;
}
