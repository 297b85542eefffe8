#include "coupons/code.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>

static const char alphabet[] = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";

#define LETTERS (sizeof alphabet - 1)
_Static_assert(LETTERS == 31, "a prime: the check depends on it");
#define GROUP 4

/* The character's number, or LETTERS. */
static unsigned value_of(char c)
{
        const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

        return at != NULL ? (unsigned)(at - alphabet) : (unsigned)LETTERS;
}

static unsigned weighted_sum(const unsigned *values, size_t n)
{
        unsigned sum = 0;

        for (size_t i = 0; i < n; i++)
                sum += (unsigned)(i + 1) * values[i];
        return sum % LETTERS;
}

static void write_groups(const unsigned *values, char *ret)
{
        for (size_t i = 0; i < COUPON_CODE_CHARS; i++) {
                if (i > 0 && i % GROUP == 0)
                        *ret++ = '-';
                *ret++ = alphabet[values[i]];
        }
        *ret = '\0';
}

void coupon_code_make(char ret[COUPON_CODE_SIZE])
{
        const unsigned char fair =
                (unsigned char)(256 / LETTERS * LETTERS); /* bytes from here on would favour some */
        unsigned values[COUPON_CODE_CHARS];
        unsigned char random[2 * COUPON_CODE_CHARS];
        size_t n = 0;

        while (n < COUPON_CODE_CHARS - 1) {
                randombytes_buf(random, sizeof random);
                for (size_t i = 0; i < sizeof random && n < COUPON_CODE_CHARS - 1; i++)
                        if (random[i] < fair)
                                values[n++] = random[i] % LETTERS;
        }
        /* weight 16 times the check must cancel the sum: 16 * 2 = 32 = 1 mod 31, so 2 is the inverse of 16 */
        values[n] = (unsigned)(2 * (LETTERS - weighted_sum(values, n)) % LETTERS);
        write_groups(values, ret);
        sodium_memzero(random, sizeof random);
}

enum coupon_code_form coupon_code_read(const char *text, char ret[COUPON_CODE_SIZE])
{
        unsigned values[COUPON_CODE_CHARS];
        size_t n = 0;
        bool known = true;

        for (; *text != '\0'; text++) {
                if (*text == '-' || *text == ' ')
                        continue;
                if (n == COUPON_CODE_CHARS || !isalnum((unsigned char)*text))
                        return COUPON_CODE_FOREIGN;
                values[n] = value_of((char)toupper((unsigned char)*text));
                known = known && values[n] < LETTERS;
                n++;
        }
        if (n < COUPON_CODE_CHARS)
                return COUPON_CODE_FOREIGN;
        if (!known || weighted_sum(values, n) != 0)
                return COUPON_CODE_MISTYPED;
        write_groups(values, ret);
        return COUPON_CODE_OK;
}

/* One name of the list; the list's text goes on with it. */
static void name_add(struct arena *arena, const char *name, struct coupon_names *names)
{
        char code[COUPON_CODE_SIZE];
        enum coupon_code_form form = coupon_code_read(name, code);
        const char *shown = form == COUPON_CODE_OK ? arena_strdup(arena, code) : name;

        for (size_t i = 0; form == COUPON_CODE_OK && i < names->n; i++)
                if (strcmp(names->codes[i], code) == 0)
                        return;
        names->text = names->text != NULL ? arena_printf(arena, "%s,%s", names->text, shown) : shown;
        names->mistyped += form == COUPON_CODE_MISTYPED;
        names->foreign += form == COUPON_CODE_FOREIGN;
        if (form != COUPON_CODE_OK)
                return;
        if (names->n == COUPONS_PER_ORDER_MAX)
                names->too_many = true;
        else
                names->codes[names->n++] = shown;
}

struct coupon_names coupon_names_read(struct arena *arena, const char *text)
{
        struct coupon_names names = {0};

        while (text != NULL) {
                const char *comma = strchr(text, ',');
                size_t len = comma != NULL ? (size_t)(comma - text) : strlen(text);
                name_add(arena, arena_strndup(arena, text, len), &names);
                text = comma != NULL ? comma + 1 : NULL;
        }
        return names;
}
