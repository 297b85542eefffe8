"""The programme: read, replaced, refused with every fault; and what its earning rules bring."""

import pytest

from shop import balance, eventually, fresh, give_back, line, order, refund, take

GROWTH = {"code": "growth_base", "target": "growth", "kind": "base", "rate_millionths": 1000000}


def base(code="base", rate=1000000, **rest):
    return {"code": code, "kind": "base", "rate_millionths": rate, **rest}


def multiply(code, factor, **rest):
    return {"code": code, "kind": "multiply", "factor_millionths": factor, **rest}


def add(code, points, **rest):
    return {"code": code, "kind": "add", "points": points, **rest}


def document(program):
    return {name: value for name, value in program.items() if name != "version"}


def earned(admin, *args, **rest):
    """What an order earns: the sum and the lines of the explanation."""
    points = take(admin, order(*args, **rest))["points"]
    assert sum(one["points"] for one in points["explanation"]) == points["earned"]
    return points["earned"], [(one["rule"], one["points"]) for one in points["explanation"]]


def test_get_is_the_newest_version_and_304_when_it_is_known(admin):
    answer = admin.get("/v1/program")
    version = answer.ok()["version"]
    assert answer.headers["etag"] == f'"{version}"' and admin.get("/v1/program", If_None_Match=f'"{version}"').status == 304
    assert [one["code"] for one in answer.json()["tiers"]] == ["basic", "silver", "gold", "diamond"]
    assert [one["name"] for one in answer.json()["tiers"]] == ["普通", "银卡", "金卡", "钻石"]


def test_put_stores_a_new_version_and_the_document_comes_back_as_it_was_sent(admin, program):
    before = admin.get("/v1/program").ok()
    sent = {**document(before), "earning": [base(when="tier >= silver", valid_from="2026-01-01"), GROWTH]}
    stored = program(sent)
    assert stored["version"] == before["version"] + 1 and admin.get("/v1/program").ok() == stored
    assert stored["earning"][0]["when"] == "tier >= silver" and document(stored)["tiers"] == before["tiers"]
    assert admin.put("/v1/program", stored).ok() == {**stored, "version": stored["version"] + 1}, "what was read may be sent"
    admin.put("/v1/program", sent, Prefer="return=minimal")
    assert admin.get("/v1/program").ok()["version"] == stored["version"] + 2


def test_a_stale_if_match_is_412_and_stores_nothing(admin, program):
    first = admin.get("/v1/program").ok()
    stored = admin.put("/v1/program", document(first), If_Match=f'"{first["version"]}"').ok()
    problem = admin.put("/v1/program", document(first), If_Match=f'"{first["version"]}"').is_problem(412, "stale-version")
    assert problem["version"] == stored["version"] == admin.get("/v1/program").ok()["version"]


def test_every_fault_of_a_document_is_pointed_at_at_once(admin):
    wrong = {
        "points": {"pending": "days"},
        "earning": [base(points=5), base(), {"code": "m", "kind": "multiply"}, add("tier_points", 5, rate_millionths=1),
                    base("when", when="catgory = 'x'"), base("dates", valid_from="2026-02-01", valid_until="2026-01-31"),
                    base("unit", when="order.total >= 'much'")],
        "tiers": [{"rank": 0, "code": "a", "name": "A", "qualify": {"any_of": [{"metric": "spend", "at_least": 1}]}},
                  {"rank": 1, "code": "b", "name": "B"},
                  {"rank": 3, "code": "b", "name": "C", "qualify": {"all_of": [{"metric": "orders", "at_least": 1}]},
                   "benefits": {"full_reduction": [{"threshold_minor": 5, "off_minor": 6}], "lifetime_repair_goods": "sku = 'x'"}}]}
    take(admin, order(fresh("customer"), 60000))  # somebody holds silver, which is gone
    before = admin.get("/v1/program").ok()
    answer = admin.put("/v1/program", wrong)
    assert answer.faults == {
        ("#/tiers", "tier_in_use"),
        ("#/points/pending_days", "required"), ("#/earning/0/points", "not_for_kind"), ("#/earning/1/code", "duplicate"),
        ("#/earning/2/factor_millionths", "required"), ("#/earning/3/code", "reserved"),
        ("#/earning/3/rate_millionths", "not_for_kind"), ("#/earning/4/when", "expression_unknown_field"),
        ("#/earning/5/valid_until", "too_small"), ("#/earning/6/when", "expression_type"), ("#/tiers/0/qualify", "not_allowed"),
        ("#/tiers/1/qualify", "required"), ("#/tiers/2/code", "duplicate"), ("#/tiers/2/rank", "out_of_order"),
        ("#/tiers/2/benefits/full_reduction/0/off_minor", "too_large"),
        ("#/tiers/2/benefits/lifetime_repair_goods", "not_allowed")}
    details = {one["pointer"]: one["detail"] for one in answer.json()["errors"]}
    assert "category" in details["#/earning/4/when"], "the name that was probably meant"
    assert admin.get("/v1/program").ok() == before


