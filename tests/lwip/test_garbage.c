// SPDX-License-Identifier: MIT
/* Frames that nobody should send, while a download runs. It may fail, but must end, and the next one must work. */
#include "tests/lwip/suites.h"
#include "tests/lwip/wire.h"
#include "tests/lwip/world.h"

#define URL      "http://garbage.test/ovms3.bin"
#define LITERAL  "http://10.0.0.80/ovms3.bin"
#define ROUNDS   40U
#define PER_STEP 4U
#define LONGEST  400U /* steps with garbage in a round */

static struct download *const download = &world_download;
static const uint8_t module_mac[] = PEER_MODULE_MAC;

static uint32_t below(uint32_t bound)
{
  return unit_random_below(&cable_random, bound);
}

/* ---- frames ---- */

/* Noise behind headers that get it somewhere. */
static uint32_t make_noise(uint8_t *frame)
{
  static const uint8_t protocols[] = {WIRE_PROTOCOL_TCP, WIRE_PROTOCOL_UDP, 1, 2, 0};
  static const uint16_t ports[] = {68, 53, 80, 0xC000};
  const uint32_t length = below(4) == 0 ? below(CABLE_FRAME_SIZE) + 1 : below(100) + 1;
  uint8_t noise[CABLE_FRAME_SIZE];

  unit_random_fill(&cable_random, noise, sizeof noise);
  memcpy(noise, module_mac, sizeof module_mac);
  wire_store16(noise + 12, below(4) == 0 ? WIRE_TYPE_ARP : WIRE_TYPE_IP);
  if (below(2) == 0) { /* ARP for Ethernet and IP */
    wire_store32(noise + 14, wire_load16(noise + 12) == WIRE_TYPE_ARP ? 0x00010800U : 0x45000000U | below(0xFFFFFF));
    wire_store16(noise + 18, 0x0604);
  }
  if (wire_load16(noise + 12) == WIRE_TYPE_IP && below(4) != 0) {
    noise[14] = (uint8_t)(below(8) == 0 ? 0x46 : 0x45);
    wire_store16(noise + 20, 0); /* no fragment */
    noise[23] = protocols[below(sizeof protocols)];
    wire_store32(noise + 26, below(2) ? PEER_ROUTER : PEER_SERVER);
    wire_store32(noise + 30, below(8) == 0 ? 0xFFFFFFFFU : PEER_MODULE);
    wire_store16(noise + 34, ports[below(4)]);
    wire_store16(noise + 36, ports[below(4)]);
    if (length > WIRE_IP_AT) {
      wire_seal(noise + WIRE_IP_AT, length - WIRE_IP_AT);
    }
  }
  memcpy(frame, noise, length);
  return length;
}

static void spoil(uint8_t *frame, uint32_t from, uint32_t length)
{
  static const uint16_t hostile[] = {0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x00FF, 0xFF00, 0xC00C};

  for (uint32_t i = below(4) + 1; i > 0 && length > from + 2; i--) {
    const uint32_t at = from + below(length - from - 1);

    if (below(2) == 0) {
      frame[at] ^= (uint8_t)(1U << below(8));
    } else {
      wire_store16(frame + at, hostile[below(sizeof hostile / sizeof hostile[0])]);
    }
  }
}

/* What was sent lately, cut, lengthened, with other bytes in its headers; mostly with checksums that are right. */
static uint32_t make_mutant(uint8_t *frame)
{
  const struct cable_frame *recent = &cable_recent[below(CABLE_RECENT)];
  uint32_t length = recent->length;

  if (length < 60) {
    return make_noise(frame);
  }
  memcpy(frame, recent->bytes, length);
  const uint32_t carried = frame[23] == WIRE_PROTOCOL_UDP ? length : WIRE_PAYLOAD_AT + WIRE_TCP + 8;
  switch (below(8)) {
  case 0:
    length = below(length) + 1;
    break;
  case 1:
    length += below(CABLE_FRAME_SIZE - length + 1);
    break;
  case 2:
    spoil(frame, WIRE_ETHERNET, carried < length ? carried : length);
    return length; /* as it is: lengths of IP and checksums that are wrong */
  default:
    spoil(frame, WIRE_PAYLOAD_AT, carried < length ? carried : length);
  }
  if (wire_load16(frame + 12) == WIRE_TYPE_IP && length > WIRE_IP_AT) {
    wire_seal(frame + WIRE_IP_AT, length - WIRE_IP_AT);
  }
  return length;
}

static void inject(void)
{
  uint8_t frame[CABLE_FRAME_SIZE] = {0};
  const uint32_t length = below(3) == 0 ? make_noise(frame) : make_mutant(frame);

  cable_inject(frame, length);
}

/* ---- what they do ---- */

static void take_up_again(void)
{
  assert_result(world_network->set_link(NULL, false, ""), LB_OK);
  world_pass(1000);
  assert_result(world_network->set_link(NULL, true, ""), LB_OK);
  world_pass(10000);
  assert_true(world_network->is_up(NULL));
}

