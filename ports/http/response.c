// SPDX-License-Identifier: MIT
#include "ports/http/response.h"

#include <stddef.h>
#include <string.h>

#include "lifeboat/error.h"
#include "ports/http/redirect.h"
#include "ports/http/text.h"

#define UNTIL_CLOSED    UINT64_MAX
#define VERSION         "HTTP/1.x "
#define VERSION_MINOR   7U /* the x, 0 or 1 */
#define STATUS_AT       9U
#define STATUS_DIGITS   3U
#define FINAL_STATUS    200
#define SWITCHED_STATUS 101 /* to a protocol that nobody asked for */

void http_response_start(struct http_response *response)
{
  memset(response, 0, sizeof *response);
}

static void fail(struct http_response *response, int error)
{
  response->stage = HTTP_FAILED;
  response->error = error;
}

static void expect(struct http_response *response, enum http_line next)
{
  response->next = next;
  response->line_length = 0;
  response->line_was_cut = false;
  response->carriage_return = false;
}

/* ---- whole lines ---- */

/* "HTTP/1.1 200 OK": the version was looked at while it came. */
static int take_status(struct http_response *response, const char *line)
{
  int status = 0;
  if (response->line_length < STATUS_AT + STATUS_DIGITS) {
    return PORT_ERR_PROTOCOL;
  }
  for (uint32_t i = 0; i < STATUS_DIGITS; i++) {
    const char digit = line[STATUS_AT + i];
    if (!http_text_is_digit(digit)) {
      return PORT_ERR_PROTOCOL;
    }
    status = status * 10 + (digit - '0');
  }
  const char behind = line[STATUS_AT + STATUS_DIGITS];
  if ((behind != '\0' && behind != ' ') || status < 100 || status == SWITCHED_STATUS) {
    return PORT_ERR_PROTOCOL;
  }
  response->status = status;
  memset(&response->fields, 0, sizeof response->fields);
  expect(response, HTTP_LINE_FIELD);
  return LB_OK;
}

/* The empty line behind the fields. */
static int end_headers(struct http_response *response)
{
  const struct http_fields *fields = &response->fields;
  if (response->status < FINAL_STATUS) {
    expect(response, HTTP_LINE_STATUS); /* 100 Continue and its like: the answer is still to come */
    return LB_OK;
  }
  if (http_redirect_status(response->status) && fields->has_location) {
    response->stage = HTTP_REDIRECT;
    return LB_OK;
  }
  const int err = http_fields_judge(fields, response->status, &response->reply);
  if (err) {
    return err;
  }
  response->has_reply = true;
  response->stage = HTTP_BODY;
  if (response->reply.has_length) {
    response->left = response->reply.length;
    response->stage = response->left > 0 ? HTTP_BODY : HTTP_COMPLETE;
    expect(response, HTTP_NO_LINE);
  } else if (fields->has_encoding) {
    expect(response, HTTP_LINE_CHUNK_SIZE);
  } else {
    response->left = UNTIL_CLOSED;
    expect(response, HTTP_NO_LINE);
  }
  return LB_OK;
}

static int take_field(struct http_response *response)
{
  if (response->line_length == 0) {
    return end_headers(response);
  }
  const int err = http_fields_take(&response->fields, response->line, response->line_was_cut);
  expect(response, HTTP_LINE_FIELD);
  return err;
}

/* "1a4; extensions": hexadecimal, at most INT64_MAX. Extensions are for those who know them. */
static int take_chunk_size(struct http_response *response, const char *line)
{
  uint64_t size = 0;
  uint32_t at = 0;
  for (; http_text_digit(line[at]) >= 0; at++) {
    if (size > (uint64_t)INT64_MAX >> 4) {
      return PORT_ERR_PROTOCOL;
    }
    size = size << 4 | (uint64_t)http_text_digit(line[at]);
  }
  const bool has_digits = at > 0;
  while (line[at] == ' ' || line[at] == '\t') {
    at++;
  }
  if (!has_digits || (line[at] != '\0' && line[at] != ';')) {
    return PORT_ERR_PROTOCOL;
  }
  response->left = size;
  expect(response, size > 0 ? HTTP_NO_LINE : HTTP_LINE_TRAILER);
  return LB_OK;
}

static int take_trailer(struct http_response *response)
{
  if (response->line_length == 0) {
    response->stage = HTTP_COMPLETE;
  }
  expect(response, HTTP_LINE_TRAILER); /* what it says is not needed */
  return LB_OK;
}

static int take_line(struct http_response *response)
{
  response->line[response->line_length] = '\0';
  switch (response->next) {
  case HTTP_LINE_STATUS:
    return take_status(response, response->line);
  case HTTP_LINE_FIELD:
    return take_field(response);
  case HTTP_LINE_CHUNK_SIZE:
    return take_chunk_size(response, response->line);
  case HTTP_LINE_CHUNK_END: /* an empty one: add_to_line takes nothing else */
    expect(response, HTTP_LINE_CHUNK_SIZE);
    return LB_OK;
  case HTTP_LINE_TRAILER:
    return take_trailer(response);
  case HTTP_NO_LINE:
    break;
  }
  return PORT_ERR_PROTOCOL;
}

