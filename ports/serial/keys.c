// SPDX-License-Identifier: MIT
#include "ports/serial/keys.h"

#define ESCAPE         0x1BU
#define DEL            0x7FU
#define PARAMETER_MOST 1000U

enum state { GROUND, AFTER_ESCAPE, IN_SEQUENCE, IN_SS3, IN_CHARACTER };

static enum key control(struct keys *keys, uint8_t byte)
{
  static const uint8_t meanings[32] = {
      [0x01] = KEY_HOME,  [0x02] = KEY_LEFT,     [0x03] = KEY_CANCEL,    [0x04] = KEY_DELETE,
      [0x05] = KEY_END,   [0x06] = KEY_RIGHT,    [0x08] = KEY_BACKSPACE, [0x09] = KEY_TAB,
      [0x0A] = KEY_ENTER, [0x0B] = KEY_KILL_END, [0x0C] = KEY_CLEAR,     [0x0D] = KEY_ENTER,
      [0x0E] = KEY_DOWN,  [0x10] = KEY_UP,       [0x15] = KEY_KILL_LINE, [0x17] = KEY_KILL_WORD,
  };
  const bool belongs = byte == '\n' && keys->after_cr;
  keys->after_cr = byte == '\r';
  if (byte == ESCAPE) {
    keys->state = AFTER_ESCAPE;
    return KEY_NONE;
  }
  return belongs ? KEY_NONE : (enum key)meanings[byte];
}

/* Bytes of a character by its first one; 0: no character begins so. */
static uint8_t bytes_of(uint8_t first)
{
  return first < 0xC2U ? 0 : first < 0xE0U ? 2 : first < 0xF0U ? 3 : first < 0xF5U ? 4 : 0;
}

static enum key ground(struct keys *keys, uint8_t byte)
{
  keys->state = GROUND;
  if (byte < ' ') {
    return control(keys, byte);
  }
  keys->after_cr = false;
  if (byte == DEL) {
    return KEY_BACKSPACE;
  }
  keys->text[0] = byte;
  keys->length = 1;
  if (byte < DEL) {
    return KEY_TEXT;
  }
  keys->need = bytes_of(byte);
  keys->state = keys->need > 0 ? IN_CHARACTER : GROUND;
  return KEY_NONE;
}

/* Neither written with more bytes than it needs, nor a surrogate, nor beyond Unicode, nor a control character. */
static bool is_character(const struct keys *keys)
{
  const uint8_t first = keys->text[0];
  const uint8_t second = keys->text[1];
  return !(first == 0xC2U && second < 0xA0U) && !(first == 0xE0U && second < 0xA0U) &&
         !(first == 0xEDU && second > 0x9FU) && !(first == 0xF0U && second < 0x90U) &&
         !(first == 0xF4U && second > 0x8FU);
}

static enum key in_character(struct keys *keys, uint8_t byte)
{
  if ((byte & 0xC0U) != 0x80U) {
    return ground(keys, byte);
  }
  keys->text[keys->length++] = byte;
  if (keys->length < keys->need) {
    return KEY_NONE;
  }
  keys->state = GROUND;
  return is_character(keys) ? KEY_TEXT : KEY_NONE;
}

static enum key letter(uint8_t byte)
{
  switch (byte) {
  case 'A':
    return KEY_UP;
  case 'B':
    return KEY_DOWN;
  case 'C':
    return KEY_RIGHT;
  case 'D':
    return KEY_LEFT;
  case 'F':
    return KEY_END;
  case 'H':
    return KEY_HOME;
  default:
    return KEY_NONE;
  }
}

/* The keys that VT220 numbers, as in ESC [ 3 ~. */
static enum key numbered(uint16_t number)
{
  switch (number) {
  case 1:
  case 7:
    return KEY_HOME;
  case 3:
    return KEY_DELETE;
  case 4:
  case 8:
    return KEY_END;
  default:
    return KEY_NONE;
  }
}

static enum key in_sequence(struct keys *keys, uint8_t byte)
{
  if (byte < ' ' || byte >= DEL) {
    return ground(keys, byte);
  }
  if (byte >= '0' && byte <= '9' && !keys->has_more) {
    const uint16_t parameter = (uint16_t)(keys->parameter * 10U + (byte - '0'));
    keys->parameter = parameter < PARAMETER_MOST ? parameter : PARAMETER_MOST;
  } else if (byte < '@') {
    keys->has_more = true;
  } else {
    keys->state = GROUND;
    return byte == '~' ? numbered(keys->parameter) : letter(byte);
  }
  return KEY_NONE;
}

static enum key after_escape(struct keys *keys, uint8_t byte)
{
  if (byte != '[' && byte != 'O') {
    return ground(keys, byte);
  }
  keys->state = byte == '[' ? IN_SEQUENCE : IN_SS3;
  keys->parameter = 0;
  keys->has_more = false;
  return KEY_NONE;
}

static enum key in_ss3(struct keys *keys, uint8_t byte)
{
  if (byte < ' ' || byte >= DEL) {
    return ground(keys, byte);
  }
  keys->state = GROUND;
  return letter(byte);
}

enum key keys_take(struct keys *keys, uint8_t byte)
{
  switch ((enum state)keys->state) {
  case AFTER_ESCAPE:
    return after_escape(keys, byte);
  case IN_SEQUENCE:
    return in_sequence(keys, byte);
  case IN_SS3:
    return in_ss3(keys, byte);
  case IN_CHARACTER:
    return in_character(keys, byte);
  case GROUND:
    break;
  }
  return ground(keys, byte);
}
