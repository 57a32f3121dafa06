// SPDX-License-Identifier: MIT
#include "module/date.h"

#include "module/print.h"

#define SECONDS_A_DAY    86400
#define LAST_SECOND      253402300799 /* of the year 9999 */

/* Years are counted from March, so that the leap day is the last of its year, and in eras of 400 years. */
#define DAYS_AN_ERA      146097U
#define DAYS_TO_1970     719468U /* from 1 March 0 */
#define DAYS_A_YEAR      365U
#define DAYS_IN_4_YEARS  1461U  /* less one */
#define DAYS_IN_CENTURY  36524U /* without its last leap day */
#define DAYS_FIVE_MONTHS 153U   /* March to July, August to December: 31 30 31 30 31 */

void date_utc(int64_t seconds, char text[DATE_SIZE])
{
  if (seconds <= 0 || seconds > LAST_SECOND) {
    print_text(text, DATE_SIZE, "unknown time");
    return;
  }
  const unsigned days = (unsigned)(seconds / SECONDS_A_DAY) + DAYS_TO_1970;
  const unsigned second = (unsigned)(seconds % SECONDS_A_DAY);
  const unsigned era = days / DAYS_AN_ERA;
  const unsigned day = days % DAYS_AN_ERA; /* of the era */
  const unsigned leap_days = day / (DAYS_IN_4_YEARS - 1U) - day / DAYS_IN_CENTURY + day / (DAYS_AN_ERA - 1U);
  const unsigned year = (day - leap_days) / DAYS_A_YEAR; /* of the era */
  const unsigned day_of_year = day - (DAYS_A_YEAR * year + year / 4U - year / 100U);
  const unsigned month = (5U * day_of_year + 2U) / DAYS_FIVE_MONTHS; /* 0 is March */
  const unsigned day_of_month = day_of_year - (DAYS_FIVE_MONTHS * month + 2U) / 5U + 1U;
  const unsigned calendar_month = month < 10U ? month + 3U : month - 9U;
  print_text(text, DATE_SIZE, "%04u-%02u-%02u %02u:%02u:%02u UTC", 400U * era + year + (calendar_month <= 2U ? 1U : 0U),
             calendar_month, day_of_month, second / 3600U, second / 60U % 60U, second % 60U);
}
