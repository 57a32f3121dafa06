// SPDX-License-Identifier: MIT
/* HTTP through libcurl against a server of our own on the loopback: answers of all kinds, and what they become. */
#define _GNU_SOURCE
#include "ports/sim/network.h"

#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/support/http_server.h"
#include "tests/unit/support/unit.h"

struct client {
  struct sim_clock clock;
  struct sim_network *network;
  const struct port_network *port;
};

static int set_up(void **state)
{
  struct client *client = unit_allocate(sizeof *client);
  char hosts[2][64];
  const char *const host_list[] = {hosts[0], hosts[1]};

  snprintf(hosts[0], sizeof hosts[0], "Server.test=127.0.0.1:%u", server_port);
  snprintf(hosts[1], sizeof hosts[1], "other.test=127.0.0.1:%u", server_port);
  sim_clock_start(&client->clock, SIM_CLOCK_VIRTUAL);
  const struct sim_network_options options = {
      .link_up = true, .ssid = "garage", .hosts = host_list, .host_count = 2, .clock = &client->clock};
  assert_result(sim_network_open(&client->network, &options), LB_OK);
  client->port = sim_network_port(client->network);
  *state = client;
  return 0;
}

static int tear_down(void **state)
{
  struct client *client = *state;

  sim_network_close(client->network);
  free(client);
  return 0;
}

struct result {
  int opened;
  int replied;
  int ended;
  struct port_reply reply;
  uint32_t length;
  char body[SERVER_BIG_SIZE];
};

static struct result result;

static void idle(struct client *client)
{
  client->clock.port.idle(client->clock.port.context, 100);
}

static int wait_for_reply(struct client *client, struct port_transfer *transfer, struct port_reply *reply)
{
  int err = LB_MORE;

  while ((err = client->port->reply(transfer, reply)) == LB_MORE) {
    idle(client);
  }
  return err;
}

static int read_body(struct client *client, struct port_transfer *transfer, uint32_t piece)
{
  int err = LB_MORE;

  while (err == LB_MORE) {
    uint32_t got = 0;
    const uint32_t room = SERVER_BIG_SIZE - result.length;

    err = client->port->read(transfer, result.body + result.length, piece < room ? piece : room, &got);
    result.length += got;
    if (err == LB_MORE && got == 0) {
      idle(client);
    }
  }
  return err;
}

static void ask(struct client *client, const struct port_request *request, uint32_t piece)
{
  struct port_transfer *transfer = NULL;

  memset(&result, 0, sizeof result);
  result.replied = result.ended = LB_MORE;
  result.opened = client->port->open(client->port->context, request, &transfer);
  if (result.opened) {
    return;
  }
  result.replied = wait_for_reply(client, transfer, &result.reply);
  if (!result.replied) {
    result.ended = read_body(client, transfer, piece);
  }
  client->port->close(transfer);
}

static void get(struct client *client, const char *url, uint32_t piece)
{
  ask(client, &(struct port_request){.url = url}, piece);
}

static int open_url(struct client *client, const char *url, struct port_transfer **transfer)
{
  return client->port->open(client->port->context, &(struct port_request){.url = url}, transfer);
}

static const char *url_of(const char *path)
{
  static char url[256];

  snprintf(url, sizeof url, "http://server.test%s", path);
  return url;
}

