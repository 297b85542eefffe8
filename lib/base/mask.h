/* Masking: personal data as somebody without the right sees it. */
#pragma once

#include "base/shape.h"
#include "base/text.h"

/* Append the value as a JSON string, masked: 138****8000, z***@example.com, 张*, or ***. */
void mask_put(struct text *out, enum pii pii, const char *value);

/* The same without quotes. */
void mask_text(struct text *out, enum pii pii, const char *value);
