// SPDX-License-Identifier: MIT
/* What the answer says of itself, as the module wants to know it. */
#include <stddef.h>

#include "ports/http/headers.h"
#include "ports/http/text.h"
#include "ports/sim/network_transfer.h"

#define LAST_HEADER (-1) /* for curl_easy_header: of the last answer */

const char *transfer_header(const struct port_transfer *transfer, const char *name, size_t index, size_t *count)
{
  struct curl_header *found = NULL;
  if (curl_easy_header(transfer->easy, name, index, CURLH_HEADER, LAST_HEADER, &found) != CURLHE_OK) {
    return NULL;
  }
  if (count) {
    *count = found->amount;
  }
  return found->value;
}

/*
 * A length beside chunks is how one server smuggles an answer past another, and no other encoding was asked for: as in
 * ports/http, RFC 9112, 6.3. False: what is there contradicts itself.
 */
static bool read_encoding(const struct port_transfer *transfer, bool *is_chunked)
{
  size_t count = 0;
  const char *text = transfer_header(transfer, "Transfer-Encoding", 0, &count);
  *is_chunked = text != NULL;
  return !text ||
         (count == 1 && http_text_is(text, "chunked") && !transfer_header(transfer, "Content-Length", 0, NULL));
}

/* Lengths that differ: no HTTP. */
static bool read_length(struct port_transfer *transfer)
{
  struct port_reply *reply = &transfer->reply;
  size_t count = 1;
  bool is_chunked = false;
  if (!read_encoding(transfer, &is_chunked)) {
    return false;
  }
  for (size_t i = 0; i < count && !is_chunked; i++) {
    uint64_t length = 0;
    const char *text = transfer_header(transfer, "Content-Length", i, &count);
    if (!text) {
      return true;
    }
    if (!http_header_length(text, &length) || (reply->has_length && length != reply->length)) {
      return false;
    }
    reply->has_length = true;
    reply->length = length;
  }
  return true;
}

/* The one header of that name; NULL if there is none, or several, which nobody could choose between. */
static const char *only_header(const struct port_transfer *transfer, const char *name)
{
  size_t count = 0;
  const char *text = transfer_header(transfer, name, 0, &count);
  return count == 1 ? text : NULL;
}

/* A part is one only if all that is said about it fits together. Several parts at once have no Content-Range. */
static void read_range(const struct port_transfer *transfer, struct port_reply *reply)
{
  struct http_range range;
  const char *text = only_header(transfer, "Content-Range");
  if (reply->status != PORT_HTTP_PARTIAL || !reply->has_length || !text || !http_header_range(text, &range)) {
    return;
  }
  reply->has_range = reply->length == range.last - range.first + 1;
  reply->first = range.first;
  reply->total = range.total;
}

static void read_validator(const struct port_transfer *transfer, struct port_reply *reply)
{
  const char *text = only_header(transfer, "ETag");
  if (text) {
    http_header_etag(text, reply->validator, &reply->weak);
  }
}

/* The answers that never have a body, whatever they announce. */
static bool has_no_body(int status)
{
  return status == 204 || status == 304;
}

bool transfer_read_reply(struct port_transfer *transfer, int status)
{
  struct port_reply *reply = &transfer->reply;
  *reply = (struct port_reply){.status = status, .has_length = has_no_body(status)};
  if (!reply->has_length && !read_length(transfer)) {
    return false;
  }
  read_range(transfer, reply);
  read_validator(transfer, reply);
  return true;
}