def test_null_stands_for_the_default_everywhere_in_a_document(admin, program):
    first = admin.get("/v1/program").ok()
    tiers = [{**one, "keep": None, "benefits": None} for one in first["tiers"]]
    rule = {**base(), "target": None, "factor_millionths": None, "points": None, "when": None, "valid_from": None,
            "valid_until": None, "priority": None, "stacking": None}
    stored = program({"version": None, "points": None, "cycle": None, "earning": [rule, GROWTH], "tiers": tiers})
    assert stored["points"] == {
        "pending": "none", "pending_days": 0, "refund_policy": "unlimited", "restored_life_days": 30, "approval_above": 10000,
        "value_minor_per_100": 100, "spending": {"minimum": 1, "step": 1, "max_share_permille": 1000},
        "caps": {"per_order": None, "per_day": None, "per_month": None},
        "expiry": {"form": "never", "months": 0, "round_to": "none", "dates": [], "warn_days": 0}}
    assert stored["cycle"] == {"cycle_months": 12, "anchor": "tier_start", "downgrade": "one_step", "grace_days": 0, "notice_days": 30,
                              "after_refund": "at_once"} and stored["earning"][0]["stacking"] == "stack"
    assert stored["tiers"][0]["benefits"]["points_multiplier_permille"] == 1000
    assert earned(admin, fresh("customer"), 1000) == (10, [("base", 10)])
    assert program({"earning": None})["earning"] == []
    assert earned(admin, fresh("customer"), 1000) == (0, [])


def test_a_new_version_decides_orders_within_a_second(admin, program):
    customer = fresh("customer")
    first = admin.get("/v1/program").ok()
    admin.put("/v1/program", {**document(first), "earning": [base(rate=5000000), GROWTH]}).ok()
    eventually(lambda: earned(admin, customer, 100)[0] == 5, seconds=1)
    program({})
    assert earned(admin, customer, 100)[0] == 1


# ---------------------------------------------------------------------- earning rules


def test_base_rules_add_up_and_are_floored_once_per_order(admin, program):
    program({"earning": [base(rate=1000000), base("half", rate=500000), GROWTH]})
    assert earned(admin, fresh("customer"), 99, 99, 99) == (4, [("base", 2), ("half", 2)])
    body = order(fresh("customer"), 99, 99, 99)
    take(admin, body)
    lines = admin.get(f"/v1/orders/ext:{body['external_id']}").ok()["lines"]
    assert sorted(one["points"] for one in lines) == [1, 1, 2]


def test_multiply_rules_raise_the_lines_on_which_they_hold(admin, program):
    program({"earning": [base(), multiply("bags", 2000000, when="category = 'bags'"), multiply("dear", 1500000, when="line.total >= 50"),
                         GROWTH]})
    lines = [line(1, 10000, category="bags"), line(2, 1000, category="bags"), line(3, 10000)]
    assert earned(admin, fresh("customer"), lines=lines) == (470, [("base", 210), ("bags", 110), ("dear", 150)])


