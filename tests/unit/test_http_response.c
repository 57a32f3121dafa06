// SPDX-License-Identifier: MIT
/* Answers of all kinds, right and wrong, in pieces of all sizes; and where redirects lead. */
#include "ports/http/response.h"

#include "ports/http/redirect.h"
#include "tests/unit/support/unit.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define OK          "HTTP/1.1 200 OK\r\n"
#define PART        "HTTP/1.1 206 Partial Content\r\n"
#define CHUNKED     OK "Transfer-Encoding: chunked\r\n\r\n"
#define BODY_SIZE   4096U

/* What becomes of an answer. */
struct outcome {
  struct http_response response;
  int result; /* of the last write */
  int ended;  /* of the end behind it */
  uint32_t length;
  char body[BODY_SIZE];
};

static struct outcome outcome;
static struct unit_random sizes;

static int seed(void **state)
{
  (void)state;
  unit_random_seed(&sizes, "http_response", 1);
  return 0;
}

/* Pieces of `piece` bytes into rooms of `room`; 0: of random sizes. */
static void feed(const char *text, size_t length, uint32_t piece, uint32_t room, bool orderly)
{
  size_t at = 0;

  memset(&outcome, 0, sizeof outcome);
  http_response_start(&outcome.response);
  outcome.result = LB_MORE;
  while (at < length) {
    const size_t left = length - at;
    const uint32_t wanted = piece > 0 ? piece : 1 + unit_random_below(&sizes, 9);
    const uint32_t given = wanted < left ? wanted : (uint32_t)left;
    const uint32_t space = room > 0 ? room : unit_random_below(&sizes, 5);
    uint8_t *exact = unit_copy(text + at, given); /* a read behind it is noticed */
    uint32_t used = 0;
    uint32_t got = 0;

    assert_true(outcome.length + space <= BODY_SIZE);
    outcome.result =
        http_response_write(&outcome.response, exact, given, &used, outcome.body + outcome.length, space, &got);
    free(exact);
    assert_true(used <= given && got <= space);
    assert_true(used == given || (outcome.result == LB_MORE && got == space));
    outcome.length += got;
    at += used;
  }
  outcome.ended = http_response_end(&outcome.response, orderly);
}

static bool is_same_reply(const struct port_reply *one, const struct port_reply *other)
{
  return one->status == other->status && one->has_length == other->has_length && one->length == other->length &&
         one->has_range == other->has_range && one->first == other->first && one->total == other->total &&
         one->weak == other->weak && strcmp(one->validator, other->validator) == 0;
}

static void assert_same_outcome(const struct outcome *expected, const char *text)
{
  const struct http_response *ours = &outcome.response;
  const struct http_response *theirs = &expected->response;

  if (outcome.result != expected->result || outcome.ended != expected->ended || outcome.length != expected->length ||
      memcmp(outcome.body, expected->body, outcome.length) != 0 || ours->stage != theirs->stage ||
      ours->has_reply != theirs->has_reply || !is_same_reply(&ours->reply, &theirs->reply) ||
      ours->received != theirs->received) {
    fail_here("other pieces, other outcome: %s", text);
  }
}

/* All at once, then in pieces, which must not matter. */
static void feed_bytes(const char *text, size_t length)
{
  static struct outcome first;

  feed(text, length, UINT32_MAX, BODY_SIZE, true);
  first = outcome;
  feed(text, length, 1, 1, true);
  assert_same_outcome(&first, text);
  for (unsigned i = 0; i < 20; i++) {
    feed(text, length, 0, 0, true);
    assert_same_outcome(&first, text);
  }
  outcome = first;
}

static void feed_text(const char *text)
{
  feed_bytes(text, strlen(text));
}

