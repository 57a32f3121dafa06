// SPDX-License-Identifier: MIT
/* Which URLs the module takes, and where a redirect leads; for network_transfer.c. */
#ifndef PORTS_SIM_NETWORK_URL_H
#define PORTS_SIM_NETWORK_URL_H

/*
 * Makes of what was typed the full URL, which the caller frees with curl_free: "host/path" becomes
 * "http://host/path". PORT_ERR_URL for another scheme, a user or password, spaces and control characters.
 */
int network_url_make(const char *text, char **url);

/*
 * Where a redirect from `url` to `location` leads; the caller frees it with curl_free. PORT_ERR_DOWNGRADE if https
 * would become something else, PORT_ERR_URL as above.
 */
int network_url_follow(const char *url, const char *location, char **next);

#endif
