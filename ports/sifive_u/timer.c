// SPDX-License-Identifier: MIT
#include "ports/sifive_u/timer.h"

#include <stddef.h>

#include "ports/sifive_u/registers.h"

#define MTIMECMP   (CLINT_BASE + 0x4000U) /* 8 bytes a hart */
#define MTIME      (CLINT_BASE + 0xBFF8U)
#define MIE_MTIE   (1U << 7) /* only wakes from wfi: mstatus.MIE stays 0, no handler is ever called */
#define NEVER      0xFFFFFFFFU
#define US_OF_A_MS 1000U
#define LONGEST_MS 1000U

uint64_t timer_now_us(void)
{
  uint32_t high;
  uint32_t low;
  do { /* the low word may run over between two reads */
    high = register_read(MTIME + 4U);
    low = register_read(MTIME);
  } while (register_read(MTIME + 4U) != high);
  return (uint64_t)high << 32 | low;
}

static uint32_t hart(void)
{
  uint32_t id;
  __asm__ volatile("csrr %0, mhartid" : "=r"(id));
  return id;
}

void timer_sleep_until(uint64_t us)
{
  const uint32_t compare = MTIMECMP + 8U * hart();
  register_write(compare + 4U, NEVER); /* never a moment in the past while the two halves are written */
  register_write(compare, (uint32_t)us);
  register_write(compare + 4U, (uint32_t)(us >> 32));
  __asm__ volatile("csrs mie, %0" ::"r"(MIE_MTIE));
  __asm__ volatile("wfi" ::: "memory");
}

static uint64_t now_ms(void *context)
{
  (void)context;
  return timer_now_us() / US_OF_A_MS;
}

static int64_t utc(void *context)
{
  (void)context;
  return 0;
}

static void idle(void *context, uint32_t ms)
{
  (void)context;
  timer_sleep_until(timer_now_us() + (uint64_t)(ms < LONGEST_MS ? ms : LONGEST_MS) * US_OF_A_MS);
}

const struct port_clock timer_clock = {.context = NULL, .now_ms = now_ms, .utc = utc, .idle = idle};
