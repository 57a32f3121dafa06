// SPDX-License-Identifier: MIT
#include "ports/http/url.h"

#include <stdbool.h>
#include <string.h>

#include "lifeboat/error.h"
#include "module/port.h"
#include "ports/http/text.h"

#define LONGEST_LABEL 63U /* in DNS */
#define LARGEST_PORT  65535U
#define IPV4_NUMBERS  4U
#define LARGEST_OCTET 255U

/* ---- the host ---- */

static bool is_label_character(char character)
{
  return http_text_is_letter(character) || http_text_is_digit(character) || character == '-' || character == '_';
}

/* Do programs take the last label for a number, decimal or hexadecimal? Then the host is an IPv4 address, or nothing.
 */
static bool is_numeric(const char *label, uint32_t length)
{
  const bool hexadecimal = length >= 2 && label[0] == '0' && http_text_lower(label[1]) == 'x';
  for (uint32_t i = hexadecimal ? 2 : 0; i < length; i++) {
    if (!(hexadecimal ? http_text_digit(label[i]) >= 0 : http_text_is_digit(label[i]))) {
      return false;
    }
  }
  return true;
}

static bool is_octet(const char *label, uint32_t length)
{
  uint32_t number = 0;
  if (length == 0 || length > 3 || (length > 1 && label[0] == '0')) {
    return false; /* some read 010 as eight */
  }
  for (uint32_t i = 0; i < length; i++) {
    if (!http_text_is_digit(label[i])) {
      return false;
    }
    number = number * 10 + (uint32_t)(label[i] - '0');
  }
  return number <= LARGEST_OCTET;
}

static bool is_host(const char *text, uint32_t length)
{
  uint32_t labels = 0;
  uint32_t octets = 0;
  uint32_t begin = 0;
  bool numeric = false;
  for (uint32_t i = 0; i <= length; i++) {
    if (i < length && is_label_character(text[i])) {
      continue;
    }
    if ((i < length && text[i] != '.') || i == begin || i - begin > LONGEST_LABEL) {
      return false;
    }
    labels++;
    octets += is_octet(text + begin, i - begin) ? 1 : 0;
    numeric = is_numeric(text + begin, i - begin);
    begin = i + 1;
  }
  return length < HTTP_HOST_SIZE && (!numeric || (labels == IPV4_NUMBERS && octets == IPV4_NUMBERS));
}

/* What stands between the colon and the path; nothing is the usual port. */
static bool take_port(const char *text, uint32_t length, uint16_t *port)
{
  uint32_t number = 0;
  for (uint32_t i = 0; i < length; i++) {
    if (!http_text_is_digit(text[i])) {
      return false;
    }
    number = number * 10 + (uint32_t)(text[i] - '0');
    if (number > LARGEST_PORT) {
      return false;
    }
  }
  *port = (uint16_t)(length > 0 ? number : HTTP_DEFAULT_PORT);
  return *port > 0;
}

/* ---- the path ---- */

/* Bytes beyond ASCII are not allowed in a request; they are what people write where %C3%A4 belongs. */
static void put_encoded(struct http_text *out, const char *text, uint32_t length)
{
  static const char digits[] = "0123456789abcdef";
  for (uint32_t i = 0; i < length; i++) {
    const uint8_t byte = (uint8_t)text[i];
    const char encoded[] = {'%', digits[byte >> 4], digits[byte & 0xFU]};
    if (byte < 0x80) {
      http_text_put(out, &text[i], 1);
    } else {
      http_text_put(out, encoded, sizeof encoded);
    }
  }
}

static void drop_segment(struct http_text *out)
{
  while (out->length > 0 && out->buffer[out->length - 1] != '/') {
    out->length--;
  }
  out->length -= out->length > 0 ? 1 : 0;
  out->buffer[out->length] = '\0';
}

