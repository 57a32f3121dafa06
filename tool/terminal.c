// SPDX-License-Identifier: MIT
#define _DEFAULT_SOURCE /* TIOCGWINSZ */
#include "tool/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool locale_is_utf8(void)
{
  locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
  if (locale == (locale_t)0) {
    return false;
  }
  bool is_utf8 = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
  freelocale(locale);
  return is_utf8;
}

static bool wants_colour(void)
{
  const char *no_color = getenv("NO_COLOR");
  const char *term = getenv("TERM");
  return (no_color == NULL || no_color[0] == '\0') && term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

struct terminal_style terminal_style_of(int descriptor)
{
  struct terminal_style style = {.width = TERMINAL_WIDTH_DEFAULT};
  struct winsize size;
  if (isatty(descriptor) == 0) {
    return style;
  }
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    style.width = size.ws_col;
  }
  style.unicode = locale_is_utf8();
  style.colour = wants_colour();
  return style;
}

struct terminal_style terminal_style(void)
{
  return terminal_style_of(STDOUT_FILENO);
}
