// SPDX-License-Identifier: MIT
/*
 * All that lib/ needs of <string.h>, for cross compilers that come without a C library. Only scripts/cross.py uses it:
 * it also shows that lib/ needs no more.
 */
#ifndef FREESTANDING_STRING_H
#define FREESTANDING_STRING_H

#include <stddef.h>

void *memcpy(void *restrict destination, const void *restrict source, size_t size);
void *memset(void *destination, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);

#endif
