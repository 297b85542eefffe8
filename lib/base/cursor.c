#include "base/cursor.h"

#include <sodium.h>

#include "base/shape_json.h"

/* Enough to notice a cursor of another list; it is no secret. */
#define FILTER_HASH_BYTES crypto_generichash_BYTES_MIN

/* The longest cursor that is looked at. */
#define CURSOR_MAX 1024

static void filters_hash(const char *filters, uint8_t ret[FILTER_HASH_BYTES])
{
        crypto_generichash(ret, FILTER_HASH_BYTES, (const unsigned char *)filters, strlen(filters), NULL, 0);
}

const char *cursor_write(struct arena *arena, const char *filters, const struct shape *shape,
                         const void *position)
{
        uint8_t hash[FILTER_HASH_BYTES];
        struct text bytes = {0};

        filters_hash(filters, hash);
        text_append(&bytes, hash, sizeof hash);
        shape_encode(&bytes, shape, position, /* masked= */ false);
        size_t size = sodium_base64_encoded_len(bytes.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        char *cursor = arena_alloc(arena, size);
        sodium_bin2base64(cursor, size, (const unsigned char *)bytes.data, bytes.len,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        text_free(&bytes);
        return cursor;
}

enum err cursor_read(struct ctx *c, const char *cursor, const char *filters, const struct shape *shape,
                     void *position)
{
        uint8_t hash[FILTER_HASH_BYTES], bytes[CURSOR_MAX];
        size_t len;
        json_t *json;

        if (cursor == NULL)
                return ERR_OK;
        filters_hash(filters, hash);
        if (sodium_base642bin(bytes, sizeof bytes, cursor, strlen(cursor), NULL, &len, NULL,
                              sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
            len < sizeof hash || memcmp(bytes, hash, sizeof hash) != 0)
                return fail(c, ERR_BAD_CURSOR, "The cursor was not made by this list with these filters.");
        bool whole = json_parse(c, (const char *)bytes + sizeof hash, len - sizeof hash, &json) == ERR_OK;
        if (whole) {
                shape_decode(c, shape, json, position);
                json_decref(json);
        }
        if (whole && problem_check(c) == ERR_OK)
                return ERR_OK;
        problem_reset(c); /* what exactly is wrong in there is nothing that a caller could mend */
        return fail(c, ERR_BAD_CURSOR, "The cursor is damaged.");
}
