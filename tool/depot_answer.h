// SPDX-License-Identifier: MIT
/* One request to the depot and its answer: GET and HEAD of a file below a folder, on libmicrohttpd. */
#ifndef TOOL_DEPOT_ANSWER_H
#define TOOL_DEPOT_ANSWER_H

#include <microhttpd.h>

/* What is served. It outlives the daemon. */
struct depot_site {
  int root;           /* the open folder */
  const char *prefix; /* "firmware/ota", also served without it; may be empty */
};

/*
 * The four callbacks of the daemon, each with the struct depot_site as its argument: begin notes the request line,
 * handle answers, completed writes one line to stderr: address, method, path, status, bytes of the body, and "aborted"
 * if the client did not take all of them. unescape leaves escapes alone: depot_path.h looks at the path as it came.
 */
void *depot_answer_begin(void *site, const char *target, struct MHD_Connection *connection);
enum MHD_Result depot_answer_handle(void *site, struct MHD_Connection *connection, const char *url, const char *method,
                                    const char *version, const char *upload, size_t *upload_size, void **request);
void depot_answer_completed(void *site, struct MHD_Connection *connection, void **request,
                            enum MHD_RequestTerminationCode code);
size_t depot_answer_unescape(void *site, struct MHD_Connection *connection, char *text);

#endif
