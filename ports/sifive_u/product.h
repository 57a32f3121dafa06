// SPDX-License-Identifier: MIT
/* What differs between two firmwares of the board. Each links firmware.c and a file with its own `product`. */
#ifndef PORTS_SIFIVE_U_PRODUCT_H
#define PORTS_SIFIVE_U_PRODUCT_H

#include "module/command.h"

struct product {
  const struct command *commands; /* beside the module's own (module/port.h) */
  uint32_t command_count;
  void (*at_start)(void); /* before anything else is done; NULL: nothing */
};

extern const struct product product;

#endif
