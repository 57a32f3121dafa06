// SPDX-License-Identifier: MIT
/* From the path of a URL to a file of the depot, and to nothing else. */
#ifndef TOOL_DEPOT_PATH_H
#define TOOL_DEPOT_PATH_H

#include <stdbool.h>
#include <stddef.h>

#define DEPOT_PATH_SIZE 1024U

enum depot_path_result {
  DEPOT_PATH_OK,
  DEPOT_PATH_MALFORMED, /* no path that a client would build: an escape that is none, or hides '/' or a control code */
  DEPOT_PATH_HIDDEN,    /* names a file that is not served: a name with a leading dot, or none at all */
};

/*
 * Turns the path of a request as it came, still escaped and without its query, into a path below the depot:
 * "/firmware/ota/v3.1/main/ovms3.bin" -> "v3.1/main/ovms3.bin". `prefix` ("firmware/ota", may be empty) is cut off if
 * it is there. Slashes in a row count as one; the address of a whole URL ("http://host/...") is left out.
 */
enum depot_path_result depot_path_from_url(const char *url, const char *prefix, char path[DEPOT_PATH_SIZE]);

/* Makes "firmware/ota" of "/firmware/ota/". False if that is no prefix: every name needs plain letters. */
bool depot_path_prefix(const char *option, char prefix[DEPOT_PATH_SIZE]);

/*
 * Opens `path` below the folder `root` for reading; a link is followed as long as it stays below root. Returns the
 * descriptor, or -1 with errno: EXDEV for a link that leads out, EISDIR for what is no regular file.
 */
int depot_path_open(int root, const char *path);

/* Does this system have what depot_path_open needs? False with errno. */
bool depot_path_usable(int root);

#endif
