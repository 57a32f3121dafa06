// SPDX-License-Identifier: MIT
/* The errors of ports in words, beside the library's. */
#ifndef MODULE_PORT_ERROR_H
#define MODULE_PORT_ERROR_H

#include "lifeboat/error.h"

/* The description of an LB_ERR_..., PORT_ERR_... or MODULE_ERR_...; never NULL. */
const struct lb_error_info *module_error_info(int error);

/* The number of errors described here, without the library's, and the one at an index below it. */
unsigned module_error_count(void);
const struct lb_error_info *module_error_at(unsigned index);

#endif
