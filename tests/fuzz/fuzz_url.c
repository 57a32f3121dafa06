// SPDX-License-Identifier: MIT
/*
 * URLs: up to the first newline what was typed, behind it where a server redirects. What is taken is http or https with
 * a host, without a user, a blank or a control character; taken again it is the same; and https never becomes http.
 * And hosts files' lines, "NAME=ADDR:PORT".
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "module/port.h"
#include "ports/sim/network.h"
#include "ports/sim/network_url.h"
#include "tests/fuzz/fuzz.h"

static void check_url(const char *url)
{
  bool https = strncmp(url, "https://", 8) == 0;
  const char *host = url + (https ? 8 : 7);

  FUZZ_REQUIRE(https || strncmp(url, "http://", 7) == 0);
  FUZZ_REQUIRE(host[0] != '\0' && host[0] != '/');
  FUZZ_REQUIRE(strcspn(host, "@") >= strcspn(host, "/?#"));
  for (const char *at = url; *at; at++) {
    FUZZ_REQUIRE((unsigned char)*at > ' ' && *at != 0x7F);
  }
}

/* Taken again it is the same; but for libcurl, which needs a second round for a host like "%33": 3, then 0.0.0.3. */
static void check_again(const char *url)
{
  char *again = NULL;
  char *third = NULL;

  FUZZ_REQUIRE(network_url_make(url, &again) == LB_OK);
  check_url(again);
  FUZZ_REQUIRE(network_url_make(again, &third) == LB_OK);
  FUZZ_REQUIRE(strcmp(again, third) == 0);
  FUZZ_REQUIRE(strcspn(url, "%") < strlen(url) || strcmp(url, again) == 0);
  curl_free(again);
  curl_free(third);
}

static void check_host(const char *host)
{
  if (sim_network_host_is_valid(host)) {
    FUZZ_REQUIRE(host[0] != '=' && strchr(host, '=') != NULL && strrchr(host, ':') != NULL);
    FUZZ_REQUIRE(atoi(strrchr(host, ':') + 1) > 0);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  char *text = fuzz_take_string_to(&input, '\n');
  char *location = fuzz_take_string(&input);
  char *url = NULL;
  char *next = NULL;
  int result = network_url_make(text, &url);

  check_host(text);
  FUZZ_REQUIRE(result == LB_OK || result == PORT_ERR_URL);
  FUZZ_REQUIRE((result == LB_OK) == (url != NULL));
  if (result == LB_OK) {
    check_url(url);
    check_again(url);
    result = network_url_follow(url, location, &next);
    FUZZ_REQUIRE(result == LB_OK || result == PORT_ERR_URL || result == PORT_ERR_DOWNGRADE);
    FUZZ_REQUIRE((result == LB_OK) == (next != NULL));
    if (result == LB_OK) {
      check_url(next);
      FUZZ_REQUIRE(url[4] != 's' || next[4] == 's');
    }
  }
  curl_free(url);
  curl_free(next);
  free(text);
  free(location);
  return 0;
}
