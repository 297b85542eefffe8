"""The checkout's question: every step shown, nothing written, and an order then earns what was said."""

import random

import pytest

import servers
from coupons import act, issue, template
from shop import balance, fresh, order, take


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


# ---------------------------------------------------------------------- coupons, points and what-if

def names(answer):
    return [(one["name"], one["off_minor"]) for one in answer["steps"][3:]]


def test_coupons_and_points_come_after_the_tier_and_each_says_why_not(admin):
    customer = of_tier(admin, 50000)
    mine, spent = issue(admin, template(admin), customer)["code"], issue(admin, template(admin))["code"]
    act(admin, spent, "redeem", {"reference": "till"}).ok()
    somebody = issue(admin, template(admin), of_tier(admin, 100))["code"]
    wrong = mine[:-1] + ("2" if mine[-1] != "2" else "3")
    answer = quote(admin, customer, goods(10000), points=300,
                   coupons=[mine.lower(), wrong, "2222-2222-2222-2222", spent, somebody])
    assert names(answer) == [("coupon", 1000), ("coupon", 0), ("coupon", 0), ("coupon", 0), ("coupon", 0), ("points", 300)]
    reasons = [one["why_not"] for one in answer["steps"][3:]]
    assert reasons[0] is None and reasons[5] is None
    for reason, told in zip(reasons[1:5], ("mistyped", "no coupon", "used", "somebody else")):
        assert told in reason
    assert (answer["total_minor"], answer["points_spent"], answer["order"]["coupon"]) == (9500 - 1300, 300, mine)
    assert [one["code"] for one in answer["steps"][3:5]] == [mine, wrong]
    answer = admin.post("/v1/checkout/quote", {"lines": [goods(1)], "coupons": [mine] * 6})
    assert answer.faults == {("#/coupons", "too_many")}
    again = quote(admin, customer, goods(10000), coupons=[mine, mine])
    assert names(again) == [("coupon", 1000), ("coupon", 0)]


def test_what_if_it_were_later_or_the_tier_another(admin, clock):
    customer = of_tier(admin, 100)
    kind = template(admin, valid_from="2026-12-24", valid_until="2026-12-24")
    code = issue(admin, kind, customer)["code"]
    assert "not valid yet" in quote(admin, customer, goods(10000), coupons=[code])["steps"][3]["why_not"]
    body = {"customer": f"ext:{customer}", "lines": [goods(10000)], "coupons": [code]}
    then = admin.post("/v1/checkout/quote?now=2026-12-24T12:00:00Z", body).ok()
    assert names(then) == [("coupon", 1000)]
    late = admin.post("/v1/checkout/quote?now=2026-12-25T12:00:00Z", body).ok()
    assert "expired" in late["steps"][3]["why_not"]
    gold = quote(admin, customer, goods(10000), tier="gold")
    assert gold["steps"][1]["off_minor"] == 1000 and gold["tier"]["before"] == "gold"
    assert admin.post("/v1/checkout/quote", {"lines": [goods(1)], "tier": "lead"}).faults == {("#/tier", "unknown_value")}
    assert admin.get(f"/v1/coupons/{code}").ok()["state"] == "available"


def test_points_that_lapse_until_then_are_not_counted_in(admin, program):
    program({"points": {**admin.get("/v1/program").ok()["points"], "expiry": {"form": "months", "months": 1}}})
    customer = of_tier(admin, 50000)
    body = {"customer": f"ext:{customer}", "lines": [goods(100000)], "points": 500}
    assert admin.post("/v1/checkout/quote", body).ok()["points_spent"] == 500
    assert admin.post("/v1/checkout/quote?now=2027-03-01T00:00:00Z", body).ok()["points_spent"] == 0
    assert balance(admin, customer)["active"] == 500


@pytest.mark.parametrize("spend", [100, 50000, 150000, 300000])
def test_an_order_sent_as_quoted_is_always_accepted(admin, spend):
    """And pays and earns what was quoted, whatever coupons and points go into it."""
    dice = random.Random(spend)
    customer = of_tier(admin, spend)
    kinds = [template(admin, **rule, goods=condition, with_tier_discount=tier, with_full_reduction=not tier, with_coupons=dice.random() < 0.7)
             for rule in ({"kind": "amount", "off_minor": 1234}, {"kind": "percent", "off_permille": 333, "max_off_minor": 2500})
             for condition in (None, "category = 'bags'", "line.total >= 50.00 and line.unit_price < 120.00") for tier in (True, False)]
    taken = 0
    for _ in range(12):
        lines = [goods(dice.randrange(1, 15000), dice.randrange(1, 4), category=dice.choice(["bags", "pens"])) for _ in range(dice.randrange(1, 5))]
        for one in lines:
            one["discount_minor"] = dice.choice([0, 0, dice.randrange(0, one["unit_price_minor"] + 1)])
        codes = [issue(admin, dice.choice(kinds), dice.choice([customer, None]))["code"] for _ in range(dice.randrange(1, 4))]
        answer = quote(admin, customer, *lines, coupons=codes, shipping_minor=600, **dice.choice([{}, {"points": dice.randrange(1, 400)}]))
        hold = {}
        if answer["points_spent"]:
            hold = {"points_hold": fresh("hold")}
            admin.post(f"/v1/customers/ext:{customer}/points/holds", {"points": answer["points_spent"], "reference": hold["points_hold"]},
                       Idempotency_Key=fresh("key")).ok(201)
            hold = {"points_hold": f"ext:{hold['points_hold']}"}
        outcome = take(admin, {"external_id": fresh("order"), "status": "paid", "customer": {"external_id": customer}, **answer["order"], **hold})
        assert outcome["order"]["total_minor"] == answer["total_minor"] and outcome["points"]["earned"] == answer["points"]["earned"]
        assert outcome["tier"]["after"] == answer["tier"]["after"] and outcome["order"]["coupon"] == answer["order"]["coupon"]
        stored = admin.get(f"/v1/orders/{outcome['order']['id']}").ok()["lines"]
        assert [one["paid_minor"] for one in stored] == [one["total_minor"] for one in answer["lines"]]
        taken += sum(one["off_minor"] > 0 for one in answer["steps"] if one["name"] == "coupon")
    assert taken >= 8
