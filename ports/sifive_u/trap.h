// SPDX-License-Identifier: MIT
/* Crashes: any trap is one, since nothing here uses interrupts. */
#ifndef PORTS_SIFIVE_U_TRAP_H
#define PORTS_SIFIVE_U_TRAP_H

#include <stdint.h>

/* start.S comes here with a fresh stack: tells what happened on the UART, and resets as a crash. */
_Noreturn void trap_crashed(uint32_t cause, uint32_t pc, uint32_t address, uint32_t caller);

#endif
