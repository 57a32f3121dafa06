// SPDX-License-Identifier: MIT
/* A firmware that crashes before its first line: the bootloader has to get rid of it. */
#include "ports/sifive_u/product.h"

static void crash(void)
{
  __asm__ volatile("unimp");
}

const struct product product = {.at_start = crash};
