// SPDX-License-Identifier: MIT
/*
 * What tells one content of a URL from another (RFC 9110, sections 8.8 and 13): ETag and Last-Modified, and the
 * requests that ask for them.
 *
 * A tag of the depot can be moved back to an older release. So a date is compared for equality, never for being
 * older or newer, which the RFC leaves to the server; publishing gives no two releases of a product the same second.
 */
#ifndef TOOL_DEPOT_VALIDATOR_H
#define TOOL_DEPOT_VALIDATOR_H

#include <stdbool.h>
#include <sys/stat.h>

struct depot_validator {
  char etag[64];     /* strong, with its quotation marks */
  char modified[40]; /* "Sun, 06 Nov 1994 08:49:37 GMT" */
};

/* The validators of an open file: ETag of inode, size and time of change in nanoseconds. */
void depot_validator_of(struct depot_validator *validator, const struct stat *file);

/*
 * Does the client hold this content already, so that 304 is the answer? Values of If-None-Match and
 * If-Modified-Since, NULL if absent; where there is an If-None-Match, it alone counts.
 */
bool depot_validator_not_modified(const struct depot_validator *validator, const char *if_none_match,
                                  const char *if_modified_since);

/* May a range be sent? True without If-Range (NULL), else if it names exactly this content. */
bool depot_validator_allows_range(const struct depot_validator *validator, const char *if_range);

#endif