static const struct answer {
  const char *text;
  int status;
  int length; /* -1: none is announced */
  int ended;
  const char *body;
} answers[] = {
    {OK "Content-Length: 5\r\n\r\nhello", 200, 5, LB_OK, "hello"},
    {OK "Content-Length: 0\r\n\r\n", 200, 0, LB_OK, ""},
    {OK "content-LENGTH:5\r\n\r\nhello", 200, 5, LB_OK, "hello"},
    {OK "Content-Length: \t 5 \t\r\n\r\nhello", 200, 5, LB_OK, "hello"},
    {OK "Content-Length: 005\r\n\r\nhello", 200, 5, LB_OK, "hello"},
    {OK "Content-Length: 5\r\ncontent-length: 05\r\n\r\nhello", 200, 5, LB_OK, "hello"},
    {OK "Empty:\r\nAnother: \r\nContent-Length: 1\r\n\r\nx", 200, 1, LB_OK, "x"},
    {OK "Name: a\xff:\tb\r\nContent-Length: 1\r\n\r\nx", 200, 1, LB_OK, "x"},
    {"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", 200, 1, LB_OK, "x"},
    {"HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx", 200, 1, LB_OK, "x"},
    {"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold", 200, 3, LB_OK, "old"},
    {"HTTP/1.0 200 OK\n\nold\n", 200, -1, LB_OK, "old\n"},
    {"HTTP/1.1 200 OK\nContent-Length: 2\n\r\n\r\n", 200, 2, LB_OK, "\r\n"},
    {"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone", 404, 4, LB_OK, "none"},
    {"HTTP/1.1 999 ?\r\nContent-Length: 0\r\n\r\n", 999, 0, LB_OK, ""},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n", 304, 0, LB_OK, ""},
    {"HTTP/1.1 204 None\r\nTransfer-Encoding: chunked\r\n\r\nignored", 204, 0, LB_OK, ""},
    {OK "\r\nuntil the end", 200, -1, LB_OK, "until the end"},
    {OK "\r\n", 200, -1, LB_OK, ""},
    {"HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 2\r\n\r\nok", 200, 2, LB_OK, "ok"},
    {"HTTP/1.1 103 Early\r\nContent-Length: 7\r\nETag: \"x\"\r\n\r\nHTTP/1.1 102 \n\n" OK "Content-Length: 2\r\n\r\nok",
     200, 2, LB_OK, "ok"},
    {"HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nno", 302, 2, LB_OK, "no"},
    {"HTTP/1.1 300 Choose\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 300, 0, LB_OK, ""},
    {OK "Location: /x\r\nContent-Length: 0\r\n\r\n", 200, 0, LB_OK, ""},
    {OK "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nzzzz", 200, 4, LB_OK, "zzzz"},
    /* cut off, or too much */
    {OK "Content-Length: 500\r\n\r\nonly this", 200, 500, PORT_ERR_CLOSED, "only this"},
    {OK "Content-Length: 500\r\n\r\n", 200, 500, PORT_ERR_CLOSED, ""},
    {OK "Content-Length: 9223372036854775807\r\n\r\nx", 200, -2, PORT_ERR_CLOSED, "x"},
    {OK "Content-Length: 5\r\n\r\nhello and more", 200, 5, PORT_ERR_TOO_MUCH, "hello"},
    {OK "Content-Length: 0\r\n\r\nx", 200, 0, PORT_ERR_TOO_MUCH, ""},
    {"HTTP/1.1 304 Not Modified\r\n\r\nx", 304, 0, LB_OK, ""},
    /* chunks */
    {CHUNKED "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", 200, -1, LB_OK, "hello world"},
    {OK "TRANSFER-encoding: \t Chunked \r\n\r\n1\r\nx\r\n0\r\n\r\n", 200, -1, LB_OK, "x"},
    {CHUNKED "00\r\n\r\n", 200, -1, LB_OK, ""},
    {CHUNKED "000000000000000000000a;ext=\"\\\";\"\r\n0123456789\r\n0;x\r\nTrailer: x\r\nContent-Length: 7\r\n\r\n",
     200, -1, LB_OK, "0123456789"},
    {CHUNKED "A \t\n0123456789\n1 ;\nx\n0\n\n", 200, -1, LB_OK, "0123456789x"},
    {CHUNKED "2\r\n\r\n\r\n0\r\n\r\nand more", 200, -1, LB_OK, "\r\n"},
    {CHUNKED "", 200, -1, PORT_ERR_CLOSED, ""},
    {CHUNKED "5", 200, -1, PORT_ERR_CLOSED, ""},
    {CHUNKED "5\r\nhel", 200, -1, PORT_ERR_CLOSED, "hel"},
    {CHUNKED "5\r\nhello", 200, -1, PORT_ERR_CLOSED, "hello"},
    {CHUNKED "5\r\nhello\r\n", 200, -1, PORT_ERR_CLOSED, "hello"},
    {CHUNKED "5\r\nhello\r\n0\r\n", 200, -1, PORT_ERR_CLOSED, "hello"},
    {CHUNKED "5\r\nhello\r\n0\r\nTrailer: x\r\n", 200, -1, PORT_ERR_CLOSED, "hello"},
    {CHUNKED "7fffffffffffffff\r\nhello", 200, -1, PORT_ERR_CLOSED, "hello"},
    {CHUNKED "8000000000000000\r\nhello", 200, -1, PORT_ERR_PROTOCOL, ""},
    {CHUNKED "10000000000000005\r\nhello", 200, -1, PORT_ERR_PROTOCOL, ""},
    {CHUNKED "\r\nhello", 200, -1, PORT_ERR_PROTOCOL, ""},
    {CHUNKED "xyz\r\nhello\r\n0\r\n\r\n", 200, -1, PORT_ERR_PROTOCOL, ""},
    {CHUNKED "0x5\r\nhello", 200, -1, PORT_ERR_PROTOCOL, ""},
    {CHUNKED "-5\r\nhello", 200, -1, PORT_ERR_PROTOCOL, ""},
    {CHUNKED " 5\r\nhello", 200, -1, PORT_ERR_PROTOCOL, ""},
    {CHUNKED "5 5\r\nhello", 200, -1, PORT_ERR_PROTOCOL, ""},
    {CHUNKED "5\rhello", 200, -1, PORT_ERR_PROTOCOL, ""},
    {CHUNKED "5\r\nhello6\r\n world", 200, -1, PORT_ERR_PROTOCOL, "hello"},
    {CHUNKED "5\r\nhello\r6", 200, -1, PORT_ERR_PROTOCOL, "hello"},
    {CHUNKED "5\r\nhello\r\n0\r\na\x01\r\n\r\n", 200, -1, PORT_ERR_PROTOCOL, "hello"},
};

static void test_answers(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(answers); i++) {
    const struct answer *answer = &answers[i];

    feed_text(answer->text);
    const struct port_reply *reply = &outcome.response.reply;
    const int length = !reply->has_length ? -1 : reply->length == INT64_MAX ? -2 : (int)reply->length;
    if (!outcome.response.has_reply || reply->status != answer->status || length != answer->length ||
        outcome.ended != answer->ended || strcmp(outcome.body, answer->body) != 0) {
      fail_here("%s\nreply %d, status %d, length %d, ended %s, \"%s\"", answer->text, outcome.response.has_reply,
                reply->status, length, unit_result_name(outcome.ended), outcome.body);
    }
  }
}

