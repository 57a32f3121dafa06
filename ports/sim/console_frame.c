// SPDX-License-Identifier: MIT
#include "ports/sim/console_frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SENDER_BEGIN 4096U

/* ---- receiving ---- */

bool frame_has_room(const struct frame_receiver *receiver)
{
  return receiver->length < sizeof receiver->bytes;
}

enum frame_receipt frame_receive(struct frame_receiver *receiver, int fd)
{
  if (!frame_has_room(receiver)) {
    return FRAME_NOT_NOW;
  }
  const size_t room = sizeof receiver->bytes - receiver->length;
  const ssize_t got = recv(fd, receiver->bytes + receiver->length, room, MSG_DONTWAIT);
  if (got > 0) {
    receiver->length += (size_t)got;
    return FRAME_RECEIVED;
  }
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    return FRAME_NOT_NOW;
  }
  return FRAME_CLOSED;
}

static size_t payload_length(const struct frame_receiver *receiver)
{
  return (size_t)receiver->bytes[1] | (size_t)receiver->bytes[2] << 8;
}

static bool is_kind(uint8_t kind)
{
  switch ((enum frame_kind)kind) {
  case FRAME_EXECUTE:
  case FRAME_COMPLETE:
  case FRAME_EXPLAIN:
  case FRAME_CANCEL:
  case FRAME_GREETING:
  case FRAME_OUTPUT:
  case FRAME_CANDIDATE:
  case FRAME_END:
  case FRAME_FAREWELL:
    return true;
  }
  return false;
}

enum frame_state frame_peek(const struct frame_receiver *receiver, struct frame *frame)
{
  if (receiver->length > 0 && !is_kind(receiver->bytes[0])) {
    return FRAME_WRONG;
  }
  if (receiver->length < FRAME_HEAD) {
    return FRAME_PARTIAL;
  }
  const size_t length = payload_length(receiver);
  if (length > FRAME_PAYLOAD) {
    return FRAME_WRONG;
  }
  if (receiver->length < FRAME_HEAD + length) {
    return FRAME_PARTIAL;
  }
  const uint8_t *payload = receiver->bytes + FRAME_HEAD;
  const bool is_text = receiver->bytes[0] != FRAME_END;
  if (is_text && memchr(payload, '\0', length)) {
    return FRAME_WRONG;
  }
  frame->kind = receiver->bytes[0];
  frame->length = (uint16_t)length;
  memcpy(frame->payload, payload, length);
  frame->payload[length] = '\0';
  return FRAME_WHOLE;
}

void frame_drop(struct frame_receiver *receiver)
{
  const size_t size = FRAME_HEAD + payload_length(receiver);
  receiver->length -= size;
  memmove(receiver->bytes, receiver->bytes + size, receiver->length);
}

/* ---- sending ---- */

size_t frame_pending(const struct frame_sender *sender)
{
  return sender->end - sender->begin;
}

/* Makes room for `size` bytes behind the end. */
static bool make_room(struct frame_sender *sender, size_t size)
{
  const size_t pending = frame_pending(sender);
  if (sender->begin > 0) {
    memmove(sender->bytes, sender->bytes + sender->begin, pending);
    sender->begin = 0;
    sender->end = pending;
  }
  if (size > FRAME_SENDER_LIMIT - pending) {
    return false;
  }
  size_t capacity = sender->capacity > 0 ? sender->capacity : SENDER_BEGIN;
  while (capacity - pending < size) {
    capacity *= 2;
  }
  if (capacity > sender->capacity) {
    uint8_t *bytes = realloc(sender->bytes, capacity);
    if (!bytes) {
      return false;
    }
    sender->bytes = bytes;
    sender->capacity = capacity;
  }
  return true;
}

bool frame_put(struct frame_sender *sender, enum frame_kind kind, const void *payload, size_t length)
{
  const size_t size = FRAME_HEAD + length;
  if (length > FRAME_PAYLOAD || (sender->capacity - sender->end < size && !make_room(sender, size))) {
    return false;
  }
  uint8_t *at = sender->bytes + sender->end;
  at[0] = (uint8_t)kind;
  at[1] = (uint8_t)(length & 0xFFU);
  at[2] = (uint8_t)(length >> 8);
  if (length > 0) {
    memcpy(at + FRAME_HEAD, payload, length);
  }
  sender->end += size;
  return true;
}

bool frame_flush(struct frame_sender *sender, int fd)
{
  while (frame_pending(sender) > 0) {
    const ssize_t taken = send(fd, sender->bytes + sender->begin, frame_pending(sender), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken < 0) {
      return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    }
    sender->begin += (size_t)taken;
  }
  sender->begin = 0;
  sender->end = 0;
  return true;
}

void frame_sender_clear(struct frame_sender *sender)
{
  free(sender->bytes);
  memset(sender, 0, sizeof *sender);
}
