#include "base/uuid.h"

#include <stdio.h>
#include <stdlib.h>
#include <sodium.h>
#include <uuid/uuid.h>

#include "base/arena.h"

/* Every Patron derives the same id from the same name; this is the name space (random, fixed for ever). */
static const uuid_t name_space = {0x6b, 0x1f, 0x0a, 0x3e, 0x52, 0xc7, 0x4d, 0x19,
                                  0x9a, 0x84, 0x7e, 0x2d, 0xc1, 0x55, 0xf0, 0x93};

bool uuid_from_text(const char *text, struct uuid *ret)
{
        uuid_t out;

        if (strlen(text) != UUID_TEXT_SIZE - 1 || uuid_parse_range(text, text + UUID_TEXT_SIZE - 1, out) != 0)
                return false;
        memcpy(ret->b, out, sizeof ret->b);
        return true;
}

void uuid_to_text(struct uuid id, char ret[UUID_TEXT_SIZE])
{
        uuid_unparse_lower(id.b, ret);
}

const char *uuid_written(struct arena *arena, struct uuid id)
{
        char text[UUID_TEXT_SIZE];

        if (!uuid_known(id))
                return NULL;
        uuid_to_text(id, text);
        return arena_strdup(arena, text);
}

static struct uuid from_name(const char *name, size_t len)
{
        uuid_t out;
        struct uuid id;

        uuid_generate_sha1(out, name_space, name, len);
        memcpy(id.b, out, sizeof id.b);
        return id;
}

/* Shapes bound kinds to 40 characters and the ids of others to 254 (an e-mail), each of up to 4 bytes. */
#define NAME_SIZE 2048

struct uuid uuid_of_external(const char *kind, const char *external_id)
{
        char name[NAME_SIZE];
        int len = snprintf(name, sizeof name, "%s:%s", kind, external_id);

        if (len < 0 || (size_t)len >= sizeof name)
                abort();
        return from_name(name, (size_t)len);
}

struct uuid uuid_of_child(const char *kind, struct uuid parent, const char *external_id)
{
        char parent_text[UUID_TEXT_SIZE];
        char name[NAME_SIZE];

        uuid_to_text(parent, parent_text);
        int len = snprintf(name, sizeof name, "%s:%s:%s", kind, parent_text, external_id);
        if (len < 0 || (size_t)len >= sizeof name)
                abort();
        return from_name(name, (size_t)len);
}

static void put_milliseconds(struct instant at, struct uuid *id)
{
        uint64_t ms = (uint64_t)at.us / 1000;

        for (int i = 0; i < 6; i++)
                id->b[i] = (uint8_t)(ms >> (40 - 8 * i));
}

struct uuid uuid_first(struct instant at)
{
        struct uuid id = {{0}};

        put_milliseconds(at, &id);
        return id;
}

struct uuid uuid_new(struct instant at)
{
        struct uuid id;

        randombytes_buf(id.b, sizeof id.b);
        put_milliseconds(at, &id);
        id.b[6] = (uint8_t)(0x70 | (id.b[6] & 0x0F));
        id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3F));
        return id;
}