static const struct no_answer {
  const char *text;
  int error;
} no_answers[] = {
    {"", PORT_ERR_CLOSED},
    {"HTT", PORT_ERR_CLOSED},
    {"HTTP/1.1 200 OK", PORT_ERR_CLOSED},
    {OK, PORT_ERR_CLOSED},
    {OK "Content-Length: 5\r\n", PORT_ERR_CLOSED},
    {OK "Content-Length: 5\r\n\r", PORT_ERR_CLOSED},
    {"HTTP/1.1 100 Continue\r\n\r\n", PORT_ERR_CLOSED},
    {"SSH-2.0-OpenSSH_9.2\r\n", PORT_ERR_PROTOCOL},
    {"x", PORT_ERR_PROTOCOL},
    {"http/1.1 200 OK\r\n\r\n", PORT_ERR_PROTOCOL},
    {"\r\n" OK "\r\n", PORT_ERR_PROTOCOL},
    {"HTTP/2 200\r\n\r\n", PORT_ERR_PROTOCOL},
    {"HTTP/1.2 200 OK\r\n\r\n", PORT_ERR_PROTOCOL},
    {"HTTP/1.1\r\n\r\n", PORT_ERR_PROTOCOL},
    {"HTTP/1.1 \r\n\r\n", PORT_ERR_PROTOCOL},
    {"HTTP/1.1 20\r\n\r\n", PORT_ERR_PROTOCOL},
    {"HTTP/1.1  200 OK\r\n\r\n", PORT_ERR_PROTOCOL},
    {"HTTP/1.1 2000 OK\r\n\r\n", PORT_ERR_PROTOCOL},
    {"HTTP/1.1 099 OK\r\n\r\n", PORT_ERR_PROTOCOL},
    {"HTTP/1.1 2x0 OK\r\n\r\n", PORT_ERR_PROTOCOL},
    {"HTTP/1.1 101 Switched\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "Content-Length: 12x\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "Content-Length:\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "Content-Length: -1\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "Content-Length: 5, 5\r\n\r\nhello", PORT_ERR_PROTOCOL},
    {OK "Content-Length: 9223372036854775808\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", PORT_ERR_PROTOCOL},
    {OK "Content-Length: x\r\nContent-Length: 0\r\n\r\nhello", PORT_ERR_PROTOCOL},
    {OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "Transfer-Encoding: gzip\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "Transfer-Encoding: gzip, chunked\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "Transfer-Encoding: chunked, chunked\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "Transfer-Encoding: xchunked\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "Transfer-Encoding:\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "no colon\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK ": no name\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "Content-Length : 5\r\n\r\nhello", PORT_ERR_PROTOCOL},
    {OK "Name: folded\r\n and more\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "\tfolded: from the start\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "Name: a\rb\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "Name: a\r\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "Name: a\x1b[0m\r\n\r\n", PORT_ERR_PROTOCOL},
    {OK "Name: a\x7f\r\n\r\n", PORT_ERR_PROTOCOL},
};

static void test_no_answers(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(no_answers); i++) {
    feed_text(no_answers[i].text);
    if (outcome.response.has_reply || outcome.length > 0 || outcome.ended != no_answers[i].error ||
        outcome.result != (no_answers[i].error == PORT_ERR_CLOSED ? LB_MORE : no_answers[i].error)) {
      fail_here("%s\nreply %d, %s, %s", no_answers[i].text, outcome.response.has_reply,
                unit_result_name(outcome.result), unit_result_name(outcome.ended));
    }
  }
}

