#include "base/money.h"

#include <string.h>

#include "base/err.h"

/* ISO 4217, list one: the currencies whose minor unit is not a hundredth. */
static const struct {
        char code[4];
        unsigned digits;
} exceptions[] = {
        {"BHD", 3}, {"BIF", 0}, {"CLF", 4}, {"CLP", 0}, {"DJF", 0}, {"GNF", 0}, {"IQD", 3},
        {"ISK", 0}, {"JOD", 3}, {"JPY", 0}, {"KMF", 0}, {"KRW", 0}, {"KWD", 3}, {"LYD", 3},
        {"OMR", 3}, {"PYG", 0}, {"RWF", 0}, {"TND", 3}, {"UGX", 0}, {"UYI", 0}, {"UYW", 4},
        {"VND", 0}, {"VUV", 0}, {"XAF", 0}, {"XOF", 0}, {"XPF", 0},
};

unsigned money_digits(const char *currency)
{
        const unsigned hundredths = 2;

        for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++)
                if (strcmp(exceptions[i].code, currency) == 0)
                        return exceptions[i].digits;
        return hundredths;
}
