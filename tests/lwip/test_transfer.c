// SPDX-License-Identifier: MIT
/* Downloads that arrive, over good links and bad ones. */
#include "tests/lwip/suites.h"
#include "tests/lwip/world.h"

#define URL         "http://server.test/ovms3.bin"
#define WINDOW      (8U * 1460U)
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static struct download *const download = &world_download;
static uint32_t body_length;

static void test_whole(void **state)
{
  (void)state;
  download_all(download, URL);
  assert_whole(download, 0);
  assert_int_equal(download->reply.status, PORT_HTTP_OK);
  assert_true(download->reply.has_length);
  assert_int_equal(download->reply.length, WORLD_BODY_SIZE);
  assert_string_equal(download->reply.validator, "\"one\"");
  assert_memory_equal(peer_tcp_last()->request, "GET /ovms3.bin HTTP/1.1\r\n", 25);
  assert_false(peer_tcp_last()->has_module_reset);
}

static void test_part(void **state)
{
  (void)state;
  download_open_part(download, URL, 70000, "\"one\"");
  download_run(download);
  assert_whole(download, 70000);
  assert_int_equal(download->reply.status, PORT_HTTP_PARTIAL);
  assert_true(download->reply.has_range);
  assert_int_equal(download->reply.first, 70000);
  assert_int_equal(download->reply.total, WORLD_BODY_SIZE);
}

/* The server's file is another one by now: all of it comes. */
static void test_part_of_another(void **state)
{
  (void)state;
  download_open_part(download, URL, 70000, "\"two\"");
  download_run(download);
  assert_whole(download, 0);
  assert_int_equal(download->reply.status, PORT_HTTP_OK);
  assert_false(download->reply.has_range);
}

static void answer_length(struct peer_connection *connection)
{
  answer_bytes(connection, body_length, body_length);
}

static void test_lengths(void **state)
{
  static const uint32_t lengths[] = {0,      1,          1459,           1460,       1461,          WINDOW - 1,
                                     WINDOW, WINDOW + 1, 2 * WINDOW - 1, 2 * WINDOW, 2 * WINDOW + 1};
  static const uint32_t pieces[] = {1, 100, 1460, 4096};

  (void)state;
  peer_tcp_settings.answer = answer_length;
  for (size_t i = 0; i < COUNT(lengths) * COUNT(pieces); i++) {
    body_length = lengths[i / COUNT(pieces)];
    download_open(download, URL);
    download->piece = pieces[i % COUNT(pieces)];
    download_run(download);
    download_close(download);
    assert_result(download->result, LB_OK);
    assert_int_equal(download->length, body_length);
    assert_memory_equal(download->body, world_body, body_length);
    world_pass(1000);
  }
}

static void test_segments_of_any_size(void **state)
{
  static const uint32_t segments[] = {1459, 1000, 536, 100, 7};

  (void)state;
  for (size_t i = 0; i < COUNT(segments); i++) {
    peer_tcp_settings.segment = segments[i];
    download_all(download, URL);
    assert_whole(download, 0);
  }
}

