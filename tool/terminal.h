// SPDX-License-Identifier: MIT
/* What may be drawn on stdout, or elsewhere. */
#ifndef TOOL_TERMINAL_H
#define TOOL_TERMINAL_H

#include <stdbool.h>

#define TERMINAL_WIDTH_DEFAULT 80U

struct terminal_style {
  unsigned width; /* columns */
  bool unicode;   /* box drawing and blocks can be shown */
  bool colour;    /* escape sequences for colours are welcome */
};

/*
 * For a terminal: its width, Unicode if the locale is UTF-8, colour unless NO_COLOR is set or TERM is "dumb". For
 * anything else the same everywhere: 80 columns, plain ASCII.
 */
struct terminal_style terminal_style(void);

/* The same for what a file descriptor leads to. */
struct terminal_style terminal_style_of(int descriptor);

#endif
