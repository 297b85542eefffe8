"""Rewards: points and stock in two phases, conditions and limits, what a reward brings, and each end once."""

import pytest

from coupons import state, template
from shop import balance, eventually, fresh, order, take, tier

MANY = 64


def reward(client, status=201, **rest):
    code = fresh("reward").replace("-", "_")
    client.put(f"/v1/rewards/{code}", {"name": "Test", "kind": "gift", "points": 30, **rest}).ok(status)
    return code


def rich(admin, points=100):
    customer = fresh("customer")
    take(admin, order(customer, points * 100))
    return customer


def path(customer, *rest):
    return "/".join([f"/v1/customers/ext:{customer}/rewards/redemptions", *rest])


def ask(client, customer, code, **rest):
    return client.post(path(customer), {"reward": code, **rest}, Idempotency_Key=fresh("key"))


def end(client, customer, redemption, how, body=None):
    return client.post(path(customer, redemption["id"], how), body or {}, Idempotency_Key=fresh("key"))


def points(client, customer):
    now = balance(client, customer)
    return now["active"], now["held"], now["lifetime_spent"]


# ---------------------------------------------------------------------- the catalogue

def test_a_reward_is_versioned_and_taken_out(admin):
    code = reward(admin, stock=3)
    made = admin.get(f"/v1/rewards/{code}").ok()
    assert (made["version"], made["taken"], made["redeem_days"], made["active"]) == (1, 0, 30, True)
    body = {"name": "More", "kind": "gift", "points": 40}
    assert admin.put(f"/v1/rewards/{code}", body, If_Match='"9"').is_problem(412, "stale-version")["version"] == 1
    assert admin.put(f"/v1/rewards/{code}", body, If_Match='"1"').ok()["version"] == 2
    admin.call("DELETE", f"/v1/rewards/{code}", None, {"If-Match": '"1"'}).is_problem(412, "stale-version")
    assert admin.call("DELETE", f"/v1/rewards/{code}").ok()["active"] is False
    ask(admin, rich(admin), code).is_problem(409, "reward-sold-out")
    assert code in [one["code"] for page in admin.pages("/v1/rewards?limit=1") for one in page]
    for method in ("GET", "DELETE"):
        admin.call(method, "/v1/rewards/no_such").is_problem(404, "not-found")


@pytest.mark.parametrize("body,faults", [
    ({"kind": "coupon"}, {("#/coupon_template", "required")}),
    ({"kind": "coupon", "coupon_template": "no_such"}, {("#/coupon_template", "unknown_value")}),
    ({"kind": "gift", "trial_tier": "gold", "trial_days": 3}, {("#/trial_tier", "not_for_kind"), ("#/trial_days", "not_for_kind")}),
    ({"kind": "tier_trial", "trial_tier": "lead", "trial_days": 3}, {("#/trial_tier", "unknown_value")}),
    ({"kind": "gift", "limit_days": 3}, {("#/limit_days", "not_allowed")}),
    ({"kind": "gift", "condition": "tier >= lead"}, {("#/condition", "expression_value")}),
    ({"kind": "gift", "condition": "category = 'bags'"}, {("#/condition", "expression_scope")}),
    ({"kind": "gift", "valid_from": "2026-02-02", "valid_until": "2026-02-01"}, {("#/valid_until", "too_small")}),
])
def test_a_reward_that_makes_no_sense_is_refused(admin, body, faults):
    assert admin.put("/v1/rewards/wrong", {"name": "x", "points": 1, **body}).faults == faults


# ---------------------------------------------------------------------- two phases

