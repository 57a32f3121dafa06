// SPDX-License-Identifier: MIT
/* Addresses as they are typed and as servers redirect, and that ports/sim makes the same of them. */
#include "ports/http/url.h"

#include <curl/curl.h>

#include "module/port.h"
#include "ports/sim/network_url.h"
#include "tests/unit/support/unit.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static const struct good {
  const char *text;
  const char *host;
  unsigned port;
  const char *target;
} good[] = {
    {"host", "host", 80, "/"},
    {"http://host", "host", 80, "/"},
    {"HTTP://Host.Example/A", "Host.Example", 80, "/A"},
    {"api.openvehicles.com/firmware/ota/v3.1/main/ovms3.bin", "api.openvehicles.com", 80,
     "/firmware/ota/v3.1/main/ovms3.bin"},
    {"host:8080/x", "host", 8080, "/x"},
    {"http://host:00080/x", "host", 80, "/x"},
    {"http://host:/x", "host", 80, "/x"},
    {"host:65535", "host", 65535, "/"},
    {"127.0.0.1:1/x", "127.0.0.1", 1, "/x"},
    {"10.0.2.2/x", "10.0.2.2", 80, "/x"},
    {"h_o-st1.example/", "h_o-st1.example", 80, "/"},
    {"1.example", "1.example", 80, "/"},
    {"0x.example", "0x.example", 80, "/"},
    {"host?x=1", "host", 80, "/?x=1"},
    {"host?", "host", 80, "/"},
    {"host/?", "host", 80, "/"},
    {"host/#f", "host", 80, "/"},
    {"host#f?x", "host", 80, "/"},
    {"host/a?b?c#d", "host", 80, "/a?b?c"},
    {"host/a?#d", "host", 80, "/a"},
    {"host/a?b@c:d", "host", 80, "/a?b@c:d"},
    {"host/a@b:c", "host", 80, "/a@b:c"},
    {"host/a/../b", "host", 80, "/b"},
    {"host/a/./b/.", "host", 80, "/a/b/"},
    {"host/a/b/..", "host", 80, "/a/"},
    {"host/../../a", "host", 80, "/a"},
    {"host//a//../b/./", "host", 80, "//a/b/"},
    {"host/a/..b/...", "host", 80, "/a/..b/..."},
    {"host/..?a/../b", "host", 80, "/?a/../b"},
    {"host/%2e%2e/%41%zz", "host", 80, "/%2e%2e/%41%zz"},
    {"host/a\\b|c\"<>", "host", 80, "/a\\b|c\"<>"},
};

static const struct bad {
  const char *text;
  int error;
} bad[] = {
    {"", PORT_ERR_URL},
    {"/x", PORT_ERR_URL},
    {"http://", PORT_ERR_URL},
    {"http:///x", PORT_ERR_URL},
    {"http:/host", PORT_ERR_URL},
    {"http:host", PORT_ERR_URL},
    {"http:", PORT_ERR_URL},
    {"://host", PORT_ERR_URL},
    {"//host", PORT_ERR_URL},
    {"ftp://host/x", PORT_ERR_URL},
    {"file:///etc/passwd", PORT_ERR_URL},
    {"http+x://host/", PORT_ERR_URL},
    {"httpx://host/", PORT_ERR_URL},
    {"https://host/x", PORT_ERR_NO_TLS},
    {"HttpS://host:443", PORT_ERR_NO_TLS},
    {"https:host", PORT_ERR_URL},
    {"host:", PORT_ERR_URL},
    {"host:65536/", PORT_ERR_URL},
    {"host:4294967376/", PORT_ERR_URL},
    {"host:8 0/", PORT_ERR_URL},
    {"host:80x/", PORT_ERR_URL},
    {"host:80:90/", PORT_ERR_URL},
    {"user@host/", PORT_ERR_URL},
    {"user:1@host/", PORT_ERR_URL},
    {"http://user:secret@host/", PORT_ERR_URL},
    {"host/a b", PORT_ERR_URL},
    {" host", PORT_ERR_URL},
    {"host/a\r\nX: y", PORT_ERR_URL},
    {"host/a\tb", PORT_ERR_URL},
    {"host/\x7f", PORT_ERR_URL},
    {"ho\\st/", PORT_ERR_URL},
    {"ho!st/", PORT_ERR_URL},
    {"ho,st/", PORT_ERR_URL},
    /* what ports/sim takes */
    {"host:0/", PORT_ERR_URL},
    {"[::1]/x", PORT_ERR_URL},
    {"host./", PORT_ERR_URL},
    {"a..b/", PORT_ERR_URL},
    {".a/", PORT_ERR_URL},
    {"h%61/", PORT_ERR_URL},
    {"ho~st/", PORT_ERR_URL},
    {"h\xc3\xb6st/", PORT_ERR_URL},
    {"1/", PORT_ERR_URL},
    {"0x7f000001/", PORT_ERR_URL},
    {"0x/", PORT_ERR_URL},
    {"1.2.3/", PORT_ERR_URL},
    {"1.2.3.4.5/", PORT_ERR_URL},
    {"256.1.1.1/", PORT_ERR_URL},
    {"01.2.3.4/", PORT_ERR_URL},
    {"1.2.3.0x4/", PORT_ERR_URL},
    {"a.1/", PORT_ERR_URL},
    {"1.2.3.a1.7/", PORT_ERR_URL},
};

