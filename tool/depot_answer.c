// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* strdup, st_mtim */
#include "tool/depot_answer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/depot_path.h"
#include "tool/depot_range.h"
#include "tool/depot_validator.h"
#include "tool/report.h"

#define LOGGED_TARGET_SIZE 512U

/* One request, from its first line until its answer is sent. */
struct request {
  bool begun;
  unsigned status; /* 0: not answered by us */
  uint64_t bytes;  /* of the body that is sent */
  char method[16];
  char target[LOGGED_TARGET_SIZE];
};

/* An open file and what the client is to get of it. */
struct served_file {
  int descriptor;
  uint64_t size;
  const char *type;
  struct depot_validator validator;
  struct depot_range range;
};

static const char *header(struct MHD_Connection *connection, const char *name)
{
  return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static bool add(struct MHD_Response *response, const char *name, const char *value)
{
  return MHD_add_response_header(response, name, value) == MHD_YES;
}

/* Hands a response over; the daemon keeps it until it is sent. MHD_NO makes it close the connection. */
static enum MHD_Result queue(struct request *request, struct MHD_Connection *connection, unsigned status,
                             struct MHD_Response *response, uint64_t bytes)
{
  request->status = status;
  request->bytes = strcmp(request->method, MHD_HTTP_METHOD_HEAD) == 0 ? 0 : bytes;
  enum MHD_Result result = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return result;
}

/* ---- answers without a file ---- */

/* A status with its reason as the body, and one more header unless `name` is NULL. */
static enum MHD_Result refuse(struct request *request, struct MHD_Connection *connection, unsigned status,
                              const char *name, const char *value)
{
  char text[64];
  (void)snprintf(text, sizeof text, "%u %s\n", status, MHD_get_reason_phrase_for(status));
  struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_COPY);
  if (!response) {
    return MHD_NO;
  }
  if (!add(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8") ||
      !add(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache") || (name && !add(response, name, value))) {
    MHD_destroy_response(response);
    return MHD_NO;
  }
  return queue(request, connection, status, response, strlen(text));
}

/* The status for a file that could not be opened. */
static unsigned status_of(int error)
{
  switch (error) {
  case EACCES:
  case EPERM:
    return MHD_HTTP_FORBIDDEN;
  case EMFILE:
  case ENFILE:
  case ENOMEM:
    return MHD_HTTP_SERVICE_UNAVAILABLE;
  case EIO:
    return MHD_HTTP_INTERNAL_SERVER_ERROR;
  default:
    return MHD_HTTP_NOT_FOUND; /* not there, no file, or a link that leaves the depot */
  }
}

/* ---- answers with a file ---- */

static const char *content_type(const char *path)
{
  const char *dot = strrchr(path, '.');
  bool is_text = dot && (strcmp(dot, ".ver") == 0 || strcmp(dot, ".patches") == 0);
  return is_text ? "text/plain; charset=utf-8" : "application/octet-stream";
}

/* Opens the file that a URL names; MHD_HTTP_OK, or the status to refuse with. */
static unsigned open_file(const struct depot_site *site, const char *url, struct served_file *file)
{
  char path[DEPOT_PATH_SIZE];
  struct stat status;
  enum depot_path_result result = depot_path_from_url(url, site->prefix, path);
  if (result != DEPOT_PATH_OK) {
    return result == DEPOT_PATH_MALFORMED ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_NOT_FOUND;
  }
  file->descriptor = depot_path_open(site->root, path);
  if (file->descriptor < 0) {
    return status_of(errno);
  }
  if (fstat(file->descriptor, &status) != 0) {
    close(file->descriptor);
    return MHD_HTTP_INTERNAL_SERVER_ERROR;
  }
  file->size = (uint64_t)status.st_size;
  file->type = content_type(path);
  file->range = (struct depot_range){.first = 0, .length = file->size};
  depot_validator_of(&file->validator, &status);
  return MHD_HTTP_OK;
}

/* 200, 206, 304 or 416; the range is set for the first two. */
static unsigned judge(const struct request *request, struct MHD_Connection *connection, struct served_file *file)
{
  if (depot_validator_not_modified(&file->validator, header(connection, MHD_HTTP_HEADER_IF_NONE_MATCH),
                                   header(connection, MHD_HTTP_HEADER_IF_MODIFIED_SINCE))) {
    return MHD_HTTP_NOT_MODIFIED;
  }
  bool is_get = strcmp(request->method, MHD_HTTP_METHOD_GET) == 0; /* no other method has ranges */
  if (!is_get || !depot_validator_allows_range(&file->validator, header(connection, MHD_HTTP_HEADER_IF_RANGE))) {
    return MHD_HTTP_OK;
  }
  switch (depot_range_parse(header(connection, MHD_HTTP_HEADER_RANGE), file->size, &file->range)) {
  case DEPOT_RANGE_PART:
    return MHD_HTTP_PARTIAL_CONTENT;
  case DEPOT_RANGE_UNSATISFIABLE:
    return MHD_HTTP_RANGE_NOT_SATISFIABLE;
  case DEPOT_RANGE_WHOLE:
    break;
  }
  return MHD_HTTP_OK;
}

static bool add_file_headers(struct MHD_Response *response, const struct served_file *file, unsigned status)
{
  bool good = add(response, MHD_HTTP_HEADER_ETAG, file->validator.etag) &&
              add(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache") &&
              add(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
  if (good && file->validator.modified[0] != '\0') {
    good = add(response, MHD_HTTP_HEADER_LAST_MODIFIED, file->validator.modified);
  }
  if (good && status != MHD_HTTP_NOT_MODIFIED) {
    good = add(response, MHD_HTTP_HEADER_CONTENT_TYPE, file->type);
  }
  if (good && status == MHD_HTTP_PARTIAL_CONTENT) {
    char range[80];
    (void)snprintf(range, sizeof range, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, file->range.first,
                   file->range.first + file->range.length - 1, file->size);
    good = add(response, MHD_HTTP_HEADER_CONTENT_RANGE, range);
  }
  return good;
}

/*
 * Sends the file's range. With 304 the daemon sends the headers alone; the file gives it the Content-Length that a 200
 * would have, the only one that HTTP allows there. The response closes the descriptor.
 */
static enum MHD_Result send_file(struct request *request, struct MHD_Connection *connection, unsigned status,
                                 const struct served_file *file)
{
  struct MHD_Response *response =
      MHD_create_response_from_fd_at_offset64(file->range.length, file->descriptor, file->range.first);
  if (!response) {
    close(file->descriptor);
    return MHD_NO;
  }
  if (!add_file_headers(response, file, status)) {
    MHD_destroy_response(response);
    return MHD_NO;
  }
  return queue(request, connection, status, response, status == MHD_HTTP_NOT_MODIFIED ? 0 : file->range.length);
}

static enum MHD_Result answer_file(const struct depot_site *site, struct request *request,
                                   struct MHD_Connection *connection, const char *url)
{
  struct served_file file;
  unsigned status = open_file(site, url, &file);
  if (status != MHD_HTTP_OK) {
    return refuse(request, connection, status, NULL, NULL);
  }
  status = judge(request, connection, &file);
  if (status == MHD_HTTP_RANGE_NOT_SATISFIABLE) {
    char range[40];
    close(file.descriptor);
    (void)snprintf(range, sizeof range, "bytes */%" PRIu64, file.size);
    return refuse(request, connection, status, MHD_HTTP_HEADER_CONTENT_RANGE, range);
  }
  return send_file(request, connection, status, &file);
}

/* ---- the callbacks ---- */

void *depot_answer_begin(void *site, const char *target, struct MHD_Connection *connection)
{
  (void)site;
  (void)connection;
  struct request *request = calloc(1, sizeof *request);
  if (request) {
    report_printable(target, request->target, sizeof request->target);
  }
  return request;
}

enum MHD_Result depot_answer_handle(void *site, struct MHD_Connection *connection, const char *url, const char *method,
                                    const char *version, const char *upload, size_t *upload_size, void **request)
{
  struct request *present = *request;
  (void)version;
  (void)upload;
  if (!present) {
    return MHD_NO; /* there was no memory for it */
  }
  if (!present->begun) {
    present->begun = true;
    report_printable(method, present->method, sizeof present->method);
    return MHD_YES; /* the body, if there is one, comes next */
  }
  if (*upload_size > 0) {
    *upload_size = 0; /* nobody wants it */
    return MHD_YES;
  }
  if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
    return refuse(present, connection, MHD_HTTP_METHOD_NOT_ALLOWED, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  }
  return answer_file(site, present, connection, url);
}

static void client_address(struct MHD_Connection *connection, char *text, size_t size)
{
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  const struct sockaddr *address = info ? info->client_addr : NULL;
  (void)snprintf(text, size, "-");
  if (address && address->sa_family == AF_INET) {
    inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, text, (socklen_t)size);
  } else if (address && address->sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, text, (socklen_t)size);
  }
}

void depot_answer_completed(void *site, struct MHD_Connection *connection, void **request,
                            enum MHD_RequestTerminationCode code)
{
  struct request *present = *request;
  char address[INET6_ADDRSTRLEN];
  (void)site;
  if (!present) {
    return;
  }
  client_address(connection, address, sizeof address);
  (void)fprintf(stderr, "%s %s %s %u %" PRIu64 "%s\n", address, present->method[0] != '\0' ? present->method : "-",
                present->target[0] != '\0' ? present->target : "-", present->status, present->bytes,
                code == MHD_REQUEST_TERMINATED_COMPLETED_OK ? "" : " aborted");
  free(present);
  *request = NULL;
}

size_t depot_answer_unescape(void *site, struct MHD_Connection *connection, char *text)
{
  (void)site;
  (void)connection;
  return strlen(text);
}