static void test_answers(void **state)
{
  static const struct {
    const char *path;
    int status;
    int length; /* -1: none is announced */
    int ended;
    const char *body;
  } cases[] = {
      {"/length", 200, 5, LB_OK, "hello"},
      {"/empty", 200, 0, LB_OK, ""},
      {"/none", 404, 4, LB_OK, "none"},
      {"/error", 500, 0, LB_OK, ""},
      {"/nothing-new", 304, 0, LB_OK, ""},
      {"/no-length", 200, -1, LB_OK, "until the end"},
      {"/old", 200, 3, LB_OK, "old"},
      {"/continue", 200, 2, LB_OK, "ok"},
      {"/chunked", 200, -1, LB_OK, "hello world"},
      {"/chunks-in-capitals", 200, -1, LB_OK, "hello"},
      {"/same-lengths", 200, 1, LB_OK, "x"},
      {"/gzip", 200, 4, LB_OK, "zzzz"},
      {"/closes", 200, 500, PORT_ERR_CLOSED, "only this"},
      {"/closes-chunk", 200, -1, PORT_ERR_CLOSED, "only this"},
      {"/too-much", 200, 5, PORT_ERR_TOO_MUCH, ""},
      {"/bad-chunk", 200, -1, PORT_ERR_PROTOCOL, ""},
      {"/silent-body", 200, 500, PORT_ERR_TIMEOUT, "only this"},
      {"/stays", 200, 5, LB_OK, "hello"},
      {"/go", 200, 5, LB_OK, "hello"},
      {"/go-by-name", 200, 5, LB_OK, "hello"},
      {"/endless-redirect", 200, 5, LB_OK, "hello"},
      {"/no-location", 302, 2, LB_OK, "no"},
      {"/hop1", 200, 5, LB_OK, "hello"},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    get(*state, url_of(cases[i].path), 4096);
    const int length = result.reply.has_length ? (int)result.reply.length : -1;
    if (result.replied != LB_OK || result.reply.status != cases[i].status || length != cases[i].length ||
        result.ended != cases[i].ended || strcmp(result.body, cases[i].body) != 0) {
      fail_here("%s: opened %d, replied %d, status %d, length %d, ended %d, \"%s\"", cases[i].path, result.opened,
                result.replied, result.reply.status, length, result.ended, result.body);
    }
  }
}

static void test_failures_before_an_answer(void **state)
{
  static const struct {
    const char *path;
    int replied;
  } cases[] = {
      {"/closes-in-headers", PORT_ERR_CLOSED},
      {"/hangs-up", PORT_ERR_CLOSED},
      {"/bad-length", PORT_ERR_PROTOCOL},
      {"/chunks-and-length", PORT_ERR_PROTOCOL},
      {"/chunks-twice", PORT_ERR_PROTOCOL},
      {"/other-encoding", PORT_ERR_PROTOCOL},
      {"/huge-length", PORT_ERR_PROTOCOL},
      {"/two-lengths", PORT_ERR_PROTOCOL},
      {"/no-http", PORT_ERR_PROTOCOL},
      {"/loop", PORT_ERR_REDIRECTS},
      {"/hop0", PORT_ERR_REDIRECTS},
      {"/to-file", PORT_ERR_URL},
      {"/to-ftp", PORT_ERR_URL},
      {"/to-user", PORT_ERR_URL},
      {"/to-space", PORT_ERR_URL},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    get(*state, url_of(cases[i].path), 4096);
    if (result.opened != LB_OK || result.replied != cases[i].replied) {
      fail_here("%s: opened %d, replied %d, status %d", cases[i].path, result.opened, result.replied,
                result.reply.status);
    }
  }
}

static void test_time_out_is_a_minute_of_the_clock(void **state)
{
  struct client *client = *state;
  const uint64_t begin = sim_clock_now_us(&client->clock);

  get(client, url_of("/silent"), 4096);
  assert_result(result.replied, PORT_ERR_TIMEOUT);
  assert_in_range(sim_clock_now_us(&client->clock) - begin, 60000000, 62000000);
}

/* Each byte comes in time, and the last one would come after days. */
static void test_trickle_is_given_up(void **state)
{
  struct client *client = *state;
  struct port_transfer *transfer = NULL;
  uint32_t seconds = 0;
  int err = LB_MORE;

  memset(&result, 0, sizeof result);
  assert_result(open_url(client, url_of("/trickle"), &transfer), LB_OK);
  assert_result(wait_for_reply(client, transfer, &result.reply), LB_OK);
  for (; err == LB_MORE; seconds++) {
    uint32_t got = 0;

    usleep(4000);
    sim_clock_spend_us(&client->clock, 1000000);
    err = client->port->read(transfer, result.body, 4096, &got);
    result.length += got;
  }
  client->port->close(transfer);
  assert_result(err, PORT_ERR_SLOW);
  assert_in_range(seconds, 298, 302);
  assert_in_range(result.length, 2, 1023);
}

