// SPDX-License-Identifier: MIT
/* UART0, polled: 8 data bits, no parity. QEMU knows no bit rate. */
#ifndef PORTS_SIFIVE_U_UART_H
#define PORTS_SIFIVE_U_UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void uart_open(void);

/* Waits for room where there is none. A newline goes out as it is. */
void uart_write(const char *text, size_t length);

/* The same for a string, with a carriage return before each newline. */
void uart_print(const char *text);

/* A word in eight hexadecimal digits. */
void uart_print_hex(uint32_t value);

/* Takes the next byte that has come, if one has. */
bool uart_read(uint8_t *byte);

#endif
