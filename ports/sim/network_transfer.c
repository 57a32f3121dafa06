// SPDX-License-Identifier: MIT
/*
 * libcurl is told to ignore Content-Length and to read until the server closes; the length is checked here. Else it
 * would throw away what comes beyond it and never tell.
 */
#define _GNU_SOURCE
#include "ports/sim/network_transfer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module/source.h"
#include "ports/http/headers.h"
#include "ports/sim/network_url.h"

#define CONNECT_TIMEOUT_MS 30000L

static uint64_t now_ms(const struct port_transfer *transfer)
{
  const struct port_clock *clock = transfer->setup->clock;
  return clock->now_ms(clock->context);
}

void transfer_fail(struct port_transfer *transfer, int error)
{
  if (transfer->state != TRANSFER_FAILED && transfer->state != TRANSFER_COMPLETE) {
    transfer->state = TRANSFER_FAILED;
    transfer->error = error;
  }
}

/* Something came. Bytes that come one by one keep the connection, but an update that takes days is none. */
static void heard(struct port_transfer *transfer, size_t length)
{
  transfer->silence_ms = 0;
  transfer->slow_bytes += length;
  if (transfer->slow_bytes >= TRANSFER_SLOW_BYTES) {
    transfer->slow_bytes = 0;
    transfer->slow_ms = 0;
  }
}

/* ---- the headers ---- */

static bool is_redirect(int status)
{
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void headers_complete(struct port_transfer *transfer)
{
  long status = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  if (status < 200) {
    return; /* 100 Continue and its like: the answer is still to come */
  }
  if (is_redirect((int)status) && transfer_header(transfer, "Location", 0, NULL)) {
    transfer->state = TRANSFER_REDIRECT;
    return;
  }
  if (!transfer_read_reply(transfer, (int)status)) {
    transfer_fail(transfer, PORT_ERR_PROTOCOL);
    return;
  }
  transfer->has_reply = true;
  transfer->state = TRANSFER_BODY;
}

/* Called by libcurl for each line; an empty one ends the headers. */
static size_t on_header(const char *line, size_t size, size_t count, void *context)
{
  struct port_transfer *transfer = context;
  const size_t length = size * count;
  heard(transfer, length);
  if (transfer->state == TRANSFER_HEADERS && length > 0 && (line[0] == '\r' || line[0] == '\n')) {
    headers_complete(transfer);
  }
  return transfer->state == TRANSFER_FAILED ? 0 : length;
}

/* ---- the body ---- */

/* Called by libcurl with at most CURL_MAX_WRITE_SIZE bytes. */
static size_t on_body(const char *bytes, size_t size, size_t count, void *context)
{
  struct port_transfer *transfer = context;
  const struct port_reply *reply = &transfer->reply;
  const size_t length = size * count;
  heard(transfer, length);
  if (transfer->state != TRANSFER_BODY) {
    return transfer->state == TRANSFER_REDIRECT ? length : 0; /* the page of a redirect is not read */
  }
  if (reply->has_length && length > reply->length - transfer->received) {
    transfer_fail(transfer, PORT_ERR_TOO_MUCH);
    return 0;
  }
  if (transfer->buffer_length + length > sizeof transfer->buffer) {
    transfer->paused = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  memmove(transfer->buffer, transfer->buffer + transfer->buffer_begin, transfer->buffer_length);
  memcpy(transfer->buffer + transfer->buffer_length, bytes, length);
  transfer->buffer_begin = 0;
  transfer->buffer_length += (uint32_t)length;
  transfer->received += length;
  return length;
}

uint32_t transfer_take(struct port_transfer *transfer, void *buffer, uint32_t capacity)
{
  const uint32_t length = transfer->buffer_length < capacity ? transfer->buffer_length : capacity;
  if (length > 0) {
    memcpy(buffer, transfer->buffer + transfer->buffer_begin, length);
    transfer->buffer_begin += length;
    transfer->buffer_length -= length;
    transfer->silence_ms = 0;
  }
  return length;
}

/* ---- beginning and end ---- */

/* Each option is a call of its own; one that fails makes all fail. */
static CURLcode set_options(struct port_transfer *transfer)
{
  CURL *easy = transfer->easy;
  const struct transfer_setup *setup = transfer->setup;
  CURLcode code = CURLE_OK;
#define SET(option, value)                                                                                             \
  do {                                                                                                                 \
    code = code ? code : curl_easy_setopt(easy, (option), (value));                                                    \
  } while (0)
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_FOLLOWLOCATION, 0L); /* we follow ourselves: transfer_attend */
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  SET(CURLOPT_HTTPHEADER, transfer->headers);
  SET(CURLOPT_USERAGENT, "lifeboat/1");
  SET(CURLOPT_PROXY, ""); /* not even that of the environment */
  SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_QUICK_EXIT, 1L); /* closing does not wait for a name server that does not answer */
  SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
  SET(CURLOPT_IGNORE_CONTENT_LENGTH, 1L);
  SET(CURLOPT_FRESH_CONNECT, 1L);
  SET(CURLOPT_FORBID_REUSE, 1L);
  SET(CURLOPT_BUFFERSIZE, (long)TRANSFER_BUFFER_SIZE);
  SET(CURLOPT_SSL_VERIFYPEER, 1L);
  SET(CURLOPT_SSL_VERIFYHOST, 2L);
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  SET(CURLOPT_ERRORBUFFER, transfer->error_text);
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, transfer);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, transfer);
  SET(CURLOPT_PRIVATE, transfer);
  SET(CURLOPT_CONNECT_TO, setup->hosts);
  if (setup->ca_file) {
    SET(CURLOPT_CAINFO, setup->ca_file);
    SET(CURLOPT_CAPATH, NULL); /* these authorities and no others */
  }