def test_a_gift_holds_the_points_then_spends_them_or_gives_them_back(admin, server):
    customer, code = rich(admin), reward(admin, stock=2)
    first = ask(admin, customer, code)
    assert first.headers["location"].endswith(f"/rewards/redemptions/{first.json()['id']}") and first.status == 201
    first = first.json()
    assert (first["state"], first["points"]) == ("issued", 30) and points(admin, customer) == (70, 30, 0)
    hold = f"/v1/customers/ext:{customer}/points/holds/{first['hold_id']}"
    for how in ("capture", "release"):
        bound = admin.post(f"{hold}/{how}", {}, Idempotency_Key=fresh("key")).is_problem(409, "hold-bound")
        assert bound["redemption_id"] == first["id"]
    paid = admin.post("/v1/orders", order(customer, 100, points_hold=first["hold_id"]))
    assert paid.is_problem(409, "hold-bound")["redemption_id"] == first["id"]
    second = ask(admin, customer, code).ok(201)
    ask(admin, customer, code).is_problem(409, "reward-sold-out")
    assert points(admin, customer) == (40, 60, 0) and admin.get(f"/v1/rewards/{code}").ok()["taken"] == 2
    assert end(admin, customer, first, "redeem").ok()["state"] == "redeemed"
    back = end(admin, customer, second, "cancel", {"reason": "broken"}).ok()
    assert (back["state"], back["reason"]) == ("cancelled", "broken")
    assert points(admin, customer) == (70, 0, 30) and admin.get(f"/v1/rewards/{code}").ok()["taken"] == 1
    for how in ("redeem", "cancel"):
        for one, what in ((first, "redeemed"), (second, "cancelled")):
            assert end(admin, customer, one, how).is_problem(409, "redemption-resolved")["state"] == what
            end(admin, customer, {"id": "no"}, how).is_problem(404, "not-found")
    assert admin.get(path(customer, first["id"])).ok()["state"] == "redeemed"
    admin.get(path(customer, "no")).is_problem(404, "not-found")
    listed = [one["id"] for page in admin.pages(path(customer) + "?limit=1") for one in page]
    assert listed == [second["id"], first["id"]]
    assert [one["id"] for one in admin.get(path(customer) + "?state=redeemed").ok()["data"]] == [first["id"]]
    ask(admin, customer, "no_such").is_problem(404, "not-found")
    assert ask(admin, customer, reward(admin, points=71)).is_problem(409, "insufficient-points")["balance"] == 70


def test_conditions_and_limits_hold(admin, clock):
    customer = rich(admin, 100)
    for condition, good in (("tier >= silver", False), ("tier = basic and in segment 'new'", True), ("in segment 'loyal'", False),
                            ("points.active >= 99", True), ("birthday_month", False)):
        answer = ask(admin, customer, reward(admin, points=1, condition=condition))
        assert (answer.status == 201) == good, condition
        assert good or answer.slug == "reward-not-for-customer"
    code = reward(admin, points=1, customer_limit=2, limit_days=30)
    given = [ask(admin, customer, code).ok(201) for _ in range(2)]
    assert ask(admin, customer, code).is_problem(409, "reward-limit-reached")["limit"] == 2
    end(admin, customer, given[0], "cancel").ok()
    ask(admin, customer, code).ok(201)
    ask(admin, customer, code).is_problem(409, "reward-limit-reached")
    clock.advance(days=31)
    ask(admin, customer, code).ok(201)
    ask(admin, customer, reward(admin, valid_from="2027-05-01")).is_problem(409, "reward-sold-out")
    ask(admin, customer, reward(admin, valid_until="2026-11-01")).is_problem(409, "reward-sold-out")


def test_a_coupon_is_issued_when_it_is_redeemed(admin):
    customer, kind = rich(admin), template(admin, per_customer_limit=1, total_limit=2)
    code = reward(admin, kind="coupon", coupon_template=kind)
    issued = ask(admin, customer, code).ok(201)
    assert issued["coupon"] is None
    got = end(admin, customer, issued, "redeem").ok()
    coupon = admin.get(f"/v1/coupons/{got['coupon']}").ok()
    assert (coupon["customer_id"], coupon["source"], coupon["issue_key"], coupon["state"]) == (got["customer_id"], "reward", got["id"], "available")
    assert ask(admin, customer, code, redeem=True).is_problem(409, "coupon-limit-reached")
    waiting = ask(admin, customer, code).ok(201)
    end(admin, customer, waiting, "redeem").is_problem(409, "coupon-limit-reached")
    assert points(admin, customer) == (40, 30, 30)  # nothing came of it: it is still issued
    other = rich(admin)
    assert state(admin, ask(admin, other, code, redeem=True).ok(201)["coupon"]) == "available"
    third, fourth = rich(admin), rich(admin)
    ask(admin, third, code, redeem=True).is_problem(409, "coupons-sold-out")
    end(admin, fourth, ask(admin, fourth, code).ok(201), "redeem").is_problem(409, "coupons-sold-out")
    assert points(admin, third) == (100, 0, 0)


