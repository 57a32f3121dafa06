// SPDX-License-Identifier: MIT
/* Where a redirect leads. No sockets: who asks closes the connection, and begins anew with the URL from here. */
#ifndef PORTS_HTTP_REDIRECT_H
#define PORTS_HTTP_REDIRECT_H

#include <stdbool.h>
#include <stdint.h>

#include "ports/http/response.h"
#include "ports/http/url.h"

/* Does this status redirect, if there is a Location beside it? */
bool http_redirect_status(int status);

/*
 * With a response in the stage HTTP_REDIRECT: moves `*url`, which was asked for, to where it leads, and counts.
 * `*count` is 0 before the first one. PORT_ERR_REDIRECTS after PORT_NETWORK_REDIRECTS of them, PORT_ERR_URL and
 * PORT_ERR_NO_TLS as http_url_follow: nothing more is to be asked for then.
 */
int http_redirect_follow(struct http_url *url, const struct http_response *response, uint32_t *count);

#endif