static void test_no_nul_in_headers(void **state)
{
  static const char text[] = OK "Name: a\0b\r\nContent-Length: 1\r\n\r\nx";

  (void)state;
  feed_bytes(text, sizeof text - 1);
  assert_result(outcome.ended, PORT_ERR_PROTOCOL);
}

static void test_any_byte_in_the_body(void **state)
{
  char text[64 + 256] = OK "Content-Length: 256\r\n\r\n";
  const size_t head = strlen(text);

  (void)state;
  for (unsigned i = 0; i < 256; i++) {
    text[head + i] = (char)i;
  }
  feed_bytes(text, head + 256);
  assert_result(outcome.ended, LB_OK);
  assert_int_equal(outcome.length, 256);
  assert_memory_equal(outcome.body, text + head, 256);
}

/* ---- what the headers say together ---- */

#define NO_TAG .validator = ""

static const struct described {
  const char *text;
  struct port_reply reply;
} described[] = {
    {OK "etag:  \"v1\" \r\nContent-Length: 5\r\n\r\n", {.validator = "\"v1\""}},
    {OK "ETag: W/\"v1\"\r\nContent-Length: 5\r\n\r\n", {.weak = true, NO_TAG}},
    {OK "ETag: \"v1\"\r\nETag: \"v2\"\r\nContent-Length: 5\r\n\r\n", {NO_TAG}},
    {OK "ETag: \"v1\"\r\nETag: \"v1\"\r\nETag: \"v1\"\r\nContent-Length: 5\r\n\r\n", {NO_TAG}},
    {OK "ETag: v1\r\nContent-Length: 5\r\n\r\n", {NO_TAG}},
    {OK "Content-Range: bytes 2-4/5\r\nContent-Length: 3\r\n\r\n", {NO_TAG}},
    {PART "Content-Range: bytes 2-4/5\r\nETag: \"v1\"\r\nContent-Length: 3\r\n\r\n",
     {.has_range = true, .first = 2, .total = 5, .validator = "\"v1\""}},
    {PART "Content-Range: bytes 2-3/5\r\nContent-Length: 3\r\n\r\n", {.first = 2, .total = 5}},
    {PART "Content-Range: bytes 2-4/5\r\nContent-Range: bytes 2-4/5\r\nContent-Length: 3\r\n\r\n", {NO_TAG}},
    {PART "Content-Range: items 2-4/5\r\nContent-Length: 3\r\n\r\n", {NO_TAG}},
    {PART "Content-Range: bytes */5\r\nContent-Length: 3\r\n\r\n", {NO_TAG}},
    {PART "Content-Length: 3\r\n\r\n", {NO_TAG}},
    {PART "Content-Range: bytes 2-4/5\r\n\r\n", {NO_TAG}},
    {PART "Content-Range: bytes 2-4/5\r\nTransfer-Encoding: chunked\r\n\r\n", {NO_TAG}},
};

