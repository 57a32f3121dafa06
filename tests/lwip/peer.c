// SPDX-License-Identifier: MIT
#include "tests/lwip/peer.h"

#include "tests/lwip/cable.h"
#include "tests/lwip/peer_tcp.h"
#include "tests/lwip/wire.h"

#define ARP_SIZE       28U
#define ARP_REQUEST    1U
#define ARP_REPLY      2U
#define SMALLEST_FRAME 60U
#define LOCAL_NETWORK  0x0A000000U
#define LOCAL_MASK     0xFFFFFF00U
#define TIME_TO_LIVE   64U
#define PORT_DHCP      67U

static const uint8_t module_mac[] = PEER_MODULE_MAC;
static const uint8_t peer_mac[] = {0x02, 0, 0, 0, 0, 2};

struct peer_settings peer_settings;
struct peer_counts peer_counts;

void peer_start(void)
{
  peer_settings = (struct peer_settings){.lease_seconds = 86400};
  peer_counts = (struct peer_counts){0};
  peer_tcp_start();
}

void peer_tick(void)
{
  peer_tcp_tick();
}

/* ---- sending ---- */

static void send_ethernet(uint8_t *frame, uint32_t type, uint32_t length)
{
  uint32_t total = WIRE_ETHERNET + length;

  memcpy(frame, module_mac, sizeof module_mac);
  memcpy(frame + 6, peer_mac, sizeof peer_mac);
  wire_store16(frame + 12, type);
  if (total < SMALLEST_FRAME) {
    memset(frame + total, 0, SMALLEST_FRAME - total);
    total = SMALLEST_FRAME;
  }
  cable_send(frame, total);
}

void peer_send_ip(uint8_t *frame, uint32_t protocol, uint32_t from, uint32_t to, uint32_t length)
{
  uint8_t *packet = frame + WIRE_IP_AT;

  memset(packet, 0, WIRE_IP);
  packet[0] = 0x45;
  packet[8] = TIME_TO_LIVE;
  packet[9] = (uint8_t)protocol;
  wire_store32(packet + 12, from);
  wire_store32(packet + 16, to);
  wire_seal(packet, WIRE_IP + length);
  send_ethernet(frame, WIRE_TYPE_IP, WIRE_IP + length);
}

void peer_send_datagram(const struct peer_datagram *datagram)
{
  uint8_t frame[CABLE_FRAME_SIZE] = {0};
  uint8_t *header = frame + WIRE_PAYLOAD_AT;

  assert_true(WIRE_PAYLOAD_AT + WIRE_UDP + datagram->length <= sizeof frame);
  wire_store16(header, datagram->from_port);
  wire_store16(header + 2, datagram->to_port);
  wire_store16(header + 4, WIRE_UDP + datagram->length);
  memcpy(header + WIRE_UDP, datagram->data, datagram->length);
  peer_send_ip(frame, WIRE_PROTOCOL_UDP, datagram->from, datagram->to, WIRE_UDP + datagram->length);
}

/* ---- receiving ---- */

static void receive_arp(const uint8_t *packet, uint32_t length)
{
  uint8_t frame[SMALLEST_FRAME];
  uint8_t *answer = frame + WIRE_ETHERNET;

  assert_true(length >= ARP_SIZE);
  const uint32_t wanted = wire_load32(packet + 24);
  peer_counts.arp_replies += wire_load16(packet + 6) == ARP_REPLY ? 1 : 0;
  if (wire_load16(packet + 6) != ARP_REQUEST || wanted == PEER_NOBODY || wanted == PEER_MODULE ||
      (wanted & LOCAL_MASK) != LOCAL_NETWORK) {
    return;
  }
  memcpy(answer, packet, 6);
  wire_store16(answer + 6, ARP_REPLY);
  memcpy(answer + 8, peer_mac, sizeof peer_mac);
  wire_store32(answer + 14, wanted);
  memcpy(answer + 18, packet + 8, 10);
  send_ethernet(frame, WIRE_TYPE_ARP, ARP_SIZE);
}

static void receive_udp(const uint8_t *packet, uint32_t length)
{
  const uint8_t *header = packet + WIRE_IP;

  assert_true(length >= WIRE_UDP && wire_load16(header + 4) == length);
  assert_true(wire_load16(header + 6) == 0 || wire_transport_checksum(packet, length) == 0);
  const struct peer_datagram datagram = {
      .from = wire_load32(packet + 12),
      .to = wire_load32(packet + 16),
      .from_port = wire_load16(header),
      .to_port = wire_load16(header + 2),
      .data = header + WIRE_UDP,
      .length = length - WIRE_UDP,
  };
  if (datagram.to_port == PORT_DHCP) {
    peer_dhcp_receive(&datagram);
  } else if (datagram.to_port == PEER_PORT_DNS && datagram.to == PEER_ROUTER) {
    peer_dns_receive(&datagram);
  }
}

static void receive_ip(const uint8_t *packet, uint32_t length)
{
  assert_true(length >= WIRE_IP && packet[0] == 0x45 && wire_checksum(packet, WIRE_IP, 0) == 0);
  const uint32_t total = wire_load16(packet + 2);
  assert_in_range(total, WIRE_IP, length);
  if (packet[9] == WIRE_PROTOCOL_TCP) {
    assert_true(total >= WIRE_IP + WIRE_TCP && wire_transport_checksum(packet, total - WIRE_IP) == 0);
    peer_tcp_receive(packet, total - WIRE_IP);
  } else if (packet[9] == WIRE_PROTOCOL_UDP) {
    receive_udp(packet, total - WIRE_IP);
  }
}

void peer_receive(const uint8_t *frame, uint32_t length)
{
  assert_memory_equal(frame + 6, module_mac, sizeof module_mac);
  if (wire_load16(frame + 12) == WIRE_TYPE_ARP) {
    receive_arp(frame + WIRE_ETHERNET, length - WIRE_ETHERNET);
  } else {
    assert_int_equal(wire_load16(frame + 12), WIRE_TYPE_IP);
    receive_ip(frame + WIRE_ETHERNET, length - WIRE_ETHERNET);
  }
}
