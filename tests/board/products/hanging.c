// SPDX-License-Identifier: MIT
/* A firmware that does nothing, for ever: the watchdog and the bootloader have to get rid of it. */
#include "ports/sifive_u/product.h"

static void hang(void)
{
  for (;;) {
    __asm__ volatile("nop");
  }
}

const struct product product = {.at_start = hang};
