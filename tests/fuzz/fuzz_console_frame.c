// SPDX-License-Identifier: MIT
/*
 * Frames on the console's socket: the first byte says how many bytes come at once. However they come, the frames are
 * the same; what a sender makes of them is received as the same again.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ports/sim/console_frame.h"
#include "tests/fuzz/fuzz.h"

#define PIECE_MAX 4096U

struct collected {
  uint8_t *bytes; /* the frames as they would be sent */
  size_t length;
  bool wrong;
};

static void collect(struct collected *collected, struct frame_receiver *receiver, struct frame_sender *sender)
{
  static struct frame frame;
  enum frame_state state;

  while (!collected->wrong && (state = frame_peek(receiver, &frame)) != FRAME_PARTIAL) {
    if (state == FRAME_WRONG) {
      collected->wrong = true;
      return;
    }
    FUZZ_REQUIRE(frame.length <= FRAME_PAYLOAD && frame.payload[frame.length] == '\0');
    collected->bytes[collected->length++] = frame.kind;
    collected->bytes[collected->length++] = (uint8_t)frame.length;
    collected->bytes[collected->length++] = (uint8_t)(frame.length >> 8);
    memcpy(collected->bytes + collected->length, frame.payload, frame.length);
    collected->length += frame.length;
    if (sender) {
      FUZZ_REQUIRE(frame_put(sender, (enum frame_kind)frame.kind, frame.payload, frame.length));
    }
    frame_drop(receiver);
  }
  FUZZ_REQUIRE(collected->wrong || frame_has_room(receiver));
}

/* Receives the bytes, `piece` at once. */
static void receive(struct collected *collected, const uint8_t *bytes, size_t length, size_t piece,
                    struct frame_sender *sender)
{
  static struct frame_receiver receiver;
  int sockets[2];

  receiver.length = 0;
  collected->length = 0;
  collected->wrong = false;
  FUZZ_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets) == 0);
  for (size_t at = 0; at < length && !collected->wrong;) {
    size_t next = piece < length - at ? piece : length - at;
    FUZZ_REQUIRE(write(sockets[0], bytes + at, next) == (ssize_t)next);
    at += next;
    while (!collected->wrong && frame_receive(&receiver, sockets[1]) == FRAME_RECEIVED) {
      collect(collected, &receiver, sender);
    }
  }
  close(sockets[0]);
  FUZZ_REQUIRE(collected->wrong || frame_receive(&receiver, sockets[1]) == FRAME_CLOSED);
  close(sockets[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  size_t piece = fuzz_take_byte(&input) * 8U + 1U;
  struct collected whole = {.bytes = fuzz_allocate(size)};
  struct collected pieces = {.bytes = fuzz_allocate(size)};
  struct frame_sender sender = {0};

  receive(&whole, input.bytes, input.length, PIECE_MAX, &sender);
  receive(&pieces, input.bytes, input.length, piece, NULL);
  FUZZ_REQUIRE(whole.wrong == pieces.wrong && whole.length == pieces.length);
  FUZZ_REQUIRE(memcmp(whole.bytes, pieces.bytes, whole.length) == 0);
  FUZZ_REQUIRE(whole.length <= input.length && memcmp(whole.bytes, input.bytes, whole.length) == 0);
  FUZZ_REQUIRE(frame_pending(&sender) == whole.length);
  FUZZ_REQUIRE(whole.length == 0 || memcmp(sender.bytes + sender.begin, whole.bytes, whole.length) == 0);
  frame_sender_clear(&sender);
  free(whole.bytes);
  free(pieces.bytes);
  return 0;
}