static const struct hop {
  const char *from;
  const char *location;
  const char *host;
  unsigned port;
  const char *target;
} hops[] = {
    {"h/a/b?c", "d", "h", 80, "/a/d"},
    {"h/a/b?c", "d/e?f#g", "h", 80, "/a/d/e?f"},
    {"h/a/b?c", "./d", "h", 80, "/a/d"},
    {"h/a/b?c", "../d", "h", 80, "/d"},
    {"h/a/b?c", "../../../d", "h", 80, "/d"},
    {"h/a/b/c", "..", "h", 80, "/a/"},
    {"h/a/b/", "..?x", "h", 80, "/a/?x"},
    {"h/a/b?c", "?x", "h", 80, "/a/b?x"},
    {"h/a/b", "?x/../y", "h", 80, "/a/b?x/../y"},
    {"h/a?b/c", "d", "h", 80, "/d"},
    {"h/a?b/../c", "d?e/../f", "h", 80, "/d?e/../f"},
    {"h/a//b", "../x", "h", 80, "/a/x"},
    {"h", "d", "h", 80, "/d"},
    {"h:81/a/b?c", "/x/./y?z#w", "h", 81, "/x/y?z"},
    {"h:81/a", "d", "h", 81, "/d"},
    {"h:81/a/b", "//o/x", "o", 80, "/x"},
    {"h:81/a/b", "//o:82?x", "o", 82, "/?x"},
    {"h:81/a/b", "//o", "o", 80, "/"},
    {"h:81/a", "http://o/x", "o", 80, "/x"},
    {"h/a", "HTTP://o:8080", "o", 8080, "/"},
    {"h/a/b?c", "", "h", 80, "/a/"},
    {"h/a/b?c", "#x", "h", 80, "/a/"},
    {"h/a?q", "&", "h", 80, "/&"},
    {"h/a", "\xc3\xa4", "h", 80, "/%c3%a4"},
    {"h/a", "/b\x80%zz?\xff", "h", 80, "/b%80%zz?%ff"},
    {"h/a", "b@c", "h", 80, "/b@c"},
    {"h/a", "b?c:d", "h", 80, "/b?c:d"},
    {"h/a", "/c:d", "h", 80, "/c:d"},
};

static const struct bad bad_hops[] = {
    {"https://h/x", PORT_ERR_NO_TLS},
    {"ftp://o/x", PORT_ERR_URL},
    {"file:///etc/passwd", PORT_ERR_URL},
    {"mailto:x", PORT_ERR_URL},
    {"a:b", PORT_ERR_URL},
    {"o:80/x", PORT_ERR_URL},
    {"1:b", PORT_ERR_URL},
    {"http:", PORT_ERR_URL},
    {"http:x", PORT_ERR_URL},
    {"http://user@o/", PORT_ERR_URL},
    {"//user@o/x", PORT_ERR_URL},
    {"//", PORT_ERR_URL},
    {"/a b", PORT_ERR_URL},
    {"/a\tb", PORT_ERR_URL},
    {"//o:x/", PORT_ERR_URL},
    /* what ports/sim forgives */
    {"http:/o/x", PORT_ERR_URL},
    {"http:///o/x", PORT_ERR_URL},
    {"///x", PORT_ERR_URL},
};

static void assert_url(const char *what, const struct http_url *url, const char *host, unsigned port,
                       const char *target)
{
  if (strcmp(url->host, host) != 0 || url->port != port || strcmp(url->target, target) != 0) {
    fail_here("\"%s\": host \"%s\", port %u, target \"%s\"", what, url->host, url->port, url->target);
  }
}

