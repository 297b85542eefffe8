#include "http/cors.h"

#include <string.h>
#include <strings.h>

static const char separators[] = " ,";

/* The next word at *p, NULL at the end; moves *p behind it. */
static const char *word_next(const char **p, size_t *ret_len)
{
        const char *word = *p + strspn(*p, separators);

        *ret_len = strcspn(word, separators);
        *p = word + *ret_len;
        return *ret_len > 0 ? word : NULL;
}

static bool is_star(const char *setting)
{
        size_t len;
        const char *rest = setting, *word = word_next(&rest, &len);

        return word != NULL && len == 1 && *word == '*';
}

static bool is_origin(const char *word, size_t len)
{
        static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
        static const char host[] = "abcdefghijklmnopqrstuvwxyz0123456789.-_[]:";
        size_t scheme = strspn(word, lower);

        if (scheme == 0 || scheme + 3 >= len || strncmp(word + scheme, "://", 3) != 0)
                return false;
        return strspn(word + scheme + 3, host) == len - scheme - 3 && word[len - 1] != ':';
}

const char *cors_fault(const char *setting, size_t *ret_len)
{
        const char *rest = setting, *word;
        size_t words = 0;

        if (setting == NULL)
                return NULL;
        while ((word = word_next(&rest, ret_len)) != NULL) {
                words++;
                if (!is_origin(word, *ret_len) && !(words == 1 && is_star(word)))
                        return word;
                if (words > 1 && is_star(setting))
                        return word;
        }
        return NULL;
}

const char *cors_allowed(const char *setting, const char *origin)
{
        const char *rest = setting, *word;
        size_t len;

        if (setting == NULL || origin == NULL)
                return NULL;
        if (is_star(setting))
                return "*";
        while ((word = word_next(&rest, &len)) != NULL)
                if (strlen(origin) == len && strncmp(origin, word, len) == 0)
                        return origin;
        return NULL;
}

bool cors_varies(const char *setting)
{
        return setting != NULL && setting[strspn(setting, separators)] != '\0' && !is_star(setting);
}