static void test_parts(void **state)
{
  static const struct {
    const char *path;
    int status;
    bool has_range;
  } cases[] = {
      {"/part", 206, true},          {"/part-in-chunks", 206, false}, {"/part-too-long", 206, false},
      {"/part-of-what", 206, false}, {"/part-twice", 206, false},     {"/part-of-items", 206, false},
      {"/parts", 206, false},        {"/no-part", 416, false},        {"/whole-with-range", 200, false},
      {"/length", 200, false},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const struct port_request request = {.url = url_of(cases[i].path), .first = 2, .validator = "\"v1\""};
    const struct port_reply *reply = &result.reply;

    ask(*state, &request, 4096);
    if (result.ended != LB_OK || reply->status != cases[i].status || reply->has_range != cases[i].has_range ||
        (reply->has_range && (reply->first != 2 || reply->total != 5 || reply->length != 3))) {
      fail_here("%s: ended %d, status %d, has_range %d, first %u, total %u", cases[i].path, result.ended, reply->status,
                reply->has_range, (unsigned)reply->first, (unsigned)reply->total);
    }
  }
}

static void test_validators(void **state)
{
  static const struct {
    const char *path;
    const char *validator;
    bool weak;
  } cases[] = {
      {"/tag", "\"v1\"", false}, {"/part", "\"v1\"", false}, {"/weak-tag", "", true},
      {"/two-tags", "", false},  {"/length", "", false},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    get(*state, url_of(cases[i].path), 4096);
    if (strcmp(result.reply.validator, cases[i].validator) != 0 || result.reply.weak != cases[i].weak) {
      fail_here("%s: %s, %d", cases[i].path, result.reply.validator, result.reply.weak);
    }
  }
}

/* Behind a redirect, too. */
static void test_request_of_a_part(void **state)
{
  static const char *const paths[] = {"/echo", "/go-echo"};

  for (size_t i = 0; i < 2; i++) {
    const struct port_request request = {
        .url = url_of(paths[i]), .first = UINT64_C(12345678901), .validator = "\"v1\""};

    ask(*state, &request, 4096);
    assert_result(result.ended, LB_OK);
    assert_non_null(strstr(result.body, "\r\nRange: bytes=12345678901-\r\n"));
    assert_non_null(strstr(result.body, "\r\nIf-Range: \"v1\"\r\n"));
  }
}

static void test_request_of_a_part_of_anything(void **state)
{
  static const char *const validators[] = {NULL, "", "v1", "W/\"v1\"", "\"v1\"\r\nX: y", "Sat, 01 Jan 2022"};

  for (size_t i = 0; i < sizeof validators / sizeof validators[0]; i++) {
    const struct port_request request = {.url = url_of("/part"), .first = 2, .validator = validators[i]};

    ask(*state, &request, 4096);
    assert_result(result.opened, LB_ERR_ARGUMENT);
  }
}

static void test_urls(void **state)
{
  static const struct {
    const char *url;
    int opened;
  } cases[] = {
      {"", PORT_ERR_URL},
      {"http://", PORT_ERR_URL},
      {"http:///length", PORT_ERR_URL},
      {"http:/server.test/length", PORT_ERR_URL},
      {"http:/server.test/?x=http://server.test", PORT_ERR_URL},
      {"/length", PORT_ERR_URL},
      {"file:///etc/passwd", PORT_ERR_URL},
      {"file:/etc/passwd", PORT_ERR_URL},
      {"FILE:///etc/passwd", PORT_ERR_URL},
      {"ftp://server.test/x", PORT_ERR_URL},
      {"ftp.server.test:x", PORT_ERR_URL},
      {"gopher://server.test/x", PORT_ERR_URL},
      {"mailto:x@server.test", PORT_ERR_URL},
      {"http://user@server.test/", PORT_ERR_URL},
      {"http://user:password@server.test/", PORT_ERR_URL},
      {"user:password@server.test/", PORT_ERR_URL},
      {"user:1234@server.test/", PORT_ERR_URL},
      {"http://server.test/a b", PORT_ERR_URL},
      {"http://server.test/a\r\nX: y", PORT_ERR_URL},
      {"http://server.test/\x7F", PORT_ERR_URL},
      {"http://server.test:99999/", PORT_ERR_URL},
      {" http://server.test/length", PORT_ERR_URL},
      {"http://server.test/length", LB_OK},
      {"HTTP://SERVER.test/length", LB_OK},
      {"server.test/length", LB_OK},
      {"server.test:8080/length", LB_OK},
      {"server.test/length?from=http://user@x/", LB_OK},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct client *client = *state;
    struct port_transfer *transfer = NULL;
    const int opened = open_url(client, cases[i].url, &transfer);

    if (opened != cases[i].opened) {
      fail_here("\"%s\": %d", cases[i].url, opened);
    }
    if (!opened) {
      client->port->close(transfer);
    }
  }
  get(*state, "server.test/length", 4096);
  assert_string_equal(result.body, "hello");
}