def test_a_tier_on_trial_begins_and_ends(admin, clock):
    customer = rich(admin)
    code = reward(admin, kind="tier_trial", trial_tier="silver", trial_days=10)
    waiting = ask(admin, customer, code).ok(201)
    ask(admin, customer, code, redeem=True).ok(201)
    assert (tier(admin, customer)["code"], tier(admin, customer)["pin_reason"]) == ("silver", f"reward {code}")
    ask(admin, customer, code).is_problem(409, "reward-not-for-customer")
    end(admin, customer, waiting, "redeem").is_problem(409, "reward-not-for-customer")
    clock.advance(days=10)
    assert tier(admin, customer)["code"] == "basic"
    end(admin, customer, waiting, "redeem").ok()


def test_a_tier_on_trial_leaves_one_that_staff_set_alone(admin, clock):
    customer = rich(admin)
    code = reward(admin, kind="tier_trial", trial_tier="gold", trial_days=10)
    waiting = ask(admin, customer, code).ok(201)
    pin = {"tier": "silver", "until": "2027-06-01T00:00:00Z", "reason": "a friend of the house"}
    admin.put(f"/v1/customers/ext:{customer}/tier/pin", pin).ok()
    before = points(admin, customer)
    ask(admin, customer, code).is_problem(409, "reward-not-for-customer")
    end(admin, customer, waiting, "redeem").is_problem(409, "reward-not-for-customer")
    assert (tier(admin, customer)["code"], tier(admin, customer)["pin_reason"]) == ("silver", "a friend of the house")
    assert points(admin, customer) == before
    admin.call("DELETE", f"/v1/customers/ext:{customer}/tier/pin").ok()
    end(admin, customer, waiting, "redeem").ok()
    assert tier(admin, customer)["code"] == "gold"


def test_what_nobody_takes_expires_and_gives_the_points_back(admin, clock):
    customer, code = rich(admin), reward(admin, redeem_days=3, stock=1)
    waiting = ask(admin, customer, code).ok(201)
    clock.advance(days=3)
    assert admin.get(path(customer, waiting["id"])).ok()["state"] == "expired"
    assert end(admin, customer, waiting, "redeem").is_problem(409, "redemption-resolved")["state"] == "expired"
    assert eventually(lambda: points(admin, customer) == (100, 0, 0), seconds=10)
    assert admin.get(f"/v1/rewards/{code}").ok()["taken"] == 0


# ---------------------------------------------------------------------- bad days

def test_64_parallel_clients_take_a_stock_of_100_and_no_more(admin):
    code, customers = reward(admin, points=1, stock=100), [rich(admin) for _ in range(8)]
    answers = [one for _ in range(2) for one in admin.parallel(
        [("POST", path(customers[i % 8]), {"reward": code, "redeem": i % 2 == 0}, {"Idempotency-Key": fresh("key")}) for i in range(MANY)])]
    assert sorted(one.status for one in answers) == [201] * 100 + [409] * (2 * MANY - 100)
    assert admin.get(f"/v1/rewards/{code}").ok()["taken"] == 100
    assert sum(sum(points(admin, one)[1:]) for one in customers) == 100


def test_64_parallel_ends_of_one_redemption_are_one(admin):
    customer, code = rich(admin), reward(admin, stock=1)
    waiting = ask(admin, customer, code).ok(201)
    answers = admin.parallel([("POST", path(customer, waiting["id"], ("redeem", "cancel")[i % 2]), {},
                               {"Idempotency-Key": fresh("key")}) for i in range(MANY)])
    assert sorted(one.status for one in answers) == [200] + [409] * (MANY - 1)
    final = admin.get(path(customer, waiting["id"])).ok()["state"]
    assert points(admin, customer) == {"redeemed": (70, 0, 30), "cancelled": (100, 0, 0)}[final]


def test_a_refund_while_the_points_are_held_leaves_the_sum_right(admin):
    """The order whose points are held is refunded: what is held stays, the rest becomes debt, and a cancellation pays it off."""
    customer, code = fresh("customer"), reward(admin, points=80)
    number = take(admin, order(customer, 10000))["order"]["external_id"]
    waiting = ask(admin, customer, code).ok(201)
    back = {"external_id": fresh("refund"), "lines": [{"line_no": 1, "quantity": 1}]}
    answers = admin.parallel([("POST", f"/v1/orders/ext:{number}/refunds", back),
                              ("POST", path(customer, waiting["id"], "cancel"), {}, {"Idempotency-Key": fresh("key")})])
    assert {one.status for one in answers} <= {200, 201}
    after = balance(admin, customer)
    assert (after["active"], after["held"], after["debt"]) == (0, 0, 0)
    assert admin.get("/v1/points/proof").ok()["ok"]