def test_add_rules_bring_a_number_per_order_shared_by_their_lines(admin, program):
    program({"earning": [base(), add("welcome", 100, when="first_order"), add("bag", 7, when="sku starts_with 'BAG'"), GROWTH]})
    customer = fresh("customer")
    body = order(customer, lines=[{"sku": "BAG-1", "total_minor": 200}, {"sku": "BAG-2", "total_minor": 100}, {"sku": "X", "total_minor": 300}])
    outcome = take(admin, body)["points"]
    assert [(one["rule"], one["points"]) for one in outcome["explanation"]] == [("base", 6), ("welcome", 100), ("bag", 7)]
    lines = admin.get(f"/v1/orders/ext:{body['external_id']}").ok()["lines"]
    assert sum(one["points"] for one in lines) == 113
    assert earned(admin, customer, 100) == (1, [("base", 1)])


def test_growth_rules_bring_growth_and_no_points(admin, program):
    program({"earning": [base(), GROWTH, {**multiply("growth_bags", 2000000, when="category = 'bags'"), "target": "growth"}]})
    outcome = take(admin, order(fresh("customer"), lines=[line(1, 1000, category="bags"), line(2, 1000)]))
    assert (outcome["points"]["earned"], outcome["growth"]["earned"]) == (20, 30)


def test_an_exclusive_rule_ends_the_search_of_its_kind(admin, program):
    program({"earning": [base(), multiply("low", 3000000, priority=1), multiply("high", 2000000, priority=2, stacking="exclusive"),
                         GROWTH]})
    assert earned(admin, fresh("customer"), 1000) == (20, [("base", 10), ("high", 10)])
    program({"earning": [base(), multiply("low", 3000000, priority=1, stacking="exclusive"), multiply("high", 2000000, priority=2),
                         GROWTH]})
    assert earned(admin, fresh("customer"), 1000) == (20, [("base", 10), ("high", 10)])


def test_a_rule_holds_on_its_days_both_included_in_the_shops_zone(admin, program, clock):
    program({"earning": [base(), add("singles", 11, valid_from="2027-11-10", valid_until="2027-11-11"), GROWTH]})
    seen = []
    for moment in ("2027-11-09T15:59:59Z", "2027-11-09T16:00:00Z", "2027-11-11T15:59:59Z", "2027-11-11T16:00:00Z"):
        clock.set(moment)
        seen.append(earned(admin, fresh("customer"), 100)[0])
    assert seen == [1, 12, 12, 1]


@pytest.mark.parametrize("when,yes,no", [
    ("order.channel = live", {"channel": "live"}, {"channel": "search"}),
    ("order.total >= 10.00", {}, {"lines": [line(1, 999)]}),
    ("order.quantity > 2", {"lines": [line(1, 1000, quantity=3)]}, {"lines": [line(1, 1000, quantity=2)]}),
    ("coupon is known", {"coupon": "C"}, {}),
    ("brand in ('B', 'C')", {"lines": [line(1, 1000, brand="C")]}, {"lines": [line(1, 1000, brand="D")]}),
    ("not line.name contains '限量'", {}, {"lines": [line(1, 1000, name="限量版")]}),
])
def test_a_condition_decides_whether_the_rule_holds(admin, program, when, yes, no):
    program({"earning": [add("extra", 7, when=when), GROWTH]})
    assert [earned(admin, fresh("customer"), 1000, **one)[0] for one in (yes, no)] == [7, 0]


def test_conditions_see_the_customer_as_known_before_the_order(admin, program):
    program({"earning": [add("gold", 1, when="tier >= gold"), add("city", 10, when="city = '杭州' and gender = female"),
                         add("third", 100, when="orders.count = 2 and spend >= 2000.00"), GROWTH]})
    customer = fresh("customer")
    who = {"external_id": customer, "city": "杭州", "gender": "female"}
    assert [earned(admin, who, 150000)[0] for _ in range(4)] == [10, 11, 111, 11]


# ---------------------------------------------------------------------- pending


