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
