// SPDX-License-Identifier: MIT
/* The words of a bootloader: those of its own errors only, since flash for a bootloader is scarce. */
#include <stddef.h>

#include "lib/error_rows.h"
#include "lifeboat/boot.h"

struct words {
  int code;
  const char *text;
};

#define CAUSE(code, cause, ...)          {code, cause},
#define REMEDY(code, cause, remedy, ...) {code, remedy},

static const struct words causes[] = {LB_ERRORS_HALTING(CAUSE) LB_ERRORS_BOOTING(CAUSE)};
static const struct words remedies[] = {LB_ERRORS_HALTING(REMEDY)};

static const char *find(const struct words *words, size_t count, int code, const char *unknown)
{
  for (size_t i = 0; i < count; i++) {
    if (words[i].code == code) {
      return words[i].text;
    }
  }
  return unknown;
}

const char *lb_boot_cause(int code)
{
  return find(causes, sizeof causes / sizeof causes[0], code, UNKNOWN_ERROR);
}

const char *lb_boot_remedy(int code)
{
  return find(remedies, sizeof remedies / sizeof remedies[0], code, REPORT);
}