static void test_described(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(described); i++) {
    const struct port_reply *expected = &described[i].reply;

    feed_text(described[i].text);
    const struct port_reply *reply = &outcome.response.reply;
    if (!outcome.response.has_reply || reply->has_range != expected->has_range || reply->first != expected->first ||
        reply->total != expected->total || reply->weak != expected->weak ||
        strcmp(reply->validator, expected->validator) != 0) {
      fail_here("%s\nrange %d, %u of %u, weak %d, \"%s\"", described[i].text, reply->has_range, (unsigned)reply->first,
                (unsigned)reply->total, reply->weak, reply->validator);
    }
  }
}

/* ---- long lines ---- */

static char long_text[2 * HTTP_HEADERS_LIMIT];

/* An answer with that beginning of a line, `count` more characters, and that end of it all. */
static void feed_long(const char *line, char character, size_t count, const char *end)
{
  const size_t head = strlen(OK) + strlen(line);

  assert_true(head + count + strlen(end) < sizeof long_text);
  snprintf(long_text, sizeof long_text, OK "%s", line);
  memset(long_text + head, character, count);
  memcpy(long_text + head + count, end, strlen(end) + 1);
  feed_text(long_text);
}

#define END_WITH_LENGTH "\r\nContent-Length: 1\r\n\r\nx"

static void test_long_fields(void **state)
{
  (void)state;
  for (size_t count = HTTP_LINE_SIZE - 20; count < HTTP_LINE_SIZE + 20; count++) {
    feed_long("Set-Cookie: ", 'x', count, END_WITH_LENGTH);
    assert_result(outcome.ended, LB_OK);
    assert_string_equal(outcome.body, "x");
  }
  feed_long("Content-Length: ", '0', HTTP_LINE_SIZE, "5\r\n\r\nhello");
  assert_result(outcome.ended, PORT_ERR_PROTOCOL);
  feed_long("Content-Range: ", '0', HTTP_LINE_SIZE, END_WITH_LENGTH);
  assert_result(outcome.ended, PORT_ERR_PROTOCOL);
  feed_long("Transfer-Encoding: chunked", ' ', HTTP_LINE_SIZE, ", gzip\r\n\r\n0\r\n\r\n");
  assert_result(outcome.ended, PORT_ERR_PROTOCOL);
  feed_long("", 'x', HTTP_LINE_SIZE, ": x" END_WITH_LENGTH);
  assert_result(outcome.ended, PORT_ERR_PROTOCOL);
  feed_long("Transfer-Encoding: chunked\r\n\r\n1;", 'x', HTTP_LINE_SIZE, "\r\nx\r\n0\r\n\r\n");
  assert_result(outcome.ended, PORT_ERR_PROTOCOL);
}

static void test_long_tags(void **state)
{
  (void)state;
  for (size_t count = PORT_VALIDATOR_SIZE - 5; count < HTTP_LINE_SIZE + 20; count += 5) {
    const bool fits = count + 3 <= PORT_VALIDATOR_SIZE;

    feed_long("ETag: \"", 'x', count, "\"" END_WITH_LENGTH);
    assert_result(outcome.ended, LB_OK);
    assert_int_equal(strlen(outcome.response.reply.validator), fits ? count + 2 : 0);
    assert_false(outcome.response.reply.weak);
    feed_long("ETag: W/\"", 'x', count, "\"" END_WITH_LENGTH);
    assert_true(outcome.response.reply.weak);
  }
}

static void test_headers_without_end(void **state)
{
  (void)state;
  feed_long("Set-Cookie: ", 'x', HTTP_HEADERS_LIMIT - sizeof OK - sizeof "Set-Cookie: ", "");
  assert_result(outcome.result, LB_MORE);
  feed_long("Set-Cookie: ", 'x', HTTP_HEADERS_LIMIT, "");
  assert_result(outcome.result, PORT_ERR_PROTOCOL);
  feed_long("Transfer-Encoding: chunked\r\n\r\n0\r\nTrailer: ", 'x', HTTP_HEADERS_LIMIT, "");
  assert_result(outcome.result, PORT_ERR_PROTOCOL);
  memset(long_text, 0, sizeof long_text);
  for (size_t at = 0; at + 30 < sizeof long_text; at += strlen(long_text + at)) {
    snprintf(long_text + at, 30, "HTTP/1.1 100 Continue\r\n\r\n");
  }
  feed_text(long_text);
  assert_result(outcome.result, PORT_ERR_PROTOCOL);
}