static void test_good(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(good); i++) {
    struct http_url url;
    memset(&url, 0x5A, sizeof url);
    const int result = http_url_parse(&url, good[i].text);

    if (result) {
      fail_here("\"%s\": %s", good[i].text, unit_result_name(result));
    }
    assert_url(good[i].text, &url, good[i].host, good[i].port, good[i].target);
  }
}

static void test_bad(void **state)
{
  struct http_url before;

  (void)state;
  memset(&before, 0x5A, sizeof before);
  for (size_t i = 0; i < COUNT(bad); i++) {
    struct http_url url = before;
    const int result = http_url_parse(&url, bad[i].text);

    if (result != bad[i].error || memcmp(&url, &before, sizeof url) != 0) {
      fail_here("\"%s\": %s", bad[i].text, unit_result_name(result));
    }
  }
  assert_result(http_url_parse(&before, NULL), PORT_ERR_URL);
}

static void test_follow(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(hops); i++) {
    struct http_url url;

    assert_result(http_url_parse(&url, hops[i].from), LB_OK);
    const int result = http_url_follow(&url, hops[i].location);
    if (result) {
      fail_here("\"%s\": %s", hops[i].location, unit_result_name(result));
    }
    assert_url(hops[i].location, &url, hops[i].host, hops[i].port, hops[i].target);
  }
}

static void test_follow_to_nowhere(void **state)
{
  struct http_url url;

  (void)state;
  assert_result(http_url_parse(&url, "h:81/a/b?c"), LB_OK);
  for (size_t i = 0; i < COUNT(bad_hops); i++) {
    const int result = http_url_follow(&url, bad_hops[i].text);

    if (result != bad_hops[i].error) {
      fail_here("\"%s\": %s", bad_hops[i].text, unit_result_name(result));
    }
    assert_url(bad_hops[i].text, &url, "h", 81, "/a/b?c");
  }
}

/* ---- lengths ---- */

/* "host" or its like, filled up to `length` characters with that one. */
static const char *filled(const char *begin, char character, size_t length)
{
  static char text[2 * HTTP_URL_SIZE];

  assert_true(length < sizeof text);
  memset(text, character, length);
  memcpy(text, begin, strlen(begin));
  text[length] = '\0';
  return text;
}

static void test_lengths(void **state)
{
  struct http_url url;

  (void)state;
  assert_result(http_url_parse(&url, filled("h/", 'x', HTTP_URL_SIZE - 1)), LB_OK);
  assert_int_equal(strlen(url.target), HTTP_URL_SIZE - 2);
  assert_result(http_url_parse(&url, filled("h/", 'x', HTTP_URL_SIZE)), PORT_ERR_URL);
  assert_result(http_url_parse(&url, filled("h/", '\xc3', 2 + 171)), PORT_ERR_URL);
  assert_result(http_url_parse(&url, filled("h/", '\xc3', 2 + 170)), LB_OK); /* 1 + 3 * 170 = 511 */
  assert_int_equal(strlen(url.target), HTTP_URL_SIZE - 1);
  assert_result(http_url_parse(&url, filled("a", 'x', 63)), LB_OK);
  assert_result(http_url_parse(&url, filled("a", 'x', 64)), PORT_ERR_URL);
}

static void test_long_hosts(void **state)
{
  struct http_url url;
  char host[HTTP_HOST_SIZE + 1];

  (void)state;
  for (size_t i = 0; i < HTTP_HOST_SIZE; i++) {
    host[i] = i % 64 == 63 ? '.' : 'x';
  }
  host[HTTP_HOST_SIZE] = '\0';
  assert_result(http_url_parse(&url, host), PORT_ERR_URL);
  host[HTTP_HOST_SIZE - 1] = '\0';
  assert_result(http_url_parse(&url, host), LB_OK);
  assert_string_equal(url.host, host);
}

static void test_long_locations(void **state)
{
  struct http_url url;

  (void)state;
  assert_result(http_url_parse(&url, "h/0123456789/x"), LB_OK);
  assert_result(http_url_follow(&url, filled("", 'y', HTTP_URL_SIZE - 12)), PORT_ERR_URL);
  assert_result(http_url_follow(&url, filled("/", 'y', HTTP_URL_SIZE)), PORT_ERR_URL);
  assert_string_equal(url.target, "/0123456789/x");
  assert_result(http_url_follow(&url, filled("", 'y', HTTP_URL_SIZE - 13)), LB_OK);
  assert_int_equal(strlen(url.target), HTTP_URL_SIZE - 1);
}

