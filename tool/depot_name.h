// SPDX-License-Identifier: MIT
/* What may become the name of a folder or link in a depot. */
#ifndef TOOL_DEPOT_NAME_H
#define TOOL_DEPOT_NAME_H

#include <stdbool.h>
#include <stdint.h>

#define DEPOT_LABEL_MAX 64U

/*
 * A product or tag: 1 to DEPOT_LABEL_MAX letters, digits, '.', '_' and '-', no leading '.', and not "releases". False
 * and an error line that names `option` if `text` is none.
 */
bool depot_name_label(const char *option, const char *text);

/*
 * A version as the inspector reports it: printable ASCII without blanks, '/' and '?' (which stands for a byte that
 * cannot be printed), no leading '.'. False and an error line that names `image` if it is none, or empty.
 */
bool depot_name_version(const char *image, const char *version);

/* UTF-8 (RFC 3629) without NUL? */
bool depot_name_is_text(const uint8_t *bytes, uint32_t length);

#endif
