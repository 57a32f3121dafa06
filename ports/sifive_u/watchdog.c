// SPDX-License-Identifier: MIT
#include "ports/sifive_u/watchdog.h"

#include "ports/sifive_u/reset.h"
#include "ports/sifive_u/retained.h"
#include "ports/sifive_u/timer.h"

#define LOOK_US    100000U
#define US_OF_A_MS 1000U

void watchdog_feed(void)
{
  retained_write(RETAINED_WATCHDOG_FED, (uint32_t)timer_now_us());
}

void watchdog_arm(uint32_t ms)
{
  retained_write(RETAINED_WATCHDOG_MS, 0); /* not between two values */
  watchdog_feed();
  retained_write(RETAINED_WATCHDOG_MS, ms);
}

_Noreturn void watchdog_run(void)
{
  for (;;) {
    const uint64_t now = timer_now_us();
    const uint32_t limit_ms = retained_read(RETAINED_WATCHDOG_MS);
    const uint32_t unfed_us = (uint32_t)now - retained_read(RETAINED_WATCHDOG_FED);
    /* Fed after `now` was read: a difference of almost 2^32. */
    if (limit_ms > 0 && unfed_us < 1U << 31 && unfed_us / US_OF_A_MS >= limit_ms) {
      reset_board(LB_RESET_WATCHDOG);
    }
    timer_sleep_until(now + LOOK_US);
  }
}
