// SPDX-License-Identifier: MIT
/* What lwIP asks of the compiler and the system, where there may be no C library; included by lwip/arch.h. */
#ifndef PORTS_LWIP_ARCH_CC_H
#define PORTS_LWIP_ARCH_CC_H

#include <stdint.h>

#define BYTE_ORDER                    __BYTE_ORDER__ /* of gcc and clang */
#define LITTLE_ENDIAN                 __ORDER_LITTLE_ENDIAN__
#define BIG_ENDIAN                    __ORDER_BIG_ENDIAN__

#define LWIP_NO_INTTYPES_H            1
#define LWIP_NO_UNISTD_H              1
#define LWIP_NO_CTYPE_H               1

#define LWIP_RAND()                   network_random()

/* An assertion of lwIP says that its memory is spoilt: the trap is a crash, and the module starts anew. */
#define LWIP_PLATFORM_ASSERT(message) __builtin_trap()
#define LWIP_PLATFORM_DIAG(arguments)

/* ports/lwip/network.c */
uint32_t network_random(void);

#endif
