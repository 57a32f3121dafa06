// SPDX-License-Identifier: MIT
/* Text for people: formatting without a C library, and the one form in which errors are told. */
#ifndef MODULE_PRINT_H
#define MODULE_PRINT_H

#include <stdarg.h>
#include <stddef.h>

struct console;

/*
 * Prints to the console. Understands %s %u %d %x %c %%, a width, a precision for %s, and the flags - and 0. Numbers are
 * int or unsigned.
 */
void console_print(struct console *console, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same into a buffer of `size` bytes, always NUL-terminated; returns the length that the whole text has. */
size_t print_text(char *buffer, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Tells an error by its cause and its remedy: "Error: CAUSE - REMEDY (ESP_ERR_..., 261)". Returns `error`. */
int console_error(struct console *console, int error);

/*
 * Tells an error by a line that owners know from the real module, with cause and remedy below it. Returns `error`.
 *
 *   Error: Request failed
 *     the name of the server is not known - check the name and the network (ESP_ERR_NOT_FOUND, 261)
 */
int console_known_error(struct console *console, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints text that may come from anywhere, with ? for each control character, which must not reach a terminal. */
void console_print_clean(struct console *console, const char *text);

/* "  Next boot will be from 'ota_0'": what otadata selects now; nothing if that cannot be read. */
void print_next_boot(struct console *console);

/* An error told by its own sentence, with the ESP-IDF code of `error` behind it. Returns `error`. */
int console_error_text(struct console *console, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