/* ---- ports/sim ---- */

static void assert_part(CURLU *parts, CURLUPart part, const char *expected, const char *what)
{
  char *text = NULL;

  (void)curl_url_get(parts, part, &text, CURLU_DEFAULT_PORT);
  if (strcmp(text ? text : "", expected) != 0) {
    fail_here("\"%s\": \"%s\" here is \"%s\" in ports/sim", what, expected, text ? text : "");
  }
  curl_free(text);
}

/* Does `full`, of ports/sim, lead to the same place? */
static void assert_same(const char *what, const struct http_url *url, const char *full)
{
  char port[8];
  char path[HTTP_URL_SIZE];
  CURLU *parts = curl_url();

  assert_int_equal(curl_url_set(parts, CURLUPART_URL, full, 0), CURLUE_OK);
  snprintf(port, sizeof port, "%u", url->port);
  snprintf(path, sizeof path, "%s", url->target);
  char *query = strchr(path, '?');
  if (query) {
    *query = '\0';
  }
  assert_part(parts, CURLUPART_SCHEME, "http", what);
  assert_part(parts, CURLUPART_HOST, url->host, what);
  assert_part(parts, CURLUPART_PORT, port, what);
  assert_part(parts, CURLUPART_PATH, path, what);
  assert_part(parts, CURLUPART_QUERY, query ? query + 1 : "", what);
  curl_url_cleanup(parts);
}

static void test_sim_makes_the_same(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(good); i++) {
    struct http_url url;
    char *full = NULL;

    assert_result(http_url_parse(&url, good[i].text), LB_OK);
    assert_result(network_url_make(good[i].text, &full), LB_OK);
    assert_same(good[i].text, &url, full);
    curl_free(full);
  }
}

static void test_sim_follows_to_the_same(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(hops); i++) {
    struct http_url url;
    char *from = NULL;
    char *next = NULL;

    assert_result(http_url_parse(&url, hops[i].from), LB_OK);
    assert_result(http_url_follow(&url, hops[i].location), LB_OK);
    assert_result(network_url_make(hops[i].from, &from), LB_OK);
    assert_result(network_url_follow(from, hops[i].location, &next), LB_OK);
    assert_same(hops[i].location, &url, next);
    curl_free(from);
    curl_free(next);
  }
}

/* Beginning with this one, only we refuse; before it ports/sim does, too, but for https. */
#define STRICTER_FROM     "host:0/"
#define STRICTER_HOP_FROM "http:/o/x"

static void test_sim_refuses_the_same(void **state)
{
  bool stricter = false;

  (void)state;
  for (size_t i = 0; i < COUNT(bad); i++) {
    char *full = NULL;
    const int result = network_url_make(bad[i].text, &full);

    stricter = stricter || strcmp(bad[i].text, STRICTER_FROM) == 0;
    const bool takes = stricter || bad[i].error == PORT_ERR_NO_TLS;
    if (result != (takes ? LB_OK : PORT_ERR_URL)) {
      fail_here("\"%s\" is %s in ports/sim", bad[i].text, unit_result_name(result));
    }
    curl_free(full);
  }
}

static void test_sim_refuses_the_same_hops(void **state)
{
  bool stricter = false;

  (void)state;
  for (size_t i = 0; i < COUNT(bad_hops); i++) {
    char *next = NULL;
    const int result = network_url_follow("http://h:81/a/b?c", bad_hops[i].text, &next);

    stricter = stricter || strcmp(bad_hops[i].text, STRICTER_HOP_FROM) == 0;
    const bool takes = stricter || bad_hops[i].error == PORT_ERR_NO_TLS;
    if (result != (takes ? LB_OK : PORT_ERR_URL)) {
      fail_here("\"%s\" is %s in ports/sim", bad_hops[i].text, unit_result_name(result));
    }
    curl_free(next);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_good),
      cmocka_unit_test(test_bad),
      cmocka_unit_test(test_follow),
      cmocka_unit_test(test_follow_to_nowhere),
      cmocka_unit_test(test_lengths),
      cmocka_unit_test(test_long_hosts),
      cmocka_unit_test(test_long_locations),
      cmocka_unit_test(test_sim_makes_the_same),
      cmocka_unit_test(test_sim_follows_to_the_same),
      cmocka_unit_test(test_sim_refuses_the_same),
      cmocka_unit_test(test_sim_refuses_the_same_hops),
  };
  return cmocka_run_group_tests_name("http_url", tests, NULL, NULL);
}
