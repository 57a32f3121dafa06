// SPDX-License-Identifier: MIT
/*
 * URLs of the client without TLS: up to the first newline what was typed, behind it where a server redirects. What is
 * taken can be sent as it is; taken again it is the same; and ports/sim takes it, too, and asks the same server for
 * the same.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module/port.h"
#include "ports/http/url.h"
#include "ports/sim/network_url.h"
#include "tests/fuzz/fuzz.h"

static void check_url(const struct http_url *url)
{
  static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  const size_t path = strcspn(url->target, "?");

  FUZZ_REQUIRE(memchr(url->host, '\0', sizeof url->host) && memchr(url->target, '\0', sizeof url->target));
  FUZZ_REQUIRE(url->host[0] != '\0' && url->host[strspn(url->host, characters)] == '\0');
  FUZZ_REQUIRE(url->port > 0);
  FUZZ_REQUIRE(url->target[0] == '/');
  for (const char *at = url->target; *at; at++) {
    FUZZ_REQUIRE(*at > ' ' && *at < 0x7F && *at != '#');
  }
  for (const char *at = strchr(url->target, '/'); at && at < url->target + path; at = strchr(at + 1, '/')) {
    const size_t length = strcspn(at + 1, "/?");
    FUZZ_REQUIRE(!(length == 1 && at[1] == '.') && !(length == 2 && at[1] == '.' && at[2] == '.'));
  }
}

static void check_again(const struct http_url *url)
{
  char text[HTTP_HOST_SIZE + HTTP_URL_SIZE + 16];
  struct http_url again;

  snprintf(text, sizeof text, "http://%s:%u%s", url->host, url->port, url->target);
  if (strlen(text) < HTTP_URL_SIZE) {
    FUZZ_REQUIRE(http_url_parse(&again, text) == LB_OK);
    FUZZ_REQUIRE(again.port == url->port && strcmp(again.host, url->host) == 0 &&
                 strcmp(again.target, url->target) == 0);
  }
}

static void check_part(CURLU *parts, CURLUPart part, const char *expected)
{
  char *text = NULL;

  (void)curl_url_get(parts, part, &text, CURLU_DEFAULT_PORT);
  FUZZ_REQUIRE(strcmp(text ? text : "", expected) == 0);
  curl_free(text);
}

static void check_same(const struct http_url *url, const char *full)
{
  char port[8];
  char path[HTTP_URL_SIZE];
  CURLU *parts = curl_url();

  FUZZ_REQUIRE(curl_url_set(parts, CURLUPART_URL, full, 0) == CURLUE_OK);
  snprintf(port, sizeof port, "%u", url->port);
  snprintf(path, sizeof path, "%s", url->target);
  char *query = strchr(path, '?');
  if (query) {
    *query = '\0';
  }
  check_part(parts, CURLUPART_SCHEME, "http");
  check_part(parts, CURLUPART_HOST, url->host);
  check_part(parts, CURLUPART_PORT, port);
  check_part(parts, CURLUPART_PATH, path);
  check_part(parts, CURLUPART_QUERY, query ? query + 1 : "");
  curl_url_cleanup(parts);
}

/* Bytes beyond ASCII are sometimes encoded by libcurl, and "%2e" is a dot for some versions of it. */
static bool is_plain(const char *text)
{
  for (const char *at = text; *at; at++) {
    if ((unsigned char)*at >= 0x80 || *at == '%') {
      return false;
    }
  }
  return true;
}

static void check_follow(struct http_url *url, const char *text, const char *location)
{
  const struct http_url before = *url;
  char *from = NULL;
  char *next = NULL;
  int result = http_url_follow(url, location);

  FUZZ_REQUIRE(result == LB_OK || result == PORT_ERR_URL || result == PORT_ERR_NO_TLS);
  if (result != LB_OK) {
    FUZZ_REQUIRE(memcmp(url, &before, sizeof before) == 0);
    return;
  }
  check_url(url);
  check_again(url);
  /* libcurl keeps a fragment, may then find a query in it, and takes an empty segment for none beside dots */
  const char *empty = strstr(location, "//");
  const bool is_clear =
      !strchr(text, '#') && !strstr(before.target, "//") && (!empty || empty == location || empty[-1] == ':');
  if (is_clear && is_plain(text) && is_plain(location)) {
    FUZZ_REQUIRE(network_url_make(text, &from) == LB_OK);
    FUZZ_REQUIRE(network_url_follow(from, location, &next) == LB_OK);
    check_same(url, next);
  }
  curl_free(from);
  curl_free(next);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  char *text = fuzz_take_string_to(&input, '\n');
  char *location = fuzz_take_string(&input);
  char *full = NULL;
  struct http_url url;
  int result = LB_OK;

  memset(&url, 0, sizeof url);
  result = http_url_parse(&url, text);
  FUZZ_REQUIRE(result == LB_OK || result == PORT_ERR_URL || result == PORT_ERR_NO_TLS);
  if (result == LB_OK) {
    check_url(&url);
    check_again(&url);
    if (is_plain(text)) {
      FUZZ_REQUIRE(network_url_make(text, &full) == LB_OK);
      check_same(&url, full);
    }
    check_follow(&url, text, location);
  }
  curl_free(full);
  free(text);
  free(location);
  return 0;
}