/* Chunks may be many: their sizes are not counted with the headers. */
static void test_many_chunks(void **state)
{
  static char body[8 * HTTP_HEADERS_LIMIT];
  struct http_response response;
  uint32_t used = 0;
  uint32_t got = 0;

  (void)state;
  http_response_start(&response);
  assert_result(http_response_write(&response, CHUNKED, strlen(CHUNKED), &used, NULL, 0, &got), LB_MORE);
  for (unsigned i = 0; i < HTTP_HEADERS_LIMIT; i++) {
    assert_result(http_response_write(&response, "1\r\nx\r\n", 6, &used, body + i, 1, &got), LB_MORE);
    assert_int_equal(used, 6);
    assert_int_equal(got, 1);
  }
  assert_result(http_response_write(&response, "0\r\n\r\n", 5, &used, NULL, 0, &got), LB_OK);
  assert_int_equal(response.received, HTTP_HEADERS_LIMIT);
}

/* ---- beginning and end ---- */

/* Without room the headers are read, and no byte of the body. */
static void test_headers_without_room(void **state)
{
  static const char text[] = OK "Content-Length: 5\r\n\r\nhello";
  struct http_response response;
  uint32_t used = 0;
  uint32_t got = 0;
  char body[8] = "";

  (void)state;
  http_response_start(&response);
  assert_result(http_response_write(&response, text, sizeof text - 1, &used, NULL, 0, &got), LB_MORE);
  assert_int_equal(response.stage, HTTP_BODY);
  assert_int_equal(used, sizeof text - 1 - 5);
  assert_int_equal(got, 0);
  assert_result(http_response_write(&response, text + used, 5, &used, body, 4, &got), LB_MORE);
  assert_int_equal(used, 4);
  assert_result(http_response_write(&response, "o", 1, &used, body + 4, 1, &got), LB_OK);
  assert_string_equal(body, "hello");
  assert_result(http_response_write(&response, "", 0, &used, body, 0, &got), LB_OK);
  assert_result(http_response_write(&response, "x", 1, &used, body, 0, &got), PORT_ERR_TOO_MUCH);
  assert_result(http_response_end(&response, true), PORT_ERR_TOO_MUCH);
  assert_true(response.has_reply);
}

/* A reset is no end where only the end tells the length. */
static void test_resets(void **state)
{
  static const struct {
    const char *text;
    int ended;
  } cases[] = {
      {OK "\r\nsome", PORT_ERR_CLOSED},
      {OK "Content-Length: 5\r\n\r\nhello", LB_OK},
      {OK "Content-Length: 5\r\n\r\nhell", PORT_ERR_CLOSED},
      {CHUNKED "0\r\n\r\n", LB_OK},
      {CHUNKED "0\r\n", PORT_ERR_CLOSED},
      {"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", LB_OK},
      {"", PORT_ERR_CLOSED},
  };

  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    feed(cases[i].text, strlen(cases[i].text), UINT32_MAX, BODY_SIZE, false);
    assert_result(outcome.ended, cases[i].ended);
  }
}

/* Once failed, it stays failed, and takes whatever comes. */
static void test_failed_for_ever(void **state)
{
  struct http_response response;
  uint32_t used = 0;
  uint32_t got = 7;

  (void)state;
  http_response_start(&response);
  assert_result(http_response_write(&response, "SSH", 3, &used, NULL, 0, &got), PORT_ERR_PROTOCOL);
  assert_int_equal(used, 3);
  assert_result(http_response_write(&response, OK "\r\n", strlen(OK) + 2, &used, NULL, 0, &got), PORT_ERR_PROTOCOL);
  assert_int_equal(used, strlen(OK) + 2);
  assert_int_equal(got, 0);
  assert_result(http_response_end(&response, true), PORT_ERR_PROTOCOL);
}

/* ---- redirects ---- */

static int follow(const char *from, const char *answer, struct http_url *url, uint32_t *count)
{
  feed_text(answer);
  assert_int_equal(outcome.response.stage, HTTP_REDIRECT);
  assert_result(outcome.result, LB_MORE);
  assert_result(outcome.ended, LB_OK);
  assert_false(outcome.response.has_reply);
  assert_int_equal(outcome.length, 0);
  assert_result(http_url_parse(url, from), LB_OK);
  return http_redirect_follow(url, &outcome.response, count);
}

