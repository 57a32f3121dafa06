// SPDX-License-Identifier: MIT
/*
 * The board's configuration of lwIP with what a test wants besides: counts of all memory, and the alignment of 64-bit
 * machines. With LWIP_TEST_HEAP each piece of lwIP's memory comes from malloc, so that AddressSanitizer watches its
 * bounds and its life; without, the pools are the board's, and run out as they do there.
 */
#ifndef TESTS_LWIP_LWIPOPTS_H
#define TESTS_LWIP_LWIPOPTS_H

#include "ports/lwip/lwipopts.h"

#undef MEM_ALIGNMENT
#define MEM_ALIGNMENT 8

#undef LWIP_STATS
#define LWIP_STATS      1
#define MEM_STATS       1
#define MEMP_STATS      1
#define MEM_LIBC_MALLOC LWIP_TEST_HEAP
#define MEMP_MEM_MALLOC LWIP_TEST_HEAP

#endif
