/* Whatever stands in a header, its parsers must stay in bounds and keep their promises. Input: the value. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *value = malloc(size + 1), key[IDEMPOTENCY_KEY_MAX + 1];
        int64_t version;
        uint64_t length;

        if (value == NULL)
                abort();
        memcpy(value, data, size);
        value[size] = '\0';
        if (header_idempotency_key(value, key)) {
                assert(key[0] != '\0');
                for (const char *p = key; *p != '\0'; p++)
                        assert(*p >= 0x20 && *p <= 0x7E);
        }
        if (header_if_match(value, &version))
                assert(version >= -1);
        if (header_request_id_sane(value))
                assert(strlen(value) <= REQUEST_ID_MAX);
        if (header_traceparent_sane(value))
                assert(strlen(value) == 55);
        (void)header_none_match(value, "\"1\"");
        (void)header_prefers_minimal(value);
        (void)header_accepts(value, "application/json");
        (void)header_is_json(value, true);
        (void)header_length(value, &length);
        free(value);
        return 0;
}