static void test_request(void **state)
{
  get(*state, "SERVER.test:81/echo", 4096);
  assert_result(result.ended, LB_OK);
  assert_memory_equal(result.body, "GET /echo HTTP/1.1\r\n", 20);
  assert_non_null(strcasestr(result.body, "\r\nHost: server.test:81\r\n"));
  assert_non_null(strstr(result.body, "\r\nUser-Agent: lifeboat/1\r\n"));
  assert_non_null(strstr(result.body, "\r\nConnection: close\r\n"));
  assert_null(strcasestr(result.body, "Accept-Encoding"));
  assert_null(strcasestr(result.body, "Range"));
  assert_null(strcasestr(result.body, "Proxy"));
}

static void assert_big(void)
{
  assert_result(result.ended, LB_OK);
  assert_int_equal(result.length, SERVER_BIG_SIZE);
  for (uint32_t i = 0; i < SERVER_BIG_SIZE; i++) {
    assert_int_equal((uint8_t)result.body[i], server_big_byte(i));
  }
}

static void test_big_body_in_pieces(void **state)
{
  static const uint32_t pieces[] = {1000, 4096, 16384, 65536};

  for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
    get(*state, url_of("/big"), pieces[i]);
    assert_big();
  }
}

/* Somebody who does not read for two minutes has not timed out: the bytes were there. */
static void test_slow_reader(void **state)
{
  struct client *client = *state;
  struct port_transfer *transfer = NULL;

  memset(&result, 0, sizeof result);
  assert_result(open_url(client, url_of("/big"), &transfer), LB_OK);
  assert_result(wait_for_reply(client, transfer, &result.reply), LB_OK);
  for (int turn = 0; turn < 3; turn++) {
    uint32_t got = 0;

    sim_clock_spend_us(&client->clock, 120000000);
    assert_result(client->port->read(transfer, result.body + result.length, 100, &got), LB_MORE);
    result.length += got;
  }
  sim_clock_spend_us(&client->clock, 120000000);
  result.ended = read_body(client, transfer, 4096);
  client->port->close(transfer);
  assert_big();
}

static void test_four_at_once(void **state)
{
  struct client *client = *state;
  struct port_transfer *transfers[SIM_NETWORK_TRANSFERS];
  struct port_transfer *fifth = NULL;

  for (size_t i = 0; i < SIM_NETWORK_TRANSFERS; i++) {
    assert_result(open_url(client, url_of("/big"), &transfers[i]), LB_OK);
  }
  assert_result(open_url(client, url_of("/big"), &fifth), PORT_ERR_BUSY);
  for (size_t i = 0; i < SIM_NETWORK_TRANSFERS; i++) {
    memset(&result, 0, sizeof result);
    assert_result(wait_for_reply(client, transfers[i], &result.reply), LB_OK);
    result.ended = read_body(client, transfers[i], 4096);
    assert_big();
    client->port->close(transfers[i]);
  }
  get(client, url_of("/length"), 4096);
  assert_result(result.ended, LB_OK);
}

static void test_link(void **state)
{
  struct client *client = *state;
  const struct port_network *port = client->port;
  struct port_transfer *transfer = NULL;

  assert_true(port->is_up(port->context));
  assert_string_equal(port->ssid(port->context), "garage");
  assert_result(open_url(client, url_of("/silent"), &transfer), LB_OK);
  assert_result(port->set_link(port->context, false, ""), LB_OK);
  assert_result(wait_for_reply(client, transfer, &result.reply), PORT_ERR_LINK_DOWN);
  port->close(transfer);
  assert_false(port->is_up(port->context));
  get(client, url_of("/length"), 4096);
  assert_result(result.opened, PORT_ERR_LINK_DOWN);
  assert_result(port->set_link(port->context, true, "home"), LB_OK);
  assert_string_equal(port->ssid(port->context), "home");
  assert_result(port->set_link(port->context, true, ""), LB_OK);
  assert_string_equal(port->ssid(port->context), "home");
  assert_result(port->set_link(port->context, true, "a name that is longer than 32 bytes"), PORT_ERR_SSID);
  get(client, url_of("/length"), 4096);
  assert_result(result.ended, LB_OK);
}