static void test_redirects(void **state)
{
  static const struct {
    const char *answer;
    int result;
    const char *target;
  } cases[] = {
      {"HTTP/1.1 301 x\r\nLocation: /y\r\n\r\n", LB_OK, "/y"},
      {"HTTP/1.1 302 x\r\nlocation:\t/y?z \r\nContent-Length: 9\r\n\r\nsomewhere", LB_OK, "/y?z"},
      {"HTTP/1.0 303 x\nLOCATION: y\n\n", LB_OK, "/a/y"},
      {"HTTP/1.1 307 x\r\nLocation: http://o/y\r\n\r\nand what follows", LB_OK, "/y"},
      {"HTTP/1.1 308 x\r\nLocation: /1\r\nLocation: /2\r\n\r\n", LB_OK, "/1"},
      {"HTTP/1.1 302 x\r\nLocation:\r\n\r\n", LB_OK, "/a/"},
      {"HTTP/1.1 302 x\r\nContent-Length: x\r\nLocation: /y\r\n\r\n", LB_OK, "/y"},
      {"HTTP/1.1 302 x\r\nLocation: /a b\r\n\r\n", PORT_ERR_URL, "/a/b"},
      {"HTTP/1.1 302 x\r\nLocation: ftp://o/\r\n\r\n", PORT_ERR_URL, "/a/b"},
      {"HTTP/1.1 302 x\r\nLocation: https://h/a/b\r\n\r\n", PORT_ERR_NO_TLS, "/a/b"},
  };
  struct http_url url;

  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    uint32_t count = 0;
    const int result = follow("h/a/b", cases[i].answer, &url, &count);

    if (result != cases[i].result || strcmp(url.target, cases[i].target) != 0 || count != (result ? 0 : 1)) {
      fail_here("%s\n%s, \"%s\"", cases[i].answer, unit_result_name(result), url.target);
    }
  }
}

static void test_too_many_redirects(void **state)
{
  static const char answer[] = "HTTP/1.1 302 x\r\nLocation: /a/b\r\n\r\n";
  struct http_url url;
  uint32_t count = 0;

  (void)state;
  for (unsigned i = 0; i < PORT_NETWORK_REDIRECTS; i++) {
    assert_result(follow("h/a/b", answer, &url, &count), LB_OK);
  }
  assert_result(follow("h/a/b", answer, &url, &count), PORT_ERR_REDIRECTS);
  assert_result(follow("h/a/b", answer, &url, &count), PORT_ERR_REDIRECTS);
}

/* A Location that is too long is only missed where it is needed. */
static void test_long_locations(void **state)
{
  struct http_url url;

  (void)state;
  for (size_t length = HTTP_URL_SIZE - 3; length < HTTP_URL_SIZE + 200; length++) {
    static char text[2 * HTTP_URL_SIZE + 100];
    uint32_t count = 0;

    snprintf(text, sizeof text, "HTTP/1.1 302 x\r\nLocation: /%0*d\r\nContent-Length: 0\r\n\r\n", (int)length - 1, 0);
    assert_result(follow("h", text, &url, &count), length < HTTP_URL_SIZE ? LB_OK : PORT_ERR_URL);
    memcpy(text, "HTTP/1.1 200", 12);
    feed_text(text);
    assert_result(outcome.result, LB_OK);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_answers),
      cmocka_unit_test(test_no_answers),
      cmocka_unit_test(test_no_nul_in_headers),
      cmocka_unit_test(test_any_byte_in_the_body),
      cmocka_unit_test(test_described),
      cmocka_unit_test(test_long_fields),
      cmocka_unit_test(test_long_tags),
      cmocka_unit_test(test_headers_without_end),
      cmocka_unit_test(test_many_chunks),
      cmocka_unit_test(test_headers_without_room),
      cmocka_unit_test(test_resets),
      cmocka_unit_test(test_failed_for_ever),
      cmocka_unit_test(test_redirects),
      cmocka_unit_test(test_too_many_redirects),
      cmocka_unit_test(test_long_locations),
  };
  return cmocka_run_group_tests_name("http_response", tests, seed, NULL);
}