/* ---- lines as they come ---- */

/* Lest one waits a minute for the rest of something that is no HTTP. */
static bool fits_version(const struct http_response *response, char character)
{
  const uint32_t at = response->line_length;
  if (at == VERSION_MINOR) {
    return character == '0' || character == '1';
  }
  return at >= STATUS_AT || character == VERSION[at];
}

static bool add_to_line(struct http_response *response, char character)
{
  if ((uint8_t)character < ' ' ? character != '\t' : character == 0x7F) {
    return false;
  }
  if (response->next == HTTP_LINE_CHUNK_END ||
      (response->next == HTTP_LINE_STATUS && !fits_version(response, character))) {
    return false;
  }
  if (response->line_length < HTTP_LINE_SIZE - 1U) {
    response->line[response->line_length] = character;
    response->line_length++;
    return true;
  }
  response->line_was_cut = true;
  return response->next != HTTP_LINE_CHUNK_SIZE;
}

/* Fields and trailers are bounded; of chunks there may be any number. */
static bool count_header_byte(struct http_response *response)
{
  if (response->next == HTTP_LINE_CHUNK_SIZE || response->next == HTTP_LINE_CHUNK_END) {
    return true;
  }
  response->header_bytes++;
  return response->header_bytes <= HTTP_HEADERS_LIMIT;
}

/* A line ends with CR LF; as everybody, we take LF alone. A CR stands before LF and nowhere else. */
static int take_byte(struct http_response *response, char character)
{
  if (!count_header_byte(response)) {
    return PORT_ERR_PROTOCOL;
  }
  if (character == '\n') {
    return take_line(response);
  }
  if (response->carriage_return) {
    return PORT_ERR_PROTOCOL;
  }
  if (character == '\r') {
    response->carriage_return = true;
    return LB_OK;
  }
  return add_to_line(response, character) ? LB_OK : PORT_ERR_PROTOCOL;
}

/* ---- the body ---- */

static uint32_t take_body(struct http_response *response, const uint8_t *data, uint32_t length, uint8_t *body,
                          uint32_t room)
{
  uint32_t count = length < room ? length : room;
  count = response->left < count ? (uint32_t)response->left : count;
  if (count == 0) {
    return 0;
  }
  memcpy(body, data, count);
  response->received += count;
  if (response->left != UNTIL_CLOSED) {
    response->left -= count;
  }
  if (response->left == 0 && response->reply.has_length) {
    response->stage = HTTP_COMPLETE;
  } else if (response->left == 0) {
    expect(response, HTTP_LINE_CHUNK_END);
  }
  return count;
}

/* ---- all of it ---- */

static int result_of(const struct http_response *response)
{
  switch (response->stage) {
  case HTTP_COMPLETE:
    return LB_OK;
  case HTTP_FAILED:
    return response->error;
  default:
    return LB_MORE;
  }
}

/* Bytes behind the end. Behind chunks and what never has a body they are ignored, as libcurl does. */
static void judge_surplus(struct http_response *response)
{
  if (response->stage == HTTP_COMPLETE && response->reply.has_length &&
      !http_status_has_no_body(response->reply.status)) {
    fail(response, PORT_ERR_TOO_MUCH);
  }
}

int http_response_write(struct http_response *response, const void *data, uint32_t length, uint32_t *used, void *body,
                        uint32_t capacity, uint32_t *got)
{
  const uint8_t *bytes = data;
  uint8_t *out = body;
  *used = 0;
  *got = 0;
  while (*used < length && (response->stage == HTTP_HEADERS || response->stage == HTTP_BODY)) {
    if (response->next == HTTP_NO_LINE) {
      const uint32_t room = capacity - *got;
      if (room == 0) {
        return LB_MORE;
      }
      const uint32_t count = take_body(response, bytes + *used, length - *used, out + *got, room);
      *used += count;
      *got += count;
      continue;
    }
    const int err = take_byte(response, (char)bytes[*used]);
    *used += 1;
    if (err) {
      fail(response, err);
    }
  }
  if (*used < length) {
    judge_surplus(response);
    *used = length;
  }
  return result_of(response);
}

int http_response_end(struct http_response *response, bool orderly)
{
  if (response->stage == HTTP_BODY && response->left == UNTIL_CLOSED && orderly) {
    response->stage = HTTP_COMPLETE;
  } else if (response->stage == HTTP_HEADERS || response->stage == HTTP_BODY) {
    fail(response, PORT_ERR_CLOSED);
  }
  return response->stage == HTTP_FAILED ? response->error : LB_OK;
}
