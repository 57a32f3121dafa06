// SPDX-License-Identifier: MIT
#include "ports/sifive_u/reset.h"

#include "ports/sifive_u/registers.h"
#include "ports/sifive_u/retained.h"
#include "ports/sifive_u/timer.h"
#include "ports/sifive_u/uart.h"
#include "ports/sifive_u/watchdog.h"

/* GPIO (FU540-C000 manual, chapter 17); pin 10 is wired to the reset of the board, active low. */
#define GPIO_INPUT_EN   (GPIO_BASE + 0x04U)
#define GPIO_OUTPUT_EN  (GPIO_BASE + 0x08U)
#define GPIO_OUTPUT_VAL (GPIO_BASE + 0x0CU)
#define RESET_PIN       (1U << 10)
#define PAUSE_US        100000U /* from one feeding of the watchdog to the next */

_Noreturn void reset_board(enum lb_reset cause)
{
  retained_write(RETAINED_RESET_CAUSE, (uint32_t)cause + 1U);
  register_write(GPIO_INPUT_EN, 0);
  register_write(GPIO_OUTPUT_VAL, RESET_PIN);
  register_write(GPIO_OUTPUT_EN, RESET_PIN);
  register_write(GPIO_OUTPUT_VAL, 0);
  for (;;) {
    __asm__ volatile("wfi");
  }
}

_Noreturn void reset_after_pause(enum lb_reset cause)
{
  uart_print("boot: trying again in 10 seconds\n");
  const uint64_t end = timer_now_us() + RESET_RETRY_S * 1000000U;
  for (uint64_t now = timer_now_us(); now < end; now = timer_now_us()) {
    watchdog_feed();
    timer_sleep_until(end - now < PAUSE_US ? end : now + PAUSE_US);
  }
  reset_board(cause);
}

enum lb_reset reset_cause(void)
{
  switch (retained_read(RETAINED_RESET_CAUSE)) {
  case LB_RESET_COMMANDED + 1U:
    return LB_RESET_COMMANDED;
  case LB_RESET_CRASH + 1U:
    return LB_RESET_CRASH;
  case LB_RESET_WATCHDOG + 1U:
    return LB_RESET_WATCHDOG;
  default:
    return LB_RESET_POWER_ON;
  }
}

void reset_forget_cause(void)
{
  retained_write(RETAINED_RESET_CAUSE, 0);
}
