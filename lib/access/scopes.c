#include "access/scopes.h"

#include <string.h>

const struct scope_info scope_infos[SCOPE_COUNT_] = {
#define SCOPE(name_, text_, doc_) [SCOPE_INDEX_##name_] = {text_, doc_},
#include "access/scopes.def"
#undef SCOPE
};

uint64_t scope_find(const char *name, size_t len)
{
        for (unsigned i = 0; i < SCOPE_COUNT_; i++)
                if (strlen(scope_infos[i].name) == len && memcmp(scope_infos[i].name, name, len) == 0)
                        return UINT64_C(1) << i;
        return 0;
}

uint64_t scopes_parse(const char *text)
{
        static const char separators[] = " ,";
        uint64_t scopes = 0;

        for (text += strspn(text, separators); *text != '\0'; text += strspn(text, separators)) {
                size_t len = strcspn(text, separators);
                uint64_t scope = scope_find(text, len);
                if (scope == 0)
                        return 0;
                scopes |= scope;
                text += len;
        }
        return scopes;
}

uint64_t scopes_held(const struct texts *names)
{
        uint64_t scopes = 0;

        for (size_t i = 0; i < names->n; i++)
                scopes |= scope_find(names->v[i], strlen(names->v[i]));
        return scopes & SCOPE_ADMIN ? (UINT64_C(1) << SCOPE_COUNT_) - 1 : scopes;
}

enum err scopes_read(struct ctx *c, const struct texts *names, uint64_t *ret)
{
        uint64_t scopes = 0;

        for (size_t i = 0; i < names->n; i++) {
                uint64_t scope = scope_find(names->v[i], strlen(names->v[i]));
                if (scope == 0)
                        fault_body(c, arena_printf(c->arena, "#/scopes/%zu", i), "unknown_value",
                                   "there is no such scope");
                scopes |= scope;
        }
        TRY(problem_check(c));
        *ret = scopes;
        return ERR_OK;
}

enum err scopes_may_give(struct ctx *c, uint64_t scopes)
{
        uint64_t beyond = c->principal != NULL ? scopes & ~c->principal->scopes : 0;

        if (beyond == 0)
                return ERR_OK;
        const char *name = scope_infos[__builtin_ctzll(beyond)].name;
        problem_string(c, "scope", name);
        return fail(c, ERR_FORBIDDEN, "The key lacks the scope %s, so it cannot give it or take it away.",
                    name);
}
