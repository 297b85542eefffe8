/* Addresses and networks of IP, both versions in one form: IPv4 lies in ::ffff:0:0/96. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define NETWORK_TEXT_SIZE 64 /* the longest IPv6 address with its prefix and NUL is 50 */

struct network_address {
        uint8_t b[16];
};

/* All addresses that begin with the first bits of base. */
struct network {
        struct network_address base;
        uint8_t bits; /* of 128 */
};

struct network_address network_address_v4(const uint8_t bytes[4]);

/* "10.0.0.0/8", "2001:db8::/32", or one address. False when it is neither, or when the address has bits
 * beyond the prefix, which is a slip more often than not. */
bool network_parse(const char *text, struct network *ret);

/* The one way in which we write a network; an address without its prefix. */
void network_format(const struct network *network, char ret[NETWORK_TEXT_SIZE]);
void network_address_format(const struct network_address *address, char ret[NETWORK_TEXT_SIZE]);

bool network_holds(const struct network *network, const struct network_address *address);