def test_pending_days_pass_before_points_can_be_spent(admin, program, clock):
    program({"points": {"pending": "days", "pending_days": 7}})
    customer = fresh("customer")
    points = take(admin, order(customer, 10000))["points"]
    assert (points["status"], points["pending"], points["active"]) == ("pending", 100, 0)
    path, spend = f"/v1/customers/ext:{customer}/points/redemptions", {"points": 1}
    admin.post(path, spend, Idempotency_Key=fresh("key")).is_problem(409, "insufficient-points")
    clock.advance(days=7, seconds=1)
    eventually(lambda: balance(admin, customer)["active"] == 100)
    assert balance(admin, customer)["pending"] == 0 and admin.post(path, spend, Idempotency_Key=fresh("key")).status == 201


@pytest.mark.parametrize("pending,releases", [("delivered", "delivered"), ("delivered", "completed"), ("completed", "completed")])
def test_pending_points_wait_for_the_state_of_their_order(admin, program, pending, releases):
    program({"points": {"pending": pending}})
    customer = fresh("customer")
    body, other = order(customer, 10000), order(customer, 5000)
    take(admin, other)
    assert take(admin, body)["points"]["status"] == "pending"
    assert take(admin, {**body, "status": "shipped"}, 200)["points"]["pending"] == 150
    if pending == "completed":
        assert take(admin, {**body, "status": "delivered"}, 200)["points"]["active"] == 0
    points = take(admin, {**body, "status": releases}, 200)["points"]
    assert (points["active"], points["pending"]) == (100, 50)
    at_once = take(admin, order(customer, 1000, status=releases))["points"]
    assert (at_once["status"], at_once["active"]) == ("active", 110)


def test_a_refund_takes_pending_points_first(admin, program):
    customer = fresh("customer")
    take(admin, order(customer, 10000))
    program({"points": {"pending": "delivered"}})
    body = order(customer, 10000)
    take(admin, body)
    outcome = give_back(admin, body["external_id"], refund({"line_no": 1, "amount_minor": 6000}))
    assert (outcome["points"]["pending"], outcome["points"]["active"]) == (40, 100)
    outcome = take(admin, {**body, "status": "delivered"}, 200)
    assert (outcome["points"]["pending"], outcome["points"]["active"]) == (0, 140)


def test_a_tier_that_somebody_holds_or_is_pinned_to_does_not_go(admin, program):
    first = program({})
    spare = {"rank": 4, "code": "spare", "name": "S", "qualify": {"any_of": [{"metric": "orders", "at_least": 1000000}]}}
    wider = program({"tiers": first["tiers"] + [spare]})
    take(admin, order(fresh("customer"), 300000))
    pinned = fresh("customer")
    admin.put(f"/v1/customers/ext:{pinned}", {"name": "P"}).ok(201)
    path = f"/v1/customers/ext:{pinned}/tier/pin"
    admin.put(path, {"tier": "spare", "until": "2099-01-01T00:00:00Z", "reason": "a test"}).ok()
    renamed = [{**one, "code": "brilliant"} if one["code"] == "diamond" else one for one in wider["tiers"]]
    for answer in (admin.put("/v1/program", document({**wider, "tiers": renamed})),
                   admin.post("/v1/program/diff", document({**wider, "tiers": renamed}))):
        assert answer.faults == {("#/tiers", "tier_in_use")}
        assert "diamond" in answer.json()["errors"][0]["detail"]
    answer = admin.post("/v1/program/rollback", {"version": first["version"]})
    assert answer.faults == {("#/version", "tier_in_use")}
    assert "spare: 0 hold it and 1 are pinned to it" in answer.json()["errors"][0]["detail"]
    assert admin.get("/v1/program").ok() == wider
    renamed = [{**one, "name": "Brilliant"} if one["code"] == "diamond" else one for one in wider["tiers"]]
    assert program({"tiers": renamed})["tiers"][3]["name"] == "Brilliant", "its name may change"
    admin.call("DELETE", path).ok()
    lowest = [{**one, "code": "plain"} if one["code"] == "basic" else one for one in first["tiers"]]
    assert program({"tiers": lowest})["tiers"][0]["code"] == "plain", "whoever has the lowest tier has the new one"
