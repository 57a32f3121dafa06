// SPDX-License-Identifier: MIT
/*
 * An HTTP server on the loopback that answers by the path, rightly or wrongly in all the ways that a client has to
 * bear: see the table in http_server.c. It is a process of its own that ends with the test.
 */
#ifndef TESTS_UNIT_SUPPORT_HTTP_SERVER_H
#define TESTS_UNIT_SUPPORT_HTTP_SERVER_H

#include <stdint.h>

/* What /big answers: this many bytes, and which. */
#define SERVER_BIG_SIZE 300000U
uint8_t server_big_byte(uint32_t at);

/* Where it listens: on 127.0.0.1, and on [::1]; 0 on a machine without IPv6. */
extern uint16_t server_port;
extern uint16_t server_port_6;

/* Set-up and tear-down of a cmocka group. */
int server_start(void **state);
int server_stop(void **state);

/* A listening socket on the loopback and its port; -1 if there can be none. */
int server_listen(int family, uint16_t *port);

#endif
