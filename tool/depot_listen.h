// SPDX-License-Identifier: MIT
/* A listening socket from "ADDR:PORT". */
#ifndef TOOL_DEPOT_LISTEN_H
#define TOOL_DEPOT_LISTEN_H

#include <stdbool.h>

#define DEPOT_LISTEN_TEXT_SIZE 80U

struct depot_listen {
  char address[64]; /* "127.0.0.1", "::1", "localhost": without brackets */
  char port[6];     /* "0" takes a free one */
};

/* Reads "127.0.0.1:8070" or "[::1]:8070". False if it is neither. */
bool depot_listen_parse(const char *text, struct depot_listen *listen);

/*
 * Opens the socket and tells in `text` where it listens, as a URL writes it: "[::1]:8070". Returns the socket, or -1
 * after an error line.
 */
int depot_listen_open(const struct depot_listen *listen, char text[DEPOT_LISTEN_TEXT_SIZE]);

#endif
