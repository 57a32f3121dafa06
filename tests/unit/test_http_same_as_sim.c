// SPDX-License-Identifier: MIT
/*
 * The same server asked twice: by ports/sim, which is libcurl, and by ports/http on a plain socket. Both have to tell
 * the module the same.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "module/port.h"
#include "ports/http/redirect.h"
#include "ports/http/request.h"
#include "ports/http/response.h"
#include "ports/sim/network.h"
#include "tests/unit/support/http_server.h"
#include "tests/unit/support/unit.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

struct result {
  int replied;
  int ended;
  struct port_reply reply;
  uint32_t length;
  char body[SERVER_BIG_SIZE];
};

static struct result sim;
static struct result ours;

/* ---- ports/sim ---- */

static int wait_for_reply(const struct port_network *port, const struct port_clock *clock,
                          struct port_transfer *transfer)
{
  int result = LB_MORE;

  while ((result = port->reply(transfer, &sim.reply)) == LB_MORE) {
    clock->idle(clock->context, 100);
  }
  return result;
}

static int read_all(const struct port_network *port, const struct port_clock *clock, struct port_transfer *transfer)
{
  int result = LB_MORE;

  while (result == LB_MORE) {
    uint32_t got = 0;

    result = port->read(transfer, sim.body + sim.length, SERVER_BIG_SIZE - sim.length, &got);
    sim.length += got;
    if (result == LB_MORE && got == 0) {
      clock->idle(clock->context, 100);
    }
  }
  return result;
}

static void ask_sim(const struct port_request *request)
{
  char host[64];
  char other[64];
  const char *const hosts[] = {host, other};
  struct sim_clock clock;
  struct sim_network *network = NULL;
  struct port_transfer *transfer = NULL;

  memset(&sim, 0, sizeof sim);
  snprintf(host, sizeof host, "server.test=127.0.0.1:%u", server_port);
  snprintf(other, sizeof other, "other.test=127.0.0.1:%u", server_port);
  sim_clock_start(&clock, SIM_CLOCK_VIRTUAL);
  assert_result(
      sim_network_open(&network,
                       &(struct sim_network_options){
                           .link_up = true, .ssid = "", .hosts = hosts, .host_count = COUNT(hosts), .clock = &clock}),
      LB_OK);
  const struct port_network *port = sim_network_port(network);
  assert_result(port->open(port->context, request, &transfer), LB_OK);
  sim.replied = wait_for_reply(port, &clock.port, transfer);
  sim.ended = sim.replied ? sim.replied : read_all(port, &clock.port, transfer);
  port->close(transfer);
  sim_network_close(network);
}

/* ---- ports/http ---- */

