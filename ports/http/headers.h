// SPDX-License-Identifier: MIT
/*
 * What the headers of an answer say, read from their text alone. Anybody may have sent it: whatever does not follow
 * RFC 9110 to the letter is no number, no range, no tag.
 */
#ifndef PORTS_HTTP_HEADERS_H
#define PORTS_HTTP_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "module/port.h"

/* The value of Content-Length: digits and nothing else, at most INT64_MAX. */
bool http_header_length(const char *text, uint64_t *length);

struct http_range {
  uint64_t first; /* byte of the whole that the part begins with */
  uint64_t last;  /* and ends with */
  uint64_t total; /* bytes of the whole */
};

/*
 * The value of Content-Range, "bytes FIRST-LAST/TOTAL" with FIRST <= LAST < TOTAL. False for any other unit, for an
 * unknown total, and for the "bytes * / TOTAL" of a part that does not exist.
 */
bool http_header_range(const char *text, struct http_range *range);

/*
 * The value of ETag. A strong one goes into `validator` with its quotes. One that is weak, too long, empty, malformed,
 * or not made of printable ASCII leaves "" there; `*weak` tells whether it was a weak one.
 */
void http_header_etag(const char *text, char validator[PORT_VALIDATOR_SIZE], bool *weak);

#endif
