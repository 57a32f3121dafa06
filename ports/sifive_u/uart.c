// SPDX-License-Identifier: MIT
#include "ports/sifive_u/uart.h"

#include "ports/sifive_u/registers.h"

/* FU540-C000 manual, chapter 13. */
#define UART_TXDATA  (UART0_BASE + 0x00U)
#define UART_RXDATA  (UART0_BASE + 0x04U)
#define UART_TXCTRL  (UART0_BASE + 0x08U)
#define UART_RXCTRL  (UART0_BASE + 0x0CU)
#define TXDATA_FULL  (1U << 31)
#define RXDATA_EMPTY (1U << 31)
#define TXCTRL_TXEN  1U
#define RXCTRL_RXEN  1U

void uart_open(void)
{
  register_write(UART_TXCTRL, TXCTRL_TXEN);
  register_write(UART_RXCTRL, RXCTRL_RXEN);
}

static void put(char character)
{
  while (register_read(UART_TXDATA) & TXDATA_FULL) {
  }
  register_write(UART_TXDATA, (uint8_t)character);
}

void uart_write(const char *text, size_t length)
{
  for (size_t i = 0; i < length; i++) {
    put(text[i]);
  }
}

void uart_print(const char *text)
{
  for (; *text != '\0'; text++) {
    if (*text == '\n') {
      put('\r');
    }
    put(*text);
  }
}

void uart_print_hex(uint32_t value)
{
  for (unsigned shift = 32; shift > 0; shift -= 4) {
    put("0123456789abcdef"[value >> (shift - 4) & 0xFU]);
  }
}

bool uart_read(uint8_t *byte)
{
  const uint32_t data = register_read(UART_RXDATA);
  *byte = (uint8_t)data;
  return !(data & RXDATA_EMPTY);
}
