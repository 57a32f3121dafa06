// SPDX-License-Identifier: MIT
#include "ports/http/fields.h"

#include <stddef.h>
#include <string.h>

#include "lifeboat/error.h"
#include "ports/http/text.h"

static bool is_blank(char character)
{
  return character == ' ' || character == '\t';
}

/* ---- one line ---- */

static void take_length(struct http_fields *fields, const char *value)
{
  uint64_t length = 0;
  if (!http_header_length(value, &length) || (fields->has_length && length != fields->length)) {
    fields->bad_length = true;
  }
  fields->has_length = true;
  fields->length = length;
}

static void take_encoding(struct http_fields *fields, const char *value)
{
  fields->bad_encoding = fields->has_encoding || !http_text_is(value, "chunked");
  fields->has_encoding = true;
}

static void take_range(struct http_fields *fields, const char *value)
{
  fields->ranges += fields->ranges < 2 ? 1 : 0;
  fields->good_range = http_header_range(value, &fields->range);
}

static void take_tag(struct http_fields *fields, const char *value)
{
  fields->tags += fields->tags < 2 ? 1 : 0;
  http_header_etag(value, fields->validator, &fields->weak);
}

/* Of several the first counts, as everywhere. */
static void take_location(struct http_fields *fields, const char *value)
{
  const uint32_t length = http_text_length(value);
  if (fields->has_location) {
    return;
  }
  fields->has_location = true;
  fields->bad_location = length >= sizeof fields->location;
  if (!fields->bad_location) {
    memcpy(fields->location, value, length + 1U);
  }
}

static const struct known {
  const char *name;
  bool may_be_cut; /* a line too long for its value to be of use is not the end of everything */
  void (*take)(struct http_fields *fields, const char *value);
} known_fields[] = {
    {"Content-Length", false, take_length}, {"Transfer-Encoding", false, take_encoding},
    {"Content-Range", false, take_range},   {"ETag", true, take_tag},
    {"Location", true, take_location},
};

#define KNOWN_FIELDS (sizeof known_fields / sizeof known_fields[0])

/* Ends the name at the colon and the value behind its last character. NULL: there is no name, or a blank beside it. */
static const char *split(char *line)
{
  const uint32_t name = http_text_before(line, ": \t");
  if (name == 0 || line[name] != ':') {
    return NULL;
  }
  line[name] = '\0';
  char *value = line + name + 1;
  while (is_blank(*value)) {
    value++;
  }
  uint32_t length = http_text_length(value);
  while (length > 0 && is_blank(value[length - 1])) {
    length--;
  }
  value[length] = '\0';
  return value;
}

int http_fields_take(struct http_fields *fields, char *line, bool was_cut)
{
  const char *value = split(line);
  if (!value) {
    return PORT_ERR_PROTOCOL;
  }
  for (uint32_t i = 0; i < KNOWN_FIELDS; i++) {
    if (!http_text_is(line, known_fields[i].name)) {
      continue;
    }
    if (was_cut && !known_fields[i].may_be_cut) {
      return PORT_ERR_PROTOCOL;
    }
    known_fields[i].take(fields, value);
  }
  return LB_OK;
}

/* ---- all of them ---- */

bool http_status_has_no_body(int status)
{
  return status == 204 || status == 304;
}

/* A part is one only if all that is said about it fits together. Several parts at once have no Content-Range. */
static void judge_range(const struct http_fields *fields, struct port_reply *reply)
{
  if (reply->status != PORT_HTTP_PARTIAL || !reply->has_length || fields->ranges != 1 || !fields->good_range) {
    return;
  }
  reply->has_range = reply->length == fields->range.last - fields->range.first + 1;
  reply->first = fields->range.first;
  reply->total = fields->range.total;
}

int http_fields_judge(const struct http_fields *fields, int status, struct port_reply *reply)
{
  *reply = (struct port_reply){.status = status, .has_length = true};
  if (!http_status_has_no_body(status)) {
    /* a length beside chunks is how one server smuggles an answer past another: RFC 9112, 6.3 */
    if (fields->bad_encoding || fields->bad_length || (fields->has_encoding && fields->has_length)) {
      return PORT_ERR_PROTOCOL;
    }
    reply->has_length = fields->has_length;
    reply->length = fields->length;
  }
  judge_range(fields, reply);
  if (fields->tags == 1) { /* nobody could choose between several */
    memcpy(reply->validator, fields->validator, sizeof reply->validator);
    reply->weak = fields->weak;
  }
  return LB_OK;
}
