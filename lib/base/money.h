/* Money is an int64_t of minor units (fen, cents) in the shop's one currency. */
#pragma once

/* Digits after the point when an amount is written in major units: 2 for CNY, 0 for JPY, 3 for KWD; 2 for a
 * code that is not in ISO 4217. */
unsigned money_digits(const char *currency);
