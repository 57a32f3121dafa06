// SPDX-License-Identifier: MIT
/* Mbed TLS includes <stdio.h> and uses nothing of it as it is configured here. */
#ifndef SIFIVE_U_STDIO_H
#define SIFIVE_U_STDIO_H

#include <stddef.h>

#endif
