// SPDX-License-Identifier: MIT
/* A DHCP server (RFC 2131) with one address to give. */
#include "tests/lwip/cable.h"
#include "tests/lwip/peer.h"
#include "tests/lwip/wire.h"

#define FIXED_SIZE      240U /* of a message, up to its options */
#define COOKIE          0x63825363U
#define OPTION_MASK     1U
#define OPTION_ROUTER   3U
#define OPTION_NAMES    6U
#define OPTION_LEASE    51U
#define OPTION_TYPE     53U
#define OPTION_SERVER   54U
#define OPTION_END      255U
#define LOCAL_MASK      0xFFFFFF00U
#define EVERYBODY       0xFFFFFFFFU
#define PORT_SERVER     67U
#define PORT_CLIENT     68U
#define LONGEST_MESSAGE 300U

enum message { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE };

static uint32_t type_of(const uint8_t *message, uint32_t length)
{
  for (uint32_t at = FIXED_SIZE; at + 2 < length && message[at] != OPTION_END; at += 2U + message[at + 1]) {
    if (message[at] == OPTION_TYPE) {
      return message[at + 2];
    }
  }
  return 0;
}

static uint8_t *add(uint8_t *at, uint8_t option, uint32_t value)
{
  at[0] = option;
  at[1] = 4;
  wire_store32(at + 2, value);
  return at + 6;
}

static void answer(const uint8_t *asked, enum message type)
{
  uint8_t message[LONGEST_MESSAGE] = {0};
  uint8_t *at = message + FIXED_SIZE;

  memcpy(message, asked, FIXED_SIZE); /* transaction, hardware address and cookie are the module's */
  message[0] = 2;
  wire_store32(message + 16, type == NAK ? 0 : PEER_MODULE);
  *at++ = OPTION_TYPE;
  *at++ = 1;
  *at++ = (uint8_t)type;
  at = add(at, OPTION_SERVER, PEER_ROUTER);
  if (type != NAK) {
    at = add(at, OPTION_LEASE, peer_settings.lease_seconds);
    at = add(at, OPTION_MASK, LOCAL_MASK);
    at = add(at, OPTION_ROUTER, PEER_ROUTER);
    at = add(at, OPTION_NAMES, PEER_ROUTER);
  }
  *at++ = OPTION_END;
  peer_send_datagram(&(struct peer_datagram){
      .from = PEER_ROUTER,
      .to = EVERYBODY,
      .from_port = PORT_SERVER,
      .to_port = PORT_CLIENT,
      .data = message,
      .length = (uint32_t)(at - message),
  });
}

void peer_dhcp_receive(const struct peer_datagram *datagram)
{
  const uint8_t *message = datagram->data;

  assert_true(datagram->length > FIXED_SIZE && wire_load32(message + 236) == COOKIE);
  switch (type_of(message, datagram->length)) {
  case DISCOVER:
    peer_counts.discovers++;
    if (!peer_settings.no_dhcp) {
      answer(message, OFFER);
    }
    break;
  case REQUEST:
    peer_counts.requests++;
    if (peer_settings.refuse_requests > 0) {
      peer_settings.refuse_requests--;
      answer(message, NAK);
    } else if (!peer_settings.no_dhcp) {
      answer(message, ACK);
    }
    break;
  case RELEASE:
    peer_counts.releases++;
    break;
  default:
    fail_here("a DHCP message that no client sends");
  }
}
