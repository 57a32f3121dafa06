// SPDX-License-Identifier: MIT
/*
 * The watchdog. The board has none, so its second hart plays one: it stays in the first stage, sleeps, looks ten times
 * a second, and pulls the reset line when it is armed and was not fed for its time. Nothing that the first hart does
 * stops it, short of writing over the first stage's memory.
 */
#ifndef PORTS_SIFIVE_U_WATCHDOG_H
#define PORTS_SIFIVE_U_WATCHDOG_H

#include <stdint.h>

#define WATCHDOG_BOOT_MS     10000U /* armed so by the first stage, until the firmware arms it anew */
/*
 * The firmware feeds it in its main loop alone, lest a loop somewhere else feeds it for ever: a round takes at most an
 * erase. When it ends in order it may take some more.
 */
#define WATCHDOG_FIRMWARE_MS 5000U
#define WATCHDOG_STOP_MS     20000U

/* Arms it, or with 0 stops it; feeding is once done. */
void watchdog_arm(uint32_t ms);

void watchdog_feed(void);

/* What the second hart does, for ever. Only in the first stage. */
_Noreturn void watchdog_run(void);

#endif
