/* An address of a customer: where parcels go, and to whom. */
#pragma once

#include "base/shape.h"

/* Addresses that a customer may have: more than a person keeps, and a list that goes out in one piece. */
#define ADDRESSES_MAX          20
#define ADDRESS_NAME_CHARS_MAX 100

#define ADDRESS_MEMBERS                                                                                      \
        const char *recipient, *phone, *country, *province, *city, *district, *street, *postal_code;         \
        bool is_default
struct address_content {
        ADDRESS_MEMBERS;
};
/* For a struct: the members, and all of them at once as `content`. */
#define ADDRESS_CONTENT                                                                                      \
        union {                                                                                              \
                struct address_content content;                                                              \
                struct {                                                                                     \
                        ADDRESS_MEMBERS;                                                                     \
                };                                                                                           \
        }

/* Their fields; further attributes of `street`, without which nothing can be sent there, may follow. */
#define ADDRESS_FIELDS(...)                                                                                                           \
        FIELD(recipient, .min = 1, .max = 200, .format = &format_printable, .pii = PII_NAME,                                          \
              .doc = "Who takes the parcel."),                                                                                        \
                FIELD(phone, .min = 1, .max = 40, .format = &format_printable, .pii = PII_PHONE,                                      \
                      .doc = "Where the carrier calls, as it is written: extensions and stand-in numbers of marketplaces are kept."), \
                FIELD(country, .min = 1, .max = 100, .format = &format_printable),                                                    \
                FIELD(province, .min = 1, .max = 100, .format = &format_printable),                                                   \
                FIELD(city, .min = 1, .max = 100, .format = &format_printable),                                                       \
                FIELD(district, .min = 1, .max = 100, .format = &format_printable),                                                   \
                FIELD(street, .min = 1, .max = 500, .format = &format_printable, .pii = PII_ALL,                                      \
                      .doc = "Street, house, floor, room: as many lines as it takes, with line breaks between them.",                 \
                      ##__VA_ARGS__),                                                                                                 \
                FIELD(postal_code, .min = 1, .max = 20, .format = &format_printable, .pii = PII_ALL),                                 \
                FIELD(is_default,                                                                                                     \
                      .doc = "Where parcels go unless something else is said. One address has it at most: the mark moves.")

#define ADDRESS_NAME_FIELD(...)                                                                                      \
        FIELD(name, .need = true, .min = 1, .max = ADDRESS_NAME_CHARS_MAX, .format = &format_printable,              \
              .doc = "The shop's own name or number of the address, such as home; tells those of a customer apart.", \
              ##__VA_ARGS__)

/* As it is stored and shown. */
struct address {
        struct uuid customer_id;
        const char *name;
        ADDRESS_CONTENT;
        int64_t version;
        struct instant created_at, updated_at;
};
SHAPE_DECLARE(address);

/* One in the list of a customer. */
struct named_address {
        const char *name;
        ADDRESS_CONTENT;
};
SHAPE_DECLARE(named_address);

/* What a patch may say of one. */
struct address_patch {
        struct presence has;
        ADDRESS_MEMBERS;
};
SHAPE_DECLARE(address_patch);

/* One in a file. */
struct address_line {
        const char *customer; /* reference */
        const char *name;
        ADDRESS_CONTENT;
        bool remove;
        struct instant created_at, updated_at;
        int64_t version;
};
SHAPE_DECLARE(address_line);
