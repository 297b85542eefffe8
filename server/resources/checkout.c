/* /v1/checkout */
#include "orders/checkout.h"

#include "http/endpoint.h"

ENDPOINT(
        checkout_quote_basket, POST, "/v1/checkout/quote", checkout_in, 200, checkout,
        .idempotency = IDEMPOTENCY_NATURAL, .only_asks = true, .summary = "Price a basket for a customer",
        .scope = SCOPE_ORDERS_READ, .errors = ERRS(ERR_NOT_FOUND, ERR_ERASED),
        .doc = "Line discounts, tier discount, best full reduction, coupons, points, in that order, every step shown; what it would "
               "earn and which tier it would reach; the order that it would be. Nothing is written.")
{
        return checkout_quote(c, in, out);
}

RESOURCE(checkout, "Checkout", "What a basket costs and brings.", &checkout_quote_basket_endpoint);
