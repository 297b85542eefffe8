/* Pure: text of a file as UTF-8, record by record, so that a fault is that record's alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct charset;

/* For "utf-8", "gb18030", "gbk" or "gb2312", lower case; NULL: UTF-8. NULL for any other name. */
struct charset *charset_new(const char *name);
void charset_free(struct charset *charset);

/* Bytes to valid UTF-8 without NUL, appended to out; false when they are not in the encoding. */
bool charset_decode(struct charset *charset, const char *data, size_t len, struct text *out);
