// SPDX-License-Identifier: MIT
/* The board's addresses (SiFive FU540-C000 manual, chapter 5, "Memory Map"), and how its registers are reached. */
#ifndef PORTS_SIFIVE_U_REGISTERS_H
#define PORTS_SIFIVE_U_REGISTERS_H

#include <stdint.h>

#define CLINT_BASE 0x02000000U
#define UART0_BASE 0x10010000U
#define QSPI0_BASE 0x10040000U /* the SPI NOR flash */
#define QSPI2_BASE 0x10050000U /* the SD card */
#define GPIO_BASE  0x10060000U
#define GEM_BASE   0x10090000U

static inline uint32_t register_read(uint32_t address)
{
  return *(const volatile uint32_t *)(uintptr_t)address;
}

static inline void register_write(uint32_t address, uint32_t value)
{
  *(volatile uint32_t *)(uintptr_t)address = value;
}

#endif