static void test_nobody_there(void **state)
{
  char url[128];
  char label[65];
  uint16_t port = 0;
  const int listener = server_listen(AF_INET, &port);

  close(listener);
  snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
  get(*state, url, 4096);
  assert_result(result.replied, PORT_ERR_CONNECT);
  memset(label, 'x', 64); /* longer than a name may be, so that no name server is asked */
  label[64] = '\0';
  snprintf(url, sizeof url, "http://%s.invalid/", label);
  get(*state, url, 4096);
  assert_result(result.replied, PORT_ERR_NAME);
}

static void test_tls_with_somebody_else(void **state)
{
  char url[128];

  snprintf(url, sizeof url, "https://127.0.0.1:%u/length", server_port);
  get(*state, url, 4096);
  assert_true(result.replied == PORT_ERR_TLS || result.replied == PORT_ERR_CLOSED);
}

static void test_ipv6(void **state)
{
  struct client *client = *state;
  struct sim_network *network = NULL;
  char url[128];
  char host[64];
  const char *const hosts[] = {host};

  if (!server_port_6) {
    skip();
  }
  snprintf(url, sizeof url, "[::1]:%u/length", server_port_6);
  get(client, url, 4096);
  assert_string_equal(result.body, "hello");
  snprintf(host, sizeof host, "six.test=[::1]:%u", server_port_6);
  const struct sim_network_options options = {
      .link_up = true, .ssid = "", .hosts = hosts, .host_count = 1, .clock = &client->clock};
  assert_result(sim_network_open(&network, &options), LB_OK);
  struct client six = {.clock = client->clock, .network = network, .port = sim_network_port(network)};
  get(&six, "http://six.test/length", 4096);
  assert_string_equal(result.body, "hello");
  sim_network_close(network);
}

static void test_hosts(void **state)
{
  static const char *const good[] = {"a=127.0.0.1:1", "api.openvehicles.com=10.0.0.1:65535", "a=[::1]:80"};
  static const char *const bad[] = {"",
                                    "a",
                                    "a=",
                                    "=127.0.0.1:80",
                                    "a=127.0.0.1",
                                    "a=127.0.0.1:",
                                    "a=127.0.0.1:0",
                                    "a=127.0.0.1:65536",
                                    "a=127.0.0.1:80x",
                                    "a=b:80",
                                    "a=::1:80",
                                    "a=[::1]",
                                    "a=[127.0.0.1]:80",
                                    "a:80=127.0.0.1:80",
                                    "a =127.0.0.1:80"};
  struct client *client = *state;
  struct sim_network *network = NULL;

  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    assert_true(sim_network_host_is_valid(good[i]));
  }
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    if (sim_network_host_is_valid(bad[i])) {
      fail_here("\"%s\"", bad[i]);
    }
  }
  struct sim_network_options options = {.ssid = "", .hosts = bad, .host_count = 1, .clock = &client->clock};
  assert_result(sim_network_open(&network, &options), LB_ERR_ARGUMENT);
  options.host_count = 0;
  options.ca_file = "/nowhere/ca.pem";
  assert_result(sim_network_open(&network, &options), PORT_ERR_FILE_NOT_FOUND);
  sim_network_close(network);
}

#define WITH_CLIENT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
      WITH_CLIENT(test_answers),
      WITH_CLIENT(test_failures_before_an_answer),
      WITH_CLIENT(test_time_out_is_a_minute_of_the_clock),
      WITH_CLIENT(test_trickle_is_given_up),
      WITH_CLIENT(test_parts),
      WITH_CLIENT(test_validators),
      WITH_CLIENT(test_request_of_a_part),
      WITH_CLIENT(test_request_of_a_part_of_anything),
      WITH_CLIENT(test_urls),
      WITH_CLIENT(test_request),
      WITH_CLIENT(test_big_body_in_pieces),
      WITH_CLIENT(test_slow_reader),
      WITH_CLIENT(test_four_at_once),
      WITH_CLIENT(test_link),
      WITH_CLIENT(test_nobody_there),
      WITH_CLIENT(test_tls_with_somebody_else),
      WITH_CLIENT(test_ipv6),
      WITH_CLIENT(test_hosts),
  };

  return cmocka_run_group_tests_name("sim_network", tests, server_start, server_stop);
}
