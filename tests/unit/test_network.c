/* Networks in CIDR. */
#include "test.h"

#include "access/network.h"

static bool holds(const char *network_text, const char *address_text)
{
        struct network network = {0}, address = {0};

        EXPECT(network_parse(network_text, &network));
        EXPECT(network_parse(address_text, &address));
        return network_holds(&network, &address.base);
}

TEST(network_holds_what_begins_like_it)
{
        EXPECT(holds("10.0.0.0/8", "10.255.1.2"));
        EXPECT(!holds("10.0.0.0/8", "11.0.0.0"));
        EXPECT(holds("192.168.7.128/25", "192.168.7.200"));
        EXPECT(!holds("192.168.7.128/25", "192.168.7.127"));
        EXPECT(holds("203.0.113.9", "203.0.113.9") && !holds("203.0.113.9", "203.0.113.8"));
        EXPECT(holds("0.0.0.0/0", "8.8.8.8") && !holds("0.0.0.0/0", "2001:db8::1"));
        EXPECT(holds("2001:db8::/33", "2001:db8:7fff::1") && !holds("2001:db8::/33", "2001:db8:8000::1"));
        EXPECT(!holds("2001:db8::/32", "32.1.13.184"));
}

/* A server that listens on IPv6 sees IPv4 clients like this. */
TEST(network_of_version_4_holds_mapped_addresses)
{
        EXPECT(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
        EXPECT(!holds("10.0.0.0/8", "::ffff:11.1.2.3"));
}

TEST(network_text_has_one_form)
{
        static const char *const forms[][2] = {
                {"10.0.0.0/8", "10.0.0.0/8"},        {"10.1.2.3", "10.1.2.3/32"},
                {"0.0.0.0/0", "0.0.0.0/0"},          {"::/0", "::/0"},
                {"2001:0DB8::/32", "2001:db8::/32"}, {"::1", "::1/128"},
        };

        for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
                struct network network;
                char text[NETWORK_TEXT_SIZE];
                EXPECT(network_parse(forms[i][0], &network));
                network_format(&network, text);
                EXPECT_TEXT(text, forms[i][1]);
        }
}

TEST(network_parse_refuses_every_other_form)
{
        static const char *const bad[] = {
                "",
                "10.0.0.1/8",
                "10.0.0.0/33",
                "10.0.0.0/",
                "10.0.0.0/08",
                "10.0.0.0/-1",
                "10.0.0.0/8 ",
                "10.0.0/8",
                "2001:db8::/129",
                "/8",
                "2001:db8::1/32",
                "example.com",
                "10.0.0.0/8/8",
                "10.0.0.0/255.0.0.0",
                "11111111111111111111111111111111111111111111111111111111111111111111111111/8",
        };
        struct network network;

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                EXPECT(!network_parse(bad[i], &network));
                if (network_parse(bad[i], &network))
                        printf("  taken: %s\n", bad[i]);
        }
}

/* Held against the definition, bit by bit. */
TEST(network_holds_exactly_the_addresses_that_share_its_bits)
{
        for (int round = 0; round < 2000; round++) {
                struct network network = {.bits = (uint8_t)test_between(0, 128)};
                struct network_address address;
                bool same = true;
                for (int i = 0; i < 16; i++)
                        network.base.b[i] = address.b[i] = (uint8_t)test_between(0, 255);
                int flip = (int)test_between(0, 127);
                address.b[flip / 8] ^= (uint8_t)(0x80 >> flip % 8);
                for (int bit = 0; bit < 128; bit++) {
                        uint8_t mask = (uint8_t)(0x80 >> bit % 8);
                        if (bit >= network.bits) {
                                network.base.b[bit / 8] &= (uint8_t)~mask;
                                continue;
                        }
                        same &= (network.base.b[bit / 8] & mask) == (address.b[bit / 8] & mask);
                }
                EXPECT_INT(network_holds(&network, &address), same);
        }
}

TEST_MAIN
