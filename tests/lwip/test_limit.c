// SPDX-License-Identifier: MIT
/* As many transfers as there are, readers that do not read, and transfers that are given up at any time. */
#include "ports/lwip/network.h"
#include "tests/lwip/suites.h"
#include "tests/lwip/world.h"

#define URL        "http://server.test/ovms3.bin"
#define OTHER_URL  "http://192.0.2.80/ovms3.bin"
#define WINDOW     (8U * 1460U)
#define HEAD_BYTES 200U /* more than those of an answer's headers */

static struct download downloads[NETWORK_TRANSFERS];
static struct download *const download = &downloads[0];

static void test_busy(void **state)
{
  struct port_transfer *transfer = NULL;
  bool is_going = true;

  (void)state;
  cable_faults = (struct cable_faults){.lost = 20, .late = 50};
  for (uint32_t i = 0; i < NETWORK_TRANSFERS; i++) {
    download_open(&downloads[i], i == 1 ? OTHER_URL : URL);
  }
  assert_result(world_network->open(NULL, &(struct port_request){.url = URL}, &transfer), PORT_ERR_BUSY);
  assert_null(transfer);
  while (is_going) {
    is_going = false;
    for (uint32_t i = 0; i < NETWORK_TRANSFERS; i++) {
      is_going = download_look(&downloads[i]) || is_going;
    }
    cable_pass(WORLD_STEP_MS);
  }
  for (uint32_t i = 0; i < NETWORK_TRANSFERS; i++) {
    assert_whole(&downloads[i], 0);
  }
  download_close(&downloads[1]);
  download_open(&downloads[1], URL); /* a place is free as soon as it is closed */
}

static void test_no_good_request(void **state)
{
  struct port_transfer *transfer = NULL;

  (void)state;
  for (uint32_t i = 0; i < 2 * NETWORK_TRANSFERS; i++) {
    assert_result(world_network->open(NULL, &(struct port_request){.url = "http://"}, &transfer), PORT_ERR_URL);
    assert_result(world_network->open(NULL, &(struct port_request){.url = NULL}, &transfer), PORT_ERR_URL);
    assert_result(world_network->open(NULL, &(struct port_request){.url = "https://x/"}, &transfer), PORT_ERR_NO_TLS);
    assert_result(world_network->open(NULL, &(struct port_request){.url = URL, .first = 1}, &transfer),
                  LB_ERR_ARGUMENT);
    assert_null(transfer);
  }
  assert_int_equal(peer_tcp_count(), 0);
}

/* ---- readers ---- */

static void wait_for_reply(void)
{
  while (!download->has_reply) {
    const uint32_t piece = download->piece;

    download->piece = 1;
    assert_true(download_look(download));
    download->piece = piece;
    cable_pass(WORLD_STEP_MS);
  }
}

/* The server sends what there is room for, and then waits; nothing gives the reader up. */
static void test_reader_that_does_not_read(void **state)
{
  (void)state;
  download_open(download, URL);
  wait_for_reply();
  world_pass(20U * 60000U);
  assert_true(peer_tcp_last()->state == PEER_OPEN);
  assert_int_equal(peer_tcp_last()->window, 0);
  assert_in_range(peer_tcp_last()->most_sent, WINDOW, WINDOW + HEAD_BYTES);
  download_run(download);
  assert_whole(download, 0);
}

static void test_reader_that_pauses(void **state)
{
  (void)state;
  cable_faults = (struct cable_faults){.lost = 30, .late = 50};
  download_open(download, URL);
  wait_for_reply();
  download->piece = 1000;
  while (download_look(download)) {
    world_pass(unit_random_below(&cable_random, 10) == 0 ? 2 * PORT_NETWORK_TIMEOUT_MS : WORLD_STEP_MS);
  }
  assert_whole(download, 0);
}

static void answer_in_portions(struct peer_connection *connection)
{
  answer_body(connection);
  connection->manner.pace_bytes = 2000;
  connection->manner.pace_ms = 3000;
}

/* For more than a minute nobody calls, and what comes meanwhile is lost. */
static void be_absent(void)
{
  cable_faults.lost = 1000;
  for (uint32_t i = 0; i < 7000; i++) {
    cable_pass(WORLD_STEP_MS);
    if (i < 10) {
      download_look(download); /* takes all that there is */
    }
  }
  cable_faults.lost = 0;
}

/* That is our silence, not the server's. */
static void test_module_that_is_busy(void **state)
{
  uint32_t absences = 0;

  (void)state;
  peer_tcp_settings.answer = answer_in_portions;
  download_open(download, URL);
  for (uint32_t step = 1; download_look(download); step++) {
    cable_pass(WORLD_STEP_MS);
    if (step % 2500 == 0) {
      be_absent();
      absences++;
    }
  }
  assert_whole(download, 0);
  assert_true(absences >= 2);
}

/* ---- given up ---- */

static void give_up_at_random(uint32_t longest_ms)
{
  for (uint32_t i = 0; i < 100; i++) {
    const uint32_t time = unit_random_below(&cable_random, longest_ms);
    const uint64_t end = cable_now() + time;

    download_open(download, i % 3 == 0 ? "http://other.test/" : i % 3 == 1 ? URL : OTHER_URL);
    while (cable_now() < end && download_look(download)) {
      cable_pass(WORLD_STEP_MS);
    }
    download_close(download);
    if (peer_tcp_count() > PEER_CONNECTIONS / 2) {
      world_pass(10000);
      peer_start();
      peer_tcp_settings.answer = answer_body;
    }
  }
}

static void test_given_up(void **state)
{
  (void)state;
  give_up_at_random(100);
  give_up_at_random(20);
  cable_faults = (struct cable_faults){.lost = 300, .late = 300};
  give_up_at_random(10000);
}

/* What was not read is not the next one's. */
static void test_given_up_unread(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < 5; i++) {
    download_open(download, URL);
    wait_for_reply();
    world_pass(1000);
    download_close(download);
    download_all(download, URL);
    assert_whole(download, 0);
  }
}

/* One after the other in each state, on a network that has fallen silent there. */
static void test_given_up_in_silence(void **state)
{
  (void)state;
  for (uint32_t steps = 0; steps < 60; steps++) {
    download_open(download, "http://10.0.0.81/");
    for (uint32_t i = 0; i < steps; i++) {
      cable_pass(1);
      download_look(download);
    }
    cable_faults.lost = 1000;
    world_pass(steps * 100);
    download_close(download);
    world_pass(1000);
    cable_faults.lost = 0;
  }
  download_all(download, URL);
  assert_whole(download, 0);
}

/* Servers that do not see the module's last words: more connections wait for an end than there are places. */
static void test_many_endings(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < 30; i++) {
    download_open(download, URL);
    download_run(download);
    cable_faults.lost = 1000;
    download_close(download);
    world_pass(50);
    cable_faults.lost = 0;
    assert_whole(download, 0);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_cleanup)

int run_limit_tests(void)
{
  const struct CMUnitTest tests[] = {
      TEST(test_busy),
      TEST(test_no_good_request),
      TEST(test_reader_that_does_not_read),
      TEST(test_reader_that_pauses),
      TEST(test_module_that_is_busy),
      TEST(test_given_up),
      TEST(test_given_up_unread),
      TEST(test_given_up_in_silence),
      TEST(test_many_endings),
  };
  return cmocka_run_group_tests_name("lwip limit", tests, NULL, NULL);
}
