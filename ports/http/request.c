// SPDX-License-Identifier: MIT
#include "ports/http/request.h"

#include <stddef.h>

#include "lifeboat/error.h"
#include "module/source.h"
#include "ports/http/text.h"

#define LINE_END "\r\n"

int http_request_check(const struct port_request *request)
{
  const bool has_validator = request->validator && source_is_strong_tag(request->validator);
  return request->first == 0 || has_validator ? LB_OK : LB_ERR_ARGUMENT;
}

int http_request_write(char text[HTTP_REQUEST_SIZE], const struct http_url *url, uint64_t first, const char *validator,
                       uint32_t *length)
{
  struct http_text out;
  *length = 0;
  if (http_request_check(&(struct port_request){.first = first, .validator = validator})) {
    return LB_ERR_ARGUMENT;
  }
  http_text_start(&out, text, HTTP_REQUEST_SIZE);
  http_text_add(&out, "GET ");
  http_text_add(&out, url->target);
  http_text_add(&out, " HTTP/1.1" LINE_END "Host: ");
  http_text_add(&out, url->host);
  if (url->port != HTTP_DEFAULT_PORT) {
    http_text_add(&out, ":");
    http_text_add_number(&out, url->port);
  }
  http_text_add(&out, LINE_END "User-Agent: " HTTP_USER_AGENT LINE_END "Accept: */*" LINE_END
                               "Accept-Encoding: identity" LINE_END "Connection: close" LINE_END);
  if (first > 0) {
    http_text_add(&out, "Range: bytes=");
    http_text_add_number(&out, first);
    http_text_add(&out, "-" LINE_END "If-Range: ");
    http_text_add(&out, validator);
    http_text_add(&out, LINE_END);
  }
  http_text_add(&out, LINE_END);
  *length = out.length;
  return out.overflow ? LB_ERR_ARGUMENT : LB_OK;
}
