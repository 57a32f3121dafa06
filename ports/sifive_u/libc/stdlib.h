// SPDX-License-Identifier: MIT
/* What lwIP uses of <stdlib.h>. There is no heap. */
#ifndef SIFIVE_U_STDLIB_H
#define SIFIVE_U_STDLIB_H

#include <stddef.h>

int atoi(const char *text);

#endif
