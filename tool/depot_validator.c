// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* gmtime_r, st_mtim */
#include "tool/depot_validator.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The names are fixed by HTTP; strftime would translate them. */
static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static void format_date(char *text, size_t size, time_t when)
{
  struct tm at;
  if (!gmtime_r(&when, &at)) {
    text[0] = '\0'; /* a year that does not fit an int */
    return;
  }
  (void)snprintf(text, size, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[at.tm_wday], at.tm_mday, months[at.tm_mon],
                 at.tm_year + 1900, at.tm_hour, at.tm_min, at.tm_sec);
}

void depot_validator_of(struct depot_validator *validator, const struct stat *file)
{
  (void)snprintf(validator->etag, sizeof validator->etag, "\"%" PRIxMAX "-%" PRIxMAX "-%" PRIxMAX ".%09ld\"",
                 (uintmax_t)file->st_ino, (uintmax_t)file->st_size, (uintmax_t)file->st_mtim.tv_sec,
                 file->st_mtim.tv_nsec);
  format_date(validator->modified, sizeof validator->modified, file->st_mtim.tv_sec);
}

/* Goes behind one entity tag of a list and compares it weakly: W/ does not count. NULL: there is none here. */
static const char *take_etag(const char *list, const char *etag, bool *same)
{
  const char *start = strncmp(list, "W/", 2) == 0 ? list + 2 : list;
  const char *end = *start == '"' ? strchr(start + 1, '"') : NULL;
  if (!end) {
    return NULL;
  }
  size_t length = (size_t)(end + 1 - start);
  *same = length == strlen(etag) && memcmp(start, etag, length) == 0;
  return end + 1;
}

static bool etag_listed(const char *list, const char *etag)
{
  bool same = false;
  list += strspn(list, " \t,");
  if (*list == '*') {
    return true;
  }
  while (list && *list != '\0' && !same) {
    list = take_etag(list, etag, &same);
    list = list ? list + strspn(list, " \t,") : NULL;
  }
  return same;
}

bool depot_validator_not_modified(const struct depot_validator *validator, const char *if_none_match,
                                  const char *if_modified_since)
{
  if (if_none_match) {
    return etag_listed(if_none_match, validator->etag);
  }
  return if_modified_since && validator->modified[0] != '\0' && strcmp(if_modified_since, validator->modified) == 0;
}

bool depot_validator_allows_range(const struct depot_validator *validator, const char *if_range)
{
  return !if_range || strcmp(if_range, validator->etag) == 0 ||
         (validator->modified[0] != '\0' && strcmp(if_range, validator->modified) == 0);
}
