/* Pure: dates and times as spreadsheets write them into CSV: 2026/11/1 10:00, 2026-11-01 10:00:00, 2026/11/1,
 * and of Chinese ones 2026年11月1日 and 5月20日. Year first or named, for 1/11/2026 is two different days. */
#pragma once

#include "base/instant.h"

/* The clock is the shop's; a day alone is its midnight. False: it is none of these. */
bool csv_instant(const char *cell, const struct zone *zone, struct instant *ret);
bool csv_date(const char *cell, struct date *ret);
/* The year may be missing where month and day are named. */
bool csv_birthday(const char *cell, struct birthday *ret);
