// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* SOCK_CLOEXEC, getaddrinfo */
#include "tool/depot_listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tool/report.h"

static bool copy_part(char *copy, size_t capacity, const char *text, size_t length)
{
  if (length == 0 || length >= capacity) {
    return false;
  }
  memcpy(copy, text, length);
  copy[length] = '\0';
  return true;
}

bool depot_listen_parse(const char *text, struct depot_listen *listen)
{
  bool bracketed = text[0] == '[';
  const char *start = bracketed ? text + 1 : text;
  const char *end = start + strcspn(start, bracketed ? "]" : ":");
  const char *colon = bracketed && *end == ']' ? end + 1 : end;
  if (*colon != ':' || !copy_part(listen->address, sizeof listen->address, start, (size_t)(end - start))) {
    return false;
  }
  size_t digits = strspn(colon + 1, "0123456789");
  return colon[1 + digits] == '\0' && copy_part(listen->port, sizeof listen->port, colon + 1, digits) &&
         strtoul(listen->port, NULL, 10) <= 65535UL;
}

/* Returns the listening socket, or -1 with errno. */
static int open_socket(const struct addrinfo *where)
{
  const int on = 1;
  int listener = socket(where->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener < 0) {
    return -1;
  }
  /* A server that is started again need not wait for the connections of the one before. */
  if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(listener, where->ai_addr, where->ai_addrlen) != 0 || listen(listener, SOMAXCONN) != 0) {
    int error = errno;
    close(listener);
    errno = error;
    return -1;
  }
  return listener;
}

static bool describe(int listener, char text[DEPOT_LISTEN_TEXT_SIZE])
{
  struct sockaddr_storage bound = {0};
  socklen_t length = sizeof bound;
  char address[64];
  char port[6];
  if (getsockname(listener, (struct sockaddr *)&bound, &length) != 0 ||
      getnameinfo((struct sockaddr *)&bound, length, address, sizeof address, port, sizeof port,
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return false;
  }
  (void)snprintf(text, DEPOT_LISTEN_TEXT_SIZE, bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", address, port);
  return true;
}

int depot_listen_open(const struct depot_listen *listen, char text[DEPOT_LISTEN_TEXT_SIZE])
{
  const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
  struct addrinfo *found = NULL;
  int error = getaddrinfo(listen->address, listen->port, &hints, &found);
  if (error != 0) {
    report_error("%s is no address to listen at: %s", listen->address, gai_strerror(error));
    return -1;
  }
  int listener = open_socket(found);
  int reason = errno;
  freeaddrinfo(found);
  if (listener < 0) {
    report_error("cannot listen at %s port %s: %s%s", listen->address, listen->port, strerror(reason),
                 reason == EADDRINUSE ? "; end the program that does, or choose another port with --listen" : "");
    return -1;
  }
  if (!describe(listener, text)) {
    report_error("cannot tell the port that was opened at %s", listen->address);
    close(listener);
    return -1;
  }
  return listener;
}