static int connect_to_server(void)
{
  const struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(server_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  assert_true(connection >= 0);
  assert_int_equal(connect(connection, (const struct sockaddr *)&address, sizeof address), 0);
  return connection;
}

/* One answer, until the server closes or it is clear without that. */
static void exchange(const struct http_url *url, const struct port_request *request, struct http_response *response)
{
  char text[HTTP_REQUEST_SIZE];
  char piece[1000];
  uint32_t length = 0;
  uint32_t used = 0;
  uint32_t copied = 0;
  ssize_t got = 0;
  const int connection = connect_to_server();

  assert_result(http_request_write(text, url, request->first, request->validator, &length), LB_OK);
  assert_int_equal(send(connection, text, length, MSG_NOSIGNAL), (ssize_t)length);
  http_response_start(response);
  while (response->stage != HTTP_FAILED && response->stage != HTTP_REDIRECT &&
         (got = recv(connection, piece, sizeof piece, 0)) > 0) {
    (void)http_response_write(response, piece, (uint32_t)got, &used, ours.body + ours.length,
                              SERVER_BIG_SIZE - ours.length, &copied);
    ours.length += copied;
    assert_int_equal(used, got);
  }
  ours.ended = http_response_end(response, got == 0);
  close(connection);
}

static void ask_ours(const struct port_request *request)
{
  static struct http_response response;
  struct http_url url;
  uint32_t count = 0;
  int err = LB_OK;

  memset(&ours, 0, sizeof ours);
  assert_result(http_url_parse(&url, request->url), LB_OK);
  do {
    exchange(&url, request, &response);
    err = response.stage == HTTP_REDIRECT ? http_redirect_follow(&url, &response, &count) : LB_OK;
  } while (!err && response.stage == HTTP_REDIRECT);
  ours.ended = err ? err : ours.ended;
  ours.replied = response.has_reply ? LB_OK : ours.ended;
  ours.reply = response.reply;
}

/* ---- both ---- */

static void ask_both(const struct port_request *request)
{
  ask_sim(request);
  ask_ours(request);
}

static void ask_for(const char *path)
{
  char url[128];

  snprintf(url, sizeof url, "http://server.test%s", path);
  ask_both(&(struct port_request){.url = url});
}

static void assert_same_reply(const char *path)
{
  const struct port_reply *one = &sim.reply;
  const struct port_reply *other = &ours.reply;

  if (one->status != other->status || one->has_length != other->has_length || one->length != other->length ||
      one->has_range != other->has_range || one->first != other->first || one->total != other->total ||
      one->weak != other->weak || strcmp(one->validator, other->validator) != 0) {
    fail_here("%s: another reply: status %d and %d, length %llu and %llu, range %d and %d, \"%s\" and \"%s\"", path,
              one->status, other->status, (unsigned long long)one->length, (unsigned long long)other->length,
              one->has_range, other->has_range, one->validator, other->validator);
  }
}

static void assert_same_body(const char *path)
{
  if (sim.length != ours.length || memcmp(sim.body, ours.body, sim.length) != 0) {
    fail_here("%s: \"%s\" and \"%s\"", path, sim.body, ours.body);
  }
}

static void assert_same(const char *path)
{
  if (sim.replied != ours.replied || sim.ended != ours.ended) {
    fail_here("%s: replied %s and %s, ended %s and %s", path, unit_result_name(sim.replied),
              unit_result_name(ours.replied), unit_result_name(sim.ended), unit_result_name(ours.ended));
  }
  if (sim.replied == LB_OK) {
    assert_same_reply(path);
    assert_same_body(path);
  }
}

static void test_answers(void **state)
{
  static const char *const paths[] = {
      "/length",
      "/empty",
      "/none",
      "/error",
      "/nothing-new",
      "/no-length",
      "/old",
      "/continue",
      "/chunked",
      "/gzip",
      "/same-lengths",
      "/closes",
      "/closes-chunk",
      "/bad-chunk",
      "/hangs-up",
      "/closes-in-headers",
      "/bad-length",
      "/two-lengths",
      "/huge-length",
      "/no-http",
      "/tag",
      "/weak-tag",
      "/two-tags",
      "/part",
      "/parts",
      "/part-twice",
      "/part-of-what",
      "/part-in-chunks",
      "/no-part",
      "/part-of-items",
      "/part-too-long",
      "/whole-with-range",
      "/big",
      "/chunks-twice",
      "/chunks-in-capitals",
      "/chunks-and-length",
      "/other-encoding",
  };

  (void)state;
  for (size_t i = 0; i < COUNT(paths); i++) {
    ask_for(paths[i]);
    assert_same(paths[i]);
  }
}

static void test_redirects(void **state)
{
  static const char *const paths[] = {
      "/go",   "/go-by-name", "/no-location", "/endless-redirect", "/hop1",     "/hop0",
      "/loop", "/to-file",    "/to-ftp",      "/to-user",          "/to-space",
  };

  (void)state;
  for (size_t i = 0; i < COUNT(paths); i++) {
    ask_for(paths[i]);
    assert_same(paths[i]);
  }
}

/* Both are as one for the module, but not to the byte: the announced ones may be there. */
static void test_too_much(void **state)
{
  (void)state;
  ask_for("/too-much");
  assert_result(sim.ended, PORT_ERR_TOO_MUCH);
  assert_result(ours.ended, PORT_ERR_TOO_MUCH);
  assert_same_reply("/too-much");
}

/* The lines of a request that a server answers to, sorted out of what it heard. */
static const char *heard_line(const struct result *result, const char *name)
{
  static char lines[2][200];
  static unsigned turn;
  char *line = lines[turn++ % 2];
  const char *found = strstr(result->body, name);

  assert_non_null(found);
  snprintf(line, sizeof lines[0], "%.*s", (int)strcspn(found, "\r\n"), found);
  return line;
}

static void test_requests(void **state)
{
  static const char *const names[] = {
      "GET /echo", "Host:", "User-Agent:", "Accept:", "Connection:", "Range: ", "If-Range:"};
  const struct port_request request = {.url = "server.test:81/go-echo", .first = 1234567890123, .validator = "\"v1\""};

  (void)state;
  ask_both(&request);
  assert_result(sim.ended, LB_OK);
  assert_result(ours.ended, LB_OK);
  for (size_t i = 0; i < COUNT(names); i++) {
    const char *one = heard_line(&sim, names[i]);

    assert_string_equal(one, heard_line(&ours, names[i]));
  }
  assert_string_equal(heard_line(&ours, "Accept-Encoding"), "Accept-Encoding: identity");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_answers),
      cmocka_unit_test(test_redirects),
      cmocka_unit_test(test_too_much),
      cmocka_unit_test(test_requests),
  };
  return cmocka_run_group_tests_name("http_same_as_sim", tests, server_start, server_stop);
}
