// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "ports/sim/network_url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ports/sim/network.h"

#define LONGEST_PORT 65535
#define HTTP         "http"
#define HTTPS        "https"

static bool has_forbidden_character(const char *text)
{
  for (; *text; text++) {
    const unsigned char character = (unsigned char)*text;
    if (character <= ' ' || character == 0x7F) {
      return true;
    }
  }
  return false;
}

/* A colon before the path begins a port if a digit follows; else a scheme stands before it, or a user. */
static bool names_scheme(const char *text)
{
  const char *colon = text + strcspn(text, ":/?#[");
  return *colon == ':' && !isdigit((unsigned char)colon[1]);
}

static bool part_is(CURLU *parts, CURLUPart part, const char *expected)
{
  char *text = NULL;
  const bool is = curl_url_get(parts, part, &text, 0) == CURLUE_OK && strcmp(text, expected) == 0;
  curl_free(text);
  return is;
}

static bool has_part(CURLU *parts, CURLUPart part)
{
  char *text = NULL;
  const bool has = curl_url_get(parts, part, &text, 0) == CURLUE_OK;
  curl_free(text);
  return has;
}

static bool is_allowed(CURLU *parts)
{
  return (part_is(parts, CURLUPART_SCHEME, HTTP) || part_is(parts, CURLUPART_SCHEME, HTTPS)) &&
         !has_part(parts, CURLUPART_USER) && !has_part(parts, CURLUPART_PASSWORD);
}

static int full_url(CURLU *parts, char **url)
{
  if (!is_allowed(parts) || curl_url_get(parts, CURLUPART_URL, url, 0) != CURLUE_OK) {
    return PORT_ERR_URL;
  }
  return LB_OK;
}

int network_url_make(const char *text, char **url)
{
  if (!text || has_forbidden_character(text)) {
    return PORT_ERR_URL;
  }
  char *full = NULL;
  if (asprintf(&full, "%s%s", names_scheme(text) ? "" : HTTP "://", text) < 0) {
    return PORT_ERR_URL;
  }
  int err = PORT_ERR_URL;
  CURLU *parts = curl_url();
  /* "http:/host" and "http:///host" are forgiven by libcurl, not by us */
  const char *colon = full + strcspn(full, ":");
  const bool has_authority = strncmp(colon, "://", 3) == 0 && colon[3] != '/';
  if (parts && has_authority && curl_url_set(parts, CURLUPART_URL, full, 0) == CURLUE_OK) {
    err = full_url(parts, url);
  }
  curl_url_cleanup(parts);
  free(full);
  return err;
}

int network_url_follow(const char *url, const char *location, char **next)
{
  if (has_forbidden_character(location)) {
    return PORT_ERR_URL;
  }
  CURLU *parts = curl_url();
  if (!parts || curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK) {
    curl_url_cleanup(parts);
    return PORT_ERR_URL;
  }
  const bool was_https = part_is(parts, CURLUPART_SCHEME, HTTPS);
  int err = LB_OK;
  /* a redirect relative to `url` is resolved by libcurl; a scheme that it does not know is kept for the next check */
  if (curl_url_set(parts, CURLUPART_URL, location, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    err = PORT_ERR_URL;
  } else if (was_https && !part_is(parts, CURLUPART_SCHEME, HTTPS)) {
    err = PORT_ERR_DOWNGRADE;
  } else {
    err = full_url(parts, next);
  }
  curl_url_cleanup(parts);
  return err;
}

/* "127.0.0.1" or "[::1]". */
static bool is_address(const char *text, size_t length)
{
  char copy[INET6_ADDRSTRLEN];
  unsigned char address[sizeof(struct in6_addr)];
  const bool is_6 = length >= 2 && text[0] == '[' && text[length - 1] == ']';
  if (is_6) {
    text++;
    length -= 2;
  }
  if (length >= sizeof copy) {
    return false;
  }
  memcpy(copy, text, length);
  copy[length] = '\0';
  return inet_pton(is_6 ? AF_INET6 : AF_INET, copy, address) == 1;
}

static bool is_port(const char *text)
{
  const size_t digits = strspn(text, "0123456789");
  if (digits == 0 || digits > 5 || text[digits]) {
    return false;
  }
  const long number = strtol(text, NULL, 10);
  return number >= 1 && number <= LONGEST_PORT;
}

bool sim_network_host_is_valid(const char *host)
{
  const size_t name = strcspn(host, "=:[]/@");
  const char *address = host + name + 1;
  if (name == 0 || host[name] != '=' || has_forbidden_character(host)) {
    return false;
  }
  const char *colon = strrchr(address, ':');
  return colon && is_address(address, (size_t)(colon - address)) && is_port(colon + 1);
}
