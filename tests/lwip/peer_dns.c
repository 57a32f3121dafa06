// SPDX-License-Identifier: MIT
/* A name server (RFC 1035) whose names say how it answers. */
#include <strings.h>

#include "tests/lwip/cable.h"
#include "tests/lwip/peer.h"
#include "tests/lwip/wire.h"

#define HEADER_SIZE     12U
#define FLAGS_ANSWER    0x8180U
#define NO_SUCH_NAME    3U
#define TYPE_A          1U
#define TYPE_CNAME      5U
#define CLASS_IN        1U
#define QUESTION_NAME   0xC00CU /* a pointer to it */
#define SECONDS         60U
#define LONGEST_MESSAGE 512U

static uint8_t message[LONGEST_MESSAGE];
static uint32_t length; /* of the message so far */

static void add16(uint32_t value)
{
  wire_store16(message + length, value);
  length += 2;
}

static void add_record(uint32_t name, uint32_t type, uint32_t size)
{
  add16(name);
  add16(type);
  add16(CLASS_IN);
  add16(0);
  add16(SECONDS);
  add16(size);
  wire_store16(message + 6, wire_load16(message + 6) + 1U);
}

static void add_address(uint32_t name, uint32_t address)
{
  add_record(name, TYPE_A, 4);
  add16(address >> 16);
  add16(address & 0xFFFFU);
}

/* ---- the names ---- */

static void answer_server(void)
{
  add_address(QUESTION_NAME, PEER_SERVER);
}

static void answer_other(void)
{
  add_address(QUESTION_NAME, PEER_OTHER);
}

static void answer_nowhere(void)
{
  add_address(QUESTION_NAME, PEER_NOBODY);
}

/* Its real name, and that one's, and so on, before the address. */
static void answer_alias(void)
{
  uint32_t name = QUESTION_NAME;

  for (uint8_t i = 0; i < 10; i++) {
    const uint8_t label[] = {3, 'r', 'e', (uint8_t)('0' + i)};

    add_record(name, TYPE_CNAME, sizeof label + 2);
    name = 0xC000U | length;
    memcpy(message + length, label, sizeof label);
    length += sizeof label;
    add16(QUESTION_NAME + 6); /* "test", behind "alias" */
  }
  add_address(name, PEER_SERVER);
}

static void answer_missing(void)
{
  message[3] |= NO_SUCH_NAME;
}

static void answer_empty(void)
{
}

/* Each question gets another answer that is none. */
static void answer_malformed(void)
{
  switch (peer_counts.questions % 4) {
  case 0: /* a name that points to itself, in an answer that is cut off */
    add16(0xC000U | length);
    wire_store16(message + 6, 1);
    break;
  case 1: /* data beyond the end */
    add_record(QUESTION_NAME, TYPE_CNAME, 0xFFFF);
    wire_store16(message + 6, 0xFFFF);
    break;
  case 2: /* an address of three bytes, the last one */
    add_record(QUESTION_NAME, TYPE_A, 4);
    length += 3;
    break;
  default: /* the answer to somebody else's question */
    message[0] ^= 0xFF;
    add_address(QUESTION_NAME, PEER_SERVER);
  }
}

static const struct name {
  const char *text;
  uint32_t from_question; /* the first that is answered; 0: none is */
  void (*answer)(void);
} names[] = {
    {"server.test", 1, answer_server},  {"other.test", 1, answer_other},         {"nowhere.test", 1, answer_nowhere},
    {"alias.test", 1, answer_alias},    {"missing.test", 1, answer_missing},     {"empty.test", 1, answer_empty},
    {"silent.test", 0, answer_empty},   {"malformed.test", 1, answer_malformed}, {"late.test", 3, answer_server},
    {"garbage.test", 1, answer_server},
};

/* ---- the server ---- */

/* The name in the question, as text; where the question ends. */
static uint32_t read_name(const struct peer_datagram *asked, char text[LONGEST_MESSAGE])
{
  uint32_t at = HEADER_SIZE;
  uint32_t end = 0;

  assert_true(asked->length > HEADER_SIZE + 5 && wire_load16(asked->data + 4) == 1);
  while (asked->data[at] != 0) {
    const uint32_t label = asked->data[at];

    assert_true(label < 64 && at + label + 6 <= asked->length);
    memcpy(text + end, asked->data + at + 1, label);
    end += label;
    text[end++] = '.';
    at += label + 1;
  }
  text[end > 0 ? end - 1 : 0] = '\0';
  assert_int_equal(wire_load16(asked->data + at + 1), TYPE_A);
  return at + 5;
}

void peer_dns_receive(const struct peer_datagram *asked)
{
  char text[LONGEST_MESSAGE];

  length = read_name(asked, text);
  peer_counts.questions++;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (strcasecmp(text, names[i].text) != 0 || peer_settings.no_dns || names[i].from_question == 0 ||
        peer_counts.questions < names[i].from_question) {
      continue;
    }
    memset(message, 0, sizeof message);
    memcpy(message, asked->data, length);
    wire_store16(message + 2, FLAGS_ANSWER);
    names[i].answer();
    peer_send_datagram(&(struct peer_datagram){
        .from = asked->to,
        .to = asked->from,
        .from_port = asked->to_port,
        .to_port = asked->from_port,
        .data = message,
        .length = length,
    });
  }
}
