// SPDX-License-Identifier: MIT
/* The core-local interruptor's clock: mtime, 1 MHz (FU540-C000 manual, chapter 9). It starts with 0 at power-on. */
#ifndef PORTS_SIFIVE_U_TIMER_H
#define PORTS_SIFIVE_U_TIMER_H

#include <stdint.h>

#include "module/port.h"

/* Microseconds since power-on. */
uint64_t timer_now_us(void);

/* Lets this hart sleep until that time; it may be woken earlier. */
void timer_sleep_until(uint64_t us);

/* The clock of a struct port; `utc` is not known. */
extern const struct port_clock timer_clock;

#endif
