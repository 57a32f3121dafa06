// SPDX-License-Identifier: MIT
/*
 * An answer of a server, in pieces and into rooms of sizes that the first bytes say. The pieces do not matter; what is
 * announced is what comes; whatever may be sent back to a server is fit for it.
 */
#include <stdlib.h>
#include <string.h>

#include "module/source.h"
#include "ports/http/redirect.h"
#include "ports/http/response.h"
#include "tests/fuzz/fuzz.h"

#define SIZES 4U

struct outcome {
  struct http_response response;
  int ended;
  uint32_t length;
  uint8_t *body;
};

static void feed(struct outcome *outcome, const uint8_t *bytes, size_t length, const uint8_t sizes[SIZES])
{
  size_t at = 0;

  memset(outcome, 0, sizeof *outcome);
  outcome->body = fuzz_allocate(length);
  http_response_start(&outcome->response);
  for (unsigned turn = 0; at < length; turn++) {
    const uint32_t wanted = sizes ? 1U + sizes[turn % SIZES] : (uint32_t)length;
    const uint32_t given = wanted < length - at ? wanted : (uint32_t)(length - at);
    /* a room of 0 now and then, but not for ever */
    const uint32_t room = sizes ? turn % 2 * (1U + sizes[turn / 2 % SIZES]) : (uint32_t)length;
    uint8_t *piece = fuzz_allocate(given);
    uint8_t *body = fuzz_allocate(room);
    uint32_t used = 0;
    uint32_t got = 0;

    memcpy(piece, bytes + at, given);
    const int result = http_response_write(&outcome->response, piece, given, &used, body, room, &got);
    FUZZ_REQUIRE(used <= given && got <= room && got <= used);
    FUZZ_REQUIRE(used == given || (result == LB_MORE && got == room));
    FUZZ_REQUIRE((result == LB_OK) == (outcome->response.stage == HTTP_COMPLETE));
    FUZZ_REQUIRE((result < LB_OK) == (outcome->response.stage == HTTP_FAILED));
    memcpy(outcome->body + outcome->length, body, got);
    outcome->length += got;
    at += used;
    free(piece);
    free(body);
  }
  outcome->ended = http_response_end(&outcome->response, true);
}

static void require_same_reply(const struct port_reply *one, const struct port_reply *other)
{
  FUZZ_REQUIRE(one->status == other->status && one->weak == other->weak);
  FUZZ_REQUIRE(one->has_length == other->has_length && one->length == other->length);
  FUZZ_REQUIRE(one->has_range == other->has_range && one->first == other->first && one->total == other->total);
  FUZZ_REQUIRE(strcmp(one->validator, other->validator) == 0);
}

static void check_reply(const struct outcome *outcome)
{
  const struct port_reply *reply = &outcome->response.reply;

  FUZZ_REQUIRE(reply->status >= 200 && reply->status <= 999);
  FUZZ_REQUIRE(memchr(reply->validator, '\0', sizeof reply->validator) != NULL);
  FUZZ_REQUIRE(reply->validator[0] == '\0' || (source_is_strong_tag(reply->validator) && !reply->weak));
  if (reply->has_length) {
    FUZZ_REQUIRE(reply->length <= INT64_MAX && outcome->length <= reply->length);
    FUZZ_REQUIRE((outcome->length == reply->length) ==
                 (outcome->ended == LB_OK || outcome->ended == PORT_ERR_TOO_MUCH));
  } else {
    FUZZ_REQUIRE(!reply->has_range && outcome->ended != PORT_ERR_TOO_MUCH);
  }
  if (reply->has_range) {
    FUZZ_REQUIRE(reply->status == PORT_HTTP_PARTIAL && reply->length > 0 && reply->first < reply->total &&
                 reply->length <= reply->total - reply->first);
  }
}

static void check_redirect(const struct http_response *response)
{
  struct http_url url;
  uint32_t count = 0;

  FUZZ_REQUIRE(http_url_parse(&url, "host/a/b") == LB_OK);
  const int result = http_redirect_follow(&url, response, &count);
  FUZZ_REQUIRE(result == LB_OK || result == PORT_ERR_URL || result == PORT_ERR_NO_TLS);
  FUZZ_REQUIRE((result == LB_OK) == (count == 1));
}

static void check(const struct outcome *outcome)
{
  const struct http_response *response = &outcome->response;

  FUZZ_REQUIRE(outcome->ended == LB_OK || outcome->ended == PORT_ERR_CLOSED || outcome->ended == PORT_ERR_PROTOCOL ||
               outcome->ended == PORT_ERR_TOO_MUCH);
  FUZZ_REQUIRE(response->received == outcome->length);
  FUZZ_REQUIRE(response->has_reply || outcome->length == 0);
  FUZZ_REQUIRE(outcome->ended != LB_OK || response->has_reply || response->stage == HTTP_REDIRECT);
  if (response->has_reply) {
    check_reply(outcome);
  }
  if (response->stage == HTTP_REDIRECT) {
    check_redirect(response);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  static struct outcome whole;
  static struct outcome pieces;
  uint8_t sizes[SIZES];

  fuzz_take_bytes(&input, sizes, sizeof sizes, 0);
  feed(&whole, input.bytes, input.length, NULL);
  feed(&pieces, input.bytes, input.length, sizes);
  check(&whole);
  FUZZ_REQUIRE(pieces.ended == whole.ended && pieces.length == whole.length);
  FUZZ_REQUIRE(memcmp(pieces.body, whole.body, whole.length) == 0);
  FUZZ_REQUIRE(pieces.response.stage == whole.response.stage && pieces.response.has_reply == whole.response.has_reply);
  require_same_reply(&pieces.response.reply, &whole.response.reply);
  free(whole.body);
  free(pieces.body);
  return 0;
}
