// SPDX-License-Identifier: MIT
/* The address, and the link that comes and goes. */
#include "ports/lwip/network.h"
#include "tests/lwip/suites.h"
#include "tests/lwip/world.h"
#include <lwip/mem.h>
#include <lwip/udp.h>

#define URL        "http://10.0.0.80/ovms3.bin"
#define CONNECT_MS 30000U /* TRANSFER_CONNECT_MS */
#define PIECES     64U

static struct download *const download = &world_download;

static int set_link(bool up)
{
  return world_network->set_link(world_network->context, up, "");
}

static bool is_up(void)
{
  return world_network->is_up(world_network->context);
}

static void test_address(void **state)
{
  static const uint8_t expected[] = {10, 0, 0, 15};
  uint8_t address[4];

  (void)state;
  assert_true(network_address(address));
  assert_memory_equal(address, expected, sizeof address);
  assert_string_equal(world_network->ssid(world_network->context), "ethernet");
  assert_result(set_link(true), LB_OK); /* it is */
  assert_int_equal(peer_counts.releases, 0);
}

static void test_down_and_up(void **state)
{
  struct port_transfer *transfer = NULL;

  (void)state;
  download_all(download, "http://server.test/"); /* and so it knows where to send what is for the router */
  world_pass(1000);
  assert_result(set_link(false), LB_OK);
  assert_false(is_up());
  assert_result(world_network->open(NULL, &(struct port_request){.url = URL}, &transfer), PORT_ERR_LINK_DOWN);
  world_pass(1000);
  assert_int_equal(peer_counts.releases, 1);
  assert_false(is_up());
  assert_result(set_link(true), LB_OK);
  world_pass(5000);
  assert_true(is_up());
  download_all(download, URL);
  assert_whole(download, 0);
}

static void test_name_too_long(void **state)
{
  (void)state;
  assert_result(world_network->set_link(NULL, false, "a network's name that is of 33 ch"), PORT_ERR_SSID);
  assert_true(is_up());
}

static void test_address_over_bad_link(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < 20; i++) {
    assert_result(set_link(false), LB_OK);
    cable_faults = (struct cable_faults){.lost = 200, .doubled = 100, .late = 100, .refused = 100};
    assert_result(set_link(true), LB_OK);
    for (uint32_t second = 0; second < 3600 && !is_up(); second++) {
      world_pass(1000);
    }
    assert_true(is_up());
    cable_faults = (struct cable_faults){0};
  }
}

static void test_transfer_waits_for_address(void **state)
{
  (void)state;
  assert_result(set_link(false), LB_OK);
  peer_settings.no_dhcp = true;
  assert_result(set_link(true), LB_OK);
  download_open(download, URL);
  for (uint32_t i = 0; i < 1500; i++) {
    assert_true(download_look(download));
    cable_pass(WORLD_STEP_MS);
  }
  peer_settings.no_dhcp = false;
  download_run(download);
  assert_whole(download, 0);
}

static void test_no_address(void **state)
{
  (void)state;
  assert_result(set_link(false), LB_OK);
  peer_settings.no_dhcp = true;
  assert_result(set_link(true), LB_OK);
  assert_result(download_all(download, URL), PORT_ERR_LINK_DOWN);
  assert_in_range(download->took, CONNECT_MS, CONNECT_MS + 100);
  assert_true(peer_counts.discovers > 2);
}

static void test_refused_address(void **state)
{
  (void)state;
  assert_result(set_link(false), LB_OK);
  peer_settings.refuse_requests = 2;
  assert_result(set_link(true), LB_OK);
  world_pass(60000);
  assert_true(is_up());
  assert_true(peer_counts.requests >= 3);
}

static void test_lease_is_renewed(void **state)
{
  (void)state;
  assert_result(set_link(false), LB_OK);
  peer_settings.lease_seconds = 120;
  assert_result(set_link(true), LB_OK);
  for (uint32_t i = 0; i < 1000; i++) {
    world_pass(1000);
    assert_true(is_up() || i < 5);
  }
  assert_true(peer_counts.requests > 8);
}

