// SPDX-License-Identifier: MIT
/*
 * Reads the answer to one GET on a connection of its own, as its bytes come in pieces of any size. Anybody may have
 * sent it. It keeps no body: that is copied from the piece to where the caller wants it.
 *
 *   http_response_start(&response);
 *   for each piece: http_response_write(...) until all of it is used
 *   when the server has closed: http_response_end(&response, true)
 */
#ifndef PORTS_HTTP_RESPONSE_H
#define PORTS_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#include "module/port.h"
#include "ports/http/fields.h"

#define HTTP_LINE_SIZE     640U   /* bytes of a header line that are looked at, with a NUL */
#define HTTP_HEADERS_LIMIT 65536U /* bytes of all header lines, those of 1xx answers and trailers among them */

enum http_stage {
  HTTP_HEADERS,  /* the final answer's headers are not complete */
  HTTP_REDIRECT, /* they are, and send us elsewhere: see ports/http/redirect.h; whatever follows is ignored */
  HTTP_BODY,     /* they are, `reply` is filled, the body is coming */
  HTTP_COMPLETE, /* all has come; `reply` is filled */
  HTTP_FAILED    /* `error` says why */
};

/* What the next bytes are; response.c's. */
enum http_line {
  HTTP_LINE_STATUS,
  HTTP_LINE_FIELD,
  HTTP_LINE_CHUNK_SIZE,
  HTTP_LINE_CHUNK_END,
  HTTP_LINE_TRAILER,
  HTTP_NO_LINE /* the body, or a chunk of it */
};

struct http_response {
  enum http_stage stage;
  int error;               /* of HTTP_FAILED */
  bool has_reply;          /* also after a failure in the body */
  struct port_reply reply; /* while has_reply; as module/port.h describes it */
  uint64_t received;       /* bytes of the body so far */

  enum http_line next; /* the rest is response.c's */
  int status;
  struct http_fields fields;
  uint64_t left;         /* bytes of the body, or of the chunk, until its end; UINT64_MAX: until the server closes */
  uint32_t header_bytes; /* counted against HTTP_HEADERS_LIMIT */
  bool line_was_cut;     /* it is longer than what is kept of it */
  bool carriage_return;  /* came last */
  uint32_t line_length;
  char line[HTTP_LINE_SIZE];
};

void http_response_start(struct http_response *response);

/*
 * Takes `length` bytes that came: `*used` of them, fewer only if `capacity` bytes of the body were not enough for all
 * that is there. With a capacity of 0 (`body` may be NULL) it takes what stands before the next byte of the body.
 * `*got` bytes were copied to `body`, even if it fails.
 *
 * LB_MORE: not complete. Look at the stage: it may be HTTP_REDIRECT, and then all that comes is dropped.
 * LB_OK: complete; all bytes were used. Announced bytes that all came do not mean that no more will come: whoever
 * waits a little for the server to close, and writes what comes instead, learns of PORT_ERR_TOO_MUCH.
 * PORT_ERR_PROTOCOL, PORT_ERR_TOO_MUCH (more than announced; what was announced is in `body` then). Once failed, it
 * says the same for ever.
 */
int http_response_write(struct http_response *response, const void *data, uint32_t length, uint32_t *used, void *body,
                        uint32_t capacity, uint32_t *got);

/*
 * The connection has ended, orderly or by a reset. LB_OK: the answer is complete, or a redirect; PORT_ERR_CLOSED if it
 * ended too early; or what failed before.
 */
int http_response_end(struct http_response *response, bool orderly);

#endif
