// SPDX-License-Identifier: MIT
/* The little that this room needs of texts in ASCII, where there may be no C library. */
#ifndef PORTS_HTTP_TEXT_H
#define PORTS_HTTP_TEXT_H

#include <stdbool.h>
#include <stdint.h>

bool http_text_is_digit(char character);
bool http_text_is_letter(char character);

/* 'a' for 'A'; whatever is no capital letter stays. */
char http_text_lower(char character);

uint32_t http_text_length(const char *text);

/* Does `text` begin with `beginning`, whatever is in capital letters? */
bool http_text_begins(const char *text, const char *beginning);

/* Is it the same, whatever is in capital letters? */
bool http_text_is(const char *text, const char *other);

/* Characters of `text` before the first one out of `set`, or before its end. */
uint32_t http_text_before(const char *text, const char *set);

/* The value of a digit of base 10 or 16, or -1. */
int http_text_digit(char character);

/* What is put behind each other into a buffer; what does not fit is noticed. */
struct http_text {
  char *buffer;
  uint32_t size;   /* with the NUL, at least 1 */
  uint32_t length; /* so far */
  bool overflow;   /* something did not fit */
};

void http_text_start(struct http_text *text, char *buffer, uint32_t size);
void http_text_put(struct http_text *text, const char *bytes, uint32_t length);
void http_text_add(struct http_text *text, const char *string);
void http_text_add_number(struct http_text *text, uint64_t number);

#endif
