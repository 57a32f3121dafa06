// SPDX-License-Identifier: MIT
/* Moments as people write them. */
#ifndef MODULE_DATE_H
#define MODULE_DATE_H

#include <stdint.h>

#define DATE_SIZE 24U

/* "2026-11-22 18:30:00 UTC" of seconds since 1970; "unknown time" for 0 and for what is no year from 1970 to 9999. */
void date_utc(int64_t seconds, char text[DATE_SIZE]);

#endif
