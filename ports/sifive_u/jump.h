// SPDX-License-Identifier: MIT
#ifndef PORTS_SIFIVE_U_JUMP_H
#define PORTS_SIFIVE_U_JUMP_H

#include <stdint.h>

/* Goes to a program that was loaded; there is no way back. */
static inline _Noreturn void jump(uint32_t entry)
{
  __asm__ volatile("fence.i" ::: "memory"); /* what was written as data is fetched as code */
  ((void (*)(void))(uintptr_t)entry)();
  __builtin_unreachable();
}

#endif
