// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "tests/unit/support/http_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/support/unit.h"

static const struct answer {
  const char *path;
  const char *text;
} answers[] = {
    {"/length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
    {"/empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
    {"/none", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"},
    {"/error", "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"},
    {"/nothing-new", "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n"},
    {"/no-length", "HTTP/1.1 200 OK\r\n\r\nuntil the end"},
    {"/old", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold"},
    {"/continue", "HTTP/1.1 103 Early\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
    {"/chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"},
    {"/chunks-and-length",
     "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
    {"/chunks-twice",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
    {"/chunks-in-capitals", "HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
    {"/other-encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhello"},
    {"/same-lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"},
    {"/gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nzzzz"},
    {"/closes", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nonly this"},
    {"/closes-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nonly this"},
    {"/closes-in-headers", "HTTP/1.1 200 OK\r\nContent-Le"},
    {"/hangs-up", ""},
    {"/too-much", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more"},
    {"/bad-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n"},
    {"/bad-length", "HTTP/1.1 200 OK\r\nContent-Length: 12x\r\n\r\nhello"},
    {"/huge-length", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello"},
    {"/two-lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"},
    {"/no-http", "SSH-2.0-OpenSSH_9.2\r\n"},
    {"/go", "HTTP/1.1 302 Found\r\nLocation: /length\r\nContent-Length: 9\r\n\r\nsomewhere"},
    {"/go-by-name", "HTTP/1.1 301 Moved\r\nLocation: http://other.test/length\r\n\r\n"},
    {"/no-location", "HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nno"},
    {"/loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\n\r\n"},
    {"/to-file", "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n"},
    {"/to-ftp", "HTTP/1.1 302 Found\r\nLocation: ftp://other.test/x\r\n\r\n"},
    {"/to-user", "HTTP/1.1 302 Found\r\nLocation: http://user:password@other.test/length\r\n\r\n"},
    {"/to-space", "HTTP/1.1 302 Found\r\nLocation: /a b\r\n\r\n"},
    {"/hop1", "HTTP/1.1 302 Found\r\nLocation: hop2\r\n\r\n"},
    {"/hop2", "HTTP/1.1 303 Found\r\nLocation: hop3\r\n\r\n"},
    {"/hop3", "HTTP/1.1 307 Found\r\nLocation: hop4\r\n\r\n"},
    {"/hop4", "HTTP/1.1 308 Found\r\nLocation: hop5\r\n\r\n"},
    {"/hop5", "HTTP/1.1 301 Found\r\nLocation: length\r\n\r\n"},
    {"/hop0", "HTTP/1.1 302 Found\r\nLocation: hop1\r\n\r\n"},
    {"/tag", "HTTP/1.1 200 OK\r\netag:  \"v1\" \r\nContent-Length: 5\r\n\r\nhello"},
    {"/weak-tag", "HTTP/1.1 200 OK\r\nETag: W/\"v1\"\r\nContent-Length: 5\r\n\r\nhello"},
    {"/two-tags", "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nETag: \"v2\"\r\nContent-Length: 5\r\n\r\nhello"},
    {"/part", "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-4/5\r\nETag: \"v1\"\r\nContent-Length: 3\r\n"
              "\r\nllo"},
    {"/part-in-chunks", "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-4/5\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n3\r\nllo\r\n0\r\n\r\n"},
    {"/part-too-long", "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-3/5\r\nContent-Length: 3\r\n\r\nllo"},
    {"/part-of-what", "HTTP/1.1 206 Partial Content\r\nContent-Length: 3\r\n\r\nllo"},
    {"/part-twice", "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-4/5\r\nContent-Range: bytes 0-2/5\r\n"
                    "Content-Length: 3\r\n\r\nllo"},
    {"/part-of-items", "HTTP/1.1 206 Partial Content\r\nContent-Range: items 2-4/5\r\nContent-Length: 3\r\n\r\nllo"},
    {"/parts", "HTTP/1.1 206 Partial Content\r\nContent-Type: multipart/byteranges; boundary=x\r\n"
               "Content-Length: 3\r\n\r\n--x"},
    {"/no-part", "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */5\r\nContent-Length: 0\r\n\r\n"},
    {"/whole-with-range", "HTTP/1.1 200 OK\r\nContent-Range: bytes 2-4/5\r\nContent-Length: 3\r\n\r\nllo"},
    {"/go-echo", "HTTP/1.1 302 Found\r\nLocation: /echo\r\n\r\n"},
    /* these keep the connection open: see is_kept_open */
    {"/silent", ""},
    {"/silent-body", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nonly this"},
    {"/stays", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
    {"/endless-redirect", "HTTP/1.1 302 Found\r\nLocation: /length\r\n\r\nand then nothing"},
};

uint16_t server_port;
uint16_t server_port_6;

static pid_t server;

uint8_t server_big_byte(uint32_t at)
{
  return (uint8_t)(at * 7 + at / 251);
}

static void send_all(int connection, const void *data, size_t length)
{
  const char *bytes = data;

  while (length > 0) {
    const ssize_t sent = send(connection, bytes, length, MSG_NOSIGNAL);

    if (sent <= 0) {
      return;
    }
    bytes += sent;
    length -= (size_t)sent;
  }
}

static void send_big(int connection)
{
  static uint8_t big[SERVER_BIG_SIZE];
  char head[100];

  for (uint32_t i = 0; i < SERVER_BIG_SIZE; i++) {
    big[i] = server_big_byte(i);
  }
  snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n", SERVER_BIG_SIZE);
  send_all(connection, head, strlen(head));
  send_all(connection, big, SERVER_BIG_SIZE);
}

static void send_echo(int connection, const char *request)
{
  char head[100];

  snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", strlen(request));
  send_all(connection, head, strlen(head));
  send_all(connection, request, strlen(request));
}

/* A byte now and then, and never an end. */
static void trickle(int connection)
{
  const char *head = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
  const struct timespec pause = {.tv_nsec = 50000000};

  send_all(connection, head, strlen(head));
  while (send(connection, "x", 1, MSG_NOSIGNAL) == 1) {
    nanosleep(&pause, NULL);
  }
}

static bool is_kept_open(const char *path)
{
  return strcmp(path, "/silent") == 0 || strcmp(path, "/silent-body") == 0 || strcmp(path, "/stays") == 0 ||
         strcmp(path, "/endless-redirect") == 0;
}

/* Keeps the end of the connection open until its other end goes. */
static void serve_one(int connection)
{
  char request[4096] = "";
  char path[64] = "";
  size_t length = 0;

  while (!strstr(request, "\r\n\r\n") && length + 1 < sizeof request) {
    const ssize_t got = recv(connection, request + length, sizeof request - 1 - length, 0);

    if (got <= 0) {
      return;
    }
    length += (size_t)got;
    request[length] = '\0';
    if (length >= 4 && memcmp(request, "GET ", 4) != 0) {
      return;
    }
  }
  sscanf(request, "GET %63s", path);
  if (strcmp(path, "/big") == 0) {
    send_big(connection);
  } else if (strcmp(path, "/echo") == 0) {
    send_echo(connection, request);
  } else if (strcmp(path, "/trickle") == 0) {
    trickle(connection);
  }
  for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
    if (strcmp(path, answers[i].path) == 0) {
      send_all(connection, answers[i].text, strlen(answers[i].text));
    }
  }
  if (is_kept_open(path)) {
    (void)!recv(connection, request, 1, 0);
  }
}

static void serve(int listener, int listener_6)
{
  for (;;) {
    struct pollfd listeners[] = {{.fd = listener, .events = POLLIN}, {.fd = listener_6, .events = POLLIN}};

    poll(listeners, listener_6 < 0 ? 1 : 2, -1);
    const int connection = accept(listeners[0].revents ? listener : listener_6, NULL, NULL);
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      serve_one(connection);
      shutdown(connection, SHUT_WR);
      _exit(0);
    }
    close(connection);
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
  }
}

int server_listen(int family, uint16_t *port)
{
  struct sockaddr_in6 address_6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const bool is_6 = family == AF_INET6;
  struct sockaddr *any = is_6 ? (struct sockaddr *)&address_6 : (struct sockaddr *)&address;
  socklen_t length = is_6 ? sizeof address_6 : sizeof address;
  const int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (listener < 0 || bind(listener, any, length) || listen(listener, 16) || getsockname(listener, any, &length)) {
    close(listener);
    return -1;
  }
  *port = ntohs(is_6 ? address_6.sin6_port : address.sin_port);
  return listener;
}

int server_start(void **state)
{
  (void)state;
  const int listener = server_listen(AF_INET, &server_port);
  const int listener_6 = server_listen(AF_INET6, &server_port_6); /* not every machine has IPv6 */
  assert_true(listener >= 0);
  setenv("http_proxy", "http://127.0.0.1:1", 1); /* nobody may look at that */
  server = fork();
  if (server == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* no test, no server */
    serve(listener, listener_6);
  }
  setpgid(server, server);
  close(listener);
  close(listener_6);
  return server > 0 ? 0 : -1;
}

int server_stop(void **state)
{
  (void)state;
  kill(-server, SIGKILL); /* with those that still hold a connection */
  return waitpid(server, NULL, 0) == server ? 0 : -1;
}
