/* The OpenAPI 3.1 document of the whole API, emitted from resources[] and the shapes they name. */
#pragma once

#include <stddef.h>

/* The document as JSON, indented by two, the same for every run of one binary. Made at the first call
 * (thread-safe), kept until the process ends; never NULL. */
const char *openapi_document(size_t *ret_len);
