// SPDX-License-Identifier: MIT
/*
 * Addresses of a client that knows http and nothing else. What is taken here ports/sim takes, too, and asks the same
 * server for the same; this one is stricter, see below.
 */
#ifndef PORTS_HTTP_URL_H
#define PORTS_HTTP_URL_H

#include <stdint.h>

#define HTTP_URL_SIZE     512U /* bytes of what is asked for with its NUL, and of any text that is parsed */
#define HTTP_HOST_SIZE    254U /* bytes of a host name with its NUL: 253 is the longest in DNS */
#define HTTP_DEFAULT_PORT 80U

struct http_url {
  char host[HTTP_HOST_SIZE]; /* a name, or an IPv4 address of four decimal numbers */
  uint16_t port;
  char target[HTTP_URL_SIZE]; /* path and query, "/a/b?c=d": without dot segments and fragment, at least "/" */
};

/*
 * Parses what was typed: "http://host:port/path?query", or the same without "http://". The fragment is dropped.
 *
 * PORT_ERR_URL for another scheme, a user, blanks and control characters, a port that is none, a text or a host that
 * is too long, a host that is not made of letters, digits, '-', '_' and '.', and for IPv6. Of the ways to write IPv4
 * only 1.2.3.4 is taken. PORT_ERR_NO_TLS for https. `*url` is only changed if it returns LB_OK.
 */
int http_url_parse(struct http_url *url, const char *text);

/*
 * Goes from `*url` to where a redirect's Location leads: an address with its scheme, "//host/path", "/path", "?query",
 * or a path relative to the one there is. Errors as above.
 */
int http_url_follow(struct http_url *url, const char *location);

#endif
