// SPDX-License-Identifier: MIT
#include "tool/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tool/report.h"

void options_start(void)
{
  opterr = 0;
  optind = 0; /* glibc: forget all state of the scan before */
}

int options_next(int argc, char **argv, const struct option *table)
{
  /* The colon makes a missing argument ':' instead of '?'. */
  int option = getopt_long(argc, argv, ":", table, NULL);
  if (option == ':') {
    report_error("option %s needs an argument", argv[optind - 1]);
    return OPTIONS_WRONG;
  }
  if (option == '?') {
    if (optopt > 0 && optopt < 128 && strncmp(argv[optind - 1], "--", 2) != 0) {
      report_error("there is no option -%c", optopt);
    } else {
      report_error("option %s is unknown, ambiguous or takes no argument", argv[optind - 1]);
    }
    return OPTIONS_WRONG;
  }
  return option;
}

bool options_words(int argc, int least, int most, const char *what)
{
  int words = argc - optind;
  if (words >= least && words <= most) {
    return true;
  }
  report_error("%s %s expected", words < least ? "missing argument:" : "too many arguments:", what);
  return false;
}

bool options_only_json(int argc, char **argv, int count, const char *what, bool *json)
{
  static const struct option table[] = {{"json", no_argument, NULL, 'j'}, {0}};
  int option = OPTIONS_END;
  *json = false;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (option == OPTIONS_WRONG) {
      return false;
    }
    *json = true;
  }
  return options_words(argc, count, count, what);
}

bool options_number(const char *option, const char *text, uint32_t least, uint32_t most, uint32_t *value)
{
  char *end = NULL;
  bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  errno = 0;
  unsigned long long number = strtoull(text, &end, is_hex ? 16 : 10);
  bool good = text[0] >= '0' && text[0] <= '9' && errno == 0 && !(is_hex && end == text + 1);
  unsigned long long unit = 1;
  if (*end == 'K' || *end == 'k') {
    unit = 1024;
    end++;
  } else if (*end == 'M' || *end == 'm') {
    unit = 1024ULL * 1024ULL;
    end++;
  }
  if (!good || *end != '\0') {
    report_error("%s: %s is no number (decimal or 0x..., K or M behind it)", option, text);
    return false;
  }
  if (number > most / unit || number * unit < least) {
    report_error("%s: %s is not from %u to %u", option, text, least, most);
    return false;
  }
  *value = (uint32_t)(number * unit);
  return true;
}

bool options_chip(const char *text, const struct lb_chip **chip)
{
  *chip = lb_chip_by_name(text);
  if (*chip == NULL) {
    report_error("--chip: %s is no chip that is known; there are esp32, esp32s2, esp32s3, esp32c2, esp32c3, esp32c6, "
                 "esp32h2, sifive_u",
                 text);
  }
  return *chip != NULL;
}