static void answer_slowly(struct peer_connection *connection)
{
  answer_body(connection);
  connection->manner.pace_bytes = 100;
  connection->manner.pace_ms = 1000;
}

/* The address is another's now: the connection ends, and the next transfer waits for a new one. */
static void test_lease_ends(void **state)
{
  (void)state;
  assert_result(set_link(false), LB_OK);
  peer_settings.lease_seconds = 120;
  assert_result(set_link(true), LB_OK);
  world_pass(5000);
  peer_settings.no_dhcp = true;
  peer_tcp_settings.answer = answer_slowly;
  assert_result(download_all(download, URL), PORT_ERR_CLOSED);
  assert_in_range(download->took, 60000, 300000);
  assert_memory_equal(download->body, world_body, download->length);
  assert_false(is_up());
  peer_settings.no_dhcp = false;
  peer_tcp_settings.answer = answer_body;
  world_pass(60000);
  download_all(download, URL);
  assert_whole(download, 0);
}

/* What had come can still be read. */
static void test_down_in_the_middle(void **state)
{
  (void)state;
  download_open(download, URL);
  while (!download->has_reply) {
    assert_true(download_look(download));
    cable_pass(WORLD_STEP_MS);
  }
  world_pass(1000);
  const uint32_t before = download->length;
  assert_result(set_link(false), LB_OK);
  download->piece = 1000;
  download_run(download);
  assert_result(download->result, PORT_ERR_LINK_DOWN);
  assert_true(download->length > before + 5000 && download->length < WORLD_BODY_SIZE);
  assert_memory_equal(download->body, world_body, download->length);
  world_pass(10);
  assert_true(peer_tcp_last()->has_module_reset);
}

/* While lwIP's heap is full no question for an address gets out; it is asked later. */
static void test_no_memory_for_question(void **state)
{
  void *pieces[PIECES] = {NULL};
  uint32_t count = 0;

  (void)state;
  if (LWIP_TEST_HEAP) {
    skip(); /* there it does not run out */
  }
  const uint32_t before = peer_counts.discovers;
  assert_result(set_link(false), LB_OK);
  world_pass(1000);
  for (size_t size = 4096; size >= 16; size /= 2) {
    while (count < PIECES && (pieces[count] = mem_malloc((mem_size_t)size)) != NULL) {
      count++;
    }
  }
  assert_result(set_link(true), LB_OK);
  world_pass(10000);
  assert_int_equal(peer_counts.discovers, before);
  assert_false(is_up());
  while (count > 0) {
    mem_free(pieces[--count]);
  }
  world_pass(60000);
  assert_true(is_up());
}

/* Regression: a link that did not come up was taken for up, and nobody ever asked for an address again. */
static void test_no_memory_for_link(void **state)
{
  struct udp_pcb *taken[PIECES] = {NULL};
  uint32_t count = 0;

  (void)state;
  if (LWIP_TEST_HEAP) {
    skip();
  }
  assert_result(set_link(false), LB_OK);
  while ((taken[count] = udp_new()) != NULL) {
    count++;
  }
  assert_result(set_link(true), PORT_ERR_LINK_DOWN);
  assert_result(set_link(true), PORT_ERR_LINK_DOWN);
  while (count > 0) {
    udp_remove(taken[--count]);
  }
  assert_result(set_link(true), LB_OK);
  world_pass(5000);
  assert_true(is_up());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_cleanup)

int run_link_tests(void)
{
  const struct CMUnitTest tests[] = {
      TEST(test_address),
      TEST(test_down_and_up),
      TEST(test_name_too_long),
      TEST(test_address_over_bad_link),
      TEST(test_transfer_waits_for_address),
      TEST(test_no_address),
      TEST(test_refused_address),
      TEST(test_lease_is_renewed),
      TEST(test_lease_ends),
      TEST(test_down_in_the_middle),
      TEST(test_no_memory_for_question),
      TEST(test_no_memory_for_link),
  };
  return cmocka_run_group_tests_name("lwip link", tests, NULL, NULL);
}