/* In chunks, and with no length at all until the server closes. */
static void answer_chunks(struct peer_connection *connection)
{
  char size[20];

  answer_text(connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (uint32_t at = 0; at < WORLD_BODY_SIZE;) {
    const uint32_t left = WORLD_BODY_SIZE - at;
    const uint32_t length = left < 777 + at / 10 ? left : 777 + at / 10;

    snprintf(size, sizeof size, "%x\r\n", length);
    answer_text(connection, size);
    peer_tcp_say(connection, world_body + at, length);
    answer_text(connection, "\r\n");
    at += length;
  }
  answer_text(connection, "0\r\n\r\n");
}

static void answer_until_closed(struct peer_connection *connection)
{
  answer_text(connection, "HTTP/1.1 200 OK\r\n\r\n");
  peer_tcp_say(connection, world_body, WORLD_BODY_SIZE);
}

static void test_without_length(void **state)
{
  (void)state;
  peer_tcp_settings.answer = answer_chunks;
  download_all(download, URL);
  assert_whole(download, 0);
  peer_tcp_settings.answer = answer_until_closed;
  download_all(download, URL);
  assert_whole(download, 0);
  assert_false(download->reply.has_length);
}

/* ---- redirects ---- */

static void answer_redirect(struct peer_connection *connection)
{
  if (connection->address == PEER_SERVER) {
    answer_text(connection, "HTTP/1.1 302 Elsewhere\r\nLocation: http://other.test:81/new\r\n\r\n<p>elsewhere");
  } else {
    answer_body(connection);
  }
}

static void test_redirect_to_other_name(void **state)
{
  (void)state;
  peer_tcp_settings.answer = answer_redirect;
  download_all(download, URL);
  assert_whole(download, 0);
  assert_int_equal(peer_tcp_count(), 2);
  assert_int_equal(peer_tcp_last()->address, PEER_OTHER);
  assert_int_equal(peer_tcp_last()->port, 81);
  assert_memory_equal(peer_tcp_last()->request, "GET /new HTTP/1.1\r\nHost: other.test:81\r\n", 40);
}

static void answer_circle(struct peer_connection *connection)
{
  answer_text(connection, "HTTP/1.1 302 Elsewhere\r\nLocation: /again\r\n\r\n");
}

static void test_redirects_in_a_circle(void **state)
{
  (void)state;
  peer_tcp_settings.answer = answer_circle;
  assert_result(download_all(download, URL), PORT_ERR_REDIRECTS);
  assert_int_equal(peer_tcp_count(), PORT_NETWORK_REDIRECTS + 1);
}

static void answer_https(struct peer_connection *connection)
{
  answer_text(connection, "HTTP/1.1 302 Elsewhere\r\nLocation: https://server.test/\r\n\r\n");
}

static void test_redirect_to_tls(void **state)
{
  (void)state;
  peer_tcp_settings.answer = answer_https;
  assert_result(download_all(download, URL), PORT_ERR_NO_TLS);
  assert_int_equal(peer_tcp_count(), 1);
}

/* ---- bad links ---- */

static void download_over(struct cable_faults faults)
{
  cable_faults = faults;
  download_all(download, URL);
  if (download->result != LB_OK) {
    fail_here("lost %u, doubled %u, late %u, refused %u: %d after %u bytes", faults.lost, faults.doubled, faults.late,
              faults.refused, download->result, download->length);
  }
  assert_whole(download, 0);
}

static void test_lossy_link(void **state)
{
  (void)state;
  for (uint32_t percent = 1; percent <= 10; percent++) {
    download_over((struct cable_faults){.lost = percent * 10});
  }
}

static void test_doubled_and_late(void **state)
{
  (void)state;
  for (uint32_t percent = 10; percent <= 50; percent += 10) {
    download_over((struct cable_faults){.doubled = percent * 10});
    download_over((struct cable_faults){.late = percent * 10});
    download_over((struct cable_faults){.refused = percent * 10});
  }
}

static void test_all_faults(void **state)
{
  (void)state;
  for (uint32_t i = 0; i < 10; i++) {
    peer_tcp_settings.segment = 1 + unit_random_below(&cable_random, 1460);
    peer_tcp_settings.segment = peer_tcp_settings.segment < 200 ? 200 : peer_tcp_settings.segment;
    download_over((struct cable_faults){.lost = 50, .doubled = 100, .late = 200, .refused = 50});
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_cleanup)

int run_transfer_tests(void)
{
  const struct CMUnitTest tests[] = {
      TEST(test_whole),
      TEST(test_part),
      TEST(test_part_of_another),
      TEST(test_lengths),
      TEST(test_segments_of_any_size),
      TEST(test_without_length),
      TEST(test_redirect_to_other_name),
      TEST(test_redirects_in_a_circle),
      TEST(test_redirect_to_tls),
      TEST(test_lossy_link),
      TEST(test_doubled_and_late),
      TEST(test_all_faults),
  };
  return cmocka_run_group_tests_name("lwip transfer", tests, NULL, NULL);
}
