// SPDX-License-Identifier: MIT
/* The plain product: the module's own commands and no others. */
#include "ports/sifive_u/product.h"

#include <stddef.h>

const struct product product = {.commands = NULL};