#undef SET
  return code;
}

/* Asks for transfer->url. */
static int request(struct port_transfer *transfer)
{
  transfer->state = TRANSFER_HEADERS;
  transfer->attended_ms = now_ms(transfer);
  transfer->silence_ms = 0;
  transfer->slow_ms = 0;
  transfer->slow_bytes = 0;
  transfer->error_text[0] = '\0';
  if (curl_easy_setopt(transfer->easy, CURLOPT_URL, transfer->url) ||
      curl_multi_add_handle(transfer->setup->multi, transfer->easy)) {
    return PORT_ERR_BUSY;
  }
  return LB_OK;
}

static int add_line(struct port_transfer *transfer, const char *name, const char *value)
{
  char *line = NULL;
  if (asprintf(&line, "%s: %s", name, value) < 0) {
    return PORT_ERR_BUSY;
  }
  struct curl_slist *longer = curl_slist_append(transfer->headers, line);
  free(line);
  transfer->headers = longer ? longer : transfer->headers;
  return longer ? LB_OK : PORT_ERR_BUSY;
}

/* They are sent again wherever a redirect leads. */
static int make_headers(struct port_transfer *transfer, const struct port_request *asked)
{
  int err = add_line(transfer, "Connection", "close");
  if (asked->first > 0 && !err) {
    char range[40];
    snprintf(range, sizeof range, "bytes=%" PRIu64 "-", asked->first);
    err = add_line(transfer, "Range", range);
    err = err ? err : add_line(transfer, "If-Range", asked->validator);
  }
  return err;
}

int transfer_begin(struct port_transfer *transfer, const struct transfer_setup *setup, const struct port_request *asked)
{
  memset(transfer, 0, sizeof *transfer);
  transfer->setup = setup;
  if (asked->first > 0 && (!asked->validator || !source_is_strong_tag(asked->validator))) {
    return LB_ERR_ARGUMENT; /* a part of who knows what; nor is anything but a tag to get into the headers */
  }
  int err = network_url_make(asked->url, &transfer->url);
  err = err ? err : make_headers(transfer, asked);
  if (!err) {
    transfer->easy = curl_easy_init();
    err = transfer->easy && set_options(transfer) == CURLE_OK ? request(transfer) : PORT_ERR_BUSY;
  }
  if (err) {
    transfer_end(transfer);
  }
  return err;
}

void transfer_end(struct port_transfer *transfer)
{
  if (transfer->easy) {
    curl_multi_remove_handle(transfer->setup->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    transfer->easy = NULL;
  }
  curl_slist_free_all(transfer->headers);
  transfer->headers = NULL;
  curl_free(transfer->url);
  transfer->url = NULL;
}

/* Whatever ends the connection after the last announced byte: all has come. TLS without a goodbye, for example. */
static bool has_all(const struct port_transfer *transfer)
{
  return transfer->state == TRANSFER_BODY && transfer->reply.has_length && transfer->received == transfer->reply.length;
}

void transfer_done(struct port_transfer *transfer, CURLcode code)
{
  if (transfer->state != TRANSFER_BODY && transfer->state != TRANSFER_HEADERS) {
    return;
  }
  int error = code ? transfer_error_of(transfer, code) : LB_OK;
  if (!error && (transfer->state == TRANSFER_HEADERS || transfer->reply.has_length)) {
    error = PORT_ERR_CLOSED; /* in the middle of the headers or of what they announced */
  }
  if (error && !has_all(transfer)) {
    transfer_fail(transfer, error);
  } else {
    transfer->state = TRANSFER_COMPLETE;
  }
}

static void follow_redirect(struct port_transfer *transfer)
{
  char *next = NULL;
  int err = network_url_follow(transfer->url, transfer_header(transfer, "Location", 0, NULL), &next);
  if (!err && transfer->redirects == PORT_NETWORK_REDIRECTS) {
    err = PORT_ERR_REDIRECTS;
  }
  curl_multi_remove_handle(transfer->setup->multi, transfer->easy);
  if (err) {
    curl_free(next);
    transfer_fail(transfer, err);
    return;
  }
  transfer->redirects++;
  curl_free(transfer->url);
  transfer->url = next;
  err = request(transfer);
  if (err) {
    transfer_fail(transfer, err);
  }
}

/* Time that passes while bytes wait to be read is not the server's. */
static void measure_silence(struct port_transfer *transfer)
{
  const uint64_t now = now_ms(transfer);
  const uint64_t gap = now - transfer->attended_ms;
  const uint64_t attended = gap < TRANSFER_GAP_MS ? gap : TRANSFER_GAP_MS;
  transfer->attended_ms = now;
  transfer->silence_ms += attended;
  transfer->slow_ms += attended;
  if (transfer->buffer_length > 0) {
    transfer->silence_ms = 0;
  }
  if (transfer->paused) {
    transfer->slow_ms = 0;
  }
}

void transfer_attend(struct port_transfer *transfer)
{
  if (transfer->state == TRANSFER_REDIRECT) {
    follow_redirect(transfer);
  }
  if (transfer->paused && transfer->buffer_length == 0) {
    transfer->paused = false;
    curl_easy_pause(transfer->easy, CURLPAUSE_CONT); /* calls on_body at once */
  }
  measure_silence(transfer);
  if (has_all(transfer) && (transfer->reply.length == 0 || transfer->silence_ms >= TRANSFER_LINGER_MS)) {
    transfer->state = TRANSFER_COMPLETE;
  } else if (transfer->silence_ms >= PORT_NETWORK_TIMEOUT_MS) {
    transfer_fail(transfer, PORT_ERR_TIMEOUT);
  } else if (transfer->slow_ms >= TRANSFER_SLOW_MS) {
    transfer_fail(transfer, PORT_ERR_SLOW);
  }
}
