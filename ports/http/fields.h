// SPDX-License-Identifier: MIT
/*
 * The fields of an answer's headers: taken one line after the other, judged together when all are there. For
 * response.c.
 */
#ifndef PORTS_HTTP_FIELDS_H
#define PORTS_HTTP_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "module/port.h"
#include "ports/http/headers.h"
#include "ports/http/url.h"

struct http_fields {
  bool has_encoding;
  bool bad_encoding; /* a Transfer-Encoding other than one "chunked" */
  bool has_length;
  bool bad_length; /* a Content-Length that is none, or two that differ */
  uint64_t length;
  uint32_t ranges; /* how many Content-Range there are */
  bool good_range;
  struct http_range range;
  uint32_t tags; /* how many ETag */
  bool weak;
  char validator[PORT_VALIDATOR_SIZE];
  bool has_location;
  bool bad_location; /* too long */
  char location[HTTP_URL_SIZE];
};

/*
 * Takes a line "Name: value" without its end. `was_cut`: these are only its first bytes, more than any of the fields
 * that matter may have. PORT_ERR_PROTOCOL if it is no such line, or continues the one before.
 */
int http_fields_take(struct http_fields *fields, char *line, bool was_cut);

/* Fills `reply` with what they say together. PORT_ERR_PROTOCOL if they contradict each other. */
int http_fields_judge(const struct http_fields *fields, int status, struct port_reply *reply);

/* The statuses whose answers never have a body, whatever they announce. */
bool http_status_has_no_body(int status);

#endif
