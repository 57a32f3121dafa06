// SPDX-License-Identifier: MIT
/*
 * Memory that keeps its content over a reset and is zero at power-on (docs/SPEC.md, "The emulated board"). What a
 * microcontroller has as registers for its reset cause and its watchdog lies here; programs of different age share it,
 * so it is used like registers: by offset, in words.
 */
#ifndef PORTS_SIFIVE_U_RETAINED_H
#define PORTS_SIFIVE_U_RETAINED_H

#include "ports/sifive_u/registers.h"

#define RETAINED_BASE          0x80010000U
#define RETAINED_RESET_CAUSE   0x00U /* enum lb_reset + 1, written before the reset line is pulled; 0: power-on */
#define RETAINED_RESETS        0x04U /* since power-on */
#define RETAINED_CRASHES       0x08U
#define RETAINED_EARLY_CRASHES 0x0CU
#define RETAINED_SURVIVED      0x10U /* 1: the running firmware's trial time has run, so a crash is no early one */
#define RETAINED_WATCHDOG_MS   0x20U /* 0: the watchdog sleeps; else the time it may be left unfed */
#define RETAINED_WATCHDOG_FED  0x24U /* the low word of mtime when it was fed last */
#define RETAINED_CRASH_CAUSE   0x30U /* mcause, */
#define RETAINED_CRASH_PC      0x34U /* mepc */
#define RETAINED_CRASH_ADDRESS 0x38U /* and mtval of the last crash */
#define RETAINED_HANDOFF       0x100U

static inline uint32_t retained_read(uint32_t offset)
{
  return register_read(RETAINED_BASE + offset);
}

static inline void retained_write(uint32_t offset, uint32_t value)
{
  register_write(RETAINED_BASE + offset, value);
}

/* Where the bootloader leaves the handoff (boot/handoff.h). */
static inline uint8_t *retained_handoff(void)
{
  return (uint8_t *)(uintptr_t)(RETAINED_BASE + RETAINED_HANDOFF);
}

#endif
