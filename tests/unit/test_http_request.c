// SPDX-License-Identifier: MIT
/* The text of requests. */
#include "ports/http/request.h"

#include "tests/unit/support/unit.h"

#define BEHIND_HOST "\r\nUser-Agent: lifeboat/1\r\nAccept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n"

static char text[HTTP_REQUEST_SIZE];

static void assert_request(const char *address, uint64_t first, const char *validator, const char *expected)
{
  struct http_url url;
  uint32_t length = 0;

  assert_result(http_url_parse(&url, address), LB_OK);
  assert_result(http_request_write(text, &url, first, validator, &length), LB_OK);
  assert_string_equal(text, expected);
  assert_int_equal(length, strlen(expected));
}

static void test_whole(void **state)
{
  (void)state;
  assert_request("api.openvehicles.com/a/b?c#d", 0, NULL,
                 "GET /a/b?c HTTP/1.1\r\nHost: api.openvehicles.com" BEHIND_HOST "\r\n");
  assert_request("http://10.0.2.2:80", 0, NULL, "GET / HTTP/1.1\r\nHost: 10.0.2.2" BEHIND_HOST "\r\n");
  assert_request("http://10.0.2.2:8080/", 0, NULL, "GET / HTTP/1.1\r\nHost: 10.0.2.2:8080" BEHIND_HOST "\r\n");
}

/* Without a part the validator does not matter. */
static void test_no_range_without_a_part(void **state)
{
  (void)state;
  assert_request("h", 0, "\"1\"", "GET / HTTP/1.1\r\nHost: h" BEHIND_HOST "\r\n");
  assert_request("h", 0, "nonsense", "GET / HTTP/1.1\r\nHost: h" BEHIND_HOST "\r\n");
}

static void test_part(void **state)
{
  (void)state;
  assert_request("h", 1, "\"1\"", "GET / HTTP/1.1\r\nHost: h" BEHIND_HOST "Range: bytes=1-\r\nIf-Range: \"1\"\r\n\r\n");
  assert_request("h", UINT64_MAX, "\"1a-5f3\"",
                 "GET / HTTP/1.1\r\nHost: h" BEHIND_HOST
                 "Range: bytes=18446744073709551615-\r\nIf-Range: \"1a-5f3\"\r\n\r\n");
}

static void test_part_of_who_knows_what(void **state)
{
  static const char *const validators[] = {
      NULL, "", "\"\"", "1", "W/\"1\"", "\"1", "\"a b\"", "\"1\"\r\nX: y", "\"a\"b\"",
  };
  struct http_url url;
  uint32_t length = 77;

  (void)state;
  assert_result(http_url_parse(&url, "h"), LB_OK);
  for (size_t i = 0; i < sizeof validators / sizeof validators[0]; i++) {
    const struct port_request request = {.url = "h", .first = 1, .validator = validators[i]};

    assert_result(http_request_check(&request), LB_ERR_ARGUMENT);
    assert_result(http_request_write(text, &url, 1, validators[i], &length), LB_ERR_ARGUMENT);
    assert_int_equal(length, 0);
  }
  assert_result(http_request_check(&(struct port_request){.url = "h", .first = 1, .validator = "\"1\""}), LB_OK);
  assert_result(http_request_check(&(struct port_request){.url = "h"}), LB_OK);
}

/* The longest of everything has room. */
static void test_longest(void **state)
{
  struct http_url url = {.port = 65535};
  char validator[PORT_VALIDATOR_SIZE];
  uint32_t length = 0;

  (void)state;
  memset(url.host, 'h', sizeof url.host - 1);
  memset(url.target, '/', sizeof url.target - 1);
  memset(validator, '"', sizeof validator);
  memset(validator + 1, 'v', sizeof validator - 3);
  validator[sizeof validator - 1] = '\0';
  assert_result(http_request_write(text, &url, UINT64_MAX, validator, &length), LB_OK);
  assert_int_equal(length, strlen(text));
  assert_memory_equal(text + length - 5, "\"\r\n\r\n", 5);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_whole),   cmocka_unit_test(test_no_range_without_a_part),
      cmocka_unit_test(test_part),    cmocka_unit_test(test_part_of_who_knows_what),
      cmocka_unit_test(test_longest),
  };
  return cmocka_run_group_tests_name("http_request", tests, NULL, NULL);
}