/* From the first question for an address to the end of a download, all with garbage between. */
static void test_garbage(void **state)
{
  (void)state;
  for (uint32_t round = 0; round < ROUNDS; round++) {
    peer_start();
    peer_tcp_settings.answer = answer_body;
    peer_tcp_settings.is_disturbed = true;
    peer_tcp_settings.segment = 200 + below(1261);
    assert_result(world_network->set_link(NULL, false, ""), LB_OK);
    assert_result(world_network->set_link(NULL, true, ""), LB_OK);
    download_open(download, round % 2 ? URL : LITERAL);
    for (uint32_t step = 0; step < LONGEST && download_look(download); step++) {
      for (uint32_t i = below(PER_STEP); i > 0; i--) {
        inject();
      }
      cable_pass(WORLD_STEP_MS);
    }
    download_run(download);
    download_close(download);
  }
  peer_start();
  peer_tcp_settings.answer = answer_body;
  take_up_again();
  download_all(download, LITERAL);
  assert_whole(download, 0);
}

/* What is not for the module, or noise alone, does not even disturb. */
static void test_noise_beside_a_download(void **state)
{
  uint8_t frame[CABLE_FRAME_SIZE];

  (void)state;
  download_open(download, LITERAL);
  download->piece = 100;
  while (download_look(download)) {
    for (uint32_t i = 0; i < PER_STEP; i++) {
      const uint32_t length = below(CABLE_FRAME_SIZE) + 1;

      unit_random_fill(&cable_random, frame, length);
      cable_inject(frame, length);
    }
    cable_pass(WORLD_STEP_MS);
  }
  assert_whole(download, 0);
}

static void answer_later(struct peer_connection *connection)
{
  answer_body(connection);
  connection->manner.silent_from = 0;
}

/* Regression: a segment that came early and was longer than the window ended in an assertion of lwIP, and a reset. */
static void test_beyond_the_window(void **state)
{
  struct peer_connection *server = NULL;

  (void)state;
  peer_tcp_settings.answer = answer_later;
  download_open(download, LITERAL);
  do {
    assert_true(download_look(download));
    cable_pass(WORLD_STEP_MS);
    server = peer_tcp_count() > 0 ? peer_tcp_last() : NULL;
  } while (!server || !server->has_answered);
  const uint32_t edge = server->edge;
  peer_tcp_send(server, edge - 100, 200);
  for (uint32_t at = 0; at < edge - 100; at += peer_tcp_settings.segment) {
    const uint32_t left = edge - 100 - at;

    peer_tcp_send(server, at, left < peer_tcp_settings.segment ? left : peer_tcp_settings.segment);
  }
  cable_pass(WORLD_STEP_MS); /* all of them have come */
  download_look(download);
  server->manner.silent_from = PEER_NEVER;
  download_run(download);
  assert_whole(download, 0);
}

/* Regression: what was missing of a frame was taken from the one that had been in the same memory before. */
static void test_cut_arp(void **state)
{
  static const uint8_t to_module[] = {0,  1, 8, 0, 6, 4, 0, 1, 2, 0, 0,  0, 0, 2,
                                      10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 15};
  uint8_t frame[WIRE_ETHERNET + sizeof to_module];

  (void)state;
  memset(frame, 0xFF, sizeof frame);
  wire_store16(frame + 12, WIRE_TYPE_ARP);
  memcpy(frame + WIRE_ETHERNET, to_module, sizeof to_module);
  cable_inject(frame, sizeof frame);
  world_pass(100);
  assert_int_equal(peer_counts.arp_replies, 1);
  for (uint32_t length = 1; length < sizeof frame; length++) {
    cable_inject(frame, length);
    world_pass(100);
    assert_int_equal(peer_counts.arp_replies, 1);
    cable_inject(frame, sizeof frame);
    world_pass(100);
    assert_int_equal(peer_counts.arp_replies, 2);
    peer_counts.arp_replies = 1;
  }
}

/* More frames than are taken at once: those that wait are taken later, and none is lost by us. */
static void test_flood(void **state)
{
  uint8_t frame[60] = {0};

  (void)state;
  memset(frame, 0xFF, 6); /* to everybody, of a type that nobody knows */
  for (uint32_t i = 0; i < 200; i++) {
    cable_inject(frame, sizeof frame);
  }
  world_pass(1);
  assert_in_range(cable_waiting(), 1, 199);
  world_pass(1000);
  assert_int_equal(cable_waiting(), 0);
  download_all(download, LITERAL);
  assert_whole(download, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_cleanup)

int run_garbage_tests(void)
{
  const struct CMUnitTest tests[] = {
      TEST(test_noise_beside_a_download), TEST(test_cut_arp), TEST(test_flood),
      TEST(test_beyond_the_window),       TEST(test_garbage),
  };
  return cmocka_run_group_tests_name("lwip garbage", tests, NULL, NULL);
}
