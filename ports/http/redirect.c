// SPDX-License-Identifier: MIT
#include "ports/http/redirect.h"

#include "lifeboat/error.h"

bool http_redirect_status(int status)
{
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

int http_redirect_follow(struct http_url *url, const struct http_response *response, uint32_t *count)
{
  const struct http_fields *fields = &response->fields;
  const int err = fields->bad_location ? PORT_ERR_URL : http_url_follow(url, fields->location);
  if (err) {
    return err;
  }
  if (*count >= PORT_NETWORK_REDIRECTS) {
    return PORT_ERR_REDIRECTS;
  }
  *count += 1;
  return LB_OK;
}
