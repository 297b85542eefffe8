"""The checkout's question: every step shown, nothing written, and an order then earns what was said."""

import pytest

import servers
from shop import fresh, order, take


def quote(client, customer, *lines, **rest):
    who = {} if customer is None else {"customer": f"ext:{customer}"}
    return client.post("/v1/checkout/quote", {**who, "lines": list(lines), **rest}).ok()


def goods(price, quantity=1, **rest):
    return {"sku": "S", "unit_price_minor": price, "quantity": quantity, **rest}


def steps(answer):
    return [(one["name"], one["off_minor"], one["subtotal_minor"]) for one in answer["steps"]]


def of_tier(admin, spend):
    customer = fresh("customer")
    take(admin, order(customer, spend))
    return customer


def test_somebody_unknown_gets_the_lowest_tiers_price(admin):
    answer = quote(admin, None, goods(10000, 2, discount_minor=1000), goods(333), shipping_minor=800)
    assert steps(answer) == [("line_discounts", 1000, 19333), ("tier_discount", 387, 18946), ("full_reduction", 0, 18946)]
    assert (answer["goods_minor"], answer["shipping_minor"], answer["total_minor"]) == (20333, 800, 19746)
    assert answer["steps"][2]["why_not"] == "The tier has no full reduction."
    assert answer["tier"]["before"] == answer["tier"]["after"] == "basic" and answer["points"]["earned"] == 189


@pytest.mark.parametrize("spend,basket,off,reduction", [
    (50000, 31580, 1579, 5000), (50000, 31578, 1579, 0), (150000, 55556, 5556, 12000), (150000, 55554, 5555, 0),
    (300000, 117648, 17647, 30000), (300000, 117646, 17647, 0)])
def test_each_tier_takes_its_discount_and_then_its_full_reduction(admin, spend, basket, off, reduction):
    answer = quote(admin, of_tier(admin, spend), goods(basket))
    assert steps(answer) == [("line_discounts", 0, basket), ("tier_discount", off, basket - off),
                             ("full_reduction", reduction, basket - off - reduction)]
    assert answer["steps"][0]["why_not"] and not answer["steps"][1]["why_not"]
    assert ("lacks" in (answer["steps"][2]["why_not"] or "")) == (reduction == 0)


def test_the_steps_are_shared_by_the_lines_to_the_last_fen(admin):
    answer = quote(admin, of_tier(admin, 50000), goods(11111), goods(11111), goods(11111, discount_minor=1), goods(0))
    for name, part in (("line_discounts", "discount_minor"), ("tier_discount", "tier_discount_minor"),
                       ("full_reduction", "full_reduction_minor")):
        assert sum(one[part] for one in answer["lines"]) == {one["name"]: one["off_minor"] for one in answer["steps"]}[name]
    for one in answer["lines"]:
        assert one["goods_minor"] - one["discount_minor"] - one["tier_discount_minor"] - one["full_reduction_minor"] == one["total_minor"]
    assert sum(one["total_minor"] for one in answer["lines"]) == answer["total_minor"]


@pytest.mark.parametrize("spend", [0, 49000, 50000, 149000, 300000])
def test_an_order_of_the_quoted_prices_earns_and_reaches_what_was_quoted(admin, spend):
    customer = of_tier(admin, spend)
    answer = quote(admin, customer, goods(33333, 2), goods(12345, discount_minor=45), shipping_minor=600)
    lines = [{"sku": one["sku"], "total_minor": one["total_minor"]} for one in answer["lines"]]
    outcome = take(admin, order(customer, lines=lines, shipping_minor=600))
    assert outcome["order"]["total_minor"] == answer["total_minor"]
    for part in ("points", "growth", "tier"):
        assert outcome[part] == answer[part], part


def test_a_rule_is_quoted_with_its_condition(admin, program):
    growth = {"code": "growth_base", "target": "growth", "kind": "base", "rate_millionths": 1000000}
    program({"earning": [{"code": "bags", "kind": "base", "rate_millionths": 3000000,
                          "when": "category = 'bags' and order.channel = live"}, growth]})
    assert quote(admin, None, goods(10000, category="bags"), channel="live")["points"]["explanation"] == [{"rule": "bags", "points": 294}]
    assert quote(admin, None, goods(10000, category="bags"))["points"]["earned"] == 0


def test_nothing_is_written(server, admin):
    customer = of_tier(admin, 50000)
    before = servers.content(server.database_url)
    quote(admin, customer, goods(1000000))
    quote(admin, None, goods(1000000))
    assert servers.content(server.database_url) == before


def test_an_unknown_customer_is_404_and_an_impossible_basket_is_pointed_at(admin):
    admin.post("/v1/checkout/quote", {"customer": "ext:nobody", "lines": [goods(1)]}).is_problem(404, "not-found")
    body = {"lines": [goods(100, discount_minor=101), goods(10 ** 6, 10 ** 7)]}
    assert admin.post("/v1/checkout/quote", body).faults == {("#/lines/0/discount_minor", "too_large"),
                                                            ("#/lines/1/unit_price_minor", "too_large")}
