// SPDX-License-Identifier: MIT
/* Names, and servers that cannot be reached. */
#include "tests/lwip/suites.h"
#include "tests/lwip/world.h"

#define CONNECT_MS  30000U /* TRANSFER_CONNECT_MS */
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static struct download *const download = &world_download;

static void test_names(void **state)
{
  static const char *const urls[] = {"http://server.test/ovms3.bin", "http://other.test/ovms3.bin",
                                     "http://alias.test/ovms3.bin", "http://late.test:8080/ovms3.bin"};

  (void)state;
  for (size_t i = 0; i < COUNT(urls); i++) {
    peer_counts.questions = 0;
    download_all(download, urls[i]);
    assert_whole(download, 0);
    assert_true(peer_counts.questions > 0);
  }
  assert_int_equal(peer_connections[0].address, PEER_SERVER);
  assert_int_equal(peer_connections[0].port, 80);
  assert_int_equal(peer_connections[1].address, PEER_OTHER);
  assert_int_equal(peer_connections[2].address, PEER_SERVER);
  assert_int_equal(peer_connections[3].port, 8080);
  assert_non_null(strstr(peer_connections[3].request, "\r\nHost: late.test:8080\r\n"));
}

static void test_name_is_remembered(void **state)
{
  (void)state;
  download_all(download, "http://server.test/");
  assert_whole(download, 0);
  const uint32_t questions = peer_counts.questions;
  download_all(download, "http://SERVER.test/");
  assert_whole(download, 0);
  assert_int_equal(peer_counts.questions, questions);
}

static void test_address_needs_no_question(void **state)
{
  (void)state;
  download_all(download, "http://10.0.0.80/");
  assert_whole(download, 0);
  assert_int_equal(peer_counts.questions, 0);
}

static void test_no_such_name(void **state)
{
  static const char *const urls[] = {"http://missing.test/", "http://empty.test/"};

  (void)state;
  for (size_t i = 0; i < COUNT(urls); i++) {
    assert_result(download_all(download, urls[i]), PORT_ERR_NAME);
    assert_in_range(download->took, 0, 100);
    assert_int_equal(peer_tcp_count(), 0);
  }
}

static void test_no_answer(void **state)
{
  static const char *const urls[] = {"http://silent.test/", "http://malformed.test/"};

  (void)state;
  for (size_t i = 0; i < COUNT(urls); i++) {
    peer_counts.questions = 0;
    assert_result(download_all(download, urls[i]), PORT_ERR_NAME);
    assert_in_range(download->took, 3000, CONNECT_MS + 100);
    assert_true(peer_counts.questions >= 3);
  }
}

/* Regression: lwIP answers both by the first one's spelling, and the second waited for its own. */
static void test_two_spellings(void **state)
{
  static struct download other;

  (void)state;
  download_open(download, "http://Server.Test/");
  download_open(&other, "http://server.test/");
  while (download->result == LB_MORE || other.result == LB_MORE) {
    download_look(download);
    download_look(&other);
    cable_pass(WORLD_STEP_MS);
  }
  assert_whole(download, 0);
  assert_whole(&other, 0);
  assert_int_equal(peer_counts.questions, 1);
}

/* More questions than lwIP can ask at once, of transfers that are not there any more. */
static void test_forgotten_questions(void **state)
{
  char url[40];

  (void)state;
  peer_settings.no_dns = true;
  for (uint32_t i = 0; i < 8; i++) {
    snprintf(url, sizeof url, "http://name%u.test/", i);
    download_open(download, url);
    world_pass(200);
    assert_true(download_look(download));
    download_close(download);
  }
  peer_settings.no_dns = false;
  download_all(download, "http://server.test/");
  assert_whole(download, 0);
}

static void test_nobody_there(void **state)
{
  (void)state;
  assert_result(download_all(download, "http://nowhere.test/"), PORT_ERR_TIMEOUT);
  assert_in_range(download->took, CONNECT_MS, CONNECT_MS + 200);
}

/* Whatever the server's name is said to have for an address: it ends, with an error of the network. */
static void test_strange_addresses(void **state)
{
  static const char *const urls[] = {"http://0.0.0.0/",   "http://255.255.255.255/", "http://224.0.0.1/",
                                     "http://127.0.0.1/", "http://10.0.0.255/",      "http://10.0.0.15/"};

  (void)state;
  peer_tcp_settings.never_accepts = true;
  for (size_t i = 0; i < COUNT(urls); i++) {
    const int result = download_all(download, urls[i]);

    if (result != PORT_ERR_TIMEOUT && result != PORT_ERR_CONNECT) {
      fail_here("%s: %d", urls[i], result);
    }
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_cleanup)

int run_name_tests(void)
{
  const struct CMUnitTest tests[] = {
      TEST(test_names),
      TEST(test_name_is_remembered),
      TEST(test_address_needs_no_question),
      TEST(test_no_such_name),
      TEST(test_no_answer),
      TEST(test_two_spellings),
      TEST(test_forgotten_questions),
      TEST(test_nobody_there),
      TEST(test_strange_addresses),
  };
  return cmocka_run_group_tests_name("lwip name", tests, NULL, NULL);
}
