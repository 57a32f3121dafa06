// SPDX-License-Identifier: MIT
/*
 * What goes over the Unix socket of a virtual module, to the consoles that are attached to it and back.
 *
 * Frames: one byte kind, two bytes length (little-endian, at most FRAME_PAYLOAD), then so many bytes.
 *
 *   console -> module                            module -> console
 *                                                FRAME_GREETING  FRAME_GREETING_TEXT, once and first
 *   FRAME_EXECUTE   a line                       FRAME_OUTPUT    text, any number of them
 *                                                FRAME_END       result of the line, 4 bytes as of an int32_t
 *   FRAME_COMPLETE  a line up to the cursor      FRAME_CANDIDATE one word each, at most FRAME_CANDIDATES
 *                                                FRAME_END
 *   FRAME_EXPLAIN   a line up to the cursor      FRAME_OUTPUT    any number of them
 *                                                FRAME_END
 *   FRAME_CANCEL    nothing                      none of its own: the FRAME_END of the line under way comes soon
 *                                                FRAME_FAREWELL  why the module hangs up: one frame_farewell byte
 *
 * Requests are answered one after the other: what is sent while a line is under way waits, but for a FRAME_CANCEL that
 * comes next. `exit` is answered with FAREWELL_EXIT. No text contains a NUL. Whoever breaks these rules is hung up on.
 *
 * Nothing here waits: a receiver takes what has come, a sender keeps what the socket does not take now.
 */
#ifndef PORTS_SIM_CONSOLE_FRAME_H
#define PORTS_SIM_CONSOLE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "module/console.h"

#define FRAME_HEAD          3U
#define FRAME_PAYLOAD       CONSOLE_LINE_SIZE /* one byte more than a line may have: the console itself refuses it */
#define FRAME_CANDIDATES    256U
#define FRAME_GREETING_TEXT "lifeboat console 1"
#define FRAME_SENDER_LIMIT  (4U * 1024U * 1024U) /* bytes that a sender keeps */

enum frame_kind {
  FRAME_EXECUTE = 'x',
  FRAME_COMPLETE = 'c',
  FRAME_EXPLAIN = '?',
  FRAME_CANCEL = 'k',
  FRAME_GREETING = 'g',
  FRAME_OUTPUT = 'o',
  FRAME_CANDIDATE = 'w',
  FRAME_END = 'e',
  FRAME_FAREWELL = 'b',
};

enum frame_farewell {
  FAREWELL_EXIT = 'x',   /* it was asked for */
  FAREWELL_OFF = 'o',    /* the module is switched off */
  FAREWELL_HALTED = 'h', /* after a reset nothing on the flash boots */
  FAREWELL_FULL = 'f',   /* too many consoles */
  FAREWELL_WRONG = 'p',  /* the rules were broken */
};

struct frame {
  uint8_t kind;
  uint16_t length;
  char payload[FRAME_PAYLOAD + 1U]; /* with a NUL behind it */
};

/* ---- receiving ---- */

struct frame_receiver {
  uint8_t bytes[4U * (FRAME_HEAD + FRAME_PAYLOAD)];
  size_t length;
};

enum frame_receipt {
  FRAME_RECEIVED, /* some bytes */
  FRAME_NOT_NOW,  /* none are there, or there is no room for more */
  FRAME_CLOSED    /* and none will come */
};

/* Takes what the socket has. */
enum frame_receipt frame_receive(struct frame_receiver *receiver, int fd);

/* Is there room for more bytes? There always is if no whole frame is there. */
bool frame_has_room(const struct frame_receiver *receiver);

/* The next frame, or what can be said of what is there instead. */
enum frame_state { FRAME_WHOLE, FRAME_PARTIAL, FRAME_WRONG };

/* Looks at the next frame without taking it; `*frame` is filled if it is FRAME_WHOLE. */
enum frame_state frame_peek(const struct frame_receiver *receiver, struct frame *frame);

/* Takes the frame that frame_peek found whole. */
void frame_drop(struct frame_receiver *receiver);

/* ---- sending ---- */

struct frame_sender {
  uint8_t *bytes;
  size_t capacity;
  size_t begin;
  size_t end;
};

/* Adds a frame; `length` is at most FRAME_PAYLOAD. False: there is no room or memory for it, and it is not added. */
bool frame_put(struct frame_sender *sender, enum frame_kind kind, const void *payload, size_t length);

/* Bytes that the socket has not taken yet. */
size_t frame_pending(const struct frame_sender *sender);

/* Gives the socket what it takes now. False: nobody is at the other end any more. */
bool frame_flush(struct frame_sender *sender, int fd);

/* Forgets all and frees the memory. */
void frame_sender_clear(struct frame_sender *sender);

#endif
