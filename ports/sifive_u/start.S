/* SPDX-License-Identifier: MIT */
/*
 * The first instructions of each program on the board. All harts come here at a reset, but only the first stage sees
 * more than hart 0: it keeps the others.
 */
  .section .text.start, "ax"
  .globl _start
_start:
  csrw mie, zero
  csrw mstatus, zero
  .option push
  .option norelax
  la gp, __global_pointer$ /* before anything else: the linker makes use of it */
  .option pop
  la t0, trap_entry
  csrw mtvec, t0
  csrr t0, mhartid
  bnez t0, other_hart
  la sp, stack_end

  la t0, bss_start /* both ends are aligned to words */
  la t1, bss_end
1:
  bgeu t0, t1, 2f
  sw zero, 0(t0)
  addi t0, t0, 4
  j 1b
2:
  call main
3:
  wfi
  j 3b

other_hart:
  la sp, other_stack_end
  la t0, other_main
  beqz t0, 3b
  jr t0

  .balign 4
trap_entry:
  la sp, stack_end /* what was on the stack is not needed any more: there is no way back */
  csrr a0, mcause
  csrr a1, mepc
  csrr a2, mtval
  mv a3, ra
  call trap_crashed

  .weak other_main
