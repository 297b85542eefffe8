#include "access/network.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define V4_BITS_BEFORE 96
#define ADDRESS_BITS   128

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

struct network_address network_address_v4(const uint8_t bytes[4])
{
        struct network_address address;

        memcpy(address.b, v4_prefix, sizeof v4_prefix);
        memcpy(address.b + sizeof v4_prefix, bytes, 4);
        return address;
}

static bool is_v4(const struct network_address *address)
{
        return memcmp(address->b, v4_prefix, sizeof v4_prefix) == 0;
}

/* The first bits of an address, the rest 0. */
static struct network_address cut(const struct network_address *address, unsigned bits)
{
        struct network_address kept = {{0}};

        memcpy(kept.b, address->b, bits / 8);
        if (bits % 8 != 0)
                kept.b[bits / 8] = (uint8_t)(address->b[bits / 8] & 0xff << (8 - bits % 8));
        return kept;
}

static bool parse_address(const char *text, struct network_address *ret, unsigned *ret_bits_before)
{
        uint8_t v4[4];

        if (inet_pton(AF_INET, text, v4) == 1) {
                *ret = network_address_v4(v4);
                *ret_bits_before = V4_BITS_BEFORE;
                return true;
        }
        *ret_bits_before = 0;
        return inet_pton(AF_INET6, text, ret->b) == 1;
}

/* One to three digits without a leading zero, at most max. */
static bool parse_prefix(const char *text, unsigned max, unsigned *ret)
{
        size_t len = strspn(text, "0123456789");
        unsigned bits = 0;

        if (len == 0 || len > 3 || text[len] != '\0' || (len > 1 && text[0] == '0'))
                return false;
        for (; *text != '\0'; text++)
                bits = bits * 10 + (unsigned)(*text - '0');
        *ret = bits;
        return bits <= max;
}

bool network_parse(const char *text, struct network *ret)
{
        char address[NETWORK_TEXT_SIZE];
        const char *slash = strchr(text, '/');
        size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
        struct network_address base;
        unsigned before, bits;

        if (len >= sizeof address)
                return false;
        memcpy(address, text, len);
        address[len] = '\0';
        if (!parse_address(address, &base, &before))
                return false;
        bits = ADDRESS_BITS - before;
        if (slash != NULL && !parse_prefix(slash + 1, ADDRESS_BITS - before, &bits))
                return false;
        struct network_address kept = cut(&base, before + bits);
        if (memcmp(kept.b, base.b, sizeof kept.b) != 0)
                return false;
        *ret = (struct network){.base = base, .bits = (uint8_t)(before + bits)};
        return true;
}

void network_address_format(const struct network_address *address, char ret[NETWORK_TEXT_SIZE])
{
        if (is_v4(address))
                inet_ntop(AF_INET, address->b + sizeof v4_prefix, ret, NETWORK_TEXT_SIZE);
        else
                inet_ntop(AF_INET6, address->b, ret, NETWORK_TEXT_SIZE);
}

void network_format(const struct network *network, char ret[NETWORK_TEXT_SIZE])
{
        bool v4 = is_v4(&network->base) && network->bits >= V4_BITS_BEFORE;

        network_address_format(&network->base, ret);
        size_t len = strlen(ret);
        snprintf(ret + len, NETWORK_TEXT_SIZE - len, "/%d", network->bits - (v4 ? V4_BITS_BEFORE : 0));
}

bool network_holds(const struct network *network, const struct network_address *address)
{
        struct network_address kept = cut(address, network->bits);

        return memcmp(kept.b, network->base.b, sizeof kept.b) == 0;
}
