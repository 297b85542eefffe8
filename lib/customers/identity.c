/* Pure: the one normal form of an identity, so that one person is found however a shop writes it. */
#include <string.h>

#include "customers/customers.h"

/* E.164 allows 15 digits; shorter than 8 with its country is no subscriber. */
#define PHONE_DIGITS_MIN 8
#define PHONE_DIGITS_MAX 15
#define PHONE_COUNTRY    "86"
/* Without its country none there has more. */
#define PHONE_NATIONAL_MAX 11

static const char *normal_email(struct ctx *c, const char *value)
{
        while (*value == ' ' || *value == '\t')
                value++;
        size_t len = strlen(value);
        while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
                len--;
        char *email = arena_strndup(c->arena, value, len);
        for (char *p = email; *p != '\0'; p++) {
                if (*p >= 'A' && *p <= 'Z')
                        *p = (char)(*p - 'A' + 'a');
                if (*p == ' ' || (unsigned char)*p < 0x20)
                        return NULL;
        }
        const char *at = strchr(email, '@');
        if (at == NULL || at == email || strchr(at + 1, '@') != NULL)
                return NULL;
        const char *dot = strchr(at + 1, '.');
        return dot != NULL && dot != at + 1 && email[len - 1] != '.' ? email : NULL;
}

static bool starts_with_country(const char *digits)
{
        return strncmp(digits, PHONE_COUNTRY, strlen(PHONE_COUNTRY)) == 0;
}

/* Between a country and its number people write the trunk prefix that is left out: +86 (0)138... */
static const char *trunk_skip(const char *number)
{
        const size_t country = strlen(PHONE_COUNTRY);

        return starts_with_country(number) && number[country] == '0' ? number + country + 1 : NULL;
}

static const char *normal_phone(struct ctx *c, const char *value)
{
        char digits[64] = {0};
        size_t n = 0;
        bool international = false;

        for (const char *p = value; *p != '\0'; p++) {
                if (*p >= '0' && *p <= '9' && n < sizeof digits - 1)
                        digits[n++] = *p;
                else if (*p == '+' && n == 0 && !international)
                        international = true;
                else if (strchr(" -().\t", *p) == NULL)
                        return NULL;
        }
        const char *number = digits;
        if (!international && number[0] == '0' && number[1] == '0') {
                international = true;
                number += 2;
        }
        if (!international && number[0] == '0')
                number++; /* the trunk prefix of a national number */
        if (!international && starts_with_country(number) && strlen(number) > PHONE_NATIONAL_MAX)
                international = true;
        if (international && trunk_skip(number) != NULL) {
                number = trunk_skip(number);
                international = false;
        }
        n = strlen(number) + (international ? 0 : strlen(PHONE_COUNTRY));
        if (n < PHONE_DIGITS_MIN || n > PHONE_DIGITS_MAX)
                return NULL;
        return arena_printf(c->arena, "+%s%s", international ? "" : PHONE_COUNTRY, number);
}

const char *identity_normal(struct ctx *c, const char *pointer, const char *kind, const char *value)
{
        const char *normal = value;
        const char *hint = "";

        if (strcmp(kind, "email") == 0) {
                normal = normal_email(c, value);
                hint = "must be an e-mail address such as name@example.com";
        } else if (strcmp(kind, "phone") == 0) {
                normal = normal_phone(c, value);
                hint = "must be a phone number such as 13800138000 or +44 20 7946 0958";
        }
        if (normal == NULL)
                fault_body(c, pointer, "wrong_format", "%s", hint);
        return normal;
}