/* Segments of a path that begins with '/', or is empty; "." and ".." as in RFC 3986, 5.2.4. */
static void put_path(struct http_text *out, const char *path, uint32_t length)
{
  for (uint32_t at = 0, end = 0; at < length; at = end) {
    const char *segment = path + at + 1;
    for (end = at + 1; end < length && path[end] != '/';) {
      end++;
    }
    const uint32_t size = end - at - 1;
    const bool one_dot = size == 1 && segment[0] == '.';
    const bool two_dots = size == 2 && segment[0] == '.' && segment[1] == '.';
    if (two_dots) {
      drop_segment(out);
    }
    if (!one_dot && !two_dots) {
      http_text_put(out, "/", 1);
      put_encoded(out, segment, size);
    } else if (end == length) {
      http_text_put(out, "/", 1);
    }
  }
  if (out->length == 0) {
    http_text_put(out, "/", 1);
  }
}

/* Path, query and fragment, any of which may be missing. */
static bool take_target(const char *text, char target[HTTP_URL_SIZE])
{
  struct http_text out;
  const uint32_t path = http_text_before(text, "?#");
  const char *query = text + path;
  http_text_start(&out, target, HTTP_URL_SIZE);
  put_path(&out, text, path);
  const uint32_t length = http_text_before(query, "#");
  if (length > 1) { /* no more than a question mark asks nothing */
    put_encoded(&out, query, length);
  }
  return !out.overflow;
}

/* ---- all of it ---- */

static bool is_acceptable(const char *text)
{
  uint32_t length = 0;
  for (; text[length] != '\0'; length++) {
    const uint8_t byte = (uint8_t)text[length];
    if (byte <= ' ' || byte == 0x7F || length + 1 == HTTP_URL_SIZE) {
      return false;
    }
  }
  return true;
}

/* "host:port/path?query#fragment" */
static int take_authority(struct http_url *url, const char *text)
{
  struct http_url taken;
  const uint32_t host = http_text_before(text, ":/?#");
  const uint32_t authority = http_text_before(text, "/?#");
  const uint32_t colon = authority > host ? 1 : 0;
  if (!is_host(text, host) || !take_port(text + host + colon, authority - host - colon, &taken.port) ||
      !take_target(text + authority, taken.target)) {
    return PORT_ERR_URL;
  }
  memcpy(taken.host, text, host);
  taken.host[host] = '\0';
  *url = taken;
  return LB_OK;
}

/* "http://host..." */
static int take_with_scheme(struct http_url *url, const char *text)
{
  const uint32_t colon = http_text_before(text, ":");
  if (!http_text_begins(text + colon, "://")) {
    return PORT_ERR_URL;
  }
  if (http_text_begins(text, "https:")) {
    return PORT_ERR_NO_TLS;
  }
  return http_text_begins(text, "http:") ? take_authority(url, text + colon + 3) : PORT_ERR_URL;
}

int http_url_parse(struct http_url *url, const char *text)
{
  if (!text || !is_acceptable(text)) {
    return PORT_ERR_URL;
  }
  /* a colon before the path begins a port if a digit follows; else a scheme stands before it, or a user */
  const char *colon = text + http_text_before(text, ":/?#[");
  const bool has_scheme = *colon == ':' && !http_text_is_digit(colon[1]);
  return has_scheme ? take_with_scheme(url, text) : take_authority(url, text);
}

/* A Location without scheme and host. */
static int follow_path(struct http_url *url, const char *location)
{
  char merged[HTTP_URL_SIZE];
  char target[HTTP_URL_SIZE];
  struct http_text text;
  uint32_t kept = http_text_before(url->target, "?");
  if (location[0] == '/') {
    kept = 0;
  }
  while (kept > 0 && location[0] != '?' && url->target[kept - 1] != '/') {
    kept--;
  }
  http_text_start(&text, merged, sizeof merged);
  http_text_put(&text, url->target, kept);
  http_text_add(&text, location);
  if (text.overflow || !take_target(merged, target)) {
    return PORT_ERR_URL;
  }
  memcpy(url->target, target, sizeof target);
  return LB_OK;
}

int http_url_follow(struct http_url *url, const char *location)
{
  if (!is_acceptable(location)) {
    return PORT_ERR_URL;
  }
  if (location[http_text_before(location, ":/?#")] == ':') {
    return take_with_scheme(url, location);
  }
  if (http_text_begins(location, "//")) {
    return take_authority(url, location + 2);
  }
  return follow_path(url, location);
}
