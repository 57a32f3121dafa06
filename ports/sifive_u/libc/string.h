// SPDX-License-Identifier: MIT
/* What the board's programs use of <string.h>; the compilers for bare metal come without a C library. */
#ifndef SIFIVE_U_STRING_H
#define SIFIVE_U_STRING_H

#include <stddef.h>

void *memcpy(void *restrict destination, const void *restrict source, size_t size);
void *memmove(void *destination, const void *source, size_t size);
void *memset(void *destination, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);

size_t strlen(const char *text);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, size_t size);

#endif
