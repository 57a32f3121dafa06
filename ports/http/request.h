// SPDX-License-Identifier: MIT
/* The text of a request. */
#ifndef PORTS_HTTP_REQUEST_H
#define PORTS_HTTP_REQUEST_H

#include <stdint.h>

#include "module/port.h"
#include "ports/http/url.h"

#define HTTP_USER_AGENT   "lifeboat/1"
#define HTTP_REQUEST_SIZE 1280U /* enough for any URL and validator, with the NUL */

/*
 * Checks struct port_request's part: LB_ERR_ARGUMENT if it begins within the body and has no strong validator, so that
 * nothing but a tag gets into the request.
 */
int http_request_check(const struct port_request *request);

/*
 * Writes the GET of `url`, with Range and If-Range if `first` > 0 (`validator` is not looked at else). `*length` are
 * its bytes without the NUL. The connection is to be closed behind the answer. LB_ERR_ARGUMENT as above.
 */
int http_request_write(char text[HTTP_REQUEST_SIZE], const struct http_url *url, uint64_t first, const char *validator,
                       uint32_t *length);

#endif
