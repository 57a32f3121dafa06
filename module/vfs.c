// SPDX-License-Identifier: MIT
/* `vfs ls` and `vfs stat`: what is on the card and in the store. */
#include "module/vfs.h"
#include "module/console.h"
#include "module/port_error.h"
#include "module/print.h"
#include "module/words.h"

#define SECONDS_A_DAY 86400

/* A date of the Gregorian calendar from seconds since 1970, by counting in eras of 400 years that begin in March. */
static void print_date(struct console *console, int64_t seconds)
{
  int64_t days = seconds / SECONDS_A_DAY + 719468;
  unsigned of_day = (unsigned)(seconds % SECONDS_A_DAY);
  unsigned era = (unsigned)(days / 146097);
  unsigned of_era = (unsigned)(days % 146097);
  unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  unsigned month_from_march = (5 * of_year + 2) / 153;
  unsigned day = of_year - (153 * month_from_march + 2) / 5 + 1;
  unsigned month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  unsigned year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  console_print(console, "%04u-%02u-%02u %02u:%02u", year, month, day, of_day / 3600, of_day / 60 % 60);
}

static void print_entry(void *context, const char *name, const struct port_file_info *info)
{
  struct console *console = context;
  if (info->is_directory) {
    console_print(console, "     [dir]  ");
  } else {
    console_print(console, "%10u  ", info->size < UINT32_MAX ? (unsigned)info->size : (unsigned)UINT32_MAX);
  }
  if (info->modified > 0) {
    print_date(console, info->modified);
  } else {
    console_print(console, "%16s", "");
  }
  console_print(console, "  ");
  console_print_clean(console, name);
  console_print(console, "%s\n", info->is_directory && !words_equal(name, "/") ? "/" : "");
}

int vfs_refuse(struct console *console, int error, const char *path)
{
  const struct lb_error_info *info = module_error_info(error);
  return console_error_text(console, error, "%s: %s - %s", path, info->cause, info->remedy);
}

static int print_file(struct console *console, const char *path)
{
  const struct port_files *files = console->module->port->files;
  struct port_file_info info;
  int err = files->stat(files->context, path, &info);
  if (err) {
    return vfs_refuse(console, err, path);
  }
  print_entry(console, path, &info);
  return LB_OK;
}

int vfs_ls_start(struct console *console, int argc, char **argv)
{
  const struct port_files *files = console->module->port->files;
  const char *path = argc > 0 ? argv[0] : "/";
  int err = files->list(files->context, path, print_entry, console);
  if (err == PORT_ERR_FILE_NOT_DIRECTORY) {
    return print_file(console, path);
  }
  return err ? vfs_refuse(console, err, path) : LB_OK;
}

int vfs_stat_start(struct console *console, int argc, char **argv)
{
  (void)argc;
  return print_file(console, argv[0]);
}
