"""Conditions on tags and segments: wherever one is accepted it also holds."""

import pytest

from coupons import template
from shop import balance, eventually, fresh, order, take

BASE = {"code": "base", "kind": "base", "rate_millionths": 1000000}
FAULT = "At character 12: there is no segment vip; there are lead, inquiring, new, repeat, loyal, at_risk, lost."


def bonus(when, points=7):
    return [BASE, {"code": "bonus", "kind": "add", "points": points, "when": when}]


def tagged(admin, *tags, clock=None, **rest):
    """A customer without an order."""
    customer = fresh("customer")
    admin.post("/v1/customers", {"external_id": customer, **rest}).ok(201)
    for tag in tags:
        admin.put(f"/v1/customers/ext:{customer}/tags/{tag}", {}).ok(201)
    return customer


def earned(admin, customer, total=100):
    return take(admin, order(customer, total))["points"]["earned"]


def test_rules_for_orders_ask_tags_and_segments_and_a_quote_says_the_same(admin, program):
    vip, plain = tagged(admin, "vip"), tagged(admin, "other")
    program({"earning": bonus("has tag 'vip'")})
    asked = {"lines": [{"sku": "S", "unit_price_minor": 10000}]}
    quotes = [admin.post("/v1/checkout/quote", {"customer": f"ext:{one}", **asked}).ok()["points"]["earned"] for one in (vip, plain)]
    assert quotes[0] - quotes[1] == 7 and admin.post("/v1/checkout/quote", asked).ok()["points"]["earned"] == quotes[1]
    assert (earned(admin, vip), earned(admin, plain), earned(admin, fresh("customer"))) == (8, 1, 1)
    program({"earning": bonus("not has tag 'vip'")})
    assert (earned(admin, vip), earned(admin, plain)) == (1, 8)
    program({"earning": bonus("in segment 'new'")})
    assert [earned(admin, customer := fresh("customer"))] + [earned(admin, customer) for _ in range(2)] == [1, 8, 1]


def test_a_tag_that_has_expired_is_none(admin, program, clock):
    customer = fresh("customer")
    clock.set("2027-05-01T04:00:00Z")
    admin.post("/v1/customers", {"external_id": customer}).ok(201)
    admin.put(f"/v1/customers/ext:{customer}/tags/vip", {"expires_at": "2027-05-02T04:00:00Z"}).ok(201)
    program({"earning": bonus("has tag 'vip'")})
    assert earned(admin, customer) == 8
    asked = {"customer": f"ext:{customer}", "lines": [{"sku": "S", "unit_price_minor": 10000}]}
    later = admin.post("/v1/checkout/quote?now=2027-05-03T04:00:00Z", asked).ok()["points"]["earned"]
    assert admin.post("/v1/checkout/quote", asked).ok()["points"]["earned"] == later + 7
    clock.set("2027-05-02T04:00:00Z")
    assert earned(admin, customer) == 1


def test_rules_that_give_coupons_ask_tags_and_segments(admin, program):
    vip, plain, made = tagged(admin, "vip"), tagged(admin), template(admin)
    program({"coupons": [{"code": "vip", "on": "order_counted", "template": made, "when": "has tag 'vip' and in segment 'new'"}]})
    assert [[one["status"] for one in take(admin, order(one, 100))["coupons"]] for one in (vip, vip, plain)] == [["issued"], [], []]


def test_rewards_and_birthdays_ask_tags_and_segments(admin, program, clock):
    clock.set("2027-06-01T04:00:00Z")
    vip, plain = tagged(admin, "vip", birthday="06-10"), tagged(admin, birthday="06-10")
    code = fresh("reward").replace("-", "_")
    admin.put(f"/v1/rewards/{code}", {"name": "Test", "kind": "gift", "points": 1, "condition": "has tag 'vip' and in segment 'new'"}).ok(201)
    for customer, status in ((vip, 201), (plain, 409)):
        take(admin, order(customer, 1000))
        assert admin.post(f"/v1/customers/ext:{customer}/rewards/redemptions", {"reward": code},
                          Idempotency_Key=fresh("key")).status == status
    program({"birthdays": [{"code": fresh("cake").replace("-", "_"), "points": 50, "when": "has tag 'vip' and in segment 'new'"}]})
    before = [balance(admin, one)["active"] for one in (vip, plain)]
    assert admin.post("/v1/test/clock", {"now": "2027-06-10T04:00:00Z", "chores": True}).ok()["chores_failed"] == 0
    eventually(lambda: balance(admin, vip)["active"] == before[0] + 50, seconds=5)
    assert balance(admin, plain)["active"] == before[1]


@pytest.mark.parametrize("where, rule", [
    ("earning", {**BASE, "code": "b"}), ("coupons", {"code": "b", "on": "order_counted"}), ("birthdays", {"code": "b", "points": 1})])
def test_a_segment_that_there_is_not_is_refused_with_those_that_there_are(admin, where, rule):
    document = {name: value for name, value in admin.get("/v1/program").ok().items() if name != "version"}
    if where == "coupons":
        rule = {**rule, "template": template(admin)}
    document[where] = [*document[where], {**rule, "when": "in segment 'vip'"}]
    for answer in (admin.put("/v1/program", document), admin.post("/v1/program/diff", document)):
        assert FAULT in str(answer.is_problem(422, "invalid")), answer


def test_neither_does_a_reward_take_it(admin):
    answer = admin.put("/v1/rewards/no_segment", {"name": "Test", "kind": "gift", "points": 1, "condition": "in segment 'vip'"})
    assert answer.faults == {("#/condition", "expression_value")} and FAULT in str(answer.is_problem(422, "invalid"))
