// SPDX-License-Identifier: MIT
#include "ports/sifive_u/trap.h"

#include "ports/sifive_u/reset.h"
#include "ports/sifive_u/retained.h"
#include "ports/sifive_u/uart.h"

_Noreturn void trap_crashed(uint32_t cause, uint32_t pc, uint32_t address, uint32_t caller)
{
  retained_write(RETAINED_CRASH_CAUSE, cause);
  retained_write(RETAINED_CRASH_PC, pc);
  retained_write(RETAINED_CRASH_ADDRESS, address);
  uart_print("\ncrash: cause ");
  uart_print_hex(cause);
  uart_print(" at ");
  uart_print_hex(pc);
  uart_print(", address ");
  uart_print_hex(address);
  uart_print(", called from ");
  uart_print_hex(caller);
  uart_print("\n");
  reset_board(LB_RESET_CRASH);
}
