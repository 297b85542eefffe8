#include "base/err.h"

#include <assert.h>

static const struct err_info infos[] = {
        [ERR_OK] = {"ok", 200, "OK", ""},
#define ERROR(name_, status_, slug_, title_, page_) [ERR_##name_] = {slug_, status_, title_, page_},
#include "base/errors.def"
#undef ERROR
};

const struct err_info *err_info(enum err code)
{
        assert((size_t)code < ARRAY_SIZE(infos));
        return &infos[code];
}
