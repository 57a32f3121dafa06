// SPDX-License-Identifier: MIT
/* What a terminal sends, byte by byte, as keys: control characters, escape sequences of VT100 and xterm, UTF-8. */
#ifndef PORTS_SERIAL_KEYS_H
#define PORTS_SERIAL_KEYS_H

#include <stdbool.h>
#include <stdint.h>

enum key {
  KEY_NONE,  /* nothing yet, or nothing that means anything */
  KEY_TEXT,  /* a printable character: `length` bytes of `text` */
  KEY_ENTER, /* CR, LF or both */
  KEY_TAB,
  KEY_CANCEL, /* Ctrl-C */
  KEY_BACKSPACE,
  KEY_DELETE,
  KEY_LEFT,
  KEY_RIGHT,
  KEY_HOME,
  KEY_END,
  KEY_UP,
  KEY_DOWN,
  KEY_KILL_LINE, /* Ctrl-U */
  KEY_KILL_WORD, /* Ctrl-W: the one before the cursor */
  KEY_KILL_END,  /* Ctrl-K: from the cursor on */
  KEY_CLEAR      /* Ctrl-L: the screen */
};

#define KEYS_TEXT_MAX 4U

/* All zero at the start. */
struct keys {
  uint8_t state;
  bool after_cr; /* a line feed now belongs to the carriage return before it */
  uint8_t need;  /* bytes of the character that is coming */
  uint8_t length;
  uint8_t text[KEYS_TEXT_MAX];
  uint16_t parameter; /* the first number of an escape sequence */
  bool has_more;      /* it has a second one, which does not matter */
};

/*
 * Takes the next byte. Noise is survived: a sequence or character that is cut off is forgotten, and what cut it off
 * counts; bytes that are no UTF-8, and control characters beyond ASCII, mean nothing.
 */
enum key keys_take(struct keys *keys, uint8_t byte);

#endif
