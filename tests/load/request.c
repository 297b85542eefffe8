#include "request.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define HOT_CUSTOMERS     10
#define READS_PER_HUNDRED 80
/* So low that hardly a customer rises a tier while measuring: every order costs the same. */
#define PRICE_MINOR_LOWEST 500
#define PRICE_MINOR_SPREAD 1001
#define BODY_SIZE          1024

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t random_below(struct request_maker *maker, uint64_t limit)
{
        uint64_t z = maker->random += UINT64_C(0x9E3779B97F4A7C15);

        z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
        return (z ^ (z >> 31)) % limit;
}

enum mix mix_by_name(const char *name)
{
        static const struct {
                const char *name;
                enum mix mix;
        } mixes[] = {{"orders", MIX_ORDERS},
                     {"hot", MIX_HOT},
                     {"reads", MIX_READS},
                     {"mixed", MIX_MIXED},
                     {"seed", MIX_SEED}};

        for (size_t i = 0; i < sizeof(mixes) / sizeof(mixes[0]); i++) {
                if (strcmp(mixes[i].name, name) == 0)
                        return mixes[i].mix;
        }
        return MIX_NONE;
}

static size_t write_read(struct request_maker *maker, uint64_t customer, char text[REQUEST_SIZE])
{
        int length = snprintf(text, REQUEST_SIZE,
                              "GET /v1/customers/ext:load-%" PRIu64 "/points HTTP/1.1\r\n"
                              "Host: localhost\r\nAuthorization: Bearer %s\r\n\r\n",
                              customer, maker->key);

        assert(length > 0 && length < REQUEST_SIZE);
        return (size_t)length;
}

static size_t write_order(struct request_maker *maker, uint64_t customer, char text[REQUEST_SIZE])
{
        uint64_t price = PRICE_MINOR_LOWEST + random_below(maker, PRICE_MINOR_SPREAD);
        char body[BODY_SIZE], coupon[64] = "";
        bool has_coupon = maker->made < maker->coupon_count;
        if (has_coupon)
                snprintf(coupon, sizeof coupon, "\"coupon\":\"%s\",\"discount_minor\":%d,",
                         maker->coupons[maker->made], COUPON_OFF_MINOR);
        int body_length =
                snprintf(body, sizeof(body),
                         "{\"external_id\":\"%s-%" PRIu64 "\",\"status\":\"paid\",\"channel\":\"search\","
                         "\"customer\":{\"external_id\":\"load-%" PRIu64 "\"},"
                         "\"lines\":[{\"line_no\":1,\"sku\":\"BAG-%" PRIu64
                         "\",\"name\":\"Bag\",\"category\":\"bags\","
                         "\"quantity\":1,\"unit_price_minor\":%" PRIu64 ",\"total_minor\":%" PRIu64 "}],"
                         "%s\"total_minor\":%" PRIu64 "}",
                         maker->run, maker->made, customer, price % 100, price, price, coupon,
                         has_coupon ? price - COUPON_OFF_MINOR : price);
        assert(body_length > 0 && (size_t)body_length < sizeof(body));
        int length = snprintf(text, REQUEST_SIZE,
                              "POST /v1/orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
                              "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                              maker->key, body_length, body);

        assert(length > 0 && length < REQUEST_SIZE);
        return (size_t)length;
}

size_t request_next(struct request_maker *maker, char text[REQUEST_SIZE])
{
        uint64_t limit =
                maker->mix == MIX_HOT && maker->customers > HOT_CUSTOMERS ? HOT_CUSTOMERS : maker->customers;
        uint64_t customer = maker->mix == MIX_SEED ? maker->made % limit : random_below(maker, limit);
        size_t length;

        if (maker->mix == MIX_READS ||
            (maker->mix == MIX_MIXED && random_below(maker, 100) < READS_PER_HUNDRED))
                length = write_read(maker, customer, text);
        else
                length = write_order(maker, customer, text);
        maker->made++;
        return length;
}
