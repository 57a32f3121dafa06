// SPDX-License-Identifier: MIT
/* Servers that do not keep to what was agreed, and when the module has enough of them. */
#include "tests/lwip/suites.h"
#include "tests/lwip/world.h"

#define URL        "http://10.0.0.80/ovms3.bin"
#define CONNECT_MS 30000U /* TRANSFER_CONNECT_MS */
#define LINGER_MS  500U   /* TRANSFER_LINGER_MS */
#define SLOW_MS    (5U * PORT_NETWORK_TIMEOUT_MS)
#define PART       30000U /* bytes of the stream */

static struct download *const download = &world_download;

static void test_refuses(void **state)
{
  (void)state;
  peer_tcp_settings.refuses = true;
  assert_result(download_all(download, URL), PORT_ERR_CONNECT);
  assert_in_range(download->took, 0, 100);
}

static void test_never_accepts(void **state)
{
  (void)state;
  peer_tcp_settings.never_accepts = true;
  assert_result(download_all(download, URL), PORT_ERR_TIMEOUT);
  assert_in_range(download->took, CONNECT_MS, CONNECT_MS + 200);
}

static void test_closes_at_once(void **state)
{
  (void)state;
  peer_tcp_settings.closes_at_once = true;
  assert_result(download_all(download, URL), PORT_ERR_CLOSED);
  assert_in_range(download->took, 0, 100);
}

/* ---- silence ---- */

static void answer_nothing(struct peer_connection *connection)
{
  connection->manner.stays_open = true;
}

static void test_silent_server(void **state)
{
  (void)state;
  peer_tcp_settings.answer = answer_nothing;
  assert_result(download_all(download, URL), PORT_ERR_TIMEOUT);
  assert_in_range(download->took, PORT_NETWORK_TIMEOUT_MS, PORT_NETWORK_TIMEOUT_MS + 200);
  assert_true(download->has_reply == false);
  world_pass(100);
  assert_true(peer_tcp_last()->has_module_reset);
}

static void answer_and_fall_silent(struct peer_connection *connection)
{
  answer_body(connection);
  connection->manner.silent_from = PART;
}

static void test_falls_silent(void **state)
{
  (void)state;
  peer_tcp_settings.answer = answer_and_fall_silent;
  assert_result(download_all(download, URL), PORT_ERR_TIMEOUT);
  assert_in_range(download->took, PORT_NETWORK_TIMEOUT_MS, PORT_NETWORK_TIMEOUT_MS + 1000);
  assert_in_range(download->length, PART - 200, PART);
  assert_memory_equal(download->body, world_body, download->length);
}

static void answer_in_drops(struct peer_connection *connection)
{
  answer_body(connection);
  connection->manner.pace_bytes = 1;
  connection->manner.pace_ms = 2000;
}

static void test_trickles(void **state)
{
  (void)state;
  peer_tcp_settings.answer = answer_in_drops;
  assert_result(download_all(download, URL), PORT_ERR_SLOW);
  assert_in_range(download->took, SLOW_MS, SLOW_MS + 1000);
}

static void answer_just_fast_enough(struct peer_connection *connection)
{
  answer_bytes(connection, 5000, 5000);
  connection->manner.pace_bytes = 100;
  connection->manner.pace_ms = 20000;
}

static void test_slow_but_not_too_slow(void **state)
{
  (void)state;
  peer_tcp_settings.answer = answer_just_fast_enough;
  assert_result(download_all(download, URL), LB_OK);
  assert_int_equal(download->length, 5000);
  assert_true(download->took > 2 * SLOW_MS);
}

/* ---- the end comes too early ---- */

static void answer_half(struct peer_connection *connection)
{
  answer_bytes(connection, WORLD_BODY_SIZE, WORLD_BODY_SIZE / 2);
}

static void answer_half_headers(struct peer_connection *connection)
{
  answer_text(connection, "HTTP/1.1 200 OK\r\nContent-Len");
}

static void answer_half_and_reset(struct peer_connection *connection)
{
  answer_body(connection);
  connection->manner.reset_from = PART;
  connection->manner.silent_from = PART;
}

static void answer_reset(struct peer_connection *connection)
{
  connection->manner.reset_from = 0;
}

static void answer_until_reset(struct peer_connection *connection)
{
  answer_text(connection, "HTTP/1.1 200 OK\r\n\r\n");
  peer_tcp_say(connection, world_body, WORLD_BODY_SIZE);
  connection->manner.reset_from = PART;
  connection->manner.silent_from = PART;
}

static void test_ends_too_early(void **state)
{
  static const struct {
    void (*answer)(struct peer_connection *connection);
    uint32_t least;
    uint32_t most;
  } ends[] = {
      {answer_half, WORLD_BODY_SIZE / 2, WORLD_BODY_SIZE / 2},
      {answer_half_headers, 0, 0},
      {answer_half_and_reset, PART - 200, PART},
      {answer_reset, 0, 0},
      {answer_until_reset, PART - 200, PART},
  };

  (void)state;
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
    peer_tcp_settings.answer = ends[i].answer;
    assert_result(download_all(download, URL), PORT_ERR_CLOSED);
    assert_in_range(download->took, 0, 2000);
    assert_in_range(download->length, ends[i].least, ends[i].most);
    assert_memory_equal(download->body, world_body, download->length);
  }
}

/* ---- the end does not come ---- */

static void answer_and_stay(struct peer_connection *connection)
{
  answer_body(connection);
  connection->manner.stays_open = true;
}

static void test_stays_open(void **state)
{
  (void)state;
  peer_tcp_settings.answer = answer_and_stay;
  download_all(download, URL);
  assert_whole(download, 0);
  assert_in_range(download->took, LINGER_MS, LINGER_MS + 1000);
}

static void answer_too_much(struct peer_connection *connection)
{
  answer_bytes(connection, 5000, 5001);
}

static void answer_too_much_later(struct peer_connection *connection)
{
  answer_bytes(connection, 5000, 5001);
  connection->manner.pace_ms = LINGER_MS / 2;
  connection->manner.pace_bytes = connection->length - 1;
}

static void test_too_much(void **state)
{
  static void (*const answers[])(struct peer_connection * connection) = {answer_too_much, answer_too_much_later};

  (void)state;
  for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
    peer_tcp_settings.answer = answers[i];
    assert_result(download_all(download, URL), PORT_ERR_TOO_MUCH);
    assert_true(download->length <= 5000);
    assert_memory_equal(download->body, world_body, download->length);
  }
}

static void answer_nonsense(struct peer_connection *connection)
{
  answer_text(connection, "220 welcome\r\n");
  connection->manner.stays_open = true;
}

static void test_no_http(void **state)
{
  (void)state;
  peer_tcp_settings.answer = answer_nonsense;
  assert_result(download_all(download, URL), PORT_ERR_PROTOCOL);
  assert_in_range(download->took, 0, 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_cleanup)

int run_server_tests(void)
{
  const struct CMUnitTest tests[] = {
      TEST(test_refuses),
      TEST(test_never_accepts),
      TEST(test_closes_at_once),
      TEST(test_silent_server),
      TEST(test_falls_silent),
      TEST(test_trickles),
      TEST(test_slow_but_not_too_slow),
      TEST(test_ends_too_early),
      TEST(test_stays_open),
      TEST(test_too_much),
      TEST(test_no_http),
  };
  return cmocka_run_group_tests_name("lwip server", tests, NULL, NULL);
}
